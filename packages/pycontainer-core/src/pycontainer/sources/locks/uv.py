"""`uv.lock`, version 1: the lock of a uv workspace.

    lock = UvLock.read(root / "uv.lock", content)
    lock.select(target, Choice(package="api", extras=frozenset({"postgres"})))

What is read: `version`, `revision`, `requires-python`, `supported-markers`, `conflicts`, `manifest` (members and the
groups of a root that is no project), and of each `[[package]]` its name, version, source, `resolution-markers`,
`dependencies`, `optional-dependencies`, `dev-dependencies`, `sdist`, `wheels`, and `metadata` for freshness. The format
is a graph: markers stand on the edges, and what is installed is what can be reached from the chosen member.

A few rules that no page documents, each with a test:

- Where several packages share a name (forks), an edge names version and source; an edge that does not means the one
  whose `resolution-markers` hold.
- With `conflicts`, markers hold pseudo-extras: `extra-<length of the package name>-<package>-<extra>`, and likewise
  `group-…` and `project-…`. They are active for what the user chose and for what an edge with extras reaches.
- A `virtual` source has dependencies but nothing to install.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from pycontainer.errors import LockError
from pycontainer.oci import Digest
from pycontainer.sources.locks.document import CONVERTING, convert, parse_toml
from pycontainer.sources.locks.filenames import normalize
from pycontainer.sources.locks.markers import Markers
from pycontainer.sources.locks.model import Directory, File, Lock, LockedPackage, Registry, Url, Vcs
from pycontainer.sources.locks.places import Places, checked_subdirectory, git_source, parse_hashes
from pycontainer.sources.locks.selection import check_python, chosen_names, single_versions
from pycontainer.sources.locks.uv_graph import Root, UvDocument, Walk

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pycontainer.sources.locks.document import Files
    from pycontainer.sources.locks.model import Artifact, Choice, Source
    from pycontainer.sources.locks.uv_graph import UvPackage, UvRequirement
    from pycontainer.sources.target import Target

NEWEST_REVISION: Final = 5
_EXPORT = "uv export --format pylock.toml --output-file pylock.toml"


class UvLock(Lock):
    """A parsed `uv.lock`."""

    format = "uv.lock"

    def __init__(self, *, path: Path, digest: Digest, document: UvDocument, files: Files) -> None:
        super().__init__(path=path, digest=digest)
        self._document = document
        self._files = files
        self._places = Places(path.parent)
        if document.revision > NEWEST_REVISION:
            self.warnings += (f"`{path.name}` has revision {document.revision}, newer than any that we know",)

    @classmethod
    def read(cls, path: Path, content: bytes) -> UvLock:
        """Read the bytes of the lock file at `path`.

        Raises:
            LockError: It is malformed, or of another version of the format.
        """
        document, files = parse_toml(content, path)
        version = document.get("version")
        if version != 1:
            raise LockError(
                f"`{path.name}` has version `{str(version)[:20]}` of its format, and only 1 is supported",
                facts=[str(path)],
                hint=f"Run `{_EXPORT}` and use that lock",
            )
        checked = convert(document, UvDocument, path)
        return cls(path=path, digest=Digest.of(content), document=checked, files=files)

    @property
    def members(self) -> tuple[str, ...]:
        """The names of the workspace's members, sorted; a project alone is the only one."""
        members = self._document.manifest.members
        return tuple(sorted(members or (package.name for package in self._projects())))

    @property
    def projects(self) -> Sequence[Path]:
        """See `Lock.projects`: of the workspace and all of its members."""
        places = dict.fromkeys([".", *(package.place or "." for package in self._projects())])
        return [self.path.parent / place / "pyproject.toml" for place in places]

    @property
    def paths(self) -> Mapping[str, Path]:
        """See `Lock.paths`."""
        return self._places.known

    def select(self, target: Target, choice: Choice) -> tuple[LockedPackage, ...]:
        """See `Lock.select`. A workspace whose root is no project stands for all of its members, as in uv."""
        self._check_target(target)
        roots = self._roots(choice)
        requirements = self._root_requirements(choice)
        self._check_conflicts(roots)
        packages = Walk(self._document, Markers(target.environment)).run(roots, requirements)
        # Where nobody is *the* project, the members are packages like any other.
        project = roots[0].package if len(roots) == 1 else None
        locked = (
            self._locked(package) for package in packages if package is not project and not package.source.virtual
        )
        return single_versions(locked, target, self.path.name)

    def check_fresh(self, pyproject: Mapping[str, Any]) -> None:
        """See `Lock.check_fresh`; it compares `requires-dist`, groups and extras of the project and of its members."""
        from pycontainer.sources.locks.uv_freshness import check_fresh  # noqa: PLC0415 - only where it is asked for

        check_fresh(self.path, self._document, pyproject)

    def _projects(self) -> list[UvPackage]:
        return [package for package in self._document.package if package.source.editable or package.source.virtual]

    def _check_target(self, target: Target) -> None:
        check_python(self._document.requires_python, target, self.path.name)
        markers = Markers(target.environment)
        supported = self._document.supported_markers
        if supported and not any(markers.hold(marker) for marker in supported):
            facts = [f"`environments`: {marker[:200]}" for marker in supported]
            raise LockError(f"The lock is not for {target}", facts=facts)

    def _roots(self, choice: Choice) -> list[Root]:
        packages = self._chosen_members(choice)
        where = f"`{packages[0].name}`" if len(packages) == 1 else "the workspace"
        extras = chosen_names(
            "extra",
            choice.extras,
            [name for each in packages for name in each.extras],
            everything=choice.all_extras,
            where=where,
        )
        shared = self._document.manifest.dependency_groups
        available = [*shared, *(name for each in packages for name in each.groups)]
        groups = chosen_names("group", choice.groups, available, everything=choice.all_groups, where=where)
        return [
            Root(
                package=package,
                extras=frozenset(map(normalize, package.extras)) & extras,
                groups=frozenset(map(normalize, package.groups)) & groups,
                itself=not choice.only_groups,
            )
            for package in packages
        ]

    def _chosen_members(self, choice: Choice) -> list[UvPackage]:
        projects = self._projects()
        if choice.package is not None:
            found = [package for package in projects if package.name == normalize(choice.package)]
            if not found:
                listed = ", ".join(f"`{name}`" for name in self.members)
                raise LockError(f"The lock has no workspace member `{choice.package}`", facts=[f"members: {listed}"])
            return found
        root = [package for package in projects if package.place == "."]
        members = [package for package in projects if package.name in self._document.manifest.members]
        if not root and not members:
            raise LockError("The lock is of no project", facts=[f"{self.path}: no member, and no package at `.`"])
        return root or members

    def _root_requirements(self, choice: Choice) -> list[UvRequirement]:
        """What the chosen groups of a root that is no project require."""
        shared = self._document.manifest.dependency_groups
        wanted = {normalize(name) for name in choice.groups}
        if choice.package is not None or not shared:
            return []
        return [
            requirement
            for group, requirements in shared.items()
            if choice.all_groups or normalize(group) in wanted
            for requirement in requirements
        ]

    def _check_conflicts(self, roots: list[Root]) -> None:
        active = {name for root in roots for name in root.pseudo_extras()}
        for conflict in self._document.conflicts:
            both = [member for member in conflict if member.pseudo_extra in active]
            if len(both) > 1:
                raise LockError(
                    f"The {both[0]} and the {both[1]} cannot be installed together",
                    facts=[f"`conflicts` of {self.path.name} says so"],
                )

    def _locked(self, package: UvPackage) -> LockedPackage:
        source = self._source(package)
        sdist = (
            self._artifact(package, package.sdist)
            if package.sdist and not isinstance(source, (Directory, Vcs))
            else None
        )
        return LockedPackage(
            name=package.name,
            version=package.version,
            source=source,
            wheels=tuple(self._artifact(package, entry) for entry in self._files.entries(package.wheels)),
            sdist=sdist,
        )

    def _source(self, package: UvPackage) -> Source:
        source = package.source
        if source.registry is not None:
            return Registry(url=source.registry if "://" in source.registry else None)
        if source.git is not None:
            return git_source(source.git, subdirectory=source.subdirectory)
        if source.url is not None:
            return Url(url=source.url, subdirectory=checked_subdirectory(source.subdirectory))
        if source.path is not None:
            path, _ = self._places.path(source.path)
            return File(path=path, subdirectory=checked_subdirectory(source.subdirectory))
        if package.place is None:
            raise LockError(f"The lock says of `{package.name}` no source that is known")
        return self._places.directory(package.place, editable=source.editable is not None)

    def _artifact(self, package: UvPackage, entry: Mapping[str, Any]) -> Artifact:
        try:
            with CONVERTING:
                file = msgspec.convert(entry, _File)
        except msgspec.ValidationError as error:
            raise LockError(f"The lock is malformed for `{package.name}`", facts=[str(error)[:200]]) from error
        source = package.source
        registry = source.registry
        path = file.path
        if path is not None and registry is not None and "://" not in registry:
            path = f"{registry}/{path}"
        return self._places.artifact(
            url=file.url or (source.url if path is None else None),
            path=path or source.path,
            filename=file.filename,
            size=file.size,
            hashes=parse_hashes([file.hash] if file.hash else []),
            index=registry,
        )


class _File(msgspec.Struct, frozen=True):
    """A wheel or an sdist: by address, by path in a local index, or by name where the source is the file itself."""

    url: str | None = None
    path: str | None = None
    filename: str | None = None
    hash: str | None = None
    size: int | None = None
