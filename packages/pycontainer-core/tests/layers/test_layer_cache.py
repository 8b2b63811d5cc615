from __future__ import annotations

import hashlib
import os
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from pycontainer.blobs.store import BlobStore
from pycontainer.errors import IntegrityError, StoreError
from pycontainer.events import Event, TaskAdvanced, TaskFinished, TaskStarted
from pycontainer.layers.cache import LayerCache
from pycontainer.layers.recipe import recipe_key
from pycontainer.layers.record import LayerContents, PackageContents

if TYPE_CHECKING:
    from pathlib import Path

    from pycontainer.layers.writer import LayerWriter


@dataclass
class Sample:
    """A recipe of one file."""

    name: str
    size: int = 1000
    written: list[int] = field(default_factory=list)

    @property
    def key(self) -> str:
        return recipe_key("sample", [self.name, self.size])

    @property
    def title(self) -> str:
        return f"sample {self.name}"

    def write(self, writer: LayerWriter) -> LayerContents:
        self.written.append(threading.get_ident())
        content = hashlib.shake_128(self.name.encode()).digest(self.size)
        writer.file(self.name, content)
        package = PackageContents(name=self.name, version="1", sha256="0" * 64, files=1, size=self.size)
        return LayerContents(packages=(package,), files=1, size=self.size, warnings=("a warning",))


@pytest.fixture
def cache(tmp_path: Path) -> LayerCache:
    return LayerCache(tmp_path / "cache")


def records(cache: LayerCache) -> list[Path]:
    return sorted(cache.root.glob("records/*"))


def blobs(cache: LayerCache) -> list[Path]:
    return sorted(cache.root.glob("blobs/sha256/*"))


def test_a_layer_is_written_once_and_known_to_the_next_process(cache: LayerCache) -> None:
    recipe = Sample("a")
    assert cache.get(recipe.key) is None
    first = cache.make(recipe)
    assert cache.make(recipe) == first == LayerCache(cache.root).get(recipe.key)
    assert len(recipe.written) == 1
    assert first.contents.packages[0].name == "a"
    layer = cache.layer(first)
    assert (layer.diff_id, layer.title, layer.contents) == (first.diff_id, "sample a", first.contents)
    with layer.open() as stream:
        assert hashlib.sha256(stream.read()).hexdigest() == first.descriptor.digest.hex


def test_events_tell_whether_a_layer_was_reused(cache: LayerCache) -> None:
    events: list[Event] = []
    cache.make(Sample("a", 5000), emit=events.append)
    assert [type(event) for event in events] == [TaskStarted, TaskAdvanced, TaskFinished]
    assert isinstance(events[1], TaskAdvanced)
    assert events[1].count == 5000
    events.clear()
    cache.make(Sample("a", 5000), emit=events.append)
    assert [getattr(event, "reused", None) for event in events] == [None, True]


def test_another_time_of_entries_is_another_layer(cache: LayerCache) -> None:
    plain, timed = cache.make(Sample("a")), cache.make(Sample("a"), mtime=1_700_000_000)
    assert plain.descriptor != timed.descriptor
    assert plain.key != timed.key
    assert cache.make(Sample("a")) == plain
    assert cache.make(Sample("a"), mtime=1_700_000_000) == timed


@pytest.mark.parametrize("damage", ["gone", "shorter", "folder"])
def test_a_lost_layer_is_written_again(cache: LayerCache, damage: str) -> None:
    recipe = Sample("a")
    record = cache.make(recipe)
    path = cache.blobs.path(record.descriptor.digest)
    path.unlink() if damage != "shorter" else os.truncate(path, 5)
    if damage == "folder":
        path.mkdir()
    assert cache.get(recipe.key) is None
    assert cache.make(recipe) == record
    assert len(recipe.written) == 2
    assert cache.layer(record).open().read()


def test_a_flipped_bit_of_a_layer_is_found_when_it_is_read(cache: LayerCache) -> None:
    recipe = Sample("a")
    record = cache.make(recipe)
    path = cache.blobs.path(record.descriptor.digest)
    content = bytearray(path.read_bytes())
    content[100] ^= 4
    path.write_bytes(content)
    with pytest.raises(IntegrityError):
        cache.layer(record).open().read()
    assert cache.make(recipe) == record
    assert cache.layer(record).open().read()


def test_any_flipped_bit_of_a_record_makes_it_unknown(cache: LayerCache) -> None:
    recipe = Sample("a")
    cache.make(recipe)
    (path,) = records(cache)
    whole = path.read_bytes()
    for position in range(len(whole)):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 2]) + whole[position + 1 :])
        assert cache.get(recipe.key) is None
    for end in (0, 10, 64, 65, len(whole) - 1):
        path.write_bytes(whole[:end])
        assert cache.get(recipe.key) is None
    path.write_bytes(whole)
    assert cache.get(recipe.key) is not None


def test_a_record_under_another_key_is_not_believed(cache: LayerCache) -> None:
    cache.make(Sample("a"))
    records(cache)[0].rename(cache.root / "records" / f"{Sample('b').key}.json")
    assert cache.get(Sample("b").key) is None


@pytest.mark.parametrize("key", ["", "../../etc/passwd", "A" * 64, "0" * 63])
def test_a_key_is_never_a_path(cache: LayerCache, key: str) -> None:
    with pytest.raises(ValueError, match="not a recipe's key"):
        cache.get(key)


def test_a_use_makes_a_record_recent_and_its_layer_no_less(cache: LayerCache) -> None:
    """Whoever removes what was used least recently removes records before their layers."""
    record = cache.make(Sample("a"))
    for path in (*records(cache), *blobs(cache)):
        os.utime(path, (1, 1))
    before = time.time() - 60
    assert cache.get(record.key) == record
    assert before < records(cache)[0].stat().st_mtime <= blobs(cache)[0].stat().st_mtime


def test_a_reader_finishes_what_was_evicted_under_its_hands(cache: LayerCache) -> None:
    record = cache.make(Sample("a", 3_000_000))
    with cache.layer(record).open() as stream:
        start = stream.read(10)
        cache.blobs.discard(record.descriptor.digest)
        assert len(start + stream.read()) == record.descriptor.size


def test_a_recipe_that_fails_leaves_nothing(cache: LayerCache) -> None:
    class Failing(Sample):
        def write(self, writer: LayerWriter) -> LayerContents:
            super().write(writer)
            raise IntegrityError("an input is damaged")

    with pytest.raises(IntegrityError):
        cache.make(Failing("a"))
    assert blobs(cache) == records(cache) == []


def test_a_full_disk_leaves_nothing(cache: LayerCache, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full)
    with pytest.raises(StoreError, match=r"Cannot write `.*blobs"):
        cache.make(Sample("a"))
    assert blobs(cache) == records(cache) == []


@pytest.mark.skipif(os.name != "posix", reason="owners and modes are POSIX's")
def test_a_cache_that_everyone_can_write_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "cache"
    root.mkdir()
    root.chmod(0o777)
    with pytest.raises(StoreError, match="cannot be trusted") as caught:
        LayerCache(root)
    assert caught.value.hint is not None
    assert "{cache_dir}" in caught.value.hint


@pytest.mark.skipif(os.name != "posix", reason="owners and modes are POSIX's")
def test_the_cache_of_someone_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(StoreError, match="cannot be trusted"):
        LayerCache(tmp_path / "cache")


def test_a_cache_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="Cannot make the cache") as caught:
        LayerCache(tmp_path / "file" / "cache")
    assert caught.value.hint is not None


@pytest.mark.skipif(os.name != "posix", reason="owners and modes are POSIX's")
def test_a_new_cache_is_its_owners_alone(cache: LayerCache) -> None:
    assert cache.root.stat().st_mode & 0o777 == 0o700


def test_a_temporary_cache_is_gone_afterwards() -> None:
    with LayerCache.temporary() as cache:
        record = cache.make(Sample("a"))
        assert cache.layer(record).open().read()
        assert isinstance(cache.blobs, BlobStore)
    assert not cache.root.exists()
