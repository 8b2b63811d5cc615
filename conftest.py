"""What all tests have in common: their order, how many examples property tests try, and when garbage is collected.

What waits for engines, registries and indexes begins first, and quick tests fill the gaps. Workers take whole files in
this order, so that none is left with a long one in the end.
"""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Generator

# For a Python beside the main one: a property that holds there is tried again, not searched anew.
settings.register_profile(
    "quarter", settings.get_profile("ci"), max_examples=settings.get_profile("ci").max_examples // 4
)

FIRST = ("e2e", "network")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort files by how long their tests may wait; the order within a file stays."""
    ranks = {item.path: len(FIRST) for item in items}
    for item in items:
        marked = (rank for rank, mark in enumerate(FIRST) if item.get_closest_marker(mark))
        ranks[item.path] = min(ranks[item.path], *marked, len(FIRST))
    items.sort(key=lambda item: ranks[item.path])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, object, object]:
    """Collect the garbage of a test after it, not in the middle of another one.

    Whose input is nested as deeply as Python can go leaves no room for what that garbage does as it ends.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
