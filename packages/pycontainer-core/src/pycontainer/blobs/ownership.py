"""Folders whose content is trusted: what others can write, they can put into images.

claim(cache / "layers")
"""

from __future__ import annotations

import os
import stat
import sys
from typing import TYPE_CHECKING

from pycontainer.errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path


def claim(root: Path) -> None:
    """Make a folder of the cache for its owner alone, or see that the one that is there can be trusted.

    Raises:
        StoreError: It cannot be made, belongs to someone else, or can be written by everyone.
    """
    try:
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        status = root.stat()
    except OSError as error:
        raise StoreError(
            f"Cannot make the cache `{root}`",
            facts=[error.strerror or str(error)],
            hint="Set {cache_dir} to a folder that you can write",
        ) from error
    if sys.platform == "win32":
        return
    if status.st_uid != os.geteuid():
        raise _foreign(root, f"it belongs to the user {status.st_uid}, and this is the user {os.geteuid()}")
    if status.st_mode & stat.S_IWOTH:
        raise _foreign(root, "everyone can write to it")


def _foreign(root: Path, fact: str) -> StoreError:
    return StoreError(
        f"The cache `{root}` cannot be trusted", facts=[fact], hint="Set {cache_dir} to a folder of your own"
    )
