"""Which wheels share a layer.

    groups = group_wheels(wheels, budget=40)        # ((numpy,), (pandas,), (anyio, click, …), …)

A large wheel has a layer of its own, so that it moves only when it changes. The small ones would need too many layers:
they are grouped by the first bits of a hash of their *names*. Where a package goes depends on its name alone, and so
adding, removing or upgrading one changes the one group that it is in; the others keep their bytes and their digests.
Where a group would outgrow its limit, the next bit splits it; where two halves fit again, they are one. Nothing else
depends on how many wheels there are.

Only where more groups come out than the budget allows, the smallest are merged, which ties them to each other's sizes.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycontainer.sources.wheels.recipe import WheelInput

# Bytes of a wheel from which it has its own layer.
LARGE = 4 << 20
# Bytes of wheels, and number of wheels, that a group does not outgrow. An upgrade moves a whole group.
GROUP_SIZE = 8 << 20
GROUP_COUNT = 24
_BITS = 256


def group_wheels(wheels: Sequence[WheelInput], budget: int) -> tuple[tuple[WheelInput, ...], ...]:
    """Divide wheels among layers.

    Args:
        wheels: In the order of the lock, which each group keeps.
        budget: The most groups that may come out, at least one.

    Returns:
        Large wheels in the order of the lock, then groups of small ones in the order of their hashes. Lower layers
        come first.

    Raises:
        ValueError: The budget is not positive.
    """
    if budget < 1:
        raise ValueError(f"no layers to put wheels into: {budget}")
    large = [(index,) for index, wheel in enumerate(wheels) if wheel.size >= LARGE]
    small = [index for index, wheel in enumerate(wheels) if wheel.size < LARGE]
    groups = [*large, *_divided(wheels, small, 0)]
    while len(groups) > budget:
        groups = _merged(wheels, groups)
    return tuple(tuple(wheels[index] for index in sorted(group)) for group in groups)


def _divided(wheels: Sequence[WheelInput], indexes: list[int], bit: int) -> list[tuple[int, ...]]:
    """Groups by the bits of the names' hashes from this one on."""
    if not indexes:
        return []
    size = sum(wheels[index].size for index in indexes)
    if len(indexes) == 1 or bit == _BITS or (len(indexes) <= GROUP_COUNT and size <= GROUP_SIZE):
        return [tuple(indexes)]
    halves: tuple[list[int], list[int]] = ([], [])
    for index in indexes:
        halves[_hash(wheels[index].name) >> (_BITS - 1 - bit) & 1].append(index)
    return [*_divided(wheels, halves[0], bit + 1), *_divided(wheels, halves[1], bit + 1)]


def _merged(wheels: Sequence[WheelInput], groups: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """The groups with the two smallest as one, in the place of the later of the two."""

    def size(place: int) -> tuple[int, int]:
        return sum(wheels[index].size for index in groups[place]), place

    first, second = sorted(sorted(range(len(groups)), key=size)[:2])
    merged = (*groups[first], *groups[second])
    return [*groups[:first], *groups[first + 1 : second], merged, *groups[second + 1 :]]


def _hash(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode(), usedforsecurity=False).digest(), "big")
