"""The core's options under names that Poetry leaves free."""

from __future__ import annotations

import subprocess
import sys

import pytest
from poetry.console.application import Application
from poetry_projects import Run

from poetry_pycontainer.command import BuildContainerCommand
from poetry_pycontainer.flags import MEANINGLESS, RENAMED, flag, given_options
from pycontainer.config.options import OPTIONS
from pycontainer.errors import ConfigError

OWN = {f"--{each.name}": each for each in BuildContainerCommand.options}
POETRYS = {f"--{each.name}": each for each in Application().definition.options}


def test_every_option_of_the_core_has_a_flag_or_a_reason_to_have_none() -> None:
    for option in OPTIONS.values():
        if option.flags and option.name not in MEANINGLESS:
            assert flag(option) in OWN.keys() | POETRYS.keys(), option.name


def test_no_flag_is_one_that_poetry_takes_for_itself() -> None:
    """Poetry would fail with `An option named ... already exists`, for every command line."""
    assert not OWN.keys() & POETRYS.keys()
    shortcuts = [each.shortcut for each in OWN.values() if each.shortcut]
    assert not {*shortcuts} & {each.shortcut for each in POETRYS.values() if each.shortcut}
    assert len(shortcuts) == len(set(shortcuts))


def test_what_poetry_takes_has_another_name_which_help_explains(run: Run) -> None:
    assert POETRYS.keys() & RENAMED.keys() == {"--no-cache"}
    done = run("build-container --help")
    assert done.code == 0
    assert "--no-layer-cache" in done.out
    assert "--no-cache is Poetry's own" in " ".join(done.out.split())


def test_switches_have_two_sides() -> None:
    def given(*flags: str) -> dict[str, list[str] | bool]:
        return given_options(lambda name: name in flags if not OWN[f"--{name}"].accepts_value() else [])

    assert given("push") == {"push": True}
    assert given("no-layer-cache", "no-push") == {"push": False, "cache": False}
    with pytest.raises(ConfigError, match="contradict"):
        given("push", "no-push")


def test_poetry_starts_without_the_core() -> None:
    """Poetry imports its plugins for every command; the core would be a tenth of a second of each."""
    code = (
        "import poetry_pycontainer.plugin, sys; print([name for name in sys.modules if name.startswith('pycontainer')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
