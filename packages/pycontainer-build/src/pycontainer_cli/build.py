"""`pycontainer build`: the digest reference alone on standard output, everything else on standard error."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from pycontainer.frontend import exit_codes
from pycontainer_cli.arguments import add_own, option_parser, parse_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycontainer.builder import BuildResult
    from pycontainer.plan import BuildPlan
    from pycontainer_cli.arguments import CommandParser

_DESCRIPTION = """\
Build the image of a project, from its lock file, and push it where asked.

Options may also stand in pycontainer.toml, in [tool.pycontainer] of pyproject.toml, and in
PYCONTAINER_... variables. The command line goes before variables, and these before files.

With --package more than once, or --all-packages, the images of several members of a workspace are
built side by side. {name} in a tag or an output stands for the name of the project."""


def parser() -> CommandParser:
    """The parser of the command."""
    made = option_parser("build", _DESCRIPTION)
    own = add_own(made, "print the result, or the plan, as JSON")
    own.add_argument("--all-packages", action="store_true", help="build the image of every member of the workspace")
    return made


def run(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    given = parse_options(parser(), arguments)
    packages = given.options.get("package")
    if given.others["all_packages"] or (isinstance(packages, list) and len(packages) > 1):
        from pycontainer_cli.build_members import run_members  # noqa: PLC0415 - most builds are of one project

        return run_members(given)

    from pycontainer_cli.loading import load  # noqa: PLC0415 - not for `--help`
    from pycontainer_cli.progress import reporting  # noqa: PLC0415 - as above

    loaded = load(given, os.environ)
    with reporting(loaded, sys.stderr, os.environ) as emit:
        from pycontainer.builder import ImageBuilder  # noqa: PLC0415 - the whole house, not for `--help`

        outcome = ImageBuilder(loaded.config, emit=emit).run()
        _write(outcome, as_json=given.others["json"])
    return exit_codes.OK


def _write(outcome: BuildPlan | BuildResult, *, as_json: bool) -> None:
    from pycontainer.frontend.messages import clean  # noqa: PLC0415 - not for `--help`
    from pycontainer_cli.output import write_json, write_line  # noqa: PLC0415 - as above

    if as_json:
        write_json(outcome.to_json())
        return
    for line in outcome.describe().splitlines():
        write_line(clean(line))
