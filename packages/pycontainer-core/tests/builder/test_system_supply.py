"""Operating system packages of one build: one archive for all platforms, the same recipes however they were chosen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pycontainer.builder.locker import ImageLocker, Outdated
from pycontainer.builder.session import Session
from pycontainer.builder.system import SystemSupply
from pycontainer.config import BuildConfig
from pycontainer.errors import LockError, PackageError
from pycontainer.events import ignore
from pycontainer.layers.recipe import FileRecipe, LaterRecipe
from pycontainer.oci import Platform
from pycontainer.sources.base.find import find_all
from pycontainer.sources.debian.image_lock import read_image_lock
from pycontainer.sources.debian.package import BinaryPackage
from pycontainer.testing.debian_archive import ArchiveServer, SigningKey, serving_archive
from pycontainer.testing.debs import DebForge
from pycontainer.testing.images import forge_image

AMD64, ARM64 = Platform("linux", "amd64"), Platform("linux", "arm64", "v8")
ARCHITECTURES = ("amd64", "arm64")


@pytest.fixture(scope="module")
def key() -> SigningKey:
    return SigningKey.make()


@pytest.fixture
def archive(key: SigningKey) -> Iterator[ArchiveServer]:
    with serving_archive(key) as server:
        for architecture in ARCHITECTURES:
            server.add(DebForge(name="tool", architecture=architecture, fields={"Depends": "libtool1"}))
            server.add(DebForge(name="libtool1", architecture=architecture, files={"usr/lib/libtool.so": b"x"}))
        server.publish(architectures=ARCHITECTURES)
        yield server


@pytest.fixture
def options(archive: ArchiveServer, tmp_path: Path) -> dict[str, Any]:
    """A base that is made of two packages, for two platforms."""
    (tmp_path / "archive.gpg").write_bytes(archive.key.public)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "app"\nversion = "1"\n')
    return {
        "context_path": tmp_path,
        "cache_dir": tmp_path / "cache",
        "base_image": "deb:bookworm",
        "base_packages": ("tool",),
        "platform": ("linux/amd64", "linux/arm64"),
        "os_archive": (archive.uri,),
        "os_keyring": tmp_path / "archive.gpg",
    }


def keys(options: dict[str, Any], platform: Platform) -> list[str]:
    with Session(BuildConfig(**options), ignore) as session:
        system = SystemSupply(session)
        return [recipe.key for recipe in system.recipes(system.choose_base("bookworm", platform))]


@pytest.mark.parametrize("form", ["zstd", "estargz"])
def test_packages_of_a_base_are_found_whatever_its_form(options: dict[str, Any], form: str) -> None:
    """Whoever adds more has to know them."""

    def packages(compression: str) -> tuple[BinaryPackage, ...]:
        with Session(BuildConfig(**options, compression=compression), ignore) as session:
            system = SystemSupply(session)
            recipes = system.recipes(system.choose_base("bookworm", AMD64))
            image = forge_image([session.layers.layer(session.layers.make(recipe)) for recipe in recipes])
            state = find_all(image)[1]
            assert state is not None
            return state.packages

    found = packages(form)
    assert [package.name for package in found] == ["libtool1", "tool"]
    assert found == packages("gzip")


def test_one_archive_serves_every_platform(options: dict[str, Any], archive: ArchiveServer) -> None:
    with Session(BuildConfig(**options), ignore) as session:
        system = SystemSupply(session)
        choices = [system.choose_base("bookworm", platform) for platform in (AMD64, ARM64)]
        assert system.archive(choices[0].state) is system.archive(choices[1].state)
    assert [[deb.architecture for deb in choice.debs] for choice in choices] == [["amd64"] * 2, ["arm64"] * 2]
    assert len(archive.asked("bookworm/InRelease")) == 1


def test_nothing_is_fetched_before_a_layer_is_written(options: dict[str, Any], archive: ArchiveServer) -> None:
    with Session(BuildConfig(**options), ignore) as session:
        system = SystemSupply(session)
        recipes = system.recipes(system.choose_base("bookworm", AMD64))
        assert archive.asked("/pool/") == []
        *packages, configuration = recipes
        assert isinstance(configuration, LaterRecipe)
        assert list(configuration.after) == [recipe.key for recipe in packages]
        fetched = [file.fetch() for recipe in packages if isinstance(recipe, FileRecipe) for file in recipe.inputs]
        assert len(fetched) == len(archive.asked("/pool/")) == 2


def test_recipes_of_the_lock_have_the_keys_of_those_of_the_archive(
    options: dict[str, Any], archive: ArchiveServer
) -> None:
    fresh = keys(options, ARM64)
    assert ImageLocker(BuildConfig(**options)).lock().changed
    archive.files.clear()
    assert keys({**options, "locked": True}, ARM64) == fresh
    assert keys(options, AMD64) != fresh


def test_a_platform_of_which_the_archive_has_nothing(options: dict[str, Any]) -> None:
    with Session(BuildConfig(**options), ignore) as session, pytest.raises(PackageError):
        SystemSupply(session).choose_base("bookworm", Platform("linux", "s390x"))


class TestLocker:
    def test_a_lock_is_written_once(self, options: dict[str, Any]) -> None:
        locker = ImageLocker(BuildConfig(**options))
        assert locker.lock(write=False).changed
        assert not (options["context_path"] / "pycontainer.lock").exists()
        result = locker.lock()
        assert result.path == options["context_path"] / "pycontainer.lock"
        assert read_image_lock(result.path) == result.lock
        assert result.lock.base is None, "a composed base is its packages"
        assert not locker.lock().changed

    def test_platforms_of_a_lock_stay_where_the_options_name_none(self, options: dict[str, Any]) -> None:
        ImageLocker(BuildConfig(**options)).lock()
        result = ImageLocker(BuildConfig(**{**options, "platform": ()})).lock()
        assert result.lock.system is not None
        assert sorted(result.lock.system.platforms) == ["linux/amd64", "linux/arm64"]
        assert not result.changed

    def test_what_comes_changes_and_goes_is_told(self, options: dict[str, Any], archive: ArchiveServer) -> None:
        locker = ImageLocker(BuildConfig(**options))
        with pytest.raises(LockError, match=r"There is no `pycontainer\.lock`"):
            locker.outdated()
        locker.lock()
        assert locker.outdated() == ()
        archive.add(DebForge(name="tool", version="2.0", fields={"Depends": "libtool2"}))
        archive.add(DebForge(name="libtool2"))
        archive.publish(architectures=ARCHITECTURES)
        platform = "linux/amd64"
        assert locker.outdated() == (
            Outdated(name="libtool1", platform=platform, locked="1.0", available=None),
            Outdated(name="libtool2", platform=platform, locked=None, available="1.0"),
            Outdated(name="tool", platform=platform, locked="1.0", available="2.0"),
        )
