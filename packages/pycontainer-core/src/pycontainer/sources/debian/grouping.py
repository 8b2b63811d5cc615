"""Which Debian packages share a layer.

groups = group_debs(debs)       # ((libllvm15,), (libgl1, libglx0, …), …)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pycontainer.sources.debian.replacing import replaces
from pycontainer.sources.grouping import Limits, group_by_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycontainer.sources.debian.recipe import DebInput

# Layers for operating system packages: an image may have 127, and most of them are Python's.
BUDGET: Final = 8
# Bytes of `.deb`s, which xz makes about a fifth smaller than the layer will be.
_LIMITS: Final = Limits(large=4 << 20, size=16 << 20, count=64)


def group_debs(debs: Sequence[DebInput], budget: int = BUDGET) -> tuple[tuple[DebInput, ...], ...]:
    """Divide packages among layers.

    A package that replaces files of another one is in its layer: which of the two files stays is decided there.

    Args:
        debs: In the order of the solution, which each group keeps.
        budget: The most groups that may come out, at least one.

    Returns:
        Large packages in their order, then groups of small ones. Lower layers come first.

    Raises:
        ValueError: The budget is not positive.
    """
    places = {id(deb): place for place, deb in enumerate(debs)}
    groups = group_by_name(_tied(debs), budget, limits=_LIMITS)
    return tuple(
        tuple(sorted((deb for tie in group for deb in tie.debs), key=lambda deb: places[id(deb)])) for group in groups
    )


@dataclass(frozen=True, kw_only=True)
class _Tie:
    """Packages that share a layer in any case."""

    debs: tuple[DebInput, ...]

    @property
    def name(self) -> str:
        return min(deb.package.name for deb in self.debs)

    @property
    def size(self) -> int:
        return sum(deb.package.size for deb in self.debs)


def _tied(debs: Sequence[DebInput]) -> list[_Tie]:
    ties: list[list[DebInput]] = []
    for deb in debs:
        mine, others = [deb], []
        for tie in ties:
            if any(replaces(deb.package, other.package) or replaces(other.package, deb.package) for other in tie):
                mine = [*tie, *mine]
            else:
                others.append(tie)
        ties = [*others, mine]
    places = {id(deb): place for place, deb in enumerate(debs)}
    return [_Tie(debs=tuple(tie)) for tie in sorted(ties, key=lambda tie: places[id(tie[0])])]
