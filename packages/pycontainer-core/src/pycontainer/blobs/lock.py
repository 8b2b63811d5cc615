"""Locks between builds, on a file that they share; and between the threads of one, by what they work on.

with exclusive(layout / "oci-layout"): ...      # one writer at a time
take_lock(file, shared=True)                    # several readers, none while somebody has it alone
with locks.of("layer", key): ...                # one thread at a time

A lock is the operating system's, on the open file: it is gone with the process that holds it, however that ends.
"""

from __future__ import annotations

import errno
import os
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from pycontainer.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_TIMEOUT = 300.0
_PAUSE = 0.05
# What `take_lock` fails with where somebody else has the lock.
TAKEN = frozenset({errno.EACCES, errno.EAGAIN, errno.EDEADLK})


class KeyedLocks:
    """Locks by name, each made when it is first asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._locks: dict[tuple[str, ...], threading.Lock] = {}

    def of(self, *name: str) -> threading.Lock:
        """The lock of a name."""
        with self._lock:
            return self._locks.setdefault(name, threading.Lock())


@contextmanager
def exclusive(path: Path, *, timeout: float = _TIMEOUT) -> Iterator[bool]:
    """Hold the lock on a file that exists.

    A file system without locks, as some network ones are, gives none: what is written then is still atomic, but two
    builds at once may remove each other's blobs.

    Args:
        path: The file; nothing is written to it.
        timeout: Seconds to wait for another build.

    Yields:
        Whether it is still the file of this path: another build may have removed it while we waited.

    Raises:
        StoreError: Another build holds it too long, or the file cannot be opened.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise StoreError(f"Cannot read `{path}`", facts=[error.strerror or str(error)]) from error
    with file:
        deadline = time.monotonic() + timeout
        while not _try(file):
            if time.monotonic() > deadline:
                raise StoreError(f"`{path.parent}` is being written by another build")
            time.sleep(_PAUSE)
        yield _is_at(path, file)


def _is_at(path: Path, file: BinaryIO) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except OSError:
        return False


def _try(file: BinaryIO) -> bool:
    try:
        take_lock(file)
    except OSError as error:
        return error.errno not in TAKEN
    return True


if sys.platform == "win32":
    import msvcrt

    def take_lock(file: BinaryIO, *, shared: bool = False) -> None:
        """Lock an open file until it is closed, without waiting.

        Raises:
            OSError: Somebody else has the lock (`TAKEN`), or there are no such locks here.
        """
        if shared:
            raise OSError(errno.ENOTSUP, "Windows locks for one only")
        file.seek(1 << 30)  # a byte beyond the end, so that those who read the file are not kept out
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def take_lock(file: BinaryIO, *, shared: bool = False) -> None:
        """Lock an open file until it is closed, without waiting.

        Raises:
            OSError: Somebody else has the lock (`TAKEN`), or there are no such locks here.
        """
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
