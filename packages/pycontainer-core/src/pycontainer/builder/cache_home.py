"""Where downloads and layers are kept between builds."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pycontainer.blobs.ownership import claim
from pycontainer.builder.cache_limit import FOLDERS, limited
from pycontainer.errors import StoreError
from pycontainer.events import Emit, Warned
from pycontainer.unfinished import temporary_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def default_cache_home(environment: Mapping[str, str] = os.environ) -> Path | None:
    """The user's cache directory of each system's own convention, or none where there is no home."""
    if sys.platform == "win32":
        local = environment.get("LOCALAPPDATA")
        return Path(local) / "pycontainer" / "Cache" if local else None
    if xdg := environment.get("XDG_CACHE_HOME"):
        return Path(xdg) / "pycontainer"
    home = environment.get("HOME")
    if not home:
        return None
    return Path(home) / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "pycontainer"


@contextmanager
def cache_home(*, chosen: Path | None, enabled: bool, emit: Emit) -> Iterator[Path]:
    """The directory to keep things in: the chosen one, the user's, or one that is gone after the build.

    A directory that was chosen must be writable. The user's own may be missing or read-only, as in many CI jobs and
    containers: the build then goes on without a cache, and says so. When the context ends, what was used least
    recently leaves a directory that has become too large.

    Raises:
        StoreError: The chosen directory cannot be written, or others can write to the directory.
    """
    home = chosen or default_cache_home()
    if enabled and home is not None:
        reason = _unwritable(home)
        if reason is None:
            claim(home)
            for name in FOLDERS:
                claim(home / name)
            with limited(home):
                yield home
            return
        if chosen is not None:
            raise StoreError(f"The cache directory `{home}` cannot be written", facts=[reason], hint="Set {cache_dir}")
        emit(Warned(message=f"Building without a cache: `{home}` cannot be written", facts=(reason,)))
    elif enabled:
        emit(Warned(message="Building without a cache: this user has no home directory", hint="Set {cache_dir}"))
    with temporary_folder() as folder:
        yield folder


@contextmanager
def found_cache(*, chosen: Path | None, enabled: bool) -> Iterator[Path | None]:
    """The directory that `cache_home` gave to a build, for who only looks at images; none where no build made one.

    One that others can write to is not used, either.
    """
    home = chosen or default_cache_home()
    if not enabled or home is None or not home.is_dir():
        yield None
        return
    try:
        claim(home)
    except StoreError:
        yield None
        return
    with limited(home):
        yield home


def _unwritable(home: Path) -> str | None:
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home):
            return None
    except OSError as error:
        return error.strerror or str(error)
