"""Which wheels share a layer.

groups = group_wheels(wheels, budget=40)        # ((numpy,), (pandas,), (anyio, click, …), …)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pycontainer.sources.grouping import Limits, group_by_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycontainer.sources.wheels.recipe import WheelInput

# Bytes of a wheel from which it has its own layer.
LARGE = 4 << 20
# Bytes of wheels, and number of wheels, that a group does not outgrow. An upgrade moves a whole group.
GROUP_SIZE = 8 << 20
GROUP_COUNT = 24


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
    return group_by_name(wheels, budget, limits=Limits(large=LARGE, size=GROUP_SIZE, count=GROUP_COUNT))
