"""What a user wrote, as text or in TOML, read into the values that `BuildConfig` takes.

    read_texts(OPTIONS["env"], ["PORT=8080"]) == {"PORT": "8080"}
    read_toml(OPTIONS["extra_files"], [{"source": "app.ini", "destination": "/etc/app.ini"}])

Only the notation is read here; `checks` says whether the value is right.
"""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

from pycontainer.config.forms import commas
from pycontainer.config.option import Option, Shape
from pycontainer.config.values import ARCHIVE_FORMATS, ExtraFile, show
from pycontainer.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_FALSE: Final = frozenset({"0", "false", "no", "off"})
_FILE_KEYS: Final = ("source", "destination", "mode", "owner")


def read_texts(option: Option, texts: Sequence[str]) -> Any:
    """The value of texts from a command line, one for each time that the flag was given.

    Of an option with one value the last text counts.

    Raises:
        ConfigError: A text is not in the option's notation.
    """
    if option.shape is Shape.MAPPING:
        return dict(_pair(option, text) for text in texts)
    if option.several:
        return [part for text in texts for part in (commas(text) if option.commas else [text])]
    text = texts[-1]
    if option.shape is Shape.BOOLEAN:
        return _truth(text)
    if option.shape is Shape.INTEGER:
        return _number(text)
    if option.shape is Shape.WORDS and text.lstrip().startswith("["):
        return _json_words(text)
    return text


def read_variable(option: Option, text: str) -> Any:
    """The value of an environment variable; several values stand on lines of their own, or between commas.

    Raises:
        ConfigError: The text is not in the option's notation.
    """
    texts = [line for line in text.splitlines() if line.strip()] if option.several else [text]
    return read_texts(option, texts)


def read_toml(option: Option, value: object) -> Any:
    """The value of a TOML file: tables of files, lists of mirrors and dates get the form that the library takes.

    Raises:
        ConfigError: A table of a file is malformed.
    """
    if option.shape is Shape.FILES and isinstance(value, list):
        return [_file(item) if isinstance(item, dict) else item for item in value]
    if option.name == "mirrors" and isinstance(value, dict):
        return {key: ",".join(item) if _is_texts(item) else item for key, item in value.items()}
    if option.commas and isinstance(value, str):
        return commas(value)
    if option.shape is Shape.TIME and isinstance(value, (datetime, date)):
        return value.isoformat()
    return value


def anchored(option: Option, value: Any, *, base: Path, context: Path) -> Any:
    """The value with its relative paths made relative to the context, or absolute.

    Paths on a command line and in variables are relative to the current directory (`base`), those in a file to the
    file; those of `BuildConfig` to the context.
    """
    if base.resolve() == context.resolve():
        return value
    if option.shape is Shape.PATH and isinstance(value, str):
        return str(base.resolve() / value)
    if option.shape is Shape.OUTPUTS or option.name == "base_image":
        texts = [value] if isinstance(value, str) else value
        moved = [_anchored_archive(text, base) for text in texts] if _is_texts(texts) else value
        return moved[0] if isinstance(value, str) else moved
    if option.shape is Shape.FILES and isinstance(value, list):
        return [_anchored_file(item, base) for item in value]
    return value


def _anchored_archive(text: str, base: Path) -> str:
    kind, colon, path = text.partition(":")
    return f"{kind}:{base.resolve() / path}" if colon and path and kind in ARCHIVE_FORMATS else text


def _anchored_file(item: object, base: Path) -> object:
    if isinstance(item, str):
        try:
            item = ExtraFile.parse(item)
        except ConfigError:  # told where all values are checked
            return item
    if isinstance(item, ExtraFile):
        return ExtraFile(
            source=str(base.resolve() / item.source),
            destination=item.destination,
            mode=item.mode,
            owner=item.owner,
        )
    return item


def _pair(option: Option, text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        # The text may be a value without its name, and then secret.
        raise ConfigError("A value has no name", facts=[f"expected: {option.metavar}"])
    return key, value


def _truth(text: str) -> bool:
    lowered = text.strip().lower()
    if lowered not in _TRUE | _FALSE:
        raise ConfigError(f"`{show(text)}` is neither true nor false", facts=["expected: `1` or `0`"])
    return lowered in _TRUE


def _number(text: str) -> int:
    if not text.strip().isdecimal():
        raise ConfigError(f"`{show(text)}` is not a whole number")
    return int(text[:20])


def _json_words(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(
            f"`{show(text)}` is not a JSON list", facts=['expected: such as `["python", "-m", "myapp"]`']
        ) from error


def _file(table: Mapping[str, object]) -> ExtraFile:
    unknown = [key for key in table if key not in _FILE_KEYS]
    if unknown or "source" not in table or "destination" not in table:
        raise ConfigError(
            "A table of a file is incomplete" if not unknown else f"`{show(unknown[0])}` is not a key of a file",
            facts=["expected: `source`, `destination`, and where wanted `mode` and `owner`"],
        )
    texts = {key: value for key, value in table.items() if isinstance(value, str)}
    others = [key for key in table if key not in texts]
    if others:
        raise ConfigError(
            f"The `{others[0]}` of a file is not a string", facts=['expected: in quotes, such as `"0644"`']
        )
    return ExtraFile.of(
        source=texts["source"], destination=texts["destination"], mode=texts.get("mode"), owner=texts.get("owner")
    )


def _is_texts(value: object) -> bool:
    return isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value)
