"""`poetry.lock`, versions 1.0 to 2.1.

    lock = PoetryLock.read(root / "poetry.lock", content)
    lock.select(target, Choice(extras=frozenset({"pg"})))

What is read: of `[metadata]` the version, `python-versions`, `content-hash` and (1.x) `files`; `[extras]`; and of each
`[[package]]` its name, version, files, source, and, since 2.1, its groups and markers. Poetry's main dependencies are
the group `main`, and no other group is part of an image unless it is chosen.

Locks before 2.1 do not say what belongs to which group or under which markers. For them the dependencies of
`[tool.poetry]` in the `pyproject.toml` beside the lock are followed through the packages (`poetry_graph`).

Files have names and hashes but no addresses: whoever fetches them asks the index of the package.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

import msgspec

from pycontainer.errors import LockError
from pycontainer.oci import Digest
from pycontainer.sources.locks.document import convert, parse_toml, read_content
from pycontainer.sources.locks.filenames import normalize
from pycontainer.sources.locks.markers import Markers
from pycontainer.sources.locks.model import File, Lock, LockedPackage, Registry, Url, Vcs
from pycontainer.sources.locks.places import Places, checked_subdirectory, parse_hashes
from pycontainer.sources.locks.poetry_constraints import allows
from pycontainer.sources.locks.poetry_graph import PoetryPackage, PoetrySource, Walk, project_groups
from pycontainer.sources.locks.selection import chosen_names, single_versions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from pycontainer.sources.locks.document import Files
    from pycontainer.sources.locks.model import Artifact, Choice, Source
    from pycontainer.sources.target import Target

_VERSION = re.compile(r"(\d{1,4})\.(\d{1,4})", re.ASCII)
_WITH_MARKERS = (2, 1)
_LEGACY_KEYS = ("dependencies", "source", "extras", "dev-dependencies")


class PoetryLock(Lock):
    """A parsed `poetry.lock`."""

    format = "poetry.lock"

    def __init__(self, *, path: Path, digest: Digest, document: _Document, files: Files) -> None:
        super().__init__(path=path, digest=digest)
        self._document = document
        self._files = files
        self._places = Places(path.parent)
        self._version = self._check_version()

    @classmethod
    def read(cls, path: Path, content: bytes) -> PoetryLock:
        """Read the bytes of the lock file at `path`.

        Raises:
            LockError: It is malformed, or of another version of the format.
        """
        document, files = parse_toml(content, path)
        return cls(path=path, digest=Digest.of(content), document=convert(document, _Document, path), files=files)

    def select(self, target: Target, choice: Choice) -> tuple[LockedPackage, ...]:
        """See `Lock.select`. Poetry has no workspaces, so that a choice of a member says nothing."""
        self._check_python(target)
        where = self.path.name
        extras = chosen_names("extra", choice.extras, self._document.extras, everything=choice.all_extras, where=where)
        markers = Markers(target.environment)
        if self._version >= _WITH_MARKERS:
            packages = self._marked(choice, markers, extras)
        else:
            packages = self._reached(choice, markers, extras)
        return single_versions(map(self._locked, packages), target, where)

    def check_fresh(self, pyproject: Mapping[str, Any]) -> None:
        """See `Lock.check_fresh`; it compares the `content-hash`, as Poetry computes it now and before 2.2."""
        expected = self._document.metadata.content_hash
        if expected in {content_hash(pyproject), content_hash(pyproject, with_groups=False)}:
            return
        raise LockError(
            f"`{self.path.name}` is older than `pyproject.toml`",
            facts=["what `pyproject.toml` requires has another `content-hash`"],
            hint="Run `poetry lock`",
        )

    def _check_version(self) -> tuple[int, int]:
        text = self._document.metadata.lock_version
        match = _VERSION.fullmatch(text)
        version = (int(match[1]), int(match[2])) if match else (0, 0)
        if version[0] not in {1, 2}:
            raise LockError(
                f"`{self.path.name}` has version `{text[:20]}` of its format, and only 1 and 2 are supported",
                facts=[str(self.path)],
            )
        if version > _WITH_MARKERS:
            self.warnings += (f"`{self.path.name}` has version {text} of its format, newer than any that we know",)
        return version

    def _check_python(self, target: Target) -> None:
        python = self._document.metadata.python_versions
        release = f"{target.python.feature}.{target.python.micro or 0}"
        if python and not allows(python, release):
            raise LockError(
                f"The lock is for Python {python} but the base image has {target.python}",
                facts=[f"lock file: `python-versions` in {self.path.name}"],
                hint="Set {base_image} to one with a Python of this range",
            )

    def _marked(self, choice: Choice, markers: Markers, extras: frozenset[str]) -> list[PoetryPackage]:
        """The packages whose own groups and markers say so (2.1)."""
        packages = self._document.package
        groups = self._groups(choice, [group for package in packages for group in package.groups])
        return [
            package
            for package in packages
            if any(
                markers.hold(package.marker_of(group), extras=extras)
                for group in package.groups
                if normalize(group) in groups
            )
        ]

    def _reached(self, choice: Choice, markers: Markers, extras: frozenset[str]) -> list[PoetryPackage]:
        """The packages that the dependencies of the project lead to (before 2.1)."""
        pyproject_path = self.path.with_name("pyproject.toml")
        pyproject, _ = parse_toml(read_content(pyproject_path), pyproject_path)
        by_group = project_groups(pyproject, pyproject_path)
        groups = self._groups(choice, by_group)
        members = {normalize(extra): names for extra, names in self._document.extras.items()}
        optional = frozenset(name for extra in extras for name in _member_names(members.get(extra, [])))
        requirements = [each for group, those in by_group.items() if normalize(group) in groups for each in those]
        return Walk(self._document.package, markers).run(requirements, optional)

    def _groups(self, choice: Choice, available: Iterable[str]) -> frozenset[str]:
        others = [group for group in available if group != "main"]
        groups = chosen_names("group", choice.groups, others, everything=choice.all_groups, where=self.path.name)
        return groups if choice.only_groups else groups | {"main"}

    def _locked(self, package: PoetryPackage) -> LockedPackage:
        name = normalize(package.name)
        source = self._source(package)
        files: tuple[Artifact, ...] = ()
        if isinstance(source, (Registry, Url, File)):
            files = tuple(self._artifact(package, entry) for entry in self._entries(package))
        return LockedPackage(
            name=name,
            version=package.version,
            source=source,
            wheels=tuple(file for file in files if file.is_wheel),
            sdist=next((file for file in files if not file.is_wheel), None),
        )

    def _entries(self, package: PoetryPackage) -> Iterable[Mapping[str, Any]]:
        if package.files is None:  # lock-version 1 keeps them apart
            return self._files.entries(self._document.metadata.files.get(package.name, []))
        return self._files.entries(package.files)

    def _source(self, package: PoetryPackage) -> Source:
        source = package.source
        if source is None or source.type == "legacy":
            return Registry(url=source.url if source else None)
        subdirectory = checked_subdirectory(source.subdirectory)
        if source.type == "git":
            commit = source.resolved_reference or ""
            return Vcs(url=source.url, commit=commit, requested=source.reference, subdirectory=subdirectory)
        if source.type == "url":
            return Url(url=source.url, subdirectory=subdirectory)
        if source.type == "file":
            return File(path=self._places.path(source.url)[0], subdirectory=subdirectory)
        if source.type == "directory":
            return self._places.directory(source.url, editable=package.develop, subdirectory=source.subdirectory)
        raise LockError(f"The lock says of `{package.name}` the unknown source `{source.type[:40]}`")

    def _artifact(self, package: PoetryPackage, entry: Mapping[str, Any]) -> Artifact:
        file = convert(entry, _File, self.path)
        source = package.source or PoetrySource(type="legacy", url="")
        return self._places.artifact(
            url=source.url if source.type == "url" else None,
            path=source.url if source.type == "file" else None,
            filename=file.file,
            hashes=parse_hashes([file.hash]),
            index=source.url or None if source.type == "legacy" else None,
        )


class _File(msgspec.Struct, frozen=True):
    file: str
    hash: str


class _Metadata(msgspec.Struct, frozen=True, rename="kebab"):
    lock_version: str = "1.0"
    python_versions: str | None = None
    content_hash: str | None = None
    files: dict[str, list[Any] | int] = {}


class _Document(msgspec.Struct, frozen=True):
    metadata: _Metadata
    package: list[PoetryPackage] = []
    extras: dict[str, list[str]] = {}


def content_hash(pyproject: Mapping[str, Any], *, with_groups: bool = True) -> str:
    """What Poetry writes as `content-hash`: a hash over all that its resolution depends on.

    Where nothing of it stands outside of `[tool.poetry]`, keys that are absent count as null, as in Poetry 1.
    """
    project = _present(pyproject.get("project", {}), ("requires-python", "dependencies", "optional-dependencies"))
    groups = pyproject.get("dependency-groups", {}) if with_groups else {}
    tool = pyproject.get("tool", {}).get("poetry", {})
    own = _present(tool, (*_LEGACY_KEYS, "group"))
    if not project and not groups:
        relevant: dict[str, Any] = {**dict.fromkeys(_LEGACY_KEYS), **own}
    else:
        relevant = {"tool": {"poetry": own}}
        if project:
            relevant["project"] = project
        if groups:
            relevant["dependency-groups"] = groups
    return hashlib.sha256(json.dumps(relevant, sort_keys=True, default=str).encode()).hexdigest()


def _present(table: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    return {key: table[key] for key in keys if table.get(key) is not None}


def _member_names(members: Iterable[str]) -> list[str]:
    """The packages of an entry of `[extras]`: `asyncpg`, or in old locks `asyncpg (>=0.20)`."""
    return [normalize(re.split(r"[\s(\[;]", member.strip(), maxsplit=1)[0]) for member in members]
