"""Which packages must come so that those that are asked for work: the answer of `apt-get install`, without apt.

solution = solve(["libpq5", "ffmpeg=7:5.1.6-0+deb12u1"], index, installed, architecture="amd64")
solution.added                                         # dependencies first
solution.upgraded                                      # (old, new), only where `allow_upgrades` says so

It is greedy, as apt is (and with `--no-install-recommends`): what is asked for comes first, always in its highest
version; then the first alternative of each dependency, depth first. Nothing is ever removed or taken back: where
packages exclude each other, another alternative is tried, and where there is none the answer is an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pycontainer.errors import PackageError
from pycontainer.sources.debian import refusals
from pycontainer.sources.debian.selection import Candidates, Selection, dependencies, exclusions
from pycontainer.sources.debian.wishes import Wish, find_wish

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from pycontainer.sources.debian.index import PackageIndex
    from pycontainer.sources.debian.package import BinaryPackage
    from pycontainer.sources.debian.refusals import Reason
    from pycontainer.sources.debian.relations import Relation

_MAX_ATTEMPTS: Final = 100
# A new C library under old programs is a new distribution: only who names it may have it.
_ONLY_BY_NAME: Final = frozenset({"libc6", "libc6.1"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Solution:
    """What changes.

    Attributes:
        added: The packages that come, each behind those it depends on (but for circles).
        upgraded: Old and new of each installed package that becomes newer.
        left_out: The names of `exclude` that would have come.
    """

    added: tuple[BinaryPackage, ...]
    upgraded: tuple[tuple[BinaryPackage, BinaryPackage], ...] = ()
    left_out: tuple[str, ...] = ()


def solve(
    wishes: Sequence[str],
    index: PackageIndex,
    installed: Iterable[BinaryPackage],
    *,
    architecture: str,
    exclude: Collection[str] = (),
    allow_upgrades: bool | Collection[str] = (),
    essential: bool = False,
) -> Solution:
    """The packages that must come for `wishes` to be there.

    Args:
        wishes: `name`, or `name=version`.
        index: What the archive offers.
        installed: What is there; packages of other architectures, and those that dpkg has as removed, do not count.
        architecture: Debian's name of the architecture.
        exclude: Packages that must not come, with all that only they bring: whatever needs one is taken as satisfied.
        allow_upgrades: Which installed packages may become newer; `True` stands for all but the C library and those
            on hold.
        essential: Whether all essential packages of the archive are wished for too.

    Raises:
        PackageError: A package is unknown, nothing satisfies a dependency, two packages exclude each other, or an
            installed package would have to become newer and may not.
        DocumentError: A paragraph that matters is malformed.
    """
    present = tuple(installed)
    asked = [Wish.parse(text) for text in [*wishes, *(index.essential() if essential else ())]]
    barred: set[str] = set()
    errors: list[PackageError] = []
    for _ in range(_MAX_ATTEMPTS):
        walk = _Walk(
            index,
            Selection(present, architecture=architecture),
            asked,
            exclude=frozenset(exclude),
            allow_upgrades=allow_upgrades,
            barred=barred,
        )
        try:
            return walk.solve()
        except _DeadEnd as dead_end:
            errors.append(dead_end.error)
            culprit = walk.culprit(dead_end.names)
            if culprit is None:
                break
            barred.add(culprit)
    # What first stood in the way says more than what ruled the last alternative out.
    raise errors[0]


class _DeadEnd(Exception):  # noqa: N818 - never leaves this module
    """The walk cannot go on.

    Args:
        names: The packages of which one must not come.
        error: What to tell when none of them can be spared.
    """

    def __init__(self, names: Sequence[str], error: PackageError) -> None:
        super().__init__()
        self.names = names
        self.error = error


class _Walk:
    """One attempt, with what earlier attempts have barred."""

    def __init__(
        self,
        index: PackageIndex,
        selection: Selection,
        wishes: Sequence[Wish],
        *,
        exclude: frozenset[str],
        allow_upgrades: bool | Collection[str],
        barred: Collection[str],
    ) -> None:
        self._index = index
        self._selection = selection
        self._wishes = wishes
        self._exclude = exclude
        self._allow_upgrades = allow_upgrades
        self._before = {package.name: package for package in selection}
        self._chosen: dict[str, BinaryPackage] = {}
        self._reasons: dict[str, Reason] = {}
        self._left_out: set[str] = set()
        self._candidates = Candidates(
            index,
            selection,
            pins={wish.name: wish.version for wish in wishes if wish.version},
            barred=barred,
            may_upgrade=self._may_upgrade,
        )

    def solve(self) -> Solution:
        """Walk from the wishes to everything they need.

        Raises:
            PackageError: A wish cannot come, or a package would have to become newer.
            _DeadEnd: Something else stands in the way.
        """
        first = list(self._wanted())
        for package in first:
            self._take(package, refusals.Reason())
        for package in first:
            self._walk(package)
        while repair := next(self._repairs(), None):
            self._take(*repair)
            self._walk(repair[0])
        self._check()
        upgraded = [(self._before[name], new) for name, new in self._chosen.items() if name in self._before]
        refused = [(old, new) for old, new in upgraded if not self._may_upgrade(old)]
        if refused:
            raise refusals.not_upgradable(refused, self._reasons)
        return Solution(
            added=tuple(package for package in self._in_order() if package.name not in self._before),
            upgraded=tuple(sorted(upgraded, key=lambda pair: pair[1].name)),
            left_out=tuple(sorted(self._left_out)),
        )

    def culprit(self, names: Iterable[str]) -> str | None:
        """Of packages, and of those that brought them: the nearest for which something else would have done."""
        for name in names:
            at: str | None = name
            while at is not None:
                reason = self._reasons.get(at)
                if reason is not None and reason.by and not reason.only:
                    return at
                at = reason.by if reason is not None else None
        return None

    def _wanted(self) -> Iterator[BinaryPackage]:
        """The packages of the wishes that must come. Their order is not the user's: it must not change the answer."""
        for wish in sorted(set(self._wishes)):
            found = find_wish(wish, self._candidates, self._selection, self._index)
            if wish.name in self._exclude or (found and found.name in self._exclude):
                raise PackageError(
                    f"`{wish.name}` is wanted and excluded",
                    hint="Take it out of {os_packages} or of {os_exclude}",
                )
            present = found and self._selection.get(found.name)
            if found and (present is None or wish.version or self._may_upgrade(present)):
                yield found

    def _may_upgrade(self, package: BinaryPackage) -> bool:
        if isinstance(self._allow_upgrades, bool):
            held = package.name in _ONLY_BY_NAME or package.status.startswith("hold ")
            return self._allow_upgrades and not held
        return package.name in self._allow_upgrades

    def _take(self, package: BinaryPackage, reason: Reason) -> None:
        self._selection.put(package)
        self._chosen[package.name] = package
        self._reasons.setdefault(package.name, reason)

    def _walk(self, package: BinaryPackage) -> None:
        """Take what a package needs, depth first; on a stack of our own, for a chain may be longer than Python's."""
        stack = [self._needs(package)]
        while stack:
            choice = next(stack[-1], None)
            if choice is None:
                stack.pop()
            else:
                stack.append(self._needs(choice))

    def _needs(self, package: BinaryPackage) -> Iterator[BinaryPackage]:
        """What was taken for each dependency that nothing satisfied when its turn came."""
        for group in dependencies(package, self._selection.architecture):
            if self._selection.satisfying(group):
                continue
            choice = self._candidates.best(group)
            if choice is None:
                raise _DeadEnd(
                    [package.name],
                    refusals.unsatisfiable(package, group, self._selection, self._candidates, self._reasons),
                )
            if choice.package.name in self._exclude:
                self._left_out.add(choice.package.name)
                continue
            self._take(
                choice.package,
                refusals.Reason(by=package.name, relation=str(choice.relation), only=choice.only),
            )
            yield choice.package

    def _repairs(self) -> Iterator[tuple[BinaryPackage, Reason]]:
        """Newer versions of installed packages that do not go together with what has come."""
        for one, other, relation in self._conflicts():
            for installed, cause in ((one, other), (other, one)):
                newer = self._candidates.of(installed.name) if installed.name not in self._chosen else None
                if newer and newer.name in self._before:
                    yield newer, refusals.Reason(by=cause.name, relation=f"not with {relation}")
        for package, group, cause in self._broken():
            newer = self._candidates.of(package.name)
            if newer:
                yield newer, refusals.Reason(by=cause.name, relation=f"not with {' | '.join(map(str, group))}")

    def _check(self) -> None:
        for one, other, relation in self._conflicts():
            raise _DeadEnd([other.name, one.name], refusals.conflict(one, other, relation, self._reasons))
        for package, group, cause in self._broken():
            raise _DeadEnd([cause.name], refusals.breaks(package, group, cause, self._reasons))

    def _conflicts(self) -> Iterator[tuple[BinaryPackage, BinaryPackage, Relation]]:
        """A package, another that it excludes, and how it says so; at least one of them has come."""
        for package in tuple(self._selection):
            come = package.name in self._chosen
            for relation in exclusions(package, self._selection.architecture):
                for other in self._selection.matching(relation):
                    if other.name != package.name and (come or other.name in self._chosen):
                        yield package, other, relation

    def _broken(self) -> Iterator[tuple[BinaryPackage, tuple[Relation, ...], BinaryPackage]]:
        """Installed packages, the dependency that held before, and the package whose newer version ended that."""
        upgraded = [(old, self._chosen[name]) for name, old in self._before.items() if name in self._chosen]
        if not upgraded:
            return
        before = Selection(self._before.values(), architecture=self._selection.architecture)
        for package in self._before.values():
            if package.name in self._chosen:
                continue
            for group in dependencies(package, self._selection.architecture):
                held = before.satisfying(group)
                if held and not self._selection.satisfying(group):
                    yield package, group, self._chosen.get(held.name, held)

    def _in_order(self) -> Iterator[BinaryPackage]:
        """What has come, each package behind those that it depends on; circles are cut where they are entered."""
        seen: set[str] = set()
        for name in sorted(self._chosen):
            stack: list[tuple[BinaryPackage, Iterator[BinaryPackage]]] = []
            if name not in seen:
                seen.add(name)
                stack.append((self._chosen[name], self._met(self._chosen[name])))
            while stack:
                package, needed = stack[-1]
                following = next((other for other in needed if other.name not in seen), None)
                if following is None:
                    stack.pop()
                    yield package
                else:
                    seen.add(following.name)
                    stack.append((following, self._met(following)))

    def _met(self, package: BinaryPackage) -> Iterator[BinaryPackage]:
        for group in dependencies(package, self._selection.architecture):
            for relation in group:
                for other in self._selection.matching(relation):
                    if other.name in self._chosen:
                        yield other
