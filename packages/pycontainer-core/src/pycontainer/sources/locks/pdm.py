"""`pdm.lock`, versions 4.x with the strategy `inherit_metadata` (PDM's own since 2.11).

    lock = PdmLock.read(root / "pdm.lock", content)
    lock.select(target, Choice(extras=frozenset({"pg"})))

What is read: of `[metadata]` the version, groups, strategy, targets and `content_hash`; and of each `[[package]]` its
name, version, groups, marker, `requires_python`, files, and `path`, `url`, or `git` with `revision`. For PDM an extra
of the project is a group like any other, and the project's own dependencies are the group `default`. A package that is
required with extras has an entry of its own for them, which here is the same package.

Files have names and hashes; addresses only with the strategy `static_urls`.
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
from pycontainer.sources.locks.places import Places, checked_subdirectory, is_file, parse_hashes
from pycontainer.sources.locks.selection import check_python, chosen_names, single_versions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pycontainer.sources.locks.document import Files
    from pycontainer.sources.locks.model import Artifact, Choice, Source
    from pycontainer.sources.target import Target

_VERSION = re.compile(r"(\d{1,4})\.(\d{1,4})(?:\.\d{1,4})?", re.ASCII)
_NEWEST = (4, 5)
# `linux` and `alpine` are short for the oldest it resolves for (PDM's documentation, *Lock for specific platforms*).
_PLATFORM = re.compile(r"(?:(manylinux|musllinux)_\d+_\d+|(linux|alpine))(?:_(\w+))?", re.ASCII)


class PdmLock(Lock):
    """A parsed `pdm.lock`."""

    format = "pdm.lock"

    def __init__(self, *, path: Path, digest: Digest, document: _Document, files: Files) -> None:
        super().__init__(path=path, digest=digest)
        self._document = document
        self._files = files
        self._places = Places(path.parent)
        self._check_form()

    @classmethod
    def read(cls, path: Path, content: bytes) -> PdmLock:
        """Read the bytes of the lock file at `path`.

        Raises:
            LockError: It is malformed, or of another version of the format.
        """
        document, files = parse_toml(content, path)
        return cls(path=path, digest=Digest.of(content), document=convert(document, _Document, path), files=files)

    def select(self, target: Target, choice: Choice) -> tuple[LockedPackage, ...]:
        """See `Lock.select`. PDM's locks are of one project, so that a choice of a member says nothing."""
        self._check_target(target)
        groups = self._groups(choice)
        markers = Markers(target.environment)
        chosen = [
            package
            for package in self._document.package
            if groups & {normalize(group) for group in package.groups} and markers.hold(package.marker)
        ]
        return single_versions(map(self._locked, chosen), target, self.path.name)

    def check_fresh(self, pyproject: Mapping[str, Any]) -> None:
        """See `Lock.check_fresh`; it compares the `content_hash`, but not in a workspace, whose hash covers more."""
        expected = self._document.metadata.content_hash
        settings = pyproject.get("tool", {}).get("pdm", {})
        if "project" not in pyproject or "workspace" in settings or expected in {None, content_hash(pyproject)}:
            return
        raise LockError(
            f"`{self.path.name}` is older than `pyproject.toml`",
            facts=["what `pyproject.toml` requires has another `content_hash`"],
            hint="Run `pdm lock`",
        )

    def _check_form(self) -> None:
        metadata, name = self._document.metadata, self.path.name
        match = _VERSION.fullmatch(metadata.lock_version)
        if match is None or int(match[1]) != _NEWEST[0]:
            raise LockError(
                f"`{name}` has version `{metadata.lock_version[:20]}` of its format, and only 4 is supported",
                facts=[str(self.path)],
                hint="Run `pdm lock` with a current PDM",
            )
        if (int(match[1]), int(match[2])) > _NEWEST:
            self.warnings += (
                f"`{name}` has version {metadata.lock_version} of its format, newer than any that we know",
            )
        if "inherit_metadata" not in metadata.strategy and self._document.package:
            raise LockError(
                f"`{name}` does not say what each package is for",
                facts=["its `strategy` is without `inherit_metadata`"],
                hint="Run `pdm lock --strategy inherit_metadata`",
            )

    def _check_target(self, target: Target) -> None:
        targets = self._document.metadata.targets
        for each in targets:
            if not each.platform or _is_for(each.platform, target):
                try:
                    check_python(each.requires_python, target, self.path.name)
                except LockError:
                    continue
                return
        if targets:
            facts = [
                f"locked for: {each.platform or 'all platforms'}, Python {each.requires_python}" for each in targets
            ]
            raise LockError(f"The lock is not for {target}", facts=facts)

    def _groups(self, choice: Choice) -> frozenset[str]:
        where = self.path.name
        available = [normalize(group) for group in self._document.metadata.groups if group != "default"]
        optional = self._optional() if choice.all_extras or choice.all_groups else frozenset()
        extras = chosen_names("extra", choice.extras, available, everything=False, where=where)
        groups = chosen_names("group", choice.groups, available, everything=False, where=where)
        if choice.all_extras:
            extras |= frozenset(available) & optional
        if choice.all_groups:
            groups |= frozenset(available) - optional
        return extras | groups if choice.only_groups else extras | groups | {"default"}

    def _optional(self) -> frozenset[str]:
        """The groups that are extras of the project, which only the project itself says."""
        path = self.path.with_name("pyproject.toml")
        pyproject, _ = parse_toml(read_content(path), path)
        table = convert(pyproject.get("project", {}), _Project, path)
        return frozenset(map(normalize, table.optional_dependencies))

    def _locked(self, package: _Package) -> LockedPackage:
        source = self._source(package)
        files: tuple[Artifact, ...] = ()
        if isinstance(source, (Registry, Url, File)):
            files = tuple(self._artifact(package, entry) for entry in self._files.entries(package.files))
        python = package.requires_python
        return LockedPackage(
            name=normalize(package.name),
            version=package.version,
            source=source,
            wheels=tuple(file for file in files if file.is_wheel),
            sdist=next((file for file in files if not file.is_wheel), None),
            requires_python=python if python != "*" else None,
        )

    def _source(self, package: _Package) -> Source:
        subdirectory = checked_subdirectory(package.subdirectory)
        if package.git is not None:
            commit = package.revision or ""
            return Vcs(url=package.git, commit=commit, requested=package.ref, subdirectory=subdirectory)
        if package.url is not None and not package.url.startswith("file:"):
            return Url(url=package.url.split("#", 1)[0], subdirectory=subdirectory)
        place = package.path or package.url
        if place is None:
            return Registry()
        path, _ = self._places.path(place)
        if is_file(path) or path.suffix in {".whl", ".gz", ".zip"}:
            return File(path=path, subdirectory=subdirectory)
        return self._places.directory(place, editable=package.editable, subdirectory=package.subdirectory)

    def _artifact(self, package: _Package, entry: Mapping[str, Any]) -> Artifact:
        file = convert(entry, _File, self.path)
        local = package.path or (package.url if (package.url or "").startswith("file:") else None)
        return self._places.artifact(
            url=None if local else file.url or package.url,
            path=local,
            filename=file.file,
            hashes=parse_hashes([file.hash] if file.hash else []),
        )


class _File(msgspec.Struct, frozen=True):
    hash: str | None = None
    file: str | None = None
    url: str | None = None


class _Package(msgspec.Struct, frozen=True):
    name: str
    version: str | None = None
    groups: list[str] = []
    marker: str | None = None
    requires_python: str | None = None
    files: list[Any] | int = []
    path: str | None = None
    url: str | None = None
    git: str | None = None
    ref: str | None = None
    revision: str | None = None
    subdirectory: str | None = None
    editable: bool = False


class _Target(msgspec.Struct, frozen=True):
    requires_python: str | None = None
    platform: str | None = None


class _Metadata(msgspec.Struct, frozen=True):
    lock_version: str = "0"
    groups: list[str] = []
    strategy: list[str] = []
    content_hash: str | None = None
    targets: list[_Target] = []


class _Document(msgspec.Struct, frozen=True):
    metadata: _Metadata
    package: list[_Package] = []


class _Project(msgspec.Struct, frozen=True, rename="kebab"):
    optional_dependencies: dict[str, Any] = {}


def content_hash(pyproject: Mapping[str, Any]) -> str:
    """What PDM writes as `content_hash`: a hash over all that its resolution depends on."""
    project, settings = pyproject.get("project", {}), pyproject.get("tool", {}).get("pdm", {})
    groups: dict[str, list[Any]] = {}
    for tables in (pyproject.get("dependency-groups", {}), settings.get("dev-dependencies", {})):
        for name, requirements in tables.items():
            groups[normalize(name)] = [*groups.get(normalize(name), []), *requirements]
    relevant = {
        "sources": settings.get("source", []),
        "dependencies": project.get("dependencies", []),
        "dev-dependencies": groups,
        "optional-dependencies": project.get("optional-dependencies", {}),
        "requires-python": project.get("requires-python", ""),
        "resolution": settings.get("resolution", {}),
    }
    return "sha256:" + hashlib.sha256(json.dumps(relevant, sort_keys=True, default=str).encode()).hexdigest()


def _is_for(platform: str, target: Target) -> bool:
    match = _PLATFORM.fullmatch(platform)
    if match is None:
        return False
    musl = "musllinux" in platform or platform.startswith("alpine")
    return (target.libc.kind == "musl") is musl and (match[3] or "x86_64") == target.machine
