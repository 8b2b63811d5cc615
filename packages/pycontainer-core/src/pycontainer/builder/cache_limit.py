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
import os
import re
import time
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final

from pycontainer.blobs.lock import TAKEN, take_lock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

MAX_SIZE: Final = 5 * 10**9
"""Bytes that the cache holds when no build runs."""

FOLDERS: Final = ("bases", "built", "debian", "facts", "files", "layers", "locks", "wheels")
"""The folders of the cache."""

# A cache directory that somebody chose may hold other things: only files in these places, of these names, are ours.
_PLACES: Final = (
    "layers/records",
    "built/built",
    "debian/releases",
    "debian/debs",
    "facts/bases",
    "files",
    "locks",
    *(f"{name}/blobs/*" for name in FOLDERS),
)
_NAME: Final = re.compile(r"(?:debian-)?(?:\d+-)?[0-9a-f]{64,128}(?:\.(?:json|msgpack))?|\.incoming-[0-9a-f]{24}")
_UNFINISHED: Final = ".incoming-"

# Seconds without use after which an entry may leave: when no build runs, and when some do, or none can tell.
_GRACE: Final = 3600.0
_LONGEST_BUILD: Final = 86400.0
# Whoever has the cache alone only removes files; a lock that takes longer than this is broken.
_PATIENCE: Final = 10.0
_PAUSE: Final = 0.01


@dataclass(frozen=True, kw_only=True, slots=True)
class CacheFile:
    """A file of the cache.

    Attributes:
        path: Where it is.
        folder: Which of `FOLDERS` it is in.
        size: In bytes.
        used: When it was used last, in seconds since the epoch by the file system's clock.
    """

    path: Path
    folder: str
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


def prune(home: Path) -> None:
    """Remove all that nobody has used for an hour, or for a day while builds run; a cache that is absent stays so."""
    if home.is_dir():
        with limited(home, max_size=0):
            pass


def cache_files(home: Path) -> Iterator[CacheFile]:
    """The files of the cache, in no order; symbolic links stand for themselves."""
    for place in _PLACES:
        for folder in home.glob(place):
            with suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
                yield from _files(folder, place.partition("/")[0], entries)


def _files(folder: Path, name: str, entries: Iterator[os.DirEntry[str]]) -> Iterator[CacheFile]:
    for entry in entries:
        if _NAME.fullmatch(entry.name) and not entry.is_dir(follow_symlinks=False):
            with suppress(FileNotFoundError):  # another build has removed it
                status = entry.stat(follow_symlinks=False)
                yield CacheFile(path=folder / entry.name, folder=name, size=status.st_size, used=status.st_mtime)


def _evict(home: Path, held: BinaryIO | None, max_size: int) -> None:
    grace = _GRACE if held is not None and _is_alone(held) else _LONGEST_BUILD
    try:
        files = sorted(cache_files(home), key=lambda file: file.used)
    except OSError:  # an image was built: a cache that cannot be listed is no reason to fail
        return
    before = _now(home) - grace
    excess = sum(file.size for file in files) - max_size
    for file in files:
        if file.used >= before:
            return
        if excess > 0 or file.path.name.startswith(_UNFINISHED):
            # Windows does not remove what a reader holds open: then it stays for now.
            with suppress(OSError):
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
