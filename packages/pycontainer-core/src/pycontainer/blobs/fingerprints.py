"""Hashes of files that nobody has changed: what the system says of a file tells whether its hash is still right.

    with Fingerprints(folder).below(root, "files") as known:
        known.sha256("src/app.py", entry.path, entry.stat(follow_symlinks=False))

As in git's index, a file is taken for what it was where size, both times, inode and device are the same, and where it
was older than the moment at which it was hashed: one that is as young might have been written again within the same
tick of the clock, and is hashed every time until it is not ("racily clean"). Where the system's answers cannot tell,
as on Windows, whose `ctime` is another one, all files are hashed.
"""

from __future__ import annotations

import hashlib
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import msgspec

from pycontainer.blobs.hashing import hash_file
from pycontainer.blobs.records import load_decoded, save_record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_VERSION: Final = 1
# Nanoseconds that a file must have been left alone: file systems tell times in steps of up to two seconds (FAT).
_YOUNG: Final = 2_000_000_000
# A table of more files is as slow to read as they are.
_MAX_FILES: Final = 500_000


class Fingerprints:
    """A folder of such tables, one for each look at the files of a directory.

    Args:
        folder: Made when something is written; none where nothing is kept.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder if os.name == "posix" else None

    @contextmanager
    def below(self, root: Path, *which: str) -> Iterator[KnownFiles]:
        """The files of one directory; what was learnt is kept when the context ends well.

        Args:
            root: The directory.
            which: Who looks at which of its files: each has a table, which holds those of the last time.
        """
        if self.folder is None:
            yield KnownFiles({})
            return
        name = hashlib.sha256(os.fsencode("\0".join([str(_VERSION), str(root), *which]))).hexdigest()
        path = self.folder / f"{name}.msgpack"
        known = KnownFiles(load_decoded(path, _DECODER.decode) or {})
        yield known
        if known.changed and len(known.seen) <= _MAX_FILES:
            save_record(path, msgspec.msgpack.encode(known.seen), durable=False)


class KnownFiles:
    """The files of one directory, by path relative to it."""

    def __init__(self, before: dict[str, _Known]) -> None:
        self._before = before
        self._begin = time.time_ns()
        self.seen: dict[str, _Known] = {}

    def sha256(self, relative: str, path: str, status: os.stat_result) -> str:
        """The sha256 of a regular file, hexadecimal.

        Args:
            relative: What the table calls it.
            path: Where it is.
            status: What the system says of it now, links not followed.

        Raises:
            OSError: It cannot be read.
        """
        now = (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_dev)
        known = self._before.get(relative)
        if known is None or known[:5] != now:
            known = (*now, hash_file(path)[1])
        if max(status.st_mtime_ns, status.st_ctime_ns) < self._begin - _YOUNG and status.st_ino:
            self.seen[relative] = known
        return known[5]

    @property
    def changed(self) -> bool:
        """Whether there is something to keep that was not known."""
        return self.seen != self._before


# Size, mtime, ctime, inode, device, sha256.
_Known = tuple[int, int, int, int, int, str]


# Made once, by the thread that imports: msgspec looks at a type when it first decodes it, and two at once crash.
_DECODER: Final = msgspec.msgpack.Decoder(dict[str, _Known])
