"""A project of Hatch on a bench, built by hatchling alone: what Hatch runs in its own environment."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from dataclasses import dataclass
from unittest import mock

from bench import SECRET, Bench, Outcome, inside
from contents import Contents, read_contents
from hatchling.cli import hatchling

from pycontainer.frontend import exit_codes
from pycontainer.transports.oci_layout import OCILayout

TARGET = "tool.hatch.build.targets.container"
PROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "Demo.App"
version = "1.0"
requires-python = ">=3.10"
scripts = { demo = "demo_app:main" }
"""
_DROPPED = ("HATCH_", "REGISTRY_", "SOURCE_DATE_EPOCH")

FAILURES = exit_codes.MEANINGS.keys() - {exit_codes.OK, exit_codes.INTERRUPTED, exit_codes.BROKEN_PIPE}


@dataclass
class HatchBench(Bench):
    """A package with a script, in `src/demo_app`.

    Attributes:
        terminal: Whether standard error is one.
    """

    terminal: bool = False

    def configure(self, tables: str = "", *, project: str = PROJECT) -> None:
        """Write `pyproject.toml`: the project, and tables of tools."""
        self.write("src/demo_app/__init__.py", "def main(): print('hello')\n")
        self.write("pyproject.toml", f"{project}\n{tables}")

    def hatchling(self, *words: str, target: str = "container", **environment: str) -> Outcome:
        """Run `hatchling build` in the project, in this process; Hatch's messages are on standard error."""
        out, err = io.StringIO(), _Terminal() if self.terminal else io.StringIO()
        code: object = 0
        with (
            mock.patch.dict(os.environ, self.variables(environment, dropped=_DROPPED), clear=True),
            mock.patch.object(sys, "argv", ["hatchling", "build", "-t", target, *words]),
            inside(self.root),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            try:
                hatchling()
            except SystemExit as stop:
                code = stop.code
        return Outcome(int(str(code or 0)), out.getvalue(), err.getvalue())

    def builds(self, *words: str, target: str = "container", **environment: str) -> list[str]:
        """Run it where it must succeed; what it says, line by line."""
        outcome = self.hatchling(*words, target=target, **environment)
        assert outcome.code == 0, outcome.err
        assert SECRET not in outcome.err
        return outcome.err.splitlines()

    def hatch_refuses(self, *facts: str, target: str = "container", **environment: str) -> int:
        """Run it, and see that it fails as promised: a message for people, no traceback, no half of an image.

        The exit code is one of those that all front ends have.
        """
        outcome = self.hatchling(target=target, **environment)
        assert outcome.code in FAILURES, outcome.err
        assert "Traceback" not in outcome.err
        assert SECRET not in outcome.err
        for fact in facts:
            assert fact in outcome.err, f"the error does not say {fact!r}:\n{outcome.err}"
        assert not list(self.root.glob("dist/*oci*"))
        return outcome.code

    def image(self, name: str = "demo_app-1.0.oci") -> Contents:
        """The image of a layout in `dist`."""
        return read_contents(self.root / "dist" / name)

    def digest(self, name: str = "demo_app-1.0.oci") -> str:
        """Its digest."""
        return str(OCILayout.at(self.root / "dist" / name).find().digest)

    def tags(self, name: str = "demo_app-1.0.oci") -> set[str]:
        """The tags of a layout in `dist`."""
        return {path.name for path in (self.root / "dist" / name / "refs" / "tags").iterdir()}


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True
