"""`pycontainer cache prune`: remove what nobody has used for an hour, or what the options say."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pycontainer.frontend import exit_codes
from pycontainer_cli.arguments import add_own, option_parser, parse_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycontainer_cli.arguments import CommandParser

OPTIONS = ("cache_dir", "context_path", "config_file")
_DESCRIPTION = """\
Remove the layers and downloads that have not been used for an hour. What a running build may still
need stays, and so does what the options say. What was used least recently leaves first."""


def parser() -> CommandParser:
    """The parser of the command."""
    made = option_parser("cache prune", _DESCRIPTION, OPTIONS)
    own = add_own(made, "print it as JSON")
    own.add_argument("--all", action="store_true", help="remove everything, however recently it was used")
    own.add_argument("--older-than", metavar="TIME", help="only what was not used for so long: 90m, 12h, 30d")
    own.add_argument("--max-size", metavar="SIZE", help="only until so much is left: 500MB, 2GB")
    return made


def run(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    given = parse_options(parser(), arguments)

    from pycontainer.builder.cache_limit import prune  # noqa: PLC0415 - not for `--help`
    from pycontainer.builder.ledger import format_size  # noqa: PLC0415 - as above
    from pycontainer_cli.cache_folders import cache_directory, kept  # noqa: PLC0415 - as above
    from pycontainer_cli.output import write_json, write_line  # noqa: PLC0415 - as above
    from pycontainer_cli.quantities import parse_duration, parse_size  # noqa: PLC0415 - as above

    older_than = parse_duration(given.others["older_than"] or "0s", "--older-than")
    max_size = parse_size(given.others["max_size"] or "0B", "--max-size")
    home = cache_directory(given, os.environ)
    before = sum(each.size for each in kept(home))
    prune(home, max_size=max_size, older_than=older_than, everything=given.others["all"])
    after = sum(each.size for each in kept(home))
    if given.others["json"]:
        write_json({"directory": str(home), "removed": before - after, "kept": after})
    else:
        write_line(f"{home}  removed {format_size(before - after)}, kept {format_size(after)}")
    return exit_codes.OK
