"""`pycontainer cache prune`: remove what nobody has used for an hour, and no running build may still need."""

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
    made = option_parser("cache prune", "Remove the layers and downloads that have not been used for an hour.", OPTIONS)
    add_own(made, "print it as JSON")
    return made


def run(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    given = parse_options(parser(), arguments)

    from pycontainer.builder.cache_limit import prune  # noqa: PLC0415 - not for `--help`
    from pycontainer.builder.ledger import format_size  # noqa: PLC0415 - as above
    from pycontainer_cli.cache_folders import cache_directory, folders  # noqa: PLC0415 - as above
    from pycontainer_cli.output import write_json, write_line  # noqa: PLC0415 - as above

    home = cache_directory(given, os.environ)
    before = sum(folder.size for folder in folders(home))
    prune(home)
    after = sum(folder.size for folder in folders(home))
    if given.others["json"]:
        write_json({"directory": str(home), "removed": before - after, "kept": after})
    else:
        write_line(f"{home}  removed {format_size(before - after)}, kept {format_size(after)}")
    return exit_codes.OK
