"""What is kept between builds: the folders of the cache directory."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pycontainer.builder.cache_home import default_cache_home
from pycontainer.errors import StoreError
from pycontainer_cli.loading import load

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pycontainer_cli.arguments import Given


@dataclass(frozen=True, slots=True)
class Folder:
    """One folder of the cache: how many files it holds, and their bytes."""

    name: str
    files: int
    size: int


def cache_directory(given: Given, environment: Mapping[str, str]) -> Path:
    """The cache directory that a build with the same options would use.

    Raises:
        StoreError: This user has none.
    """
    config = load(given, environment).config
    home = config.path(config.cache_dir) if config.cache_dir else default_cache_home(environment)
    if home is None:
        raise StoreError("This user has no cache directory", hint="Set {cache_dir}")
    return home


def folders(home: Path) -> Iterator[Folder]:
    """The folders below the cache directory, by name; none where there is no cache yet."""
    for path in sorted(home.iterdir()) if home.is_dir() else ():
        if path.is_dir() and not path.is_symlink():
            sizes = [status.st_size for status in _files(path)]
            yield Folder(path.name, len(sizes), sum(sizes))


def stores(home: Path) -> Iterator[Path]:
    """The content-addressed stores of the cache: the directory itself, or folders of it."""
    candidates = (home, *sorted(home.iterdir())) if home.is_dir() else ()
    yield from (path for path in candidates if (path / "blobs" / "sha256").is_dir() and not path.is_symlink())


def _files(folder: Path) -> Iterator[os.stat_result]:
    for directory, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):  # another build removed it
                yield os.lstat(Path(directory) / name)
