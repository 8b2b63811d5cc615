"""`pycontainer build`: the digest reference alone on standard output, everything else on standard error."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from pycontainer_cli import exit_codes
from pycontainer_cli.arguments import add_own, option_parser, parse_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycontainer.builder import BuildResult
    from pycontainer.config.load import Loaded
    from pycontainer.events import Emit
    from pycontainer_cli.arguments import CommandParser

_DESCRIPTION = """\
Build the image of a project, from its lock file, and push it where asked.

Options may also stand in pycontainer.toml, in [tool.pycontainer] of pyproject.toml, and in
PYCONTAINER_... variables. The command line goes before variables, and these before files."""


def parser() -> CommandParser:
    """The parser of the command."""
    made = option_parser("build", _DESCRIPTION)
    add_own(made, "print the result, or the plan, as JSON")
    return made


def run(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    given = parse_options(parser(), arguments)

    from pycontainer_cli.loading import load  # noqa: PLC0415 - not for `--help`
    from pycontainer_cli.progress import reporting  # noqa: PLC0415 - as above

    loaded = load(given, os.environ)
    with reporting(loaded, sys.stderr, os.environ) as emit:
        if loaded.config.dry_run:
            return _plan(loaded, emit, as_json=given.others["json"])
        return _build(loaded, emit, as_json=given.others["json"])


def _plan(loaded: Loaded, emit: Emit, *, as_json: bool) -> int:
    from pycontainer.builder import ImageBuilder  # noqa: PLC0415 - the whole house, not for `--help`
    from pycontainer.frontend.messages import clean  # noqa: PLC0415 - as above
    from pycontainer_cli.output import write_json, write_line  # noqa: PLC0415 - as above

    plan = ImageBuilder(loaded.config, emit=emit).plan()
    if as_json:
        write_json(plan.to_json())
    else:
        for line in plan.describe().splitlines():
            write_line(clean(line))
    return exit_codes.OK


def _build(loaded: Loaded, emit: Emit, *, as_json: bool) -> int:
    from pycontainer.builder import ImageBuilder  # noqa: PLC0415 - the whole house, not for `--help`
    from pycontainer.events import Noted  # noqa: PLC0415 - as above

    result = ImageBuilder(loaded.config, emit=emit).build()
    emit(Noted(message=str(result.ledger)))
    _write(result, as_json=as_json)
    return exit_codes.OK


def _write(result: BuildResult, *, as_json: bool) -> None:
    from pycontainer_cli.output import write_json, write_line  # noqa: PLC0415 - as above

    if as_json:
        write_json(result.to_json())
        return
    for reference in dict.fromkeys(result.references):
        write_line(reference)
