"""What every lock format is read into: packages that are pinned, and the files that are them.

    lock = read_lock(root / "uv.lock")
    packages = lock.select(target, Choice(extras=frozenset({"postgres"})))
    chosen = choose_wheels(packages, target, SourcePolicy())

The model has the shape of PEP 751 (packages, each from wheels, an sdist, a directory, a VCS or an archive), because
that is what all formats say in their own words.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from pycontainer.errors import LockError
from pycontainer.sources.locks.addresses import redact
from pycontainer.value import Value

if TYPE_CHECKING:
    from pycontainer.oci import Digest
    from pycontainer.sources.target import Target

# Names end up in paths and in what is shown; look-alike letters, separators and control characters have no place there.
_FILENAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+!~@=,() -]{0,254}", re.ASCII)
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,253}[a-z0-9])?", re.ASCII)
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.!+_-]{0,127}", re.ASCII)


class Artifact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One file of a package: a wheel, an sdist or an archive.

    Attributes:
        filename: The last part of its address, a plain file name.
        url: Where it is, perhaps with credentials; none where the lock gives the name alone (Poetry, PDM) and an
            index has to be asked, or where it is a file on this host.
        path: Where it is on this host; absolute.
        size: Bytes, where the lock says it.
        hashes: Algorithm → hexadecimal digest, `{"sha256": "…"}`.
        index: The index it comes from, perhaps with credentials; none means the default index.
        outside: Whether `path` lies outside the directory of the lock file.

    Raises:
        LockError: The file name is not a plain one.
    """

    filename: str
    url: str | None = None
    path: Path | None = None
    size: int | None = None
    hashes: Mapping[str, str] = {}
    index: str | None = None
    outside: bool = False

    def __post_init__(self) -> None:
        if not _FILENAME.fullmatch(self.filename):
            shown = ascii(redact(self.filename[:120]))[1:-1]
            raise LockError(f"`{shown}` is not a file name that a package can have")

    def __repr__(self) -> str:
        where = redact(self.url) if self.url else self.path
        return f"Artifact({self.filename!r}, at={str(where)!r}, hashes={dict(self.hashes)!r})"

    @property
    def is_wheel(self) -> bool:
        """Whether it can be installed as it is."""
        return self.filename.endswith(".whl")


class Registry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="registry"):
    """From an index; `url` is none where the lock leaves the choice of it to the user's settings."""

    url: str | None = None

    def __repr__(self) -> str:
        return f"Registry({redact(self.url) if self.url else None!r})"


class Directory(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="directory"):
    """From a source tree on this host: a workspace member or a path dependency.

    Attributes:
        path: Absolute, with symbolic links resolved.
        outside: Whether it lies outside the directory of the lock file.
        subdirectory: Where in `path` the project is.
    """

    path: Path
    editable: bool = False
    subdirectory: str | None = None
    outside: bool = False


class Vcs(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="vcs"):
    """From a commit of a repository; `url` has neither the `git+` nor the commit in it."""

    url: str
    commit: str
    subdirectory: str | None = None
    requested: str | None = None
    kind: str = "git"

    def __repr__(self) -> str:
        return f"Vcs({self.kind!r}, {redact(self.url)!r}, commit={self.commit!r}, subdirectory={self.subdirectory!r})"


class Url(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="url"):
    """From one address of a wheel or an archive, whatever an index says."""

    url: str
    subdirectory: str | None = None

    def __repr__(self) -> str:
        return f"Url({redact(self.url)!r}, subdirectory={self.subdirectory!r})"


class File(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="file"):
    """From a wheel or an archive on this host; `path` is absolute, with symbolic links resolved."""

    path: Path
    subdirectory: str | None = None


Source: TypeAlias = Registry | Directory | Vcs | Url | File


class LockedPackage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A package at the version, and from the place, that the lock pins.

    Attributes:
        name: Normalised (PEP 503).
        version: None where only building it tells (directories, VCS).
        wheels: The wheels the lock lists, for all platforms.
        sdist: The source archive, where there is one.
        requires_python: What the lock says of the Pythons it supports, as a specifier set.
        files_listed: Whether `wheels` and `sdist` are all there is. `requirements.txt` names no files: an index has
            to be asked, and its answer goes through `with_files`.
        hashes: `sha256:…` of the files that may be used, where the lock has hashes but no file names.
        unhashed: Whether the lock may leave hashes out, and does (`requirements.txt` without `--hash`).

    Raises:
        LockError: The name or the version is malformed.
    """

    name: str
    version: str | None
    source: Source
    wheels: tuple[Artifact, ...] = ()
    sdist: Artifact | None = None
    requires_python: str | None = None
    files_listed: bool = True
    hashes: frozenset[str] = frozenset()
    unhashed: bool = False

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise LockError(f"`{ascii(self.name[:80])[1:-1]}` is not the name of a package")
        if self.version is not None and not _VERSION.fullmatch(self.version):
            raise LockError(f"`{self.name}` has the malformed version `{ascii(self.version[:80])[1:-1]}`")

    def __str__(self) -> str:
        return f"{self.name} {self.version}" if self.version else self.name

    @property
    def index(self) -> str | None:
        """The address of the index it comes from, perhaps with credentials; none means the default index."""
        return self.source.url if isinstance(self.source, Registry) else None

    def with_files(self, files: Sequence[Artifact]) -> LockedPackage:
        """This package with what an index lists for its version, less the files whose hashes the lock does not know."""
        allowed = [file for file in files if not self.hashes or self._knows(file)]
        return msgspec.structs.replace(
            self,
            wheels=tuple(file for file in allowed if file.is_wheel),
            sdist=next((file for file in allowed if not file.is_wheel), None),
            files_listed=True,
        )

    def _knows(self, file: Artifact) -> bool:
        return any(f"{algorithm}:{value}" in self.hashes for algorithm, value in file.hashes.items())


class Choice(Value, frozen=True, kw_only=True):
    """What of a lock goes into an image: by default the project's dependencies, no extras, no groups.

    Attributes:
        extras: Optional dependencies of the project, by name.
        groups: Dependency groups, by name.
        only_groups: Only what the chosen groups need, without the project's own dependencies.
        package: The workspace member that the image is of; none means the project at the root of the lock.
    """

    extras: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    all_extras: bool = False
    all_groups: bool = False
    only_groups: bool = False
    package: str | None = None


class Indexes(Value, frozen=True, kw_only=True):
    """Where a lock says that packages come from, beside what each package says; any may hold credentials.

    Attributes:
        index: The first index; none means the default one.
        extra: Further indexes, asked after the first.
        find_links: Pages or directories that link to files.
        no_index: Whether only `find_links` may be used.
    """

    index: str | None = None
    extra: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    no_index: bool = False

    def __repr__(self) -> str:
        shown = [redact(url) for url in (self.index, *self.extra, *self.find_links) if url]
        return f"Indexes({shown!r}, no_index={self.no_index})"


class Lock(ABC):
    """A lock file, read and checked as far as its form goes.

    Attributes:
        path: The file; absolute.
        format: `uv.lock`, `pylock.toml`, `poetry.lock`, `pdm.lock` or `requirements.txt`.
        digest: Of the file's bytes.
        indexes: Where packages come from, as far as the lock says it for all of them.
        warnings: What a user should know about this file, one sentence each.
        is_resolved: Whether it was resolved for one choice of extras and groups, so that all of it is chosen.
    """

    format: str

    def __init__(self, *, path: Path, digest: Digest) -> None:
        self.path = path
        self.digest = digest
        self.indexes = Indexes()
        self.warnings: tuple[str, ...] = ()
        self.is_resolved = False

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {str(self.path)!r}>"

    @property
    def projects(self) -> Sequence[Path]:
        """The `pyproject.toml` of each project that the lock is of: what its methods read besides the lock itself."""
        return (self.path.with_name("pyproject.toml"),)

    @property
    def paths(self) -> Mapping[str, Path]:
        """Paths of this host that the lock names, as it writes them, and where they lead; of those `select` met."""
        return {}

    @abstractmethod
    def select(self, target: Target, choice: Choice) -> tuple[LockedPackage, ...]:
        """The packages that an installation for the target has, sorted by name, without the project itself.

        Raises:
            LockError: An unknown extra, group or member; a Python that the lock is not for; two versions of one
                package after markers; or a package that the lock describes wrongly.
        """

    @abstractmethod
    def check_fresh(self, pyproject: Mapping[str, Any]) -> None:
        """Compare the lock with the `pyproject.toml` of the project beside it, as far as the format allows.

        A format that records nothing of the project (`pylock.toml`, `requirements.txt`) is never found stale.

        Raises:
            LockError: The project has changed since it was locked; `facts` say how.
        """
