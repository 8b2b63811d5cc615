"""Whether a wheel that was built on this host runs in the image.

`any` wheels do. Native code does where machine, libc and Python are those of the target, and the libc of this host is
no newer: a `linux_x86_64` tag does not tell what glibc the code was linked to, so this host's version has to speak.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pycontainer.errors import ConfigError, WheelBuildError
from pycontainer.sources.locks.filenames import parse_wheel
from pycontainer.sources.target import Libc

if TYPE_CHECKING:
    from pycontainer.sources.locks.filenames import WheelName
    from pycontainer.sources.target import Target

_MACHINES = {"amd64": "x86_64", "x86-64": "x86_64", "arm64": "aarch64", "armv8l": "armv7l", "i386": "i686"}
_MUSL_LOADERS = "ld-musl-*.so.1"
_MUSL_VERSION = re.compile(r"Version (\d+)\.(\d+)")


def check_fits(filename: str, target: Target, *, package: str) -> None:
    """Refuse a built wheel that the target cannot use.

    Raises:
        WheelBuildError: With the reason, and what to do.
    """
    name = parse_wheel(filename)
    if name is None:
        raise WheelBuildError(f"The wheel built of `{package}` has a malformed name", facts=[f"file: {filename[:200]}"])
    reason = _reason(name, target)
    if reason is not None:
        raise WheelBuildError(
            f"The wheel built of `{package}` does not fit {target}",
            facts=[f"built: `{filename}`", f"reason: {reason}"],
            hint=f"Lock a version of `{package}` with wheels for {target.platform}, or build on a host like the target",
        )


def _reason(name: WheelName, target: Target) -> str | None:
    """Why it does not fit, as a clause."""
    tags = {(tag.interpreter, tag.abi, tag.platform) for tag in target.tags}
    triples = {(python, abi, where) for python in name.pythons for abi in name.abis for where in name.platforms}
    if name.platforms == ["any"]:
        return None if tags & triples else f"it is for another Python ({'.'.join(name.pythons)})"
    if foreign := _foreign_host(target):
        return f"it has native code, built {foreign}"
    if not tags & triples:
        return f"it has native code for {'.'.join(name.pythons)}-{'.'.join(name.abis)}-{'.'.join(name.platforms)}"
    host = host_libc()
    if host and (host.major, host.minor) > (target.libc.major, target.libc.minor) and _is_plain(name):
        return f"it has native code, built against {host}, which is newer than the image's"
    return None


def _foreign_host(target: Target) -> str | None:
    """How this host differs from the target, so that no native code that is built here can run there."""
    host = host_libc()
    if sys.platform != "linux" or host is None:
        return f"on {platform.system() or 'an unknown system'}"
    if host_machine() != target.machine:
        return f"on {host_machine()}"
    return f"against {host}" if host.kind != target.libc.kind else None


def _is_plain(name: WheelName) -> bool:
    """Whether only the host's libc can tell what the code needs: `linux_x86_64`, not a manylinux that was audited."""
    return all(where.startswith("linux_") for where in name.platforms)


def host_machine() -> str:
    """What `uname -m` says here, in the words of wheels."""
    machine = platform.machine().lower()
    return _MACHINES.get(machine, machine)


@cache
def host_libc() -> Libc | None:
    """The C library of this host; none outside of Linux."""
    try:
        text = os.confstr("CS_GNU_LIBC_VERSION") or ""  # "glibc 2.36"
        return Libc.parse(text)
    except (AttributeError, OSError, ValueError, ConfigError):  # musl and Windows have no such name
        return _musl()


def _musl() -> Libc | None:
    for loader in Path("/lib").glob(_MUSL_LOADERS):
        # Called without a program, the loader says its version and fails.
        done = subprocess.run([str(loader)], capture_output=True, text=True, check=False)  # noqa: S603 - this host's own
        match = _MUSL_VERSION.search(done.stderr)
        if match:
            return Libc("musl", int(match[1]), int(match[2]))
    return None
