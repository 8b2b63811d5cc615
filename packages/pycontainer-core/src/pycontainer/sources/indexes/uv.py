"""uv's settings of indexes: `UV_*`, `uv.toml`, `[tool.uv]` (its *Settings* and *Environment variables* references)."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pycontainer.sources.indexes.model import Index, IndexSettings
from pycontainer.sources.tables import read_toml, table, tables, text, texts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_TRUE = frozenset({"1", "true", "yes", "on", "y", "t"})
_NAMED = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)=(?=\S)(.+)")


def uv_settings(root: Path, environment: Mapping[str, str]) -> IndexSettings:
    """The variables first, then the files: the project's, the user's, the system's.

    Raises:
        ConfigError: A file that cannot be read.
    """
    settings = _from_environment(environment)
    for path, options in _files(root, environment):
        settings = settings.over(_from_options(options, path))
    return settings


def _from_environment(environment: Mapping[str, str]) -> IndexSettings:
    default = None
    for variable in ("UV_DEFAULT_INDEX", "UV_INDEX_URL"):
        if default is None and (value := environment.get(variable, "").strip()):
            default = _index(value, source=f"`{variable}`")
    extra = [
        _index(value, source=f"`{variable}`")
        for variable in ("UV_INDEX", "UV_EXTRA_INDEX_URL")
        for value in environment.get(variable, "").split()
    ]
    links = environment.get("UV_FIND_LINKS", "").split(",")
    return IndexSettings(
        default=default,
        extra=tuple(extra),
        find_links=tuple(Index.parse(value, source="`UV_FIND_LINKS`", tool="uv") for value in links if value.strip()),
        no_index=environment.get("UV_NO_INDEX", "").lower() in _TRUE,
        keyring=environment.get("UV_KEYRING_PROVIDER") == "subprocess",
        insecure_hosts=frozenset(environment.get("UV_INSECURE_HOST", "").split()),
    )


def _index(value: str, *, source: str) -> Index:
    """`url`, or `name=url`."""
    match = _NAMED.fullmatch(value)
    if match and "://" not in match[1] and not match[1].endswith(":"):
        return Index.parse(match[2], source=source, tool="uv", name=match[1])
    return Index.parse(value, source=source, tool="uv")


def _files(root: Path, environment: Mapping[str, str]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    if named := environment.get("UV_CONFIG_FILE"):
        yield Path(named), read_toml(Path(named)) or {}
        return
    if environment.get("UV_NO_CONFIG", "").lower() in _TRUE:
        return
    for folder in (root, *root.parents):
        options = read_toml(folder / "uv.toml")
        if options is not None:
            yield folder / "uv.toml", options
            break
        project = read_toml(folder / "pyproject.toml")
        if project is not None and "uv" in table(project, "tool"):
            yield folder / "pyproject.toml", table(project, "tool", "uv")
            break
    for path in _shared_files(environment):
        options = read_toml(path)
        if options is not None:
            yield path, options


def _shared_files(environment: Mapping[str, str]) -> Iterator[Path]:
    """The user's file, then the system's."""
    if sys.platform == "win32":
        for variable in ("APPDATA", "PROGRAMDATA"):
            if folder := environment.get(variable):
                yield Path(folder) / "uv" / "uv.toml"
        return
    home = environment.get("HOME") or os.path.expanduser("~")  # noqa: PTH111 - a home that is absent is no error
    yield Path(environment.get("XDG_CONFIG_HOME") or f"{home}/.config") / "uv" / "uv.toml"
    system = [Path(folder) / "uv" / "uv.toml" for folder in environment.get("XDG_CONFIG_DIRS", "/etc/xdg").split(":")]
    system.append(Path("/etc/uv/uv.toml"))
    yield from (path for path in system if path.is_absolute() and path.is_file())


def _from_options(options: Mapping[str, Any], path: Path) -> IndexSettings:
    source = f"`{path}`"
    default: Index | None = None
    extra: list[Index] = []
    for entry in tables(options, "index"):
        if url := text(entry, "url"):
            index = Index.parse(
                _absolute(url, path),
                source=source,
                tool="uv",
                name=text(entry, "name"),
                explicit=entry.get("explicit") is True,
            )
            if entry.get("default") is True and default is None:
                default = index
            else:
                extra.append(index)
    # `[tool.uv.pip]` overrides what stands above it for the commands that look like pip's.
    for level in (options, table(options, "pip")):
        if default is None and (url := text(level, "index-url")):
            default = Index.parse(_absolute(url, path), source=source, tool="uv")
        extra += [
            Index.parse(_absolute(url, path), source=source, tool="uv") for url in texts(level, "extra-index-url")
        ]
    links = (*texts(options, "find-links"), *texts(table(options, "pip"), "find-links"))
    return IndexSettings(
        default=default,
        extra=tuple(extra),
        find_links=tuple(Index.parse(_absolute(url, path), source=source, tool="uv") for url in links),
        no_index=options.get("no-index") is True,
        keyring=options.get("keyring-provider") == "subprocess",
        insecure_hosts=frozenset(texts(options, "allow-insecure-host")),
    )


def _absolute(url: str, file: Path) -> str:
    """An address as it is; a path relative to the file that names it."""
    return url if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:", url) else str((file.parent / url).absolute())
