"""The graph of a `uv.lock`: its tables, and the walk along the edges whose markers hold.

walk = Walk(document, markers)
reached = walk.run([Root(package=member, extras=frozenset({"pg"}), groups=frozenset())])
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from pycontainer.errors import LockError
from pycontainer.sources.locks.filenames import normalize

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pycontainer.sources.locks.markers import Markers

_PASSES = 20


class UvSource(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a package comes from: exactly one of these, and perhaps a subdirectory of an archive."""

    registry: str | None = None
    git: str | None = None
    url: str | None = None
    path: str | None = None
    directory: str | None = None
    editable: str | None = None
    virtual: str | None = None
    subdirectory: str | None = None


class UvEdge(msgspec.Struct, frozen=True):
    """A dependency of a package; version and source stand only where the name alone is ambiguous."""

    name: str
    version: str | None = None
    source: UvSource | None = None
    extra: tuple[str, ...] = ()
    marker: str | None = None


class UvRequirement(msgspec.Struct, frozen=True, rename="kebab"):
    """A requirement as `pyproject.toml` had it when the lock was made."""

    name: str
    extras: tuple[str, ...] = ()
    specifier: str | None = None
    marker: str | None = None
    git: str | None = None
    url: str | None = None
    path: str | None = None
    directory: str | None = None
    editable: str | None = None
    virtual: str | None = None
    index: str | None = None


class UvMetadata(msgspec.Struct, frozen=True, rename="kebab"):
    """What the lock remembers of a package that was built or read from source."""

    requires_dist: list[UvRequirement] = []
    requires_dev: dict[str, list[UvRequirement]] = {}
    provides_extras: list[str] | None = None


class UvPackage(msgspec.Struct, frozen=True, rename="kebab", eq=False):
    """A `[[package]]`."""

    name: str
    source: UvSource
    version: str | None = None
    resolution_markers: list[str] = []
    dependencies: list[UvEdge] = []
    optional_dependencies: dict[str, list[UvEdge]] = {}
    dev_dependencies: dict[str, list[UvEdge]] = {}
    sdist: dict[str, Any] | None = None
    wheels: list[Any] | int = []
    metadata: UvMetadata | None = None

    @property
    def extras(self) -> list[str]:
        """The names of its extras, the empty ones too where the lock is new enough to tell."""
        provided = self.metadata.provides_extras if self.metadata else None
        return list(self.optional_dependencies) if provided is None else [*self.optional_dependencies, *provided]

    @property
    def groups(self) -> list[str]:
        """The names of its dependency groups, the empty ones too."""
        return [*self.dev_dependencies, *(self.metadata.requires_dev if self.metadata else ())]

    @property
    def place(self) -> str | None:
        """The source tree that it is, relative to the lock file, where it is one."""
        return self.source.editable or self.source.virtual or self.source.directory


class UvConflict(msgspec.Struct, frozen=True):
    """A member of a set that cannot be installed together."""

    package: str
    extra: str | None = None
    group: str | None = None

    @property
    def pseudo_extra(self) -> str:
        """What markers call it."""
        if self.extra is not None:
            return f"extra-{len(self.package)}-{self.package}-{self.extra}"
        if self.group is not None:
            return f"group-{len(self.package)}-{self.package}-{self.group}"
        return f"project-{len(self.package)}-{self.package}"

    def __str__(self) -> str:
        kind = f"extra `{self.extra}`" if self.extra else f"group `{self.group}`" if self.group else "package"
        return f"{kind} of `{self.package}`"


class UvManifest(msgspec.Struct, frozen=True, rename="kebab"):
    """What the lock says of the workspace as a whole."""

    members: list[str] = []
    dependency_groups: dict[str, list[UvRequirement]] = {}


class UvDocument(msgspec.Struct, frozen=True, rename="kebab"):
    """A whole `uv.lock`."""

    version: int
    revision: int = 0
    requires_python: str | None = None
    supported_markers: list[str] = []
    conflicts: list[list[UvConflict]] = []
    manifest: UvManifest = UvManifest()
    package: list[UvPackage] = []


@dataclass(frozen=True, kw_only=True, slots=True)
class Root:
    """A workspace member where the walk begins, and what of it was chosen."""

    package: UvPackage
    extras: frozenset[str]
    groups: frozenset[str]
    itself: bool = True

    def pseudo_extras(self) -> Iterator[str]:
        """What its choice makes active in the markers of conflicts."""
        name = self.package.name
        if self.itself:
            yield UvConflict(package=name).pseudo_extra
        for extra in self.extras if self.itself else ():
            yield UvConflict(package=name, extra=extra).pseudo_extra
        for group in self.groups:
            yield UvConflict(package=name, group=group).pseudo_extra


class Walk:
    """Finds what can be reached from roots in one environment."""

    def __init__(self, document: UvDocument, markers: Markers) -> None:
        self._markers = markers
        self._conflicts = bool(document.conflicts)
        self._by_name: dict[str, list[UvPackage]] = {}
        for package in document.package:
            self._by_name.setdefault(package.name, []).append(package)

    def run(self, roots: Sequence[Root], requirements: Sequence[UvRequirement] = ()) -> list[UvPackage]:
        """The packages that are reached, the roots that count themselves among them, in no particular order.

        Raises:
            LockError: An edge leads nowhere, or what is active changes with what it activates.
        """
        chosen = frozenset(name for root in roots for name in root.pseudo_extras())
        active = chosen
        for _ in range(_PASSES):
            reached, activated = self._pass(roots, requirements, active)
            # An edge `name[extra]` makes the extra of a conflict active for everything, so that markers have to be
            # asked again until nothing changes.
            if not self._conflicts or chosen | activated == active:
                return reached
            active = chosen | activated
        raise LockError("The conflicts of the lock contradict each other")

    def _pass(
        self, roots: Sequence[Root], requirements: Sequence[UvRequirement], active: frozenset[str]
    ) -> tuple[list[UvPackage], frozenset[str]]:
        queue = list(self._start(roots, requirements, active))
        seen: set[tuple[int, str | None]] = set()
        reached: dict[int, UvPackage] = {}
        activated: set[str] = set()
        while queue:
            package, extra = queue.pop()
            if (id(package), extra) in seen:
                continue
            seen.add((id(package), extra))
            reached[id(package)] = package
            if extra is not None:
                activated.add(UvConflict(package=package.name, extra=extra).pseudo_extra)
            edges = package.dependencies if extra is None else package.optional_dependencies.get(extra, [])
            queue.extend(self._follow(edges, active))
        return list(reached.values()), frozenset(activated)

    def _start(
        self, roots: Sequence[Root], requirements: Sequence[UvRequirement], active: frozenset[str]
    ) -> Iterator[tuple[UvPackage, str | None]]:
        for root in roots:
            if root.itself:
                yield root.package, None
                yield from ((root.package, extra) for extra in root.extras)
            for group, edges in root.package.dev_dependencies.items():
                if normalize(group) in root.groups:
                    yield from self._follow(edges, active)
        named = [UvEdge(name=each.name, extra=each.extras, marker=each.marker) for each in requirements]
        yield from self._follow(named, active)

    def _follow(self, edges: Iterable[UvEdge], active: frozenset[str]) -> Iterator[tuple[UvPackage, str | None]]:
        for edge in edges:
            own = active
            if self._conflicts and edge.extra:
                own |= {UvConflict(package=edge.name, extra=extra).pseudo_extra for extra in edge.extra}
            if self._markers.hold(edge.marker, extras=own):
                package = self._end(edge, active)
                yield package, None
                yield from ((package, extra) for extra in edge.extra)

    def _end(self, edge: UvEdge, active: frozenset[str]) -> UvPackage:
        """The package that an edge leads to."""
        found = [
            package
            for package in self._by_name.get(edge.name, [])
            if edge.version in {None, package.version} and edge.source in {None, package.source}
        ]
        if len(found) > 1:
            found = [package for package in found if self._is_in_its_fork(package, active)]
        if len(found) != 1:
            what = "no package" if not found else f"{len(found)} packages"
            pinned = f" {edge.version}" if edge.version else ""
            raise LockError(
                "The lock contradicts itself", facts=[f"it has {what} for the dependency `{edge.name}`{pinned}"]
            )
        return found[0]

    def _is_in_its_fork(self, package: UvPackage, active: frozenset[str]) -> bool:
        forks = package.resolution_markers
        return not forks or any(self._markers.hold(marker, extras=active) for marker in forks)
