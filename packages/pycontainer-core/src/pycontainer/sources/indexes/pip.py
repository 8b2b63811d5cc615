"""pip's settings of indexes: `PIP_*` and its configuration files (its documentation, *Configuration*)."""

from __future__ import annotations

import configparser
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pycontainer.errors import ConfigError
from pycontainer.sources.indexes.model import Index, IndexSettings
from pycontainer.sources.tables import read_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_TRUE = frozenset({"y", "yes", "t", "true", "on", "1"})
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
_OPTIONS = ("index-url", "extra-index-url", "find-links", "no-index", "cert", "trusted-host", "keyring-provider")


def pip_settings(root: Path, environment: Mapping[str, str]) -> IndexSettings:
    """The variables first, then the files: the environment's own, the user's, the system's.

    A setting replaces the same one of a file that counts less, as in pip: lists are not joined.

    Raises:
        ConfigError: A file that cannot be read.
    """
    found: dict[str, tuple[str, str]] = {}
    for option in _OPTIONS:
        variable = f"PIP_{option.upper().replace('-', '_')}"
        if value := environment.get(variable, "").strip():
            found[option] = (value, f"`{variable}`")
    for path in _files(environment):
        for option, value in _options(path).items():
            found.setdefault(option, (value, f"`{path}`"))
    return _settings(found, root)


def _settings(found: Mapping[str, tuple[str, str]], root: Path) -> IndexSettings:
    def listed(option: str) -> tuple[Index, ...]:
        value, source = found.get(option, ("", ""))
        return tuple(Index.parse(_absolute(item, root), source=source, tool="pip") for item in value.split())

    def one(option: str) -> str:
        return found.get(option, ("", ""))[0]

    default = listed("index-url")
    return IndexSettings(
        default=default[0] if default else None,
        extra=listed("extra-index-url"),
        find_links=listed("find-links"),
        no_index=one("no-index").lower() in _TRUE,
        keyring=one("keyring-provider") in {"subprocess", "import"},
        ca_files=(Path(one("cert")).expanduser(),) if one("cert") else (),
        insecure_hosts=frozenset(one("trusted-host").split()),
    )


def _files(environment: Mapping[str, str]) -> Iterator[Path]:
    """The files, the one that counts most first."""
    named = environment.get("PIP_CONFIG_FILE")
    if named == os.devnull:
        return
    if named:
        yield Path(named)
    name = "pip.ini" if sys.platform == "win32" else "pip.conf"
    prefix = environment.get("VIRTUAL_ENV")
    if prefix:
        yield Path(prefix) / name
    home = Path(environment.get("HOME") or os.path.expanduser("~"))  # noqa: PTH111 - a home that is absent is no error
    if sys.platform == "win32":
        roaming = environment.get("APPDATA")
        yield from [Path(roaming) / "pip" / name] if roaming else []
        yield home / "pip" / name
        yield Path(environment.get("PROGRAMDATA") or "C:\\ProgramData") / "pip" / name
        return
    config = Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "pip" / name
    support = home / "Library" / "Application Support" / "pip"
    yield support / name if sys.platform == "darwin" and support.is_dir() else config
    yield home / ".pip" / name
    yield Path("/etc") / name
    shared = environment.get("XDG_CONFIG_DIRS", "/etc/xdg").split(":")
    if sys.platform == "darwin":
        shared = ["/Library/Application Support"]
    yield from (Path(folder) / "pip" / name for folder in shared if folder.startswith("/"))


def _options(path: Path) -> dict[str, str]:
    text = read_text(path)
    if text is None:
        return {}
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(text)
    except configparser.Error:
        raise ConfigError(f"`{path}` is not a configuration file of pip") from None
    options: dict[str, str] = {}
    for section in ("global", "install"):
        if parser.has_section(section):
            items = parser.items(section)
            options |= {name.replace("_", "-"): value.strip() for name, value in items if value and value.strip()}
    return {name: value for name, value in options.items() if name in _OPTIONS}


def _absolute(value: str, root: Path) -> str:
    """An address as it is; a path relative to where pip would run."""
    return value if _ADDRESS.match(value) else str((root / Path(value).expanduser()).absolute())
