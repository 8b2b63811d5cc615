"""What is kept between builds: where, and how much of each kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pycontainer.builder.cache_home import default_cache_home
from pycontainer.builder.cache_limit import KINDS, cache_files
from pycontainer.errors import StoreError
from pycontainer_cli.loading import load

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pycontainer_cli.arguments import Given


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """One kind of files of the cache.

    Attributes:
        files: How many.
        size: Their bytes.
        oldest: When the one that was used least recently was used, in seconds since the epoch.
    """

    kind: str
    files: int
    size: int
    oldest: float | None


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


def kept(home: Path) -> tuple[Kept, ...]:
    """The kinds of files of the cache, in the order in which they are told."""
    found = list(cache_files(home)) if home.is_dir() else []
    return tuple(
        Kept(
            kind=kind,
            files=sum(file.kind == kind for file in found),
            size=sum(file.size for file in found if file.kind == kind),
            oldest=min((file.used for file in found if file.kind == kind), default=None),
        )
        for kind in KINDS
    )
