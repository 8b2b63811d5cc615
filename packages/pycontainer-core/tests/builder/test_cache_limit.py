"""The cache has a size: the oldest leaves, and never what a build may still need."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from pycontainer.blobs import store
from pycontainer.blobs.hashing import hash_raw
from pycontainer.blobs.store import BlobStore
from pycontainer.builder import cache_limit
from pycontainer.builder.cache_home import cache_home
from pycontainer.builder.cache_limit import cache_files, limited, prune
from pycontainer.errors import StoreError
from pycontainer.events import ignore
from pycontainer.oci import Descriptor, Digest

HOUR = 3600
posix_only = pytest.mark.skipif(os.name != "posix", reason="without shared locks every cache may be in use")


def add(home: Path, folder: str, content: bytes, *, hours: float) -> Path:
    """A blob that was used so many hours ago."""
    store = BlobStore(home / folder)
    path = store.path(store.add(io.BytesIO(content)))
    return age(path, hours=hours)


def age(path: Path, *, hours: float) -> Path:
    then = time.time() - hours * HOUR
    os.utime(path, (then, then))
    return path


def build(home: Path, max_size: int) -> None:
    """What is left of the cache after a build that used nothing."""
    with limited(home, max_size=max_size):
        pass


def size(home: Path) -> int:
    return sum(file.size for file in cache_files(home))


@posix_only
def test_what_was_used_least_recently_leaves_whatever_folder_it_is_in(tmp_path: Path) -> None:
    kept = [add(tmp_path, "wheels", b"w" * 100, hours=2), add(tmp_path, "layers", b"l" * 100, hours=3)]
    gone = [add(tmp_path, "bases", b"b" * 100, hours=5), add(tmp_path, "built", b"c" * 100, hours=4)]
    build(tmp_path, 250)
    assert [path.exists() for path in kept] == [True, True]
    assert [path.exists() for path in gone] == [False, False]


@posix_only
def test_a_cache_within_its_size_keeps_everything(tmp_path: Path) -> None:
    path = add(tmp_path, "wheels", b"w" * 100, hours=10_000)
    build(tmp_path, 100)
    assert path.exists()


def test_what_was_used_within_the_hour_stays_even_when_it_is_too_much(tmp_path: Path) -> None:
    path = add(tmp_path, "wheels", b"w" * 100, hours=0.9)
    build(tmp_path, 0)
    prune(tmp_path)
    assert path.exists()


@posix_only
def test_what_a_running_build_may_still_push_stays(tmp_path: Path) -> None:
    path = add(tmp_path, "layers", b"l" * 100, hours=20)
    old = add(tmp_path, "layers", b"o" * 100, hours=25)
    with limited(tmp_path):
        build(tmp_path, 0)
        assert path.exists()
        assert not old.exists()
    build(tmp_path, 0)
    assert not path.exists()


@posix_only
def test_what_a_build_uses_after_another_has_listed_the_cache_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = add(tmp_path, "layers", b"l" * 100, hours=25)
    now = cache_limit._now

    def now_that_it_is_used(home: Path) -> float:
        store.mark_used(path)
        return now(home)

    monkeypatch.setattr(cache_limit, "_now", now_that_it_is_used)
    with limited(tmp_path):
        build(tmp_path, 0)
    assert path.exists()


@posix_only
def test_what_a_build_is_about_to_use_does_not_leave_while_it_is_hashed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = b"w" * 100
    path = add(tmp_path, "wheels", content, hours=25)
    blob = Descriptor(media_type="application/octet-stream", digest=Digest.of(content), size=len(content))

    def hash_while_another_build_ends(raw: io.RawIOBase, algorithm: str) -> tuple[int, str]:
        build(tmp_path, 0)
        return hash_raw(raw, algorithm)

    monkeypatch.setattr(store, "hash_raw", hash_while_another_build_ends)
    with limited(tmp_path):
        assert BlobStore(tmp_path / "wheels").blob(blob).use()
        assert path.read_bytes() == content


@posix_only
def test_a_build_in_another_process_holds_the_cache_until_it_is_killed(tmp_path: Path) -> None:
    path = add(tmp_path, "layers", b"l" * 100, hours=20)
    program = f"""
        import pathlib, sys, time
        from pycontainer.builder.cache_limit import limited
        with limited(pathlib.Path({str(tmp_path)!r})):
            print(flush=True)
            time.sleep(600)
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        build(tmp_path, 0)
        assert path.exists()
        other.kill()
    build(tmp_path, 0)
    assert not path.exists()


_BUILDS = """
    import os, pathlib, sys
    from pycontainer.blobs.store import BlobStore
    from pycontainer.builder.cache_limit import limited
    from pycontainer.oci import Descriptor, Digest
    home = pathlib.Path(sys.argv[1])
    for number in range(60):
        with limited(home, max_size=100_000):
            store, content = BlobStore(home / "layers"), str(number % 7).encode() * 50_000
            blob = Descriptor(media_type="x", digest=Digest.of(content), size=len(content))
            if blob.digest not in store:
                with store.writer() as writer:
                    writer.write(content)
                    writer.commit()
            os.utime(store.path(blob.digest), (1e9, os.stat(home).st_mtime - 20 * 3600))
            with store.blob(blob).open() as stream:
                assert stream.read() == content
"""


@posix_only
def test_builds_in_several_processes_never_lose_what_they_hold(tmp_path: Path) -> None:
    """Every build ages its layer at once: whoever ends alone takes it, and nobody from under another's hands."""
    command = [sys.executable, "-c", textwrap.dedent(_BUILDS), str(tmp_path)]
    builds = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(3)]
    for build_ in builds:
        _, errors = build_.communicate(timeout=60)
        assert build_.returncode == 0, errors.decode()
    assert size(tmp_path) <= 100_000


@posix_only
def test_a_build_that_fails_leaves_the_cache_within_its_size(tmp_path: Path) -> None:
    path = add(tmp_path, "layers", b"l" * 100, hours=20)
    with pytest.raises(ZeroDivisionError), limited(tmp_path, max_size=0):
        raise ZeroDivisionError
    assert not path.exists()


@posix_only
def test_a_reader_finishes_what_leaves_under_its_hands(tmp_path: Path) -> None:
    content = b"x" * 3_000_000
    path = add(tmp_path, "layers", content, hours=20)
    blob = Descriptor(media_type="application/octet-stream", digest=Digest.of(content), size=len(content))
    with BlobStore(tmp_path / "layers").blob(blob).open() as stream:
        start = stream.read(10)
        prune(tmp_path)
        assert not path.exists()
        assert start + stream.read() == content


@posix_only
def test_what_killed_builds_left_is_removed_though_there_is_room(tmp_path: Path) -> None:
    folder = tmp_path / "wheels" / "blobs" / "sha256"
    folder.mkdir(parents=True)
    left, written = folder / f".incoming-{'0' * 24}", folder / f".incoming-{'1' * 24}"
    for path in (left, written):
        path.write_bytes(b"half a wheel")
    age(left, hours=2)
    build(tmp_path, 10**9)
    assert not left.exists()
    assert written.exists()


@posix_only
def test_only_files_of_the_cache_are_removed(tmp_path: Path) -> None:
    """Somebody may have chosen a directory that holds other things."""
    names = ("thesis.tex", "wheels/demo-1.0-py3-none-any.whl", "layers/blobs/sha256/README", f"layers/{'0' * 64}")
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mine")
        age(path, hours=10_000)
    prune(tmp_path)
    assert all((tmp_path / name).exists() for name in names)


@posix_only
def test_a_link_is_removed_and_not_what_it_points_to(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"x" * 100)
    folder = tmp_path / "home" / "wheels" / "blobs" / "sha256"
    folder.mkdir(parents=True)
    link = folder / ("0" * 64)
    link.symlink_to(outside)
    os.utime(link, (1, 1), follow_symlinks=False)
    prune(tmp_path / "home")
    assert outside.exists()
    assert not link.is_symlink()


def test_an_absent_cache_stays_absent(tmp_path: Path) -> None:
    prune(tmp_path / "none")
    assert not (tmp_path / "none").exists()


@posix_only
def test_the_home_of_a_build_holds_five_gigabytes(tmp_path: Path) -> None:
    newer = add(tmp_path, "wheels", b"w", hours=2)
    older = add(tmp_path, "layers", b"l", hours=3)
    for path in (newer, older):
        os.truncate(path, 3 * 10**9)  # a hole: it takes no room
    age(newer, hours=2)
    age(older, hours=3)
    with cache_home(chosen=tmp_path, enabled=True, emit=ignore):
        assert size(tmp_path) == 6 * 10**9
    assert size(tmp_path) == 3 * 10**9
    assert newer.exists()


@posix_only
@pytest.mark.parametrize("folder", [".", "built"])
def test_a_home_that_everyone_can_write_is_refused(tmp_path: Path, folder: str) -> None:
    path = tmp_path / "home" / folder
    path.mkdir(parents=True)
    path.chmod(0o777)
    with (
        pytest.raises(StoreError, match="cannot be trusted"),
        cache_home(chosen=tmp_path / "home", enabled=True, emit=ignore),
    ):
        pass
