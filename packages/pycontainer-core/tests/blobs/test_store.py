from __future__ import annotations

import errno
import hashlib
import io
import os
import signal
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pycontainer.blobs.cached import take
from pycontainer.blobs.store import BlobStore, atomic_file
from pycontainer.errors import IntegrityError, StoreError
from pycontainer.oci import Descriptor, Digest

if TYPE_CHECKING:
    from collections.abc import Callable

CONTENT = b"content of a blob " * 1000


def describe(content: bytes) -> Descriptor:
    return Descriptor(media_type="text/plain", digest=Digest.of(content), size=len(content))


def files(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if not path.is_dir())


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "store")


def test_what_is_added_can_be_read(store: BlobStore) -> None:
    seen: list[int] = []
    digest = store.add(io.BytesIO(CONTENT), describe(CONTENT), advance=seen.append)
    assert digest in store
    assert sum(seen) == len(CONTENT)
    assert files(store.root) == [f"blobs/sha256/{digest.hex}"]
    with store.blob(describe(CONTENT)).open() as stream:
        assert stream.read() == CONTENT


def test_an_absent_store_is_empty(store: BlobStore) -> None:
    assert Digest.of(b"") not in store
    assert list(store.entries()) == []
    assert store.sweep() == 0
    assert not store.root.exists()


@pytest.mark.parametrize("actual", [b"", CONTENT[:-1], CONTENT + b"!", b"X" + CONTENT[1:]])
def test_unexpected_content_is_refused_and_leaves_nothing(store: BlobStore, actual: bytes) -> None:
    with pytest.raises(IntegrityError):
        store.add(io.BytesIO(actual), describe(CONTENT))
    assert files(store.root) == []


def test_what_is_not_committed_is_discarded(store: BlobStore) -> None:
    with store.writer() as writer:
        writer.write(CONTENT)
    assert files(store.root) == []


def test_a_blob_can_be_named_by_sha512(store: BlobStore) -> None:
    descriptor = Descriptor(
        media_type="text/plain",
        digest=Digest("sha512", hashlib.sha512(CONTENT).hexdigest()),
        size=len(CONTENT),
    )
    assert store.add(io.BytesIO(CONTENT), descriptor) == descriptor.digest
    assert store.blob(descriptor).open().read() == CONTENT


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def truncate(path: Path) -> None:
    os.truncate(path, 100)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def lengthen(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"!")


def link(path: Path) -> None:
    elsewhere = path.parent.parent / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)


def dangle(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.parent / "nowhere")


def make_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "something").write_bytes(b"")


def make_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


DAMAGES = [flip, truncate, empty, lengthen, link, dangle, make_folder, make_pipe]


@pytest.mark.skipif(os.name == "nt", reason="makes links and pipes")
@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: str(damage.__name__))
def test_a_damaged_entry_is_found_discarded_and_replaced(store: BlobStore, damage: Callable[[Path], None]) -> None:
    digest = store.add(io.BytesIO(CONTENT))
    damage(store.path(digest))
    blob = store.blob(describe(CONTENT))
    with pytest.raises(IntegrityError), blob.open() as stream:
        stream.read()
    assert digest not in store
    assert not os.path.lexists(store.path(digest))
    store.add(io.BytesIO(CONTENT))
    assert blob.open().read() == CONTENT


@pytest.mark.skipif(os.name == "nt", reason="Windows does not replace what somebody reads")
def test_whoever_reads_a_damaged_entry_leaves_the_whole_one_that_has_taken_its_place(store: BlobStore) -> None:
    content = b"x" * (3 << 20)  # more than is read ahead
    flip(store.path(store.add(io.BytesIO(content))))
    blob = store.blob(describe(content))
    with blob.open() as stream:
        stream.read(1)
        store.add(io.BytesIO(content))  # another build has found out first
        with pytest.raises(IntegrityError):
            stream.read()
    assert blob.open().read() == content


@pytest.mark.skipif(os.name == "nt", reason="makes links and pipes")
@pytest.mark.parametrize("damage", [link, dangle, make_folder], ids=lambda damage: str(damage.__name__))
def test_adding_replaces_what_is_not_a_file(store: BlobStore, damage: Callable[[Path], None]) -> None:
    digest = store.add(io.BytesIO(CONTENT))
    damage(store.path(digest))
    assert digest not in store
    store.add(io.BytesIO(CONTENT))
    assert store.blob(describe(CONTENT)).open().read() == CONTENT
    assert not store.path(digest).is_symlink()


def test_an_absent_blob_raises_what_a_damaged_one_does(store: BlobStore) -> None:
    with pytest.raises(IntegrityError, match="not in the store"):
        store.blob(describe(CONTENT)).open()


@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
def test_a_full_disk_names_the_path_and_leaves_nothing(
    store: BlobStore, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(StoreError, match=r"Cannot write `.*store") as caught, store.writer() as writer:  # noqa: PT012 - each step may be the one
        if call == "write":
            writer._file.close()
            writer._file = FullFile(store.root / "full")
        elif call == "fsync":
            monkeypatch.setattr(os, "fsync", full)
        else:
            monkeypatch.setattr("pathlib.Path.replace", full)
        writer.write(CONTENT)
        writer.commit()
    monkeypatch.undo()
    assert "No space left" in str(caught.value)
    assert [name for name in files(store.root) if name != "full"] == []


class FullFile(io.FileIO):
    def __init__(self, path: Path) -> None:
        super().__init__(path, "w")

    def write(self, data: object, /) -> int:  # noqa: ARG002 - as `FileIO`
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_store_that_cannot_be_made_names_the_path(tmp_path: Path) -> None:
    (tmp_path / "blobs").write_text("a file where a folder must be")
    with pytest.raises(StoreError, match="blobs"):
        BlobStore(tmp_path).add(io.BytesIO(CONTENT))


def test_the_sweep_takes_quiet_temporary_files_only(store: BlobStore) -> None:
    digest = store.add(io.BytesIO(CONTENT))
    folder = store.path(digest).parent
    old, young = folder / ".incoming-old", folder / ".incoming-young"
    for path in (old, young):
        path.write_bytes(b"left behind")
    long_ago = time.time() - 7200
    os.utime(old, (long_ago, long_ago))
    os.utime(store.path(digest), (long_ago, long_ago))
    assert store.sweep() == 1
    assert [path.name for path in sorted(folder.iterdir())] == [".incoming-young", digest.hex]
    assert [found for found, _ in store.entries()] == [digest]


def test_the_sweep_spares_live_writers_when_this_hosts_clock_is_ahead(
    store: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_days_on = time.time() + 2 * 86400
    monkeypatch.setattr(time, "time", lambda: two_days_on)
    with store.writer() as writer:
        writer.write(CONTENT)
        assert store.sweep() == 0
        digest = writer.commit()
    assert digest in store


def test_what_is_no_blob_is_no_entry(store: BlobStore) -> None:
    digest = store.add(io.BytesIO(CONTENT))
    for name in (".DS_Store", "README", ".incoming-1"):
        (store.path(digest).parent / name).write_bytes(b"")
    assert [found for found, _ in store.entries()] == [digest]


def test_the_file_and_then_its_folder_are_flushed_around_the_rename(
    store: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A loss of power must not leave a name without its bytes; killing a writer does not show that."""
    calls: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def note_fsync(number: int) -> None:
        calls.append("flush folder" if stat.S_ISDIR(os.fstat(number).st_mode) else "flush file")
        fsync(number)

    def note_replace(path: Path, target: Path) -> Path:
        calls.append("rename")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", note_fsync)
    monkeypatch.setattr(Path, "replace", note_replace)
    store.add(io.BytesIO(CONTENT))
    with atomic_file(store.root / "file") as file:
        file.write(CONTENT)
    after = ["flush folder"] if os.name == "posix" else []
    assert calls == ["flush file", "rename", *after] * 2


@pytest.mark.skipif(os.name != "posix", reason="links of what was flushed are POSIX's")
def test_a_cache_waits_for_no_disk_and_what_is_linked_from_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[int] = []
    fsync = os.fsync

    def note_fsync(number: int) -> None:
        flushed.append(os.fstat(number).st_ino)
        fsync(number)

    monkeypatch.setattr(os, "fsync", note_fsync)
    cache, kept = BlobStore(tmp_path / "cache", durable=False), BlobStore(tmp_path / "kept")
    digest = cache.add(io.BytesIO(CONTENT))
    assert flushed == []
    assert take(kept, cache.blob(describe(CONTENT))) == 0
    assert kept.path(digest).stat().st_ino in flushed


def test_an_entry_that_is_being_read_on_windows_counts_as_written(
    store: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, target: Path) -> Path:
        raise PermissionError(errno.EACCES, f"{target} is in use, {path} cannot replace it")

    digest = store.add(io.BytesIO(CONTENT))
    monkeypatch.setattr(Path, "replace", refuse)
    assert store.add(io.BytesIO(CONTENT)) == digest
    with pytest.raises(StoreError):
        store.add(io.BytesIO(b"other content"))


def test_many_threads_add_the_same_and_other_blobs(store: BlobStore) -> None:
    contents = [bytes([number]) * 50_000 for number in range(8)] * 6
    with ThreadPoolExecutor(8) as pool:
        digests = list(pool.map(lambda content: store.add(io.BytesIO(content)), contents))
    assert len(set(digests)) == 8
    for content in contents:
        assert store.blob(describe(content)).open().read() == content
    assert len(files(store.root)) == 8


WRITER = """
import io, random, sys
from pathlib import Path
from pycontainer.blobs.store import BlobStore
store = BlobStore(Path(sys.argv[1]))
numbers = random.Random()
while True:
    store.add(io.BytesIO(bytes([numbers.randrange(16)]) * 3_000_000))
    print("written", flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="kill -9")
def test_writers_that_are_killed_leave_no_wrong_entry(store: BlobStore) -> None:
    """Ten rounds of two writers on one store, each killed at another moment after its first blob."""
    for round_number in range(10):
        writers = [
            subprocess.Popen([sys.executable, "-c", WRITER, str(store.root)], stdout=subprocess.PIPE) for _ in range(2)
        ]
        for number, writer in enumerate(writers):
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(0.003 * round_number + 0.002 * number)
            writer.send_signal(signal.SIGKILL)
            writer.wait()
            writer.stdout.close()
        for digest, status in store.entries():
            content = store.blob(Descriptor(media_type="x", digest=digest, size=status.st_size)).open().read()
            assert len(content) == 3_000_000
    assert any(".incoming" in name for name in files(store.root)), "nobody was killed while writing: it shows nothing"
    store.sweep(older_than=-1)
    assert all(".incoming" not in name for name in files(store.root))


def test_an_atomic_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "file"
    with atomic_file(path) as file:
        file.write(b"first")
        assert not path.exists()
    with pytest.raises(RuntimeError), atomic_file(path) as file:  # noqa: PT012 - the failure of a writer halfway
        file.write(b"second")
        raise RuntimeError
    assert path.read_bytes() == b"first"
    assert files(tmp_path) == ["folder/file"]
