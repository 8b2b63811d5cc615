"""A file is taken for what it was only where that cannot be wrong, and then it is not read."""

from __future__ import annotations

import hashlib
import os
import sys
import time
from pathlib import Path

import pytest

from pycontainer.blobs.fingerprints import Fingerprints
from pycontainer.blobs.hashing import hash_file

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="its `ctime` tells nothing: all files are hashed")
HOUR = 3600


class Hashing:
    """Hashes one file again and again, and counts how often it is read."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.file, self.read, self._now = folder / "file", 0, time.time_ns()
        self._known = Fingerprints(folder / "known")

        def counted(path: Path | str) -> tuple[int, str]:
            self.read += 1
            return hash_file(path)

        monkeypatch.setattr("pycontainer.blobs.fingerprints.hash_file", counted)
        monkeypatch.setattr(time, "time_ns", lambda: self._now)

    def later(self) -> None:
        """Some time passes: nobody can set the time of the last change back, so it is the clock that goes on."""
        self._now += HOUR * 10**9

    def right(self) -> bool:
        """Whether the hash of the file is that of its bytes."""
        with self._known.below(self.file.parent) as known:
            found = known.sha256("file", str(self.file), self.file.lstat())
        return found == hashlib.sha256(self.file.read_bytes()).hexdigest()


@pytest.fixture
def hashing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hashing:
    made = Hashing(tmp_path, monkeypatch)
    made.file.write_bytes(b"one")
    made.later()
    return made


def test_a_file_that_nobody_touched_is_read_once(hashing: Hashing) -> None:
    assert [hashing.right() for _ in range(3)] == [True] * 3
    assert hashing.read == 1


def test_a_file_as_young_as_its_hash_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hashing = Hashing(tmp_path, monkeypatch)
    hashing.file.write_bytes(b"one")
    times = hashing.file.stat()
    assert hashing.right()
    with hashing.file.open("r+b") as file:  # the same file, in the same tick of a slow clock
        file.write(b"two")
    os.utime(hashing.file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert hashing.right()
    hashing.later()
    assert hashing.right()
    assert hashing.right()
    assert hashing.read == 3, "once it is old, it is known"


@pytest.mark.parametrize("way", ["in place", "replaced", "replaced and given the old times", "another size"])
def test_a_file_that_was_changed_is_read_again_however_it_was_done(hashing: Hashing, way: str) -> None:
    times = hashing.file.stat()
    assert hashing.right()
    if way.startswith("replaced"):
        other = hashing.file.with_name("other")
        other.write_bytes(b"two")
        if way.endswith("times"):
            os.utime(other, ns=(times.st_atime_ns, times.st_mtime_ns))
        other.replace(hashing.file)
    else:
        while hashing.file.stat().st_ctime_ns == times.st_ctime_ns:  # an hour later, it is another tick of the clock
            hashing.file.write_bytes(b"three" if way == "another size" else b"two")
    assert hashing.right()


def test_two_looks_at_one_directory_do_not_forget_each_others_files(hashing: Hashing, tmp_path: Path) -> None:
    known = Fingerprints(tmp_path / "known")
    assert hashing.right()
    for _ in range(2):
        with known.below(tmp_path, "others") as others:
            others.sha256("other", str(hashing.file), hashing.file.lstat())
        assert hashing.right()
    assert hashing.read == 2, "once for each"


def test_a_damaged_table_is_none(hashing: Hashing, tmp_path: Path) -> None:
    assert hashing.right()
    (table,) = (tmp_path / "known").iterdir()
    content = bytearray(table.read_bytes())
    content[-5] ^= 1
    table.write_bytes(content)
    assert hashing.right()
    assert hashing.read == 2


def test_what_failed_is_not_kept(hashing: Hashing, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"), Fingerprints(tmp_path / "known").below(tmp_path) as known:
        known.sha256("gone", str(tmp_path / "gone"), hashing.file.stat())
    assert not (tmp_path / "known").exists()
