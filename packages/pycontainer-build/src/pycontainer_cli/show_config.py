"""`pycontainer config`: every option, its value, and where that came from; or the JSON Schema of the files."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING, Any, Final, Literal

from pycontainer.frontend import exit_codes
from pycontainer_cli.arguments import add_own, option_parser, parse_options

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pycontainer.config import Policy
    from pycontainer.config.load import Loaded
    from pycontainer.config.option import Option
    from pycontainer_cli.arguments import CommandParser

_DESCRIPTION = "Show the configuration that a build with the same options would have, and where each value comes from."
_FILES: Final[tuple[Literal["pycontainer.toml", "pyproject.toml"], ...]] = ("pycontainer.toml", "pyproject.toml")


def parser() -> CommandParser:
    """The parser of the command."""
    made = option_parser("config", _DESCRIPTION)
    own = add_own(made, "print it as JSON")
    own.add_argument(
        "--schema",
        nargs="?",
        metavar="FILE",
        const=_FILES[0],
        help="print the JSON Schema of `pycontainer.toml`, or of `[tool.pycontainer]` in `pyproject.toml`",
    )
    return made


def run(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    given = parse_options(parser(), arguments)

    from pycontainer_cli.output import write_json, write_line  # noqa: PLC0415 - not for `--help`

    if given.others["schema"]:
        write_json(_schema(given.others["schema"]))
        return exit_codes.OK

    from pycontainer.frontend.messages import Message, clean  # noqa: PLC0415 - as above
    from pycontainer_cli.loading import load  # noqa: PLC0415 - as above
    from pycontainer_cli.render import Style, render_warning  # noqa: PLC0415 - as above

    loaded = load(given, os.environ)
    for warning in loaded.warnings:
        sys.stderr.write(render_warning(Message(text=clean(warning)), Style.of(sys.stderr, os.environ)) + "\n")
    rows = list(_rows(loaded))
    if given.others["json"]:
        write_json({name: {"value": value, "source": source} for name, value, source in rows})
        return exit_codes.OK
    widths = [max(len(row[column]) for row in _texts(rows)) for column in (0, 1)]
    for name, value, source in _texts(rows):
        write_line(clean(f"{name:<{widths[0]}}  {value:<{min(widths[1], 40)}}  {source}"))
    return exit_codes.OK


def _schema(file: str) -> dict[str, Any]:
    from pycontainer.config.schema import configuration_schema  # noqa: PLC0415 - not for `--help`
    from pycontainer.errors import ConfigError  # noqa: PLC0415 - as above

    for known in _FILES:
        if file == known:
            return configuration_schema(known)
    raise ConfigError(f"There is no schema of `{file[:40]}`", facts=[f"available: {', '.join(_FILES)}"])


def _rows(loaded: Loaded) -> Iterator[tuple[str, Any, str]]:
    """Name, value without secrets, and source of every option; tables one row a key."""
    from pycontainer.config.options import OPTIONS  # noqa: PLC0415 - not for `--help`

    for name, value in loaded.config.as_dict().items():
        option = OPTIONS[name]
        if option.name == "policy" and value:
            yield from _policy_rows(value)
            continue
        title = f"{option.table}.{option.toml_key}" if option.table == "registry" else option.toml_key
        if isinstance(value, dict) and value:
            for key, item in value.items():
                yield f"{title}.{key}", _shown(option, item, key), str(loaded.origin(name, key))
        else:
            yield title, _shown(option, value), str(loaded.origin(name))


def _policy_rows(policies: Sequence[Policy]) -> Iterator[tuple[str, Any, str]]:
    """Every rule of every policy: all of them count, so that none replaces another."""
    for number, policy in enumerate(policies, 1):
        prefix = "policy" if number == 1 else f"policy-{number}"
        for key, value in policy.rules().items():
            yield f"{prefix}.{key}", list(value) if isinstance(value, tuple) else value, policy.origin


def _shown(option: Option, value: Any, key: str = "") -> Any:
    from pycontainer.config.secrets import looks_secret  # noqa: PLC0415 - not for `--help`
    from pycontainer.transports.secrets import MASK, redact_url  # noqa: PLC0415 - as above

    if option.name in {"index_url", "os_snapshot"} and value:
        return redact_url(value)
    if option.name == "os_archive":
        return [" ".join(map(redact_url, item.split())) for item in value]
    if option.name == "env" and looks_secret(key):
        return MASK
    if isinstance(value, (list, tuple)):
        return [item if isinstance(item, str) else str(item) for item in value]
    return value if value is None or isinstance(value, (bool, int, str, dict)) else str(value)


def _texts(rows: Sequence[tuple[str, Any, str]]) -> list[tuple[str, str, str]]:
    return [(name, _text(value), source) for name, value, source in rows]


def _text(value: Any) -> str:
    match value:
        case dict() if value:
            return " ".join(map(_word, value))
        case None | [] | {}:
            return "-"
        case bool():
            return "yes" if value else "no"
        case list():
            return " ".join(_word(item) for item in value)
        case _:
            return str(value)


def _word(text: str) -> str:
    return text if re.fullmatch(r"[\w.,:/@=+-]+", text) else repr(text)
