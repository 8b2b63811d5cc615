"""Files and folders that are of no use once the work on them has ended, or is cut off.

with temporary_folder() as folder:
    ...
with unfinished(path):
    ...                     # written here, then renamed; what still stands here is removed
remove_unfinished()         # by whoever ends the process without waiting for its threads
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Threads that still write into a folder make files while it is removed.
_ATTEMPTS = 5
# Changed by single operations, which need no lock: one that a stopped thread holds would never be free again.
_paths: set[Path] = set()


@contextmanager
def temporary_folder(prefix: str = "pycontainer-") -> Iterator[Path]:
    """A folder of this host that is gone when the context ends, with everything in it."""
    import tempfile  # noqa: PLC0415 - slow to import, and front ends need this module before anything else
    from pathlib import Path  # noqa: PLC0415 - as above

    # Besides, it knows how to remove what is read-only on Windows.
    with (
        tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True) as name,
        unfinished(Path(name)) as folder,
    ):
        yield folder


@contextmanager
def unfinished(path: Path) -> Iterator[Path]:
    """Whatever stands at a path when the context ends is removed, as far as it can be."""
    _paths.add(path)
    try:
        yield path
    finally:
        _remove(path)
        _paths.discard(path)


def remove_unfinished() -> None:
    """Remove what is being worked on at this moment; the process must end right after."""
    for path in tuple(_paths):
        _remove(path)


def _remove(path: Path) -> None:
    """Remove what stands at a path, and what another thread that is removing it has moved out of the way."""
    with suppress(OSError):  # a folder, or nothing: systems differ in which error that is
        path.unlink()
    aside = path.with_name(f"{path.name}.gone")
    for _ in range(_ATTEMPTS):
        if not any(map(os.path.lexists, (path, aside))):
            return
        import shutil  # noqa: PLC0415 - as above

        # Out of the way first, so that a thread that still writes there finds no folder for its next file.
        with suppress(OSError):  # Windows keeps what somebody has open
            path.rename(aside)
        for each in (aside, path):
            with suppress(OSError):
                shutil.rmtree(each, ignore_errors=True)
