"""The packages of a system, and what may join them: the ground that the solver walks on.

selection = Selection(installed, architecture="amd64")
selection.satisfying(relation)                         # a package that is there, by its name or by what it provides
candidates = Candidates(index, selection, architecture="amd64")
candidates.best(group)                                 # the package that apt would take for `a | b`
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Final

from pycontainer.sources.debian.relations import parse_relations
from pycontainer.sources.debian.version import version_key

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from pycontainer.sources.debian.index import PackageIndex
    from pycontainer.sources.debian.package import BinaryPackage
    from pycontainer.sources.debian.relations import Relation

# Policy 2.5; what is unknown or missing comes last, as `extra`.
_PRIORITIES: Final = {name: rank for rank, name in enumerate(("required", "important", "standard", "optional"))}


def dependencies(package: BinaryPackage, architecture: str) -> Iterator[tuple[Relation, ...]]:
    """What the package needs, in the order in which apt sees to it."""
    for group in chain(parse_relations(package.pre_depends), parse_relations(package.depends)):
        if concerned := tuple(relation for relation in group if relation.concerns(architecture)):
            yield concerned


def exclusions(package: BinaryPackage, architecture: str) -> Iterator[Relation]:
    """What the package must not meet."""
    for group in chain(parse_relations(package.conflicts), parse_relations(package.breaks)):
        yield from (relation for relation in group if relation.concerns(architecture))


def matches(package: BinaryPackage, relation: Relation, architecture: str) -> bool:
    """Whether a relation means this package, by its name or by what it provides (Policy 7.5).

    `name:any` means only packages that are `Multi-Arch: allowed`, also on one architecture: as for apt and dpkg.
    """
    qualifier = relation.architecture_qualifier
    if qualifier not in {"", "native", architecture} and not (qualifier == "any" and package.multi_arch == "allowed"):
        return False
    if package.name == relation.name and relation.allows(package.version):
        return True
    return relation.name in package.provides and any(
        provided.name == relation.name and (not relation.operator or _holds(provided, relation))
        for provided in provisions(package, architecture)
    )


def provisions(package: BinaryPackage, architecture: str) -> Iterator[Relation]:
    """What the package provides."""
    for group in parse_relations(package.provides):
        for relation in group:
            if relation.operator in {"", "="} and relation.architecture_qualifier in {"", "any", architecture}:
                yield relation


def _holds(provided: Relation, relation: Relation) -> bool:
    return bool(provided.operator) and relation.allows(provided.version)


class Selection:
    """The packages that a system has, at most one of each name."""

    def __init__(self, packages: Iterable[BinaryPackage], *, architecture: str) -> None:
        self.architecture = architecture
        self._packages: dict[str, BinaryPackage] = {}
        self._providers: dict[str, dict[str, None]] = {}
        for package in packages:
            if package.is_installed and package.architecture in {architecture, "all"}:
                self.put(package)

    def __iter__(self) -> Iterator[BinaryPackage]:
        return iter(self._packages.values())

    def get(self, name: str) -> BinaryPackage | None:
        """The package of this name."""
        return self._packages.get(name)

    def put(self, package: BinaryPackage) -> None:
        """Add a package, in place of its other version."""
        if old := self._packages.get(package.name):
            for relation in provisions(old, self.architecture):
                self._providers[relation.name].pop(old.name, None)
        self._packages[package.name] = package
        for relation in provisions(package, self.architecture):
            self._providers.setdefault(relation.name, {})[package.name] = None

    def matching(self, relation: Relation) -> Iterator[BinaryPackage]:
        """The packages that a relation means."""
        for name in {relation.name: None} | self._providers.get(relation.name, {}):
            package = self._packages.get(name)
            if package is not None and matches(package, relation, self.architecture):
                yield package

    def satisfying(self, group: Iterable[Relation]) -> BinaryPackage | None:
        """A package that satisfies one of the alternatives."""
        return next(chain.from_iterable(map(self.matching, group)), None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """What was found for a group of alternatives.

    Attributes:
        package: The package to take.
        relation: The alternative that it satisfies.
        only: Whether nothing else would do.
    """

    package: BinaryPackage
    relation: Relation
    only: bool


class Candidates:
    """The version of each package that may come: the highest, never lower than what is installed.

    Args:
        index: What the archive offers.
        selection: What the system has, as it changes.
        pins: The version that a package must have.
        barred: Packages that must not come.
        may_upgrade: Whether an installed package may become newer; a choice that needs none is preferred.
    """

    def __init__(
        self,
        index: PackageIndex,
        selection: Selection,
        *,
        pins: Mapping[str, str],
        barred: Collection[str],
        may_upgrade: Callable[[BinaryPackage], bool],
    ) -> None:
        self._index = index
        self._selection = selection
        self._pins = pins
        self._barred = barred
        self._may_upgrade = may_upgrade

    def of(self, name: str) -> BinaryPackage | None:
        """The candidate of a name; none where nothing newer than what is installed can be had."""
        offered = None if name in self._barred else next(iter(self.offered(name)), None)
        present = self._selection.get(name)
        if offered and present and version_key(offered.version) <= version_key(present.version):
            return None
        return offered

    def offered(self, name: str) -> Sequence[BinaryPackage]:
        """What the archive has of a name for this architecture, the newest first; of a pinned one only that version."""
        versions = [
            package
            for package in self._index.versions(name)
            if package.architecture in {self._selection.architecture, "all"}
        ]
        if pin := self._pins.get(name):
            return [package for package in versions if version_key(package.version) == version_key(pin)]
        return versions

    def satisfying(self, relation: Relation) -> list[BinaryPackage]:
        """The candidates that a relation means: the package of that name, and the providers of the name."""
        names = {relation.name: None} | {package.name: None for package in self._index.providers(relation.name)}
        candidates = filter(None, map(self.of, names))
        return [package for package in candidates if matches(package, relation, self._selection.architecture)]

    def best(self, group: Iterable[Relation]) -> Choice | None:
        """What apt takes for a group that nothing installed satisfies; none where nothing can.

        An installed package that becomes new enough goes before a new one, wherever it stands in the group; then the
        first alternative counts, and of several providers the one that `_preference` puts first.
        """
        classes: list[list[tuple[Relation, list[BinaryPackage]]]] = [[], [], []]
        names: set[str] = set()
        for relation in group:
            found = self.satisfying(relation)
            names.update(package.name for package in found)
            for rank, offers in enumerate(classes):
                if members := [package for package in found if self._rank(package) == rank]:
                    offers.append((relation, members))
        for relation, members in chain.from_iterable(classes):
            return Choice(package=self._preferred(relation, members), relation=relation, only=len(names) == 1)
        return None

    def _rank(self, package: BinaryPackage) -> int:
        present = self._selection.get(package.name)
        return 1 if present is None else 0 if self._may_upgrade(present) else 2

    def _preferred(self, relation: Relation, packages: list[BinaryPackage]) -> BinaryPackage:
        """The real package, then an essential one, then by priority, then what apt's cache met last."""

        def rank(package: BinaryPackage) -> tuple[bool, bool, int]:
            priority = _PRIORITIES.get(package.priority, len(_PRIORITIES))
            return package.name != relation.name, not package.essential, priority

        first = min(map(rank, packages))
        equal = [package for package in packages if rank(package) == first]
        if len(equal) == 1:
            return equal[0]
        return max(equal, key=lambda package: self._index.first_mention(package.name))
