"""Debian root file systems on this host: unpacked from an image, entered with chroot(8), extended by the real apt.

    root = unpack(layout, "3.11-slim", target)
    apt = Apt(root=root)
    apt.update()
    apt.install(["libpq5"], debs=[path, ...])
    root.run("dpkg", "--audit").stdout

What runs in a root has namespaces of its own, with no network in them, and mounts that vanish with it.
"""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from real.programs import run

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from subprocess import CompletedProcess

_ENTER: Final = """
root=$1; shift
mkdir -p "$root/proc" "$root/dev"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
exec chroot "$root" "$@"
"""
_ENVIRONMENT: Final = {
    "DEBIAN_FRONTEND": "noninteractive",
    "LC_ALL": "C.UTF-8",
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
}
# What Debian's slim images set for dpkg; the last rule that fits counts, and these come after those of the base.
_SLIM: Final = (
    *(f"--path-exclude=/usr/share/{name}/*" for name in ("doc", "groff", "info", "linda", "lintian", "locale", "man")),
    "--path-include=/usr/share/doc/*/copyright",
    "--path-include=/usr/share/doc/kde/HTML/C/*",
    "--path-include=/usr/share/locale/all_languages",
    "--path-include=/usr/share/locale/currency/*",
    "--path-include=/usr/share/locale/l10n/*",
    "--path-include=/usr/share/locale/languages",
    "--path-include=/usr/share/locale/locale.alias",
)
# As in Debian's container images: a package does not start its service (invoke-rc.d, Debian Policy 9.3.3.2).
_NO_SERVICES: Final = "usr/sbin/policy-rc.d"
# `Inst libpq5 [15.1-1] (15.18-0+deb12u1 Debian:12.0/oldstable [amd64])`
_WOULD_INSTALL: Final = re.compile(r"^Inst (\S+)(?: \[(\S+)\])? \((\S+) ", re.MULTILINE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Chroot:
    """A root file system at `path`."""

    path: Path

    def run(self, *command: str, status: int | None = 0) -> CompletedProcess[str]:
        """Run a program in it, as root."""
        enter = ("unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "sh", "-ec", _ENTER, "sh")
        variables = (f"{name}={value}" for name, value in _ENVIRONMENT.items())
        return run(*enter, self.path, "env", "-i", *variables, *command, status=status)


def unpack(layout: Path, tag: str, target: Path) -> Chroot:
    """Unpack an image of an OCI layout with umoci: owners, modes, hard links and whiteouts as an engine has them."""
    run("umoci", "raw", "unpack", "--image", f"{layout}:{tag}", target)
    return Chroot(path=target)


@dataclass(frozen=True, kw_only=True, slots=True)
class Apt:
    """The apt of a root file system, which reads its indexes through this host's."""

    root: Chroot

    def update(self) -> None:
        """Fetch the indexes of the root's own sources."""
        self._fetch("update")

    def download(self, names: Sequence[str], target: Path) -> list[Path]:
        """Fetch the packages that a request would install; their files, by name."""
        (target / "partial").mkdir(parents=True)
        options = ("--yes", "--no-install-recommends", "--download-only", f"-oDir::Cache::archives={target}")
        self._fetch(*options, "install", *names)
        return sorted(target.glob("*.deb"))

    def _fetch(self, *words: str) -> None:
        """Run the host's apt on the root, as mmdebstrap does: it knows the way out."""
        settings = self.root.path.with_name(f"{self.root.path.name}.apt.conf")
        settings.write_text(
            f'Dir "{self.root.path}";\nDir::State::Status "{self.root.path}/var/lib/dpkg/status";\n'
            'APT::Sandbox::User "root";\nAcquire::Languages "none";\n'
        )
        run("apt-get", "-qq", *words, env={"APT_CONFIG": str(settings)})

    def would_install(self, names: Sequence[str]) -> dict[str, tuple[str, str]]:
        """The packages that a request would install: name → version there is now, or "", and version then."""
        said = self.root.run("apt-get", "--simulate", "--no-install-recommends", "install", *names).stdout
        return {name: (old, new) for name, old, new in _WOULD_INSTALL.findall(said)}

    def install(self, names: Sequence[str], debs: Iterable[tuple[str, Path]]) -> None:
        """Install a request from `debs` alone, each with its file name in apt's cache."""
        archives = self.root.path / "var/cache/apt/archives"
        for name, deb in debs:
            _link(deb, archives / name)
        no_services = self.root.path / _NO_SERVICES
        no_services.write_text("#!/bin/sh\nexit 101\n")
        no_services.chmod(0o755)
        options = [f"-oDpkg::Options::={option}" for option in ("--force-unsafe-io", *_SLIM)]
        command = ("apt-get", "install", "--yes", "--no-download", "--no-install-recommends", *options)
        try:
            self.root.run(*command, *names)
        finally:
            no_services.unlink()
            shutil.rmtree(archives)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copyfile(source, target)
