"""`pycontainer cache info`: where the cache is, how much it holds of each kind, and how much it may."""

from __future__ import annotations

import datetime as dt
import os
from typing import TYPE_CHECKING

from pycontainer.frontend import exit_codes
from pycontainer_cli.arguments import add_own, option_parser, parse_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycontainer_cli.arguments import CommandParser

OPTIONS = ("cache_dir", "context_path", "config_file")


def parser() -> CommandParser:
    """The parser of the command."""
    made = option_parser("cache info", "Show where layers and downloads are kept, and how much of each.", OPTIONS)
    add_own(made, "print it as JSON")
    return made


def run(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    given = parse_options(parser(), arguments)

    from pycontainer.builder.cache_limit import MAX_SIZE  # noqa: PLC0415 - not for `--help`
    from pycontainer.builder.ledger import format_size  # noqa: PLC0415 - as above
    from pycontainer_cli.cache_folders import cache_directory, kept  # noqa: PLC0415 - as above
    from pycontainer_cli.output import write_json, write_line  # noqa: PLC0415 - as above

    home = cache_directory(given, os.environ)
    found = kept(home)
    size = sum(each.size for each in found)
    if given.others["json"]:
        kinds = {
            each.kind: {"files": each.files, "size": each.size, "oldest_use": _time(each.oldest)} for each in found
        }
        write_json({"directory": str(home), "size": size, "limit": MAX_SIZE, "kinds": kinds})
        return exit_codes.OK
    write_line(f"{home}  {format_size(size)} of {format_size(MAX_SIZE)}")
    for each in found:
        if each.files:
            day = f"oldest use {(_time(each.oldest) or '')[:10]}"
            write_line(f"  {each.kind:<17} {each.files:>6} files  {format_size(each.size):>8}  {day}")
    return exit_codes.OK


def _time(seconds: float | None) -> str | None:
    """RFC 3339, in UTC."""
    if seconds is None:
        return None
    return dt.datetime.fromtimestamp(seconds, dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
