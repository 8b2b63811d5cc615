from __future__ import annotations

import hashlib
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
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

    from pycontainer.layers.record import LayerRecord
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


def age(cache: LayerCache, record: LayerRecord, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(cache.blobs.path(record.descriptor.digest), (then, then))


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


def test_what_was_used_least_recently_leaves(cache: LayerCache) -> None:
    made = [cache.make(Sample(name, 100_000)) for name in "abcd"]
    for number, record in enumerate(made):
        age(cache, record, 8000 - 1000 * number)
    later = LayerCache(cache.root, max_size=250_000)
    later.get(made[0].key)
    later.evict()
    assert [later.get(record.key) is not None for record in made] == [True, False, False, True]
    assert len(records(cache)) == len(blobs(cache)) == 2
    assert later.info().size <= 250_000


def test_what_this_process_used_stays_even_when_it_is_too_much(cache: LayerCache) -> None:
    small = LayerCache(cache.root, max_size=1)
    made = [small.make(Sample(name, 100_000)) for name in "abc"]
    for record in made:
        age(small, record, 10**6)
    small.evict()
    assert small.info().layers == 3
    LayerCache(cache.root, max_size=1).evict()
    assert small.info().layers == 0


def test_what_another_build_just_used_stays(cache: LayerCache) -> None:
    record = cache.make(Sample("a", 100_000))
    other = LayerCache(cache.root, max_size=1)
    other.make(Sample("b", 100_000))
    assert cache.get(record.key) == record


def test_a_reader_finishes_what_was_evicted_under_its_hands(cache: LayerCache) -> None:
    record = cache.make(Sample("a", 3_000_000))
    with cache.layer(record).open() as stream:
        start = stream.read(10)
        cache.blobs.discard(record.descriptor.digest)
        assert len(start + stream.read()) == record.descriptor.size


def test_eviction_sweeps_what_killed_builds_left(cache: LayerCache) -> None:
    cache.make(Sample("a"))
    left = cache.root / "blobs" / "sha256" / ".incoming-123"
    left.write_bytes(b"half a layer")
    os.utime(left, (1, 1))
    cache.evict()
    assert not left.exists()


def test_builders_and_an_evictor_share_a_cache(cache: LayerCache) -> None:
    """Every build ages its layer at once, so that the next eviction may take it from under another build's hands."""

    def build(number: int) -> LayerRecord:
        mine = LayerCache(cache.root, max_size=300_000)
        record = mine.make(Sample(str(number % 5), 100_000))
        with suppress(IntegrityError):
            assert mine.layer(record).open().read()
        with suppress(FileNotFoundError):
            age(mine, record, 10_000)
        LayerCache(cache.root, max_size=300_000).evict()
        return record

    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(build, range(40)))
    assert len({record.descriptor.digest for record in made}) == 5
    assert {record.key for record in made} == {Sample(str(number), 100_000).key for number in range(5)}


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

    monkeypatch.setattr(os, "fsync", full)
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
