"""`pycontainer build` for several members of a workspace: one digest reference a line, and who failed at the end."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from pycontainer.frontend import exit_codes
from pycontainer.value import replace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pycontainer.builder import BuildResult
    from pycontainer.config import BuildConfig
    from pycontainer.errors import PyContainerError
    from pycontainer_cli.arguments import Given


def run_members(given: Given) -> int:
    """Build, or plan, the members that the command line names, or all; the exit code.

    Raises:
        PyContainerError: Nothing could be begun.
    """
    from pycontainer.builder.members import build_members, choose_members, plan_members  # noqa: PLC0415 - slow
    from pycontainer_cli.loading import load_members  # noqa: PLC0415 - as above
    from pycontainer_cli.output import write_json  # noqa: PLC0415 - as above
    from pycontainer_cli.progress import reporting  # noqa: PLC0415 - as above

    named = given.options.get("package")
    names = named if isinstance(named, list) and not given.others["all_packages"] else []
    loaded = load_members(given, os.environ, lambda config: choose_members(config.root, names))
    configs = {name: _with_output(name, each.config) for name, each in loaded.items()}
    first = next(iter(loaded.values()))
    warnings = dict.fromkeys(warning for each in loaded.values() for warning in each.warnings)
    with reporting(replace(first, warnings=tuple(warnings)), sys.stderr, os.environ) as emit:
        if first.config.dry_run:
            plans = plan_members(configs, emit=emit)
            if given.others["json"]:
                write_json([{"package": name, **plan.to_json()} for name, plan in plans.items()])
            else:
                _write_plans({name: plan.describe() for name, plan in plans.items()})
            return exit_codes.OK
        outcomes = build_members(configs, emit=emit)
    return _write(outcomes, as_json=given.others["json"])


def _with_output(name: str, config: BuildConfig) -> BuildConfig:
    """Each in a folder of its own, where no option says where to."""
    return config if config.output or config.push else replace(config, output=f"oci:dist/{name}")


def _write_plans(plans: Mapping[str, str]) -> None:
    from pycontainer.frontend.messages import clean  # noqa: PLC0415 - as above
    from pycontainer_cli.output import write_line  # noqa: PLC0415 - slow

    for name, text in plans.items():
        write_line(f"{clean(name)}:")
        for line in text.splitlines():
            write_line(f"  {clean(line)}" if line else "")


def _write(outcomes: Mapping[str, BuildResult | PyContainerError], *, as_json: bool) -> int:
    """Results to standard output; after them, who failed and why to standard error."""
    from pycontainer.errors import PyContainerError  # noqa: PLC0415 - slow
    from pycontainer_cli.output import write_json, write_line  # noqa: PLC0415 - as above

    failures = {name: each for name, each in outcomes.items() if isinstance(each, PyContainerError)}
    if as_json:
        write_json([{"package": name, **_to_json(each)} for name, each in outcomes.items()])
    else:
        results = [each for each in outcomes.values() if not isinstance(each, PyContainerError)]
        for reference in dict.fromkeys(reference for result in results for reference in result.references):
            write_line(reference)
    sys.stdout.flush()
    return _tell_failures(failures, of=len(outcomes)) if failures else exit_codes.OK


def _to_json(outcome: BuildResult | PyContainerError) -> dict[str, object]:
    from pycontainer.errors import PyContainerError  # noqa: PLC0415 - slow
    from pycontainer.frontend.errors import error_json  # noqa: PLC0415 - as above
    from pycontainer_cli.render import flag  # noqa: PLC0415 - as above

    return error_json(outcome, spell=flag) if isinstance(outcome, PyContainerError) else outcome.to_json()


def _tell_failures(failures: Mapping[str, PyContainerError], *, of: int) -> int:
    """The errors, and one line that names all who had one; the exit code is theirs where it is one and the same."""
    from pycontainer.frontend.messages import clean  # noqa: PLC0415 - only for an error
    from pycontainer_cli.render import Style, render_error  # noqa: PLC0415 - as above

    style = Style.of(sys.stderr, os.environ)
    for name, error in failures.items():
        error.message = f"{name}: {error.message}"
        sys.stderr.write(f"{render_error(error, style)}\n\n")
    names = ", ".join(f"`{clean(name)}`" for name in failures)
    sys.stderr.write(f"{len(failures)} of {of} images could not be built: {names}\n")
    codes = {exit_codes.exit_code(error) for error in failures.values()}
    return codes.pop() if len(codes) == 1 else exit_codes.FAILED
