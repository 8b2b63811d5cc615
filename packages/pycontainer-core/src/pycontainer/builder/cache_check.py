"""The whole cache, hashed again: what was damaged is removed, and whoever needs it fetches or makes it again.

checked = check_cache(home)
checked.files, checked.size, checked.damaged
"""

from __future__ import annotations

import os
import re
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pycontainer.blobs.hashing import hash_raw
from pycontainer.blobs.records import is_record_intact
from pycontainer.builder.cache_limit import cache_files, is_unfinished, limited

if TYPE_CHECKING:
    from pathlib import Path

    from pycontainer.builder.cache_limit import CacheFile

# Hashing lets other threads run; more would only wait for the disk.
_JOBS: Final = 4
_BLOB: Final = re.compile(r"[0-9a-f]{64,128}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """What was looked at.

    Attributes:
        files: How many.
        size: Their bytes.
        damaged: Those that were not what they must be; they are gone.
    """

    files: int
    size: int
    damaged: tuple[CacheFile, ...]


def check_cache(home: Path) -> Checked:
    """Look at every entry: blobs must have the digest that is their name, records the checksum that they begin with.

    Builds may run meanwhile. A cache that is absent stays so, and holds nothing.

    Raises:
        OSError: A damaged entry cannot be removed.
    """
    if not home.is_dir():
        return Checked(files=0, size=0, damaged=())
    with limited(home), ThreadPoolExecutor(_JOBS, thread_name_prefix="check") as pool:
        files = sorted((file for file in cache_files(home) if not is_unfinished(file)), key=lambda file: file.path)
        damaged = tuple(file for file, good in zip(files, pool.map(_is_left, files), strict=True) if not good)
    return Checked(files=len(files), size=sum(file.size for file in files), damaged=damaged)


def _is_left(file: CacheFile) -> bool:
    """Whether a file may stay; one that may not is removed at once, or looked at again where a build changed it."""
    path = file.path
    try:
        while not _is_intact(path, seen := path.lstat()):
            now = path.lstat()
            # The number of a file that is gone may be given to the next one.
            if os.path.samestat(now, seen) and now.st_mtime_ns == seen.st_mtime_ns:
                path.unlink()
                return False
    except FileNotFoundError:  # evicted, or found out by a build
        pass
    return True


def _is_intact(path: Path, status: os.stat_result) -> bool:
    try:
        if not stat.S_ISREG(status.st_mode):
            return False
        if not _BLOB.fullmatch(path.name):
            return is_record_intact(path)
        with path.open("rb", buffering=0) as raw:
            return hash_raw(raw, path.parent.name)[1] == path.name
    except FileNotFoundError:
        raise
    except (OSError, ValueError):  # a disk that cannot read it; a folder that is named like no hash
        return False
