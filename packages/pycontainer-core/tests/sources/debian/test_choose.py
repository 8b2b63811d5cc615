from __future__ import annotations

import msgspec
import pytest

from pycontainer.errors import LockError, PackageError
from pycontainer.events import Event, Warned
from pycontainer.sources.debian.choose import (
    PackageChoice,
    Wishes,
    choose_from_archive,
    choose_from_lock,
    installed_digest,
)
from pycontainer.sources.debian.compose import empty_state
from pycontainer.sources.debian.image_lock import LockedPlatform, LockedSystem
from pycontainer.sources.debian.index import PackageIndex
from pycontainer.sources.debian.package import BinaryPackage
from pycontainer.sources.debian.state import DebianState
from pycontainer.testing.debs import DebForge

PLATFORM = "linux/amd64"
WISHES = Wishes(packages=("tool",), exclude=("docs",), upgrades=("libold1",))


def index_of(*forges: DebForge) -> PackageIndex:
    return PackageIndex.of(["\n".join(forge.stanza(f"pool/main/{forge.filename}") for forge in forges).encode()])


INDEX = index_of(
    DebForge(name="tool", fields={"Depends": "libtool1, docs, libold1 (>= 2)", "Replaces": "base-files (<< 99)"}),
    DebForge(name="libtool1"),
    DebForge(name="docs"),
    DebForge(name="libold1", version="2.0"),
)


@pytest.fixture
def chosen(base: DebianState) -> PackageChoice:
    return choose_from_archive(WISHES, base, INDEX)


@pytest.fixture
def locked(base: DebianState, chosen: PackageChoice) -> LockedSystem:
    platform = LockedPlatform(installed=installed_digest(base.packages), packages=chosen.debs)
    return LockedSystem(
        distribution="debian",
        suite="bookworm",
        packages=WISHES.packages,
        exclude=WISHES.exclude,
        upgrades=WISHES.upgrades,
        platforms={PLATFORM: platform},
    )


def test_the_archive_gives_what_is_missing_and_what_may_become_newer(chosen: PackageChoice) -> None:
    assert {deb.name: deb.version for deb in chosen.debs} == {"tool": "1.0", "libtool1": "1.0", "libold1": "2.0"}
    assert chosen.upgraded == {"libold1"}
    assert not chosen.locked
    names = [deb.name for deb in chosen.debs]
    assert names.index("libtool1") < names.index("tool"), "dependencies come first"


def test_what_a_package_replaces_is_told_by_the_names_that_it_meets(chosen: PackageChoice) -> None:
    assert {deb.name: deb.replaces for deb in chosen.debs}["tool"] == ("base-files",)


def test_nothing_of_the_base_is_upgraded_unasked(base: DebianState) -> None:
    with pytest.raises(PackageError, match=r"needs `libold1` 2\.0, and the base image has 1\.0"):
        choose_from_archive(Wishes(packages=("tool",), exclude=("docs",)), base, INDEX)


def test_a_lock_that_fits_gives_the_same_packages(
    base: DebianState, chosen: PackageChoice, locked: LockedSystem
) -> None:
    found = choose_from_lock(WISHES, base, locked, platform=PLATFORM, required=True)
    assert found is not None
    assert found.locked
    assert found.packages == chosen.packages
    assert found.upgraded == chosen.upgraded


def test_the_order_of_wishes_and_what_is_let_through_are_not_locked(base: DebianState, locked: LockedSystem) -> None:
    wishes = Wishes(
        packages=("tool", "tool"), exclude=("docs",), upgrades=("libold1",), unconfigured=frozenset({"tool"})
    )
    found = choose_from_lock(wishes, base, locked, platform=PLATFORM, required=True)
    assert found is not None
    assert found.wishes is wishes


UNFIT = {
    "os-packages has changed": {"packages": ("tool", "more")},
    "os-exclude has changed": {"exclude": ()},
    "os-allow-upgrades has changed": {"upgrades": ()},
    "it is for debian trixie, the base is debian bookworm": {"suite": "trixie"},
    "it is for ubuntu bookworm": {"distribution": "ubuntu"},
    "it has nothing for linux/amd64": {"platforms": {}},
    "the base image has other packages": {"platforms": {PLATFORM: LockedPlatform(installed="sha256:" + "0" * 64)}},
}


@pytest.mark.parametrize("reason", UNFIT)
def test_a_lock_that_does_not_fit_is_passed_over_or_an_error(
    reason: str, base: DebianState, locked: LockedSystem
) -> None:
    spoiled = msgspec.structs.replace(locked, **UNFIT[reason])  # type: ignore[arg-type]  # fields of several types
    heard: list[Event] = []
    assert choose_from_lock(WISHES, base, spoiled, platform=PLATFORM, required=False, emit=heard.append) is None
    (warning,) = heard
    assert isinstance(warning, Warned)
    assert reason in warning.message
    with pytest.raises(LockError) as caught:
        choose_from_lock(WISHES, base, spoiled, platform=PLATFORM, required=True)
    assert reason in caught.value.facts[0]
    assert caught.value.hint == "Run `pycontainer lock`"


def test_a_platform_is_found_however_it_is_spelled(base: DebianState, locked: LockedSystem) -> None:
    spelled = msgspec.structs.replace(locked, platforms={"linux/arm64": locked.platforms[PLATFORM]})
    for platform in ("linux/arm64", "linux/arm64/v8"):
        assert choose_from_lock(WISHES, base, spelled, platform=platform, required=True) is not None


def test_without_a_lock_nothing_is_said(base: DebianState) -> None:
    heard: list[Event] = []
    assert choose_from_lock(WISHES, base, None, platform=PLATFORM, required=False, emit=heard.append) is None
    assert heard == []
    with pytest.raises(LockError, match="does not hold"):
        choose_from_lock(WISHES, base, None, platform=PLATFORM, required=True)


def test_the_digest_of_what_is_installed_is_of_names_versions_and_architectures() -> None:
    one, other = (BinaryPackage(name=name, version="1", architecture="amd64") for name in ("one", "other"))
    assert installed_digest([one, other]) == installed_digest([other, one])
    assert installed_digest([one]) != installed_digest([one, other])
    for change in ({"version": "2"}, {"architecture": "all"}, {"name": "two"}):
        assert installed_digest([msgspec.structs.replace(one, **change)]) != installed_digest([one])
    assert installed_digest([msgspec.structs.replace(one, status="install ok unpacked")]) == installed_digest([one])
    assert installed_digest(empty_state("bookworm", "amd64").packages) == installed_digest([])
