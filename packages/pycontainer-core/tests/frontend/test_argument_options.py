"""The table of options becomes arguments of any command that `argparse` reads."""

from __future__ import annotations

import argparse

import pytest

from pycontainer.config import OPTIONS
from pycontainer.config.load import load_config
from pycontainer.config.sources import from_flags
from pycontainer.frontend.arguments import add_options, given_options


@pytest.fixture
def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="tool", allow_abbrev=False)
    made.add_argument("--own")
    return made


def test_what_is_given_is_what_flags_are_read_from(parser: argparse.ArgumentParser) -> None:
    add_options(parser)

    given = given_options(parser.parse_args(["--own", "1", "-t", "a:1", "--tag", "b:2", "--push", "--no-cache"]))

    assert given == {"tag": ["a:1", "b:2"], "push": True, "cache": False}
    config = load_config(from_flags(given), environment={}).config
    assert (config.tag, config.push, config.cache) == (("a:1", "b:2"), True, False)


def test_every_option_that_has_a_flag_is_taken_by_it(parser: argparse.ArgumentParser) -> None:
    add_options(parser)

    flags = {flag for option in OPTIONS.values() for flag in (*option.flags, option.negative) if flag}

    assert flags <= parser._option_string_actions.keys()


def test_a_tool_keeps_words_and_short_flags_for_itself(parser: argparse.ArgumentParser) -> None:
    add_options(parser, OPTIONS.keys() - {"tag"}, short=False)

    taken = parser._option_string_actions.keys() - {"-h", "--help", "--own"}

    assert all(flag.startswith("--") for flag in taken)
    assert "--tag" not in taken
    assert "--base-image" in taken


def test_help_can_be_shown(parser: argparse.ArgumentParser) -> None:
    add_options(parser)

    assert "OS/ARCH" in parser.format_help()
