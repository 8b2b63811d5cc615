"""Where a package goes depends on its name: what changes moves its own layer and no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from pycontainer.sources.debian.grouping import BUDGET, group_debs
from pycontainer.sources.debian.package import BinaryPackage
from pycontainer.sources.debian.recipe import DebInput
from pycontainer.sources.debian.replacing import replaces, replacing_first


def deb(name: str, size: int, *, version: str = "1", replaces: str = "") -> DebInput:
    package = BinaryPackage(name=name, version=version, architecture="amd64", size=size, replaces=replaces)
    return DebInput(package=package, open_path=Path)


SMALL = [deb(f"lib{number}", 300_000) for number in range(150)]


def names(groups: tuple[tuple[DebInput, ...], ...]) -> list[list[str]]:
    return [[each.package.name for each in group] for group in groups]


def test_large_packages_are_alone_and_all_are_there_once() -> None:
    groups = names(group_debs([*SMALL, deb("llvm", 24 << 20), deb("icu", 9 << 20)]))
    assert groups[:2] == [["llvm"], ["icu"]]
    assert sorted(name for group in groups for name in group) == sorted(
        [*(f"lib{n}" for n in range(150)), "llvm", "icu"]
    )
    assert 3 < len(groups) <= BUDGET


def test_a_new_version_moves_nothing() -> None:
    newer = [deb(each.package.name, 310_000, version="2") for each in SMALL]
    assert names(group_debs(SMALL)) == names(group_debs(newer))


def test_another_package_changes_one_group() -> None:
    before, after = names(group_debs(SMALL[1:])), names(group_debs(SMALL))
    assert len([group for group in after if group not in before]) == 1


def test_the_budget_is_kept() -> None:
    large = [deb(f"large{number}", 5 << 20) for number in range(30)]
    assert len(group_debs(large)) == BUDGET
    assert len(group_debs(large, 1)) == 1
    with pytest.raises(ValueError, match="no layers"):
        group_debs(large, 0)
    assert group_debs([]) == ()


def test_who_replaces_files_of_another_is_in_its_layer() -> None:
    large = [deb("a", 9 << 20), deb("b", 9 << 20, replaces="a (<< 2)"), deb("c", 9 << 20, replaces="a (<< 1)")]
    assert names(group_debs([*large, *SMALL]))[:2] == [["a", "b"], ["c"]]


def test_who_replaces_comes_first() -> None:
    packages = [
        deb("a", 1).package,
        deb("b", 1, replaces="a").package,
        deb("c", 1, replaces="b, d").package,
        deb("d", 1, replaces="c").package,
    ]
    assert replaces(packages[1], packages[0])
    assert not replaces(packages[0], packages[1])
    assert [packages[place].name for place in replacing_first(packages)] == ["c", "b", "a", "d"]
