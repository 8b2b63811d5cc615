"""`pycontainer.lock`: the base image by digest, and the operating system packages of every platform by hash.

    lock = read_image_lock(root / FILENAME)
    lock.system.platforms["linux/amd64"].packages
    write_image_lock(root / FILENAME, lock)

It stands beside the project's own lock, which says nothing of what lies below Python. It names no server: packages are
found by their path in whatever archive apt's sources, or the options, name. One line a package, sorted, so that a diff
reads as what changed.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Final

import msgspec

from pycontainer.blobs.store import atomic_file
from pycontainer.errors import LockError
from pycontainer.sources.debian.package import BinaryPackage
from pycontainer.sources.debian.replacing import replaces
from pycontainer.sources.locks.document import convert, parse_toml, read_content

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

FILENAME: Final = "pycontainer.lock"
_VERSION: Final = 1
_HEADER: Final = "# Written by `pycontainer lock`; not for editing. Commit it with the project.\n"

_Sha256 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
_Digest = Annotated[str, msgspec.Meta(pattern=r"^sha256:[0-9a-f]{64}$")]
_Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9+.-]{0,127}$")]
_Version = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9.+~:-]{1,128}$")]
_Time = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]
# Relative, and no part of it begins with a dot.
_Path = Annotated[str, msgspec.Meta(pattern=r"^(?:[A-Za-z0-9_][A-Za-z0-9_.+~%:-]*/)*[A-Za-z0-9_][A-Za-z0-9_.+~%:-]*$")]
_Platform = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)?$")]
_Size = Annotated[int, msgspec.Meta(ge=1, le=1 << 40)]


class LockedBase(msgspec.Struct, frozen=True, kw_only=True):
    """The base image: as the options name it, and what that was."""

    image: str
    digest: _Digest


class LockedRelease(msgspec.Struct, frozen=True, kw_only=True):
    """A release that packages were chosen from: `Release.identity`, its date, and the hash of its file."""

    name: str
    date: _Time
    sha256: _Sha256


class LockedDeb(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A `.deb`.

    Attributes:
        path: Relative to the archive.
        size: In bytes.
        replaces: Of the packages beside it and those of the base, the names of which it takes over files.
    """

    name: _Name
    version: _Version
    architecture: _Name
    path: _Path
    size: _Size
    sha256: _Sha256
    replaces: tuple[_Name, ...] = ()

    @property
    def package(self) -> BinaryPackage:
        """The package, as far as layers depend on it: the same, whether it comes from the lock or from an index."""
        return BinaryPackage(
            name=self.name,
            version=self.version,
            architecture=self.architecture,
            filename=self.path,
            size=self.size,
            sha256=self.sha256,
            replaces=", ".join(self.replaces),
        )

    @classmethod
    def of(cls, package: BinaryPackage, others: Iterable[BinaryPackage]) -> LockedDeb:
        """A package of an index, with those that it meets in the image."""
        return cls(
            name=package.name,
            version=package.version,
            architecture=package.architecture,
            path=package.filename,
            size=package.size,
            sha256=package.sha256,
            replaces=tuple(sorted({other.name for other in others if replaces(package, other)} - {package.name})),
        )


class LockedPlatform(msgspec.Struct, frozen=True, kw_only=True):
    """The packages that one platform gets, dependencies first.

    Attributes:
        installed: The digest of what the base image had when they were chosen: others may be needed on another.
        packages: What is added.
    """

    installed: _Digest
    packages: tuple[LockedDeb, ...] = ()


class LockedSystem(msgspec.Struct, frozen=True, kw_only=True):
    """Operating system packages, and what they were chosen by.

    Attributes:
        distribution: `debian`, `ubuntu`.
        suite: The codename of its release.
        packages: What was asked for; with those that a composed base is made of.
        exclude: What was left out.
        upgrades: Packages of the base that might be upgraded.
        releases: What the archive was then; a build never goes back before it.
        platforms: By platform.
    """

    distribution: str
    suite: str
    packages: tuple[str, ...]
    exclude: tuple[str, ...] = ()
    upgrades: tuple[str, ...] = ()
    releases: tuple[LockedRelease, ...] = ()
    platforms: dict[_Platform, LockedPlatform] = {}

    @property
    def dates(self) -> dict[str, datetime]:
        """When each release was made, by `Release.identity`."""
        return {release.name: datetime.fromisoformat(release.date.replace("Z", "+00:00")) for release in self.releases}


class ImageLock(msgspec.Struct, frozen=True, kw_only=True):
    """The whole file. `base` is none where the base image is composed of packages."""

    version: int = _VERSION
    base: LockedBase | None = None
    system: LockedSystem | None = None

    def to_toml(self) -> str:
        """The text of the file: the same lock gives the same text."""
        return _HEADER + "".join(f"{line}\n" for line in self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"version = {self.version}"
        if self.base is not None:
            yield from ("", "[base]", f"image = {_text(self.base.image)}", f"digest = {_text(self.base.digest)}")
        if self.system is not None:
            yield from _system_lines(self.system)


def read_image_lock(path: Path) -> ImageLock | None:
    """The lock, or none where there is no such file.

    Raises:
        LockError: It cannot be read, is of a later version, or is not what `pycontainer lock` writes.
    """
    if not path.exists():
        return None
    document, _ = parse_toml(read_content(path), path)
    version = document.get("version")
    if version != _VERSION:
        later = isinstance(version, int) and version > _VERSION
        raise LockError(
            f"`{path.name}` has version `{str(version)[:20]}`, which is not known",
            facts=[f"file: {path}", f"known: {_VERSION}"],
            hint="Use a newer pycontainer" if later else "Write it again with `pycontainer lock`",
        )
    return convert(document, ImageLock, path)


def pinned(image: str, lock: ImageLock | None, *, required: bool) -> str:
    """A base image as the lock has it: its name with the digest. Files and composed bases have no other name.

    Args:
        image: As the options name it.
        lock: The lock, where there is one.
        required: Whether a lock of another base image is an error.

    Raises:
        LockError: It is.
    """
    if lock is None or lock.base is None:
        return image
    if lock.base.image == image:
        return f"{image}@{lock.base.digest}"
    if required:
        raise LockError(
            f"`{FILENAME}` is of another base image",
            facts=[f"locked: `{lock.base.image}`", f"wanted: `{image}`"],
            hint="Run `pycontainer lock`",
        )
    return image


def write_image_lock(path: Path, lock: ImageLock) -> bool:
    """Write the lock in place of what is there; whether that changed anything.

    Raises:
        StoreError: The disk does not take it; the old file is as it was.
    """
    content = lock.to_toml().encode()
    if path.is_file() and path.read_bytes() == content:
        return False
    with atomic_file(path) as file:
        file.write(content)
    return True


def _system_lines(system: LockedSystem) -> Iterator[str]:
    yield from ("", "[system]", f"distribution = {_text(system.distribution)}", f"suite = {_text(system.suite)}")
    yield f"packages = {_texts(system.packages)}"
    if system.exclude:
        yield f"exclude = {_texts(system.exclude)}"
    if system.upgrades:
        yield f"upgrades = {_texts(system.upgrades)}"
    yield from _table_lines("releases", system.releases)
    for name, platform in system.platforms.items():
        yield from ("", f"[system.platforms.{_text(name)}]", f"installed = {_text(platform.installed)}")
        yield from _table_lines("packages", platform.packages)


def _table_lines(key: str, rows: Sequence[msgspec.Struct]) -> Iterator[str]:
    yield f"{key} = ["
    for row in rows:
        fields = ", ".join(f"{name} = {_value(value)}" for name, value in msgspec.to_builtins(row).items())
        yield f"    {{ {fields} }},"
    yield "]"


def _value(value: str | int | Sequence[str]) -> str:
    if isinstance(value, int):
        return str(value)
    return _text(value) if isinstance(value, str) else _texts(value)


def _texts(values: Sequence[str]) -> str:
    return f"[{', '.join(map(_text, values))}]"


def _text(value: str) -> str:
    """A basic string of TOML: JSON's escapes are among TOML's, and JSON leaves only DEL as it is."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
