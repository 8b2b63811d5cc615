"""`pylock.toml` and `pylock.<name>.toml`, version 1 (PEP 751; *pylock.toml Specification*).

    lock = PyLock.read(root / "pylock.toml", content)
    lock.select(target, Choice(groups=frozenset({"docs"})))

What is read: `lock-version`, `requires-python`, `environments`, `extras`, `dependency-groups`, `default-groups`, and of
each `[[packages]]` its name, version, marker, `requires-python`, index, and its one source: `vcs`, `directory`,
`archive`, or `sdist` and `wheels`. Default groups are what stands for the project's own dependencies in such a file.
Tools that resolve extras and groups when they write it (uv does) leave nothing to choose.
"""

from __future__ import annotations

import re
from pathlib import PureWindowsPath
from typing import TYPE_CHECKING, Any

import msgspec

from pycontainer.errors import LockError
from pycontainer.oci import Digest
from pycontainer.sources.locks.document import convert, parse_toml
from pycontainer.sources.locks.filenames import normalize
from pycontainer.sources.locks.markers import Markers
from pycontainer.sources.locks.model import Directory, File, Lock, LockedPackage, Registry, Url, Vcs
from pycontainer.sources.locks.places import Places, checked_subdirectory
from pycontainer.sources.locks.selection import check_python, chosen_names, single_versions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pycontainer.sources.locks.document import Files
    from pycontainer.sources.locks.model import Artifact, Choice
    from pycontainer.sources.target import Target

_VERSION = re.compile(r"(\d{1,4})\.(\d{1,4})", re.ASCII)


class PyLock(Lock):
    """A parsed `pylock.toml`."""

    format = "pylock.toml"

    def __init__(self, *, path: Path, digest: Digest, document: _Document, files: Files) -> None:
        super().__init__(path=path, digest=digest)
        self._document = document
        self._files = files
        self._places = Places(path.parent)
        self._check_version()

    @classmethod
    def read(cls, path: Path, content: bytes) -> PyLock:
        """Read the bytes of the lock file at `path`.

        Raises:
            LockError: It is malformed, or of another version of the format.
        """
        document, files = parse_toml(content, path)
        return cls(path=path, digest=Digest.of(content), document=convert(document, _Document, path), files=files)

    def select(self, target: Target, choice: Choice) -> tuple[LockedPackage, ...]:
        """See `Lock.select`. The project itself, as uv and PDM write it, is the package whose directory is the lock's.

        A choice of a workspace member says nothing here: a file of this format is of one project.
        """
        document, where = self._document, self.path.name
        check_python(document.requires_python, target, where)
        markers = Markers(target.environment)
        if document.environments and not any(markers.hold(marker) for marker in document.environments):
            facts = [f"`environments`: {marker[:200]}" for marker in document.environments]
            raise LockError(f"The lock is not for {target}", facts=facts)
        extras = chosen_names("extra", choice.extras, document.extras, everything=choice.all_extras, where=where)
        available = document.dependency_groups
        groups = chosen_names("group", choice.groups, available, everything=choice.all_groups, where=where)
        if not choice.only_groups:
            groups |= {normalize(name) for name in document.default_groups}
        chosen = [each for each in document.packages if markers.hold(each.marker, extras=extras, groups=groups)]
        locked = [self._locked(package) for package in chosen]
        return single_versions([each for each in locked if not self._is_project(each)], target, where)

    def check_fresh(self, pyproject: Mapping[str, Any]) -> None:
        """See `Lock.check_fresh`: the format records nothing of the project."""

    def _check_version(self) -> None:
        version = self._document.lock_version
        match = _VERSION.fullmatch(version)
        if match is None or int(match[1]) != 1:
            raise LockError(
                f"`{self.path.name}` has version `{version[:20]}` of its format, and only 1 is supported",
                facts=[str(self.path)],
            )
        if int(match[2]) > 0:
            self.warnings += (f"`{self.path.name}` has version {version} of its format, newer than any that we know",)

    def _is_project(self, package: LockedPackage) -> bool:
        source = package.source
        return isinstance(source, Directory) and source.path == self._places.root and source.subdirectory is None

    def _locked(self, package: _Package) -> LockedPackage:
        name = normalize(package.name)
        kinds = [kind for kind in ("vcs", "directory", "archive") if getattr(package, kind) is not None]
        files = package.sdist is not None or bool(package.wheels) or isinstance(package.wheels, int)
        if len(kinds) + files != 1:
            raise LockError(
                f"The lock gives `{name}` not exactly one source", facts=[f"it has: {', '.join(kinds) or 'none'}"]
            )
        if package.vcs is not None:
            return LockedPackage(name=name, version=package.version, source=self._vcs(package.vcs, name))
        if package.directory is not None:
            tree = package.directory
            path = _posix(tree.path)
            source = self._places.directory(path, editable=tree.editable, subdirectory=tree.subdirectory)
            return LockedPackage(name=name, version=package.version, source=source)
        if package.archive is not None:
            return self._archive(package, package.archive, name)
        return LockedPackage(
            name=name,
            version=package.version,
            source=Registry(url=package.index),
            wheels=tuple(self._artifact(entry, package) for entry in self._files.entries(package.wheels)),
            sdist=self._artifact(package.sdist, package) if package.sdist else None,
            requires_python=package.requires_python,
        )

    def _vcs(self, vcs: _Vcs, name: str) -> Vcs:
        url = vcs.url
        if url is None:
            if vcs.path is None:
                raise LockError(f"The lock gives the repository of `{name}` no place")
            url = self._places.path(_posix(vcs.path))[0].as_uri()
        return Vcs(
            kind=vcs.type,
            url=url,
            commit=vcs.commit_id,
            requested=vcs.requested_revision,
            subdirectory=checked_subdirectory(vcs.subdirectory),
        )

    def _archive(self, package: _Package, archive: _Archive, name: str) -> LockedPackage:
        file = self._artifact(msgspec.to_builtins(archive), package)
        subdirectory = checked_subdirectory(archive.subdirectory)
        source = File(path=file.path, subdirectory=subdirectory) if file.path else None
        return LockedPackage(
            name=name,
            version=package.version,
            source=source or Url(url=file.url or "", subdirectory=subdirectory),
            wheels=(file,) if file.is_wheel else (),
            sdist=None if file.is_wheel else file,
            requires_python=package.requires_python,
        )

    def _artifact(self, entry: Mapping[str, Any], package: _Package) -> Artifact:
        file = convert(entry, _File, self.path)
        if file.url is None and file.path is None:
            raise LockError(f"The lock gives a file of `{package.name}` no place", facts=[f"file: {file.name}"])
        return self._places.artifact(
            url=file.url,
            path=_posix(file.path) if file.url is None and file.path is not None else None,
            filename=file.name,
            size=file.size,
            hashes={algorithm.lower(): value.lower() for algorithm, value in file.hashes.items()},
            index=package.index,
        )


class _Vcs(msgspec.Struct, frozen=True, rename="kebab"):
    type: str
    commit_id: str
    url: str | None = None
    path: str | None = None
    requested_revision: str | None = None
    subdirectory: str | None = None


class _Directory(msgspec.Struct, frozen=True, rename="kebab"):
    path: str
    editable: bool = False
    subdirectory: str | None = None


class _Archive(msgspec.Struct, frozen=True, rename="kebab"):
    hashes: dict[str, str] = {}
    url: str | None = None
    path: str | None = None
    size: int | None = None
    subdirectory: str | None = None


class _File(msgspec.Struct, frozen=True, rename="kebab"):
    hashes: dict[str, str] = {}
    name: str | None = None
    url: str | None = None
    path: str | None = None
    size: int | None = None


class _Package(msgspec.Struct, frozen=True, rename="kebab"):
    name: str
    version: str | None = None
    marker: str | None = None
    requires_python: str | None = None
    index: str | None = None
    vcs: _Vcs | None = None
    directory: _Directory | None = None
    archive: _Archive | None = None
    sdist: dict[str, Any] | None = None
    wheels: list[Any] | int = []


class _Document(msgspec.Struct, frozen=True, rename="kebab"):
    lock_version: str
    requires_python: str | None = None
    environments: list[str] = []
    extras: list[str] = []
    dependency_groups: list[str] = []
    default_groups: list[str] = []
    packages: list[_Package] = []


def _posix(path: str) -> str:
    """A path of the lock, which may have been written on Windows (PEP 751, `packages.directory.path`)."""
    return PureWindowsPath(path).as_posix()
