"""What is kept between builds: the folders of the cache directory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pycontainer.builder.cache_home import default_cache_home
from pycontainer.builder.cache_limit import FOLDERS, cache_files
from pycontainer.errors import StoreError
from pycontainer_cli.loading import load

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

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


def folders(home: Path) -> tuple[Folder, ...]:
    """The folders of the cache, by name; none where there is no cache yet."""
    if not home.is_dir():
        return ()
    sizes: dict[str, list[int]] = {name: [] for name in FOLDERS}
    for file in cache_files(home):
        sizes[file.folder].append(file.size)
    return tuple(Folder(name, len(found), sum(found)) for name, found in sizes.items())
