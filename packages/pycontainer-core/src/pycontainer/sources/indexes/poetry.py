"""Poetry's settings of indexes: `[[tool.poetry.source]]` of the project (its documentation, *Repositories*)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pycontainer.sources.indexes.model import Index, IndexSettings
from pycontainer.sources.tables import read_toml, table, tables, text

if TYPE_CHECKING:
    from pathlib import Path


def poetry_settings(root: Path) -> IndexSettings:
    """The sources of the project: the first primary one is the default, explicit ones serve what is locked to them.

    Raises:
        ConfigError: `pyproject.toml` cannot be read.
    """
    default: Index | None = None
    extra: list[Index] = []
    path = root / "pyproject.toml"
    for entry in tables(table(read_toml(path) or {}, "tool", "poetry"), "source"):
        url = text(entry, "url")
        if url is None:  # the default index by its name alone, to give it a priority
            continue
        priority = (text(entry, "priority") or "primary").lower()
        index = Index.parse(
            url, source=f"`{path}`", tool="poetry", name=text(entry, "name"), explicit=priority == "explicit"
        )
        if priority in {"primary", "default"} and default is None:
            default = index
        else:
            extra.append(index)
    return IndexSettings(default=default, extra=tuple(extra))
