"""The truth: the files after `apt-get install` in a chroot and those of our layers; what differs is named here."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import unquote

import pytest
from memory import in_memory

from pycontainer.layers.tar_reader import read_entries
from pycontainer.layers.writer import LayerWriter
from pycontainer.sources.base.debian import read_state
from pycontainer.sources.base.kept import kept_content
from pycontainer.sources.base.rootfs import RootFS
from pycontainer.sources.debian.effects.ld_cache import read_ld_cache, write_ld_cache
from pycontainer.sources.debian.kept import is_read_of_base
from pycontainer.sources.debian.package import BinaryPackage
from pycontainer.sources.debian.recipe import DebInput, DebsRecipe
from pycontainer.sources.debian.system import SystemRecipe, check_scripts

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.network,
    pytest.mark.skipif(shutil.which("mmdebstrap") is None, reason="mmdebstrap is not installed"),
]

# One of each effect: alternatives with slaves and of libraries, certificates, users, groups, links, files, and the
# indexes of MIME types and of image formats.
REQUEST = [
    "ca-certificates", "fontconfig-config", "less", "libblas3", "liblapack3", "libpq5", "librsvg2-common",
    "mariadb-common", "netcat-openbsd", "openssh-client", "redis-tools", "shared-mime-info", "unixodbc-common",
    "xz-utils",
]  # fmt: skip
EXPLAINED = {
    "etc/group": "numbers go by the order of configuration, which dpkg chooses; all else is compared by names",
    "etc/gshadow": "the order, as above",
    "etc/passwd": "numbers, as above",
    "etc/ld.so.cache": "who wrote it; the rest is compared",
    "etc/shadow": "the day of the installation; the rest is compared",
    "usr/bin/ssh-agent": "set-group-ID: see the review of openssh-client",
}
# What dpkg, apt and debconf note for themselves, backups, and what is left out of images.
NOT_COMPARED = (
    "dev", "proc", "sys", "tmp", "debs", "run", "var/cache/apt", "var/cache/debconf", "var/lib/apt", "var/log",
    "var/cache/ldconfig", "var/lib/dpkg/info", "var/lib/dpkg/status", "var/lib/dpkg/lock", "var/lib/dpkg/triggers",
    "var/lib/dpkg/available", "etc/passwd-", "etc/group-", "etc/shadow-", "etc/gshadow-", "etc/.pwd.lock",
    "etc/resolv.conf", "etc/systemd", "var/cache/fontconfig", "var/lib/systemd", "var/lib/ucf", "usr/share/doc",
    "usr/share/man", "usr/share/locale", "usr/share/lintian", "usr/share/info", "usr/share/groff",
)  # fmt: skip
SLIM = [f"/usr/share/{name}/*" for name in ("doc", "groff", "info", "lintian", "linda", "locale", "man")]


def run(*command: object) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def host_sources(codename: str) -> str:
    """The machine's own sources of this release, one after the other."""
    files = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]
    chosen = [file for file in files if file.is_file() and codename in file.read_text()]
    return "\0".join(str(file) for file in chosen)


@pytest.fixture(scope="module")
def ground() -> Iterator[Path]:
    """A folder for some systems; others than root read in it."""
    with TemporaryDirectory(prefix="pyc-", dir=in_memory(2 * 10**9)) as directory:
        Path(directory).chmod(0o755)
        yield Path(directory)


@pytest.fixture(scope="module")
def base(ground: Path) -> Path:
    """A minimal Debian of the machine's own release, as a tar."""
    if os.geteuid() != 0:
        pytest.skip("a chroot needs root")
    released = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    codename = released.get("VERSION_CODENAME", "")
    sources = host_sources(codename)
    if released.get("ID") != "debian" or not sources:
        pytest.skip("the machine has no sources of Debian")
    tar = ground / "base.tar"
    excluded = [f"--dpkgopt=path-exclude={pattern}" for pattern in SLIM]
    excluded += ["--dpkgopt=path-include=/usr/share/doc/*/copyright"]
    options = ["--quiet", "--variant=minbase", "--skip=cleanup/apt/lists", *excluded]
    run("env", f"TMPDIR={ground}", "mmdebstrap", *options, codename, tar, *sources.split("\0"))
    return tar


def unpacked(base: Path, folder: Path) -> Path:
    folder.mkdir()
    run("tar", "-xf", base, "-C", folder, "--exclude=./dev/*", "--numeric-owner")
    return folder


def owners(root: Path, database: str) -> dict[int, str]:
    return {int(fields[2]): fields[0] for fields in entries(root, database)}


def accounts(root: Path) -> list[list[str]]:
    """The lines of all account files without numbers and days, sorted."""
    gids = owners(root, "group")
    found = [["passwd", *line[:1], gids[int(line[3])], *line[4:]] for line in entries(root, "passwd")]
    found += [["group", line[0], *line[3:]] for line in entries(root, "group")]
    found += [["shadow", *line[:2]] for line in entries(root, "shadow")]
    return sorted(found + [["gshadow", *line] for line in entries(root, "gshadow")])


def entries(root: Path, database: str) -> list[list[str]]:
    return [line.split(":") for line in (root / "etc" / database).read_text().splitlines()]


def tree(root: Path) -> dict[str, tuple[object, ...]]:
    users, groups = owners(root, "passwd"), owners(root, "group")
    found: dict[str, tuple[object, ...]] = {}
    for folder, folders, files in os.walk(root):
        place = Path(folder).relative_to(root)
        folders[:] = [name for name in folders if not str(place / name).startswith(NOT_COMPARED)]
        for name in [*folders, *files]:
            path = place / name
            status = (root / path).lstat()
            owner = users[status.st_uid], groups[status.st_gid]
            if str(path).startswith(NOT_COMPARED) or str(path).startswith("etc/rc") or str(path).endswith("-old"):
                continue
            if stat.S_ISLNK(status.st_mode):
                found[str(path)] = "link", str((root / path).readlink())
            elif stat.S_ISDIR(status.st_mode):
                found[str(path)] = "folder", oct(status.st_mode), *owner
            else:
                content = hashlib.sha256((root / path).read_bytes()).hexdigest()
                found[str(path)] = "file", oct(status.st_mode), *owner, content
    return found


def install(root: Path, *options: str) -> str:
    environment = ["/usr/bin/env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8"]
    apt = ["apt-get", "--yes", "--quiet=2", "-o", "APT::Keep-Downloaded-Packages=true", "-o", "APT::Sandbox::User=root"]
    return run("chroot", root, *environment, *apt, *options, "install", "--no-install-recommends", *REQUEST)


def test_files_are_those_of_a_real_installation(base: Path, ground: Path) -> None:
    real = unpacked(base, ground / "real")
    shutil.copy("/etc/resolv.conf", real / "etc/resolv.conf")
    simulated = install(real, "--simulate")
    install(real, "--download-only")
    debs = {}
    for path in (real / "var/cache/apt/archives").glob("*.deb"):
        name, version, architecture = unquote(path.stem).split("_")
        package = BinaryPackage(
            name=name,
            version=version,
            architecture=architecture,
            size=path.stat().st_size,
            sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        )
        kept = ground / path.name
        shutil.copy(path, kept)
        debs[name] = DebInput(package=package, open_path=partial(Path, kept))
    order = [line.split()[1].partition(":")[0] for line in simulated.splitlines() if line.startswith("Inst ")]
    root = RootFS(keep_whole=lambda entry: is_read_of_base(entry.path, entry.size))
    with base.open("rb") as stream:
        root.apply(read_entries(stream), keep=kept_content)
    state = read_state(root)
    assert state is not None
    packages = DebsRecipe(debs=tuple(debs[name] for name in order), base=state)
    summaries = packages.summaries()
    check_scripts(summaries, state)
    system = SystemRecipe(
        packages=tuple(summary.package for summary in summaries), state=state, summaries=lambda: summaries
    )
    ours = unpacked(base, ground / "ours")
    for recipe in (packages, system):
        sink = io.BytesIO()
        with LayerWriter(sink) as writer:
            recipe.write(writer)
            writer.finish()
        layer = ground / "layer.tar"
        layer.write_bytes(gzip.decompress(sink.getvalue()))
        run("tar", "-xf", layer, "-C", ours, "--numeric-owner", "--preserve-permissions", "--overwrite")
    install(real)

    expected, found = tree(real), tree(ours)
    different = {path for path in expected.keys() | found.keys() if expected.get(path) != found.get(path)}
    assert {path: (expected.get(path), found.get(path)) for path in different - EXPLAINED.keys()} == {}
    assert sum(len(summary.paths) for summary in summaries) > 1000
    cache = (real / "etc/ld.so.cache").read_bytes()
    generator = cache[cache.rindex(b"ldconfig (") :]
    mine = read_ld_cache((ours / "etc/ld.so.cache").read_bytes())
    assert write_ld_cache(mine, generator=generator) == cache
    assert accounts(ours) == accounts(real)
