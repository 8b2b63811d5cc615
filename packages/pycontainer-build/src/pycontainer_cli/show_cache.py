"""`pycontainer cache info`: where the cache is, and how much it holds."""

from __future__ import annotations

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
    made = option_parser("cache info", "Show where layers and downloads are kept, and how much there is.", OPTIONS)
    add_own(made, "print it as JSON")
    return made


def run(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    given = parse_options(parser(), arguments)

    from pycontainer.builder.ledger import format_size  # noqa: PLC0415 - not for `--help`
    from pycontainer_cli.cache_folders import cache_directory, folders  # noqa: PLC0415 - as above
    from pycontainer_cli.output import write_json, write_line  # noqa: PLC0415 - as above

    home = cache_directory(given, os.environ)
    found = folders(home)
    if given.others["json"]:
        rows = {folder.name: {"files": folder.files, "size": folder.size} for folder in found}
        write_json({"directory": str(home), "size": sum(folder.size for folder in found), "folders": rows})
        return exit_codes.OK
    write_line(f"{home}  {format_size(sum(folder.size for folder in found))}")
    for folder in found:
        write_line(f"  {folder.name:<12} {folder.files:>6} files  {format_size(folder.size):>8}")
    return exit_codes.OK
