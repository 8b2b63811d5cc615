"""Which packages share a layer.

    groups = group_by_name(packages, budget=40, limits=Limits(large=4 << 20, size=8 << 20, count=24))

A large package has a layer of its own, so that it moves only when it changes. The small ones would need too many
layers: they are grouped by the first bits of a hash of their *names*. Where a package goes depends on its name alone,
and so adding, removing or upgrading one changes the one group that it is in; the others keep their bytes and their
digests. Where a group would outgrow its limit, the next bit splits it; where two halves fit again, they are one.
Nothing else depends on how many packages there are.

Only where more groups come out than the budget allows, the smallest are merged, which ties them to each other's sizes.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Protocol, TypeVar

from pycontainer.value import Value

if TYPE_CHECKING:
    from collections.abc import Sequence

_BITS = 256


class Sized(Protocol):
    """What is grouped: wheels, Debian packages."""

    @property
    def name(self) -> str:
        """The same in all versions."""
        ...

    @property
    def size(self) -> int:
        """Bytes, as it is fetched."""
        ...


class Limits(Value, frozen=True, kw_only=True):
    """What makes a group.

    Attributes:
        large: Bytes of a package from which it has its own layer.
        size: Bytes of packages that a group does not outgrow; an upgrade moves a whole group.
        count: Number of packages that a group does not outgrow.
    """

    large: int
    size: int
    count: int


_Package = TypeVar("_Package", bound=Sized)


def group_by_name(packages: Sequence[_Package], budget: int, *, limits: Limits) -> tuple[tuple[_Package, ...], ...]:
    """Divide packages among layers.

    Args:
        packages: In an order which each group keeps.
        budget: The most groups that may come out, at least one.
        limits: What a group may hold.

    Returns:
        Large packages in their order, then groups of small ones in the order of their hashes. Lower layers come first.

    Raises:
        ValueError: The budget is not positive.
    """
    if budget < 1:
        raise ValueError(f"no layers to put packages into: {budget}")
    large = [(index,) for index, package in enumerate(packages) if package.size >= limits.large]
    small = [index for index, package in enumerate(packages) if package.size < limits.large]
    groups = [*large, *_divided(packages, small, 0, limits)]
    while len(groups) > budget:
        groups = _merged(packages, groups)
    return tuple(tuple(packages[index] for index in sorted(group)) for group in groups)


def _divided(packages: Sequence[Sized], indexes: list[int], bit: int, limits: Limits) -> list[tuple[int, ...]]:
    """Groups by the bits of the names' hashes from this one on."""
    if not indexes:
        return []
    size = sum(packages[index].size for index in indexes)
    if len(indexes) == 1 or bit == _BITS or (len(indexes) <= limits.count and size <= limits.size):
        return [tuple(indexes)]
    halves: tuple[list[int], list[int]] = ([], [])
    for index in indexes:
        halves[_hash(packages[index].name) >> (_BITS - 1 - bit) & 1].append(index)
    return [half for indexes in halves for half in _divided(packages, indexes, bit + 1, limits)]


def _merged(packages: Sequence[Sized], groups: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """The groups with the two smallest as one, in the place of the later of the two."""

    def size(place: int) -> tuple[int, int]:
        return sum(packages[index].size for index in groups[place]), place

    first, second = sorted(sorted(range(len(groups)), key=size)[:2])
    merged = (*groups[first], *groups[second])
    return [*groups[:first], *groups[first + 1 : second], merged, *groups[second + 1 :]]


def _hash(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode(), usedforsecurity=False).digest(), "big")
