"""Settings files of other tools: read as far as they are understood, never quoted, since they hold passwords."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from pycontainer.errors import ConfigError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_MAX_SIZE = 4 << 20


def read_text(path: Path) -> str | None:
    """The text of a settings file; none where there is no such file.

    Raises:
        ConfigError: It is there and cannot be read.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_SIZE + 1)
        if len(content) > _MAX_SIZE:
            raise ConfigError(f"`{path}` is too large for a settings file", facts=[f"limit: {_MAX_SIZE} bytes"])
        return content.decode("utf-8-sig")
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as error:
        reason = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else error.strerror or "unknown reason"
        raise ConfigError(f"`{path}` cannot be read", facts=[reason]) from None


def read_toml(path: Path) -> Mapping[str, Any] | None:
    """A TOML file; none where there is no such file.

    Raises:
        ConfigError: It cannot be read, or is not TOML.
    """
    text = read_text(path)
    if text is None:
        return None
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):
        raise ConfigError(f"`{path}` is not a TOML document") from None


def table(value: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    """A table inside of tables; empty where something else stands there."""
    for key in keys:
        found = value.get(key)
        value = found if isinstance(found, dict) else {}
    return value


def tables(value: Mapping[str, Any], key: str) -> Iterator[Mapping[str, Any]]:
    """The tables of an array of tables."""
    found = value.get(key)
    if isinstance(found, list):
        yield from (entry for entry in found if isinstance(entry, dict))


def text(value: Mapping[str, Any], key: str) -> str | None:
    """A string that is not empty."""
    found = value.get(key)
    return found if isinstance(found, str) and found else None


def texts(value: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """A list of strings."""
    found = value.get(key)
    return tuple(item for item in found if isinstance(item, str) and item) if isinstance(found, list) else ()
