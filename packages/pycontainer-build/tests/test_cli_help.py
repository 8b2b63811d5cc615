from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

import pycontainer
from pycontainer.config import OPTIONS
from pycontainer_cli.main import COMMANDS

Run: TypeAlias = Callable[..., Any]
ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_is_as_it_was_agreed(command: str, run: Run, snapshot: Callable[[str, str], None]) -> None:
    done = run(*command.split(), "--help")
    assert (done.code, done.err) == (0, "")
    snapshot(f"help_{command.replace(' ', '_') or 'pycontainer'}.txt", done.out)


def test_help_names_every_option_once(run: Run) -> None:
    text = run("build", "--help").out
    for option in OPTIONS.values():
        if option.flags:
            shown = option.negative if option.negative_help else option.flag
            assert len(re.findall(rf"(?m)^  (?:-\w, )?{shown}(?![\w-])", text)) == 1, option.name


def test_no_flag_belongs_to_two_options() -> None:
    flags = [flag for option in OPTIONS.values() for flag in (*option.flags, option.negative) if flag]
    assert len(flags) == len(set(flags))


def test_the_version_is_the_librarys(run: Run) -> None:
    assert run("--version").out == f"pycontainer {pycontainer.__version__}\n"


@pytest.mark.parametrize("command", [["--help"], ["build", "--help"]])
def test_help_loads_nothing_that_it_does_not_need(command: list[str]) -> None:
    code = f"""
import sys
from pycontainer_cli.main import main
main({command!r})
slow = ("urllib3", "rich", "dataclasses", "packaging", "deflate", "isal", "zstandard", "asyncio", "email", "tomllib")
print([name for name in slow if name in sys.modules], file=sys.stderr)
"""
    # Whoever measures coverage loads modules of their own into the program.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stderr.strip() == "[]"


def test_the_reference_is_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "generate_reference.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_every_setting_that_a_hint_names_is_an_option() -> None:
    """Hints of the core name settings as `{base_image}`; one that is no option would be shown as it stands."""
    sources = ROOT / "packages" / "pycontainer-core" / "src" / "pycontainer"
    named = set()
    for path in sources.rglob("*.py"):
        for hint in re.findall(r"hint=\(?\s*(f?(?:\"[^\"\n]*\"|'[^'\n]*'))", path.read_text("utf-8")):
            doubled = r"\{\{([a-z_]+)\}\}" if hint.startswith("f") else r"\{([a-z_]+)\}"
            named.update(re.findall(doubled, hint))
    assert named, "the search finds no hints"
    assert named - set(OPTIONS) == set()


def test_every_variable_is_documented_on_one_page() -> None:
    page = (ROOT / "docs" / "reference" / "environment.md").read_text("utf-8")
    for option in OPTIONS.values():
        if option.in_environment:
            assert f"`{option.variable}`" in page
    read = set()
    for path in (ROOT / "packages").glob("*/src/**/*.py"):
        read.update(re.findall(r"(?:environ|environment)(?:\.get\(|\[)\s*\"([A-Z][A-Z_]+)\"", path.read_text("utf-8")))
    assert {name for name in read if name not in page} <= UNDOCUMENTED


# Where a system keeps its directories, which nobody sets for us; and what the config of a base image is asked for.
UNDOCUMENTED = {"HOME", "LD_LIBRARY_PATH", "LOCALAPPDATA", "PATH", "USERPROFILE", "APPDATA", "PYTHON_VERSION"}
