"""Layers of wheels stay the same when one package changes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycontainer.sources.wheels import WheelInput, group_wheels
from pycontainer.sources.wheels.grouping import GROUP_COUNT, GROUP_SIZE, LARGE

PLENTY = 10_000


def wheel(name: str, size: int, version: str = "1") -> WheelInput:
    return WheelInput(
        name=name, version=version, filename=f"{name}-{version}.whl", sha256="", open_path=Path, size=size
    )


NAMES = st.text("abcdefghij-", min_size=1, max_size=12)
LOCKS = st.dictionaries(NAMES, st.integers(0, 2 * LARGE), max_size=120).map(
    lambda sizes: [wheel(name, size) for name, size in sorted(sizes.items())]
)


def names(groups: tuple[tuple[WheelInput, ...], ...]) -> set[frozenset[tuple[str, str]]]:
    return {frozenset((one.name, one.version) for one in group) for group in groups}


@given(LOCKS, st.integers(1, 12))
def test_every_wheel_is_in_one_group_and_the_budget_is_kept(wheels: list[WheelInput], budget: int) -> None:
    groups = group_wheels(wheels, budget)
    assert sorted(one.name for group in groups for one in group) == [one.name for one in wheels]
    assert len(groups) <= budget
    assert all(groups)
    for group in groups:
        assert list(group) == sorted(group, key=wheels.index)


@given(LOCKS)
def test_groups_are_small_and_large_wheels_alone(wheels: list[WheelInput]) -> None:
    for group in group_wheels(wheels, PLENTY):
        assert len(group) == 1 or all(one.size < LARGE for one in group)
        assert len(group) == 1 or sum(one.size for one in group) <= GROUP_SIZE
        assert len(group) <= GROUP_COUNT


@given(LOCKS, st.randoms(use_true_random=False))
def test_upgrading_a_package_changes_its_own_group_only(wheels: list[WheelInput], random: object) -> None:
    if not wheels:
        return
    index = random.randrange(len(wheels))  # type: ignore[attr-defined]
    old = wheels[index]
    upgraded = [*wheels[:index], wheel(old.name, old.size, "2"), *wheels[index + 1 :]]
    before, after = names(group_wheels(wheels, PLENTY)), names(group_wheels(upgraded, PLENTY))
    assert len(before - after) == len(after - before) == 1


@given(LOCKS, NAMES, st.integers(0, LARGE - 1))
def test_adding_or_removing_a_package_changes_one_group_unless_groups_split_or_join(
    wheels: list[WheelInput], name: str, size: int
) -> None:
    without = [one for one in wheels if one.name != name]
    more = sorted([*without, wheel(name, size)], key=lambda one: one.name)
    before, after = names(group_wheels(without, PLENTY)), names(group_wheels(more, PLENTY))
    assert len(before - after) <= 1
    gone = frozenset().union(*(before - after))
    assert frozenset().union(*(after - before)) == gone | {(name, "1")}


@given(LOCKS, st.integers(1, 12))
def test_the_same_wheels_give_the_same_groups(wheels: list[WheelInput], budget: int) -> None:
    assert group_wheels(wheels, budget) == group_wheels(list(wheels), budget)


def test_what_nobody_knows_the_size_of_is_small() -> None:
    assert len(group_wheels([wheel(f"p{number}", 0) for number in range(GROUP_COUNT)], PLENTY)) == 1


def test_the_smallest_are_merged_when_the_budget_is_short() -> None:
    wheels = [wheel("a", 9 * LARGE), wheel("b", LARGE), wheel("c", 2 * LARGE), wheel("d", 1), wheel("e", 5 * LARGE)]
    assert [[one.name for one in group] for group in group_wheels(wheels, 3)] == [["a"], ["e"], ["b", "c", "d"]]


def test_a_budget_of_no_layers_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="no layers"):
        group_wheels([], 0)
