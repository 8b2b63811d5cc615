"""What this host's apt knows: sources, keys, users. Empty everywhere but on Debian and what derives from it.

host = read_host_apt()
host.sources, host.files, host.distribution, host.codename
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping  # noqa: TC003 - dataclasses keep their annotations readable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pycontainer.sources.debian.archive.apt_sources import AptSource, read_apt_sources

_FILES: Final = (
    "etc/apt/sources.list",
    "etc/apt/sources.list.d/*",
    "etc/apt/trusted.gpg",
    "etc/apt/trusted.gpg.d/*",
    "etc/apt/keyrings/*",
    "etc/apt/auth.conf",
    "etc/apt/auth.conf.d/*",
    "usr/share/keyrings/*",
    "etc/os-release",
)
_MIRRORS: Final = re.compile(rb"mirror\+file:/+(\S+)")
_MAX_SIZE: Final = 4 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class HostApt:
    """Apt's settings of a host.

    Attributes:
        sources: Where it takes packages from.
        files: Its keyrings and `auth.conf`s, by path without a slash before it.
        distribution: `ID` of os-release(5): `debian`.
        codename: `VERSION_CODENAME`: `bookworm`.
    """

    sources: tuple[AptSource, ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    distribution: str = ""
    codename: str = ""


def host_apt_sources(root: Path = Path("/")) -> tuple[AptSource, ...]:
    """The apt sources of this host.

    Raises:
        DocumentError: They are malformed.
    """
    return read_host_apt(root).sources


def read_host_apt(root: Path = Path("/")) -> HostApt:
    """What apt knows; what this user may not read, such as others' passwords, is as if it were not there.

    Raises:
        DocumentError: Its sources are malformed.
    """
    files = dict(_read(root, _FILES))
    lists = {match.decode() for path, text in files.items() if "/sources" in path for match in _MIRRORS.findall(text)}
    files |= dict(_read(root, lists))
    about = _os_release(files.get("etc/os-release", b""))
    return HostApt(
        sources=read_apt_sources(files),
        files=files,
        distribution=about.get("ID", ""),
        codename=about.get("VERSION_CODENAME", ""),
    )


def _read(root: Path, patterns: tuple[str, ...] | set[str]) -> Iterator[tuple[str, bytes]]:
    for pattern in sorted(patterns):
        folder, _, name = pattern.rpartition("/")
        for path in sorted((root / folder).glob(name)):
            with suppress(OSError):
                if path.is_file() and path.stat().st_size <= _MAX_SIZE:
                    yield f"{folder}/{path.name}", path.read_bytes()


def _os_release(content: bytes) -> dict[str, str]:
    lines = content.decode("utf-8", "replace").splitlines()
    pairs = (line.partition("=") for line in lines if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip().strip("\"'") for name, _, value in pairs}
