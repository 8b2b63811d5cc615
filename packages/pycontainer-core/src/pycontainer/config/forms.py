"""The one form in which `BuildConfig` stores each shape of value: the first of two checks.

form(OPTIONS["tag"], "a:1") == ("a:1",)
form(OPTIONS["ports"], [8000]) == ("8000",)
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pycontainer.config.option import Option, Shape
from pycontainer.config.values import ExtraFile, show
from pycontainer.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable


def form(option: Option, value: object) -> Any:
    """The value in its stored form; none stays none where the option allows it.

    Raises:
        ConfigError: The value is of another type than the option's.
    """
    return _FORMS[option.shape](option, value)


def _text(option: Option, value: object) -> str:
    if not isinstance(value, str):
        raise _mistyped("a string", value)
    if not value:
        raise ConfigError("The value is empty", facts=[f"expected: {option.metavar or 'a string'}"])
    return _encodable(value)


def _path(option: Option, value: object) -> str:
    if not isinstance(value, (str, os.PathLike)):
        raise _mistyped("a path", value)
    text = os.fspath(value)
    if not isinstance(text, str) or not text or "\0" in text:
        raise ConfigError("The value is not a path", facts=[f"expected: {option.metavar}"])
    return text


def _boolean(_: Option, value: object) -> bool:
    if not isinstance(value, bool):
        raise _mistyped("true or false", value)
    return value


def _integer(_: Option, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _mistyped("a whole number", value)
    return value


def _choice(option: Option, value: object) -> str:
    if value not in option.choices:
        expected = " or ".join(f"`{choice}`" for choice in option.choices)
        raise ConfigError(f"`{show(str(value))}` is not a choice", facts=[f"expected: {expected}"])
    return str(value)


def _time(_: Option, value: object) -> int | str:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise _mistyped("seconds since 1970, or RFC 3339", value)
    return value


def _texts(option: Option, value: object) -> tuple[str, ...]:
    items = commas(value) if option.commas and isinstance(value, str) else _sequence(value)
    return tuple(dict.fromkeys(_text(option, item) for item in items))


def commas(text: str) -> list[str]:
    """The values between commas; of an empty text, one that is empty, so that it is told as wrong."""
    return [part.strip() for part in text.split(",") if part.strip()] or [""]


def _words(_: Option, value: object) -> tuple[str, ...]:
    words = _split(value) if isinstance(value, str) else _sequence(value)
    if not all(isinstance(word, str) for word in words):
        raise _mistyped("a list of strings", value)
    if any("\0" in word for word in words):
        raise ConfigError("A word of the command holds a NUL character")
    return tuple(_encodable(word) for word in words)


def _split(text: str) -> list[Any]:
    """The words of a command line, in a shell's form or, as in a Dockerfile, a JSON list."""
    if text.lstrip().startswith("["):
        with suppress(ValueError):
            listed: list[Any] = json.loads(text)
            return listed
    try:
        return shlex.split(text)
    except ValueError as error:
        raise ConfigError(
            f"`{show(text)}` cannot be split into words", facts=[f"reason: {str(error).lower()}"]
        ) from error


def _ports(_: Option, value: object) -> tuple[str, ...]:
    value = [value] if isinstance(value, int) else value
    items: Sequence[Any] = commas(value) if isinstance(value, str) else _sequence(value)
    if any(isinstance(item, bool) or not isinstance(item, (int, str)) for item in items):
        raise _mistyped("a list of numbers, or of strings such as `53/udp`", value)
    return tuple(str(item) for item in items)


def _mapping(_: Option, value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise _mistyped("a table of strings", value)
    for key, item in value.items():
        if not isinstance(key, str) or not isinstance(item, str):
            raise ConfigError(
                f"The value of `{show(str(key))}` is not a string",
                facts=[f"found: {_name(item)}", "expected: a string, in quotes"],
            )
    return {_encodable(key): _encodable(item) for key, item in value.items()}


def _files(option: Option, value: object) -> tuple[ExtraFile, ...]:
    single = isinstance(value, (str, ExtraFile))
    items = (value,) if single else _sequence(value)
    return tuple(item if isinstance(item, ExtraFile) else ExtraFile.parse(_text(option, item)) for item in items)


def _secret(option: Option, value: object) -> object:
    from pycontainer.transports.secrets import Redacted  # noqa: PLC0415 - needed only where there is a password

    if isinstance(value, Redacted):
        return value
    if not isinstance(value, str):  # never quoted
        raise ConfigError("The value is not a string", facts=[f"expected: {option.help}"])
    return Redacted(value)


def _policies(_: Option, value: object) -> tuple[Any, ...]:
    """Policies, or tables of them, one by one; `pycontainer.config.policy` knows what may be in one."""
    return tuple(value) if isinstance(value, (list, tuple)) else (value,)


_FORMS: dict[Shape, Callable[[Option, object], Any]] = {
    Shape.TEXT: _text,
    Shape.PATH: _path,
    Shape.BOOLEAN: _boolean,
    Shape.INTEGER: _integer,
    Shape.CHOICE: _choice,
    Shape.TIME: _time,
    Shape.TEXTS: _texts,
    Shape.WORDS: _words,
    Shape.PORTS: _ports,
    Shape.OUTPUTS: _texts,
    Shape.MAPPING: _mapping,
    Shape.FILES: _files,
    Shape.SECRET: _secret,
    Shape.POLICY: _policies,
}


def _sequence(value: object) -> Sequence[Any]:
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, Sequence) or isinstance(value, (bytes, bytearray)):
        raise _mistyped("a list of strings", value)
    return value


def _encodable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ConfigError(f"`{show(text)}` is not UTF-8") from error
    return text


def _mistyped(expected: str, value: object) -> ConfigError:
    return ConfigError("The value is of the wrong type", facts=[f"found: {_name(value)}", f"expected: {expected}"])


_NAMES = {
    str: "a string",
    bool: "true or false",
    int: "a number",
    float: "a number with a fraction",
    list: "a list",
    tuple: "a list",
    dict: "a table",
    type(None): "nothing",
}


def _name(value: object) -> str:
    return _NAMES.get(type(value), type(value).__name__)
