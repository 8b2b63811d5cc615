"""Layers that are made of files, and layers that are made from what others leave behind."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pytest

from pycontainer.builder.layers import make_layers
from pycontainer.builder.session import Session
from pycontainer.config import BuildConfig
from pycontainer.errors import PackageError
from pycontainer.events import ignore
from pycontainer.layers.recipe import FileRecipe, LaterRecipe, RecipeInput, recipe_key
from pycontainer.layers.record import LayerContents
from pycontainer.layers.writer import LayerWriter


@dataclass(frozen=True)
class OfFiles:
    """A layer of one file, which tells when it was written."""

    name: str
    written: list[str] = field(compare=False)
    size: int = 10
    fails: bool = False
    go: threading.Event = field(default_factory=threading.Event, compare=False)
    title: str = "files"

    @cached_property
    def key(self) -> str:
        return recipe_key("of files", self.name)

    @property
    def inputs(self) -> Sequence[RecipeInput]:
        return (RecipeInput(sha256=self.name, size=self.size, fetch=self._fetch),)

    def _fetch(self) -> Path:
        if self.fails:
            raise PackageError(f"{self.name} cannot be had")
        self.go.set()
        return Path(self.name)

    def write(self, writer: LayerWriter) -> LayerContents:
        if self.fails:
            self._fetch()
        assert self.go.wait(60), "its file was never fetched"
        writer.file(self.name, b"x")
        self.written.append(self.name)
        return LayerContents(files=1, size=1)


@dataclass(frozen=True)
class OfLeavings:
    """A layer that reads what the others have left."""

    after: Sequence[str]
    written: list[str] = field(compare=False)
    title: str = "leavings"

    @cached_property
    def key(self) -> str:
        return recipe_key("of leavings", list(self.after))

    def write(self, writer: LayerWriter) -> LayerContents:
        writer.file("leavings", " ".join(sorted(self.written)).encode())
        return LayerContents(files=1, size=1)


def test_the_protocols_tell_them_apart() -> None:
    files, leavings = OfFiles("a", []), OfLeavings((), [])
    assert isinstance(files, FileRecipe)
    assert not isinstance(files, LaterRecipe)
    assert isinstance(leavings, LaterRecipe)
    assert not isinstance(leavings, FileRecipe)


@pytest.mark.parametrize("jobs", [1, 2, 8])
def test_what_is_made_after_others_finds_what_they_leave(tmp_path: Path, jobs: int) -> None:
    """Also where there is one thread, and where the one that comes after is named first."""
    written: list[str] = []
    files = [OfFiles(name, written, size) for name, size in (("a", 0), ("b", 10), ("c", 20))]
    later = OfLeavings([each.key for each in files], written)
    with Session(BuildConfig(cache_dir=tmp_path, jobs=jobs), ignore) as session:
        layers = make_layers(session, [[later, *files]])
        with layers[later.key].open() as stream:
            assert b"a b c" in gzip.decompress(stream.read())
    assert set(layers) == {each.key for each in files} | {later.key}


def test_layers_of_the_cache_are_not_fetched_again(tmp_path: Path) -> None:
    written: list[str] = []
    with Session(BuildConfig(cache_dir=tmp_path), ignore) as session:
        make_layers(session, [[OfFiles("a", written)]])
    gone = OfFiles("a", written, fails=True)
    with Session(BuildConfig(cache_dir=tmp_path), ignore) as session:
        make_layers(session, [[gone, OfLeavings([gone.key], written)]])
    assert written == ["a"]


def test_files_that_cannot_be_had_are_all_named(tmp_path: Path) -> None:
    files = [OfFiles(name, [], fails=True) for name in ("a", "b")]
    with Session(BuildConfig(cache_dir=tmp_path), ignore) as session, pytest.raises(PackageError) as caught:
        make_layers(session, [[*files, OfLeavings([each.key for each in files], [])]])
    assert caught.value.facts == ("a cannot be had", "b cannot be had")
