"""Set up what `./demo` and `./test` need: virtual environments, Debian packages, other Pythons.

Standard library only, Python 3.10 or newer: it runs before anything is installed. What it installs, it says. Where
packages come from is left to the settings of pip and apt on this machine; uv is told what pip's settings say.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / ".work"
OLDEST = (3, 10)
SUPPORTED = ("3.10", "3.11", "3.12", "3.13")
PACKAGES = (
    "packages/pycontainer-core",
    "packages/pycontainer-build",
    "packages/hatch-pycontainer",
    "packages/poetry-pycontainer",
)
# pip's name of a setting -> uv's variable for the same.
UV_VARIABLES = {"index-url": "UV_DEFAULT_INDEX", "cert": "SSL_CERT_FILE", "proxy": "ALL_PROXY"}


class SetupError(SystemExit):
    """Something is missing that cannot be installed from here."""

    def __init__(self, failure: str, hint: str) -> None:
        super().__init__(f"error: {failure}\n\nhint: {hint}")


def say(text: str) -> None:
    """Tell the user what happens; on standard error, in order with the output of what is started."""
    print(f"==> {text}", file=sys.stderr, flush=True)  # noqa: T201  # a script talks to its user


def run(*command: str | Path, env: Mapping[str, str] | None = None, quiet: bool = False) -> None:
    """Run a program to its end from the root of the repository, and stop with its status when it fails."""
    output = subprocess.PIPE if quiet else None
    words = [str(word) for word in command]
    done = subprocess.run(
        words, cwd=ROOT, env={**os.environ, **(env or {})}, stdout=output, stderr=output, text=True, check=False
    )
    if done.returncode:
        say(f"failed with status {done.returncode}: {' '.join(words)}\n{done.stdout or ''}{done.stderr or ''}")
        raise SystemExit(done.returncode)


def is_root() -> bool:
    """Whether this runs as root, who may install packages."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def need_programs(programs: Mapping[str, str]) -> None:
    """Install the Debian packages of missing programs, given as program -> package, or stop and name them."""
    missing = {program: package for program, package in programs.items() if not find_program(program)}
    if missing:
        install_debian(sorted(set(missing.values())), f"to have {', '.join(sorted(missing))}")


def find_program(name: str) -> str | None:
    """Where a program is; a user's PATH often lacks the directories of system programs."""
    if name.startswith("/"):
        return name if Path(name).exists() else None
    return shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"]))


def install_debian(packages: Sequence[str], purpose: str) -> None:
    """Install Debian packages when root, or stop and name them."""
    names = " ".join(packages)
    if not is_root() or not shutil.which("apt-get"):
        raise SetupError(f"Debian packages are missing {purpose}: {names}", f"As root: apt-get install {names}")
    say(f"installing Debian packages {purpose}: {names}")
    env = {"DEBIAN_FRONTEND": "noninteractive"}
    run("apt-get", "update", "--quiet", env=env, quiet=True)
    # Nothing is started: the tests start what they need themselves. A policy that is there already stays.
    with _no_services():
        run("apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *packages, env=env, quiet=True)


class _no_services:  # noqa: N801  # reads as a statement
    """While it lasts, installed packages do not start their services (Debian's `policy-rc.d`)."""

    policy = Path("/usr/sbin/policy-rc.d")

    def __enter__(self) -> None:
        self.ours = not self.policy.exists()
        if self.ours:
            self.policy.write_text("#!/bin/sh\nexit 101\n")
            self.policy.chmod(0o755)

    def __exit__(self, *exception: object) -> None:
        if self.ours:
            self.policy.unlink()


def virtual_environment(directory: Path) -> Path:
    """Make a virtual environment with pip for the Python that runs this; return its interpreter."""
    python = interpreter(directory)
    if works(python):
        return python
    if not works(Path(sys.executable), "import ensurepip, venv"):
        # Debian packs it apart; uv, where it is installed, does as well, and needs no root.
        if uv := shutil.which("uv"):
            run(uv, "venv", "--quiet", "--clear", "--seed", "--python", sys.executable, directory)
            return python
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        install_debian([f"python{version}-venv"], "to make virtual environments")
    run(sys.executable, "-m", "venv", "--clear", directory, quiet=True)
    return python


def interpreter(directory: Path) -> Path:
    """The interpreter of a virtual environment."""
    return directory / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def works(python: Path, code: str = "import pip") -> bool:
    """Whether an interpreter is there and runs `code`."""
    try:
        return subprocess.run([python, "-c", code], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def uv_settings(python: Path) -> dict[str, str]:
    """Settings of pip on this machine as variables for uv, which does not read them itself."""
    listed = subprocess.run([python, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False)
    settings = {}
    for line in listed.stdout.splitlines():
        name, _, value = line.partition("=")
        variable = UV_VARIABLES.get(name.rpartition(".")[2])
        if variable and variable not in os.environ:
            settings[variable] = value.strip("'\"")
    return settings


def other_pythons(running: str) -> dict[str, Path]:
    """Interpreters of each supported version but the running one: `{"3.12": Path("/usr/bin/python3.12")}`."""
    found: dict[str, Path] = {}
    for candidate in _candidates():
        version = _version(candidate)
        if version in SUPPORTED and version != running:
            found.setdefault(version, candidate)
    return dict(sorted(found.items(), key=lambda item: SUPPORTED.index(item[0])))


def _candidates() -> Iterable[Path]:
    for version in SUPPORTED:
        if path := shutil.which(f"python{version}"):
            yield Path(path)
    homes = [Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"]
    homes.append(Path.home() / ".local/share/uv/python")
    for home in homes:
        yield from sorted(home.glob("*/bin/python3.1?"))


def _version(python: Path) -> str | None:
    """The version of an interpreter; none where it is a shim of something that is not installed."""
    code = "import sys, zlib, ssl; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None
