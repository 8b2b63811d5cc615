"""`pycontainer cache verify`: hash all that is kept again, and remove what is damaged."""

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
Hash all that is kept again. Entries that are damaged are named and removed: the next build that
needs them fetches or makes them again. The exit code is 1 then, for the disk may be failing."""


def parser() -> CommandParser:
    """The parser of the command."""
    made = option_parser("cache verify", _DESCRIPTION, OPTIONS)
    add_own(made, "print it as JSON")
    return made


def run(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    given = parse_options(parser(), arguments)

    from pycontainer.builder.cache_check import check_cache  # noqa: PLC0415 - not for `--help`
    from pycontainer.builder.ledger import format_size  # noqa: PLC0415 - as above
    from pycontainer_cli.cache_folders import cache_directory  # noqa: PLC0415 - as above
    from pycontainer_cli.output import write_json, write_line  # noqa: PLC0415 - as above

    home = cache_directory(given, os.environ)
    checked = check_cache(home)
    damaged = [(file.kind, str(file.path.relative_to(home))) for file in checked.damaged]
    if given.others["json"]:
        entries = [{"kind": kind, "path": path} for kind, path in damaged]
        write_json({"directory": str(home), "files": checked.files, "size": checked.size, "damaged": entries})
    else:
        for kind, path in damaged:
            write_line(f"  removed {path} ({kind})")
        write_line(f"{home}  {checked.files} files, {format_size(checked.size)}, {len(damaged)} damaged")
    return exit_codes.FAILED if damaged else exit_codes.OK
