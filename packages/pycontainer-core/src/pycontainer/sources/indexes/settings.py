"""Which Python indexes there are: no name of an index is written anywhere in this project.

    settings = load_index_settings(root, environment=os.environ, stated=lock.indexes)
    settings.default, settings.extra, settings.find_links

What is stated nearest counts first: the lock, then uv's settings, pip's, Poetry's. Where none of them names a default
index, `pycontainer.sources.uv.Uv.default_index` tells uv's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pycontainer.sources.indexes.model import Index, IndexSettings
from pycontainer.sources.indexes.pip import pip_settings
from pycontainer.sources.indexes.poetry import poetry_settings
from pycontainer.sources.indexes.uv import uv_settings
from pycontainer.value import replace

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pycontainer.sources.locks import Indexes


def load_index_settings(root: Path, *, environment: Mapping[str, str], stated: Indexes | None = None) -> IndexSettings:
    """The settings that hold for the project at `root`.

    Args:
        root: Where `pyproject.toml` and `uv.toml` are looked for, upwards.
        environment: The variables of uv and pip, and those that say where their files are.
        stated: What the lock file itself says.

    Raises:
        ConfigError: A settings file of uv, pip or Poetry that cannot be read.
    """
    settings = uv_settings(root, environment).over(pip_settings(root, environment)).over(poetry_settings(root))
    if stated is None:
        return settings
    nearest = _from_lock(stated)
    if nearest.default or nearest.no_index:
        settings = replace(settings, no_index=False)
    return nearest.over(settings)


def _from_lock(stated: Indexes) -> IndexSettings:
    source = "the lock file"
    return IndexSettings(
        default=Index.parse(stated.index, source=source) if stated.index else None,
        extra=tuple(Index.parse(url, source=source) for url in stated.extra),
        find_links=tuple(Index.parse(url, source=source) for url in stated.find_links),
        no_index=stated.no_index,
    )
