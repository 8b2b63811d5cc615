"""`pycontainer outdated`: what is newer than `pycontainer.lock` says."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from pycontainer.frontend import exit_codes
from pycontainer_cli.arguments import add_own, option_parser, parse_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycontainer_cli.arguments import CommandParser

_DESCRIPTION = """\
Compare pycontainer.lock with the registry and the archive as they are now: the base image, and
each operating system package. `pycontainer lock` takes what is newer."""
_NOTHING = "-"


def parser() -> CommandParser:
    """The parser of the command."""
    made = option_parser("outdated", _DESCRIPTION)
    own = add_own(made, "print the list as JSON")
    own.add_argument("--check", action="store_true", help="fail where anything is newer")
    return made


def run(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    given = parse_options(parser(), arguments)

    from pycontainer.builder.locker import ImageLocker  # noqa: PLC0415 - not for `--help`
    from pycontainer_cli.loading import load  # noqa: PLC0415 - as above
    from pycontainer_cli.output import write_json, write_line  # noqa: PLC0415 - as above
    from pycontainer_cli.progress import reporting  # noqa: PLC0415 - as above

    loaded = load(given, os.environ)
    with reporting(loaded, sys.stderr, os.environ) as emit:
        rows = ImageLocker(loaded.config, emit=emit).outdated()
    fields = ("name", "platform", "locked", "available")
    if given.others["json"]:
        write_json([{field: getattr(row, field) for field in fields} for row in rows])
    else:
        texts = [[getattr(row, field) or _NOTHING for field in fields] for row in rows]
        widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
        for text in texts:
            write_line("  ".join(f"{part:<{width}}" for part, width in zip(text, widths, strict=True)).rstrip())
    return exit_codes.FAILED if given.others["check"] and rows else exit_codes.OK
