"""`pycontainer lock`: writes `pycontainer.lock`, the base image and the operating system packages of every platform."""

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
Choose the base image and the operating system packages anew, and write them down by digest and
hash in pycontainer.lock, for every platform. Builds take exactly these from then on.

Dependencies are locked by the project's own tool, not by this command."""


def parser() -> CommandParser:
    """The parser of the command."""
    made = option_parser("lock", _DESCRIPTION)
    own = add_own(made, "print the lock as JSON")
    own.add_argument("--check", action="store_true", help="write nothing, and fail where the lock would change")
    return made


def run(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    given = parse_options(parser(), arguments)

    import msgspec  # noqa: PLC0415 - not for `--help`

    from pycontainer.builder.locker import ImageLocker  # noqa: PLC0415 - as above
    from pycontainer.events import Noted  # noqa: PLC0415 - as above
    from pycontainer_cli.loading import load  # noqa: PLC0415 - as above
    from pycontainer_cli.output import write_json, write_line  # noqa: PLC0415 - as above
    from pycontainer_cli.progress import reporting  # noqa: PLC0415 - as above

    loaded = load(given, os.environ)
    check = given.others["check"]
    with reporting(loaded, sys.stderr, os.environ) as emit:
        result = ImageLocker(loaded.config, emit=emit).lock(write=not check)
        said = "is up to date"
        if result.changed:
            said = "would change" if check else "written"
        emit(Noted(message=f"{result.path.name} {said}"))
    if given.others["json"]:
        write_json({"changed": result.changed, "lock": msgspec.to_builtins(result.lock)})
    else:
        write_line(str(result.path))
    return exit_codes.FAILED if check and result.changed else exit_codes.OK
