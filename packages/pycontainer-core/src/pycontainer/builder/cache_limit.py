"""The size of the cache: what was used least recently leaves, never what a build may still need.

with limited(home):         # a whole build
    ...
prune(home)                 # all that no build may need

Every build holds a shared lock on the cache. The one that ends last finds itself alone, and removes what nobody has
used for an hour until the rest fits. While others run, only what is older than the longest build leaves: an entry that
a build has found, and has yet to push over a slow line, stays. The locks are gone with their processes.
"""

from __future__ import annotations

import errno
import math
import os
import re
import time
from contextlib import contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, BinaryIO, Final

from pycontainer.blobs.lock import TAKEN, take_lock
from pycontainer.errors import StoreError
from pycontainer.value import Value

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

MAX_SIZE: Final = 5 * 10**9
"""Bytes that the cache holds when no build runs."""

FOLDERS: Final = ("bases", "built", "debian", "facts", "files", "layers", "locks", "readings", "wheels")
"""The folders of the cache."""

# A cache directory that somebody chose may hold other things: only files in these places, of these names, are ours.
_KINDS: Final = {
    "layers/blobs/*": "layers",
    "layers/records": "layer records",
    "wheels/blobs/*": "wheels",
    "built/blobs/*": "built wheels",
    "built/built": "build records",
    "bases/blobs/*": "base layers",
    "facts/bases": "base facts",
    "debian/blobs/*": "debian packages",
    "debian/debs": "debian records",
    "debian/indexes": "debian records",
    "debian/releases": "debian records",
    "facts/blobs/*": "base facts",
    "locks": "lock answers",
    "files": "file fingerprints",
    "readings": "layer contents",
}
KINDS: Final = tuple(dict.fromkeys(_KINDS.values()))
"""What is kept."""

_NAME: Final = re.compile(r"(?:debian-)?(?:\d+-)?[0-9a-f]{64,128}(?:\.(?:json|msgpack))?|\.incoming-[0-9a-f]{24}")
_UNFINISHED: Final = ".incoming-"

# Seconds without use after which an entry may leave: when no build runs, and when some do, or none can tell.
_GRACE: Final = 3600.0
_LONGEST_BUILD: Final = 86400.0
# Whoever has the cache alone only removes files; a lock that takes longer than this is broken.
_PATIENCE: Final = 10.0
_PAUSE: Final = 0.01


class CacheFile(Value, frozen=True, kw_only=True):
    """A file of the cache.

    Attributes:
        path: Where it is.
        kind: Which of `KINDS` it is.
        size: In bytes.
        used: When it was used last, in seconds since the epoch by the file system's clock.
    """

    path: Path
    kind: str
    size: int
    used: float


@contextmanager
def limited(home: Path, *, max_size: int = MAX_SIZE) -> Iterator[None]:
    """Hold the cache while a build uses it, and bring it back to its size afterwards, however the build ended."""
    with _lock_file(home) as file:
        held = file is not None and _hold(file)
        try:
            yield
        finally:
            _evict(home, file if held else None, max_size)


def prune(home: Path, *, max_size: int = 0, older_than: float = 0.0, everything: bool = False) -> None:
    """Remove what was used least recently; a cache that is absent stays so.

    Args:
        home: The cache.
        max_size: Bytes that may stay.
        older_than: Seconds without use after which an entry may leave; never less than an hour, and while builds run
            not less than a day.
        everything: Whether nothing stays, however young it is.

    Raises:
        StoreError: Everything is to be removed, and builds run.
    """
    if not home.is_dir():
        return
    with _lock_file(home) as file:
        held = file is not None and _hold(file)
        if everything and file is not None and _lock_error(file, shared=False) in TAKEN:
            raise StoreError(
                f"The cache `{home}` is in use", facts=["a build runs"], hint="Run this again when it has ended"
            )
        _evict(home, file if held else None, max_size, older_than=-math.inf if everything else older_than)


def cache_files(home: Path) -> Iterator[CacheFile]:
    """The files of the cache, in no order; symbolic links stand for themselves."""
    for place, kind in _KINDS.items():
        for folder in home.glob(place):
            with suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
                yield from _files(folder, kind, entries)


def is_unfinished(file: CacheFile) -> bool:
    """Whether it is still being written, or its writer was killed."""
    return file.path.name.startswith(_UNFINISHED)


def _files(folder: Path, kind: str, entries: Iterator[os.DirEntry[str]]) -> Iterator[CacheFile]:
    for entry in entries:
        if _NAME.fullmatch(entry.name) and not entry.is_dir(follow_symlinks=False):
            with suppress(FileNotFoundError):  # another build has removed it
                status = entry.stat(follow_symlinks=False)
                yield CacheFile(path=folder / entry.name, kind=kind, size=status.st_size, used=status.st_mtime)


def _evict(home: Path, held: BinaryIO | None, max_size: int, older_than: float = 0.0) -> None:
    grace = _GRACE if held is not None and _is_alone(held) else _LONGEST_BUILD
    try:
        files = sorted(cache_files(home), key=lambda file: file.used)
    except OSError:  # an image was built: a cache that cannot be listed is no reason to fail
        return
    before = _now(home) - (max(grace, older_than) if older_than >= 0 else older_than)
    excess = sum(file.size for file in files) - max_size
    for file in files:
        if file.used >= before:
            return
        if excess > 0 or is_unfinished(file):
            # Windows does not remove what a reader holds open: then it stays for now.
            with suppress(OSError):
                if file.path.lstat().st_mtime < before:  # nobody has used it since they were listed
                    file.path.unlink()
                    excess -= file.size


def _lock_file(home: Path) -> AbstractContextManager[BinaryIO | None]:
    try:
        return (home / "lock").open("ab")
    except OSError:
        return nullcontext()


def _hold(file: BinaryIO) -> bool:
    """Share the cache with other builds; whether the system can tell of it."""
    deadline = time.monotonic() + _PATIENCE
    while (failed := _lock_error(file, shared=True)) in TAKEN and time.monotonic() < deadline:
        time.sleep(_PAUSE)
    return failed is None


def _is_alone(file: BinaryIO) -> bool:
    return _lock_error(file, shared=False) is None


def _lock_error(file: BinaryIO, *, shared: bool) -> int | None:
    try:
        take_lock(file, shared=shared)
    except OSError as error:
        return error.errno or errno.ENOTSUP
    return None


def _now(home: Path) -> float:
    """By the clock of the file system, which on a shared one is not this host's."""
    lock = home / "lock"
    with suppress(OSError):
        os.utime(lock)
        return lock.stat().st_mtime
    return time.time()
