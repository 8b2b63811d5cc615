"""Errors and warnings come out in the words of the front end, and steer nobody's terminal."""

from __future__ import annotations

import pytest

from pycontainer.config.option import Option
from pycontainer.errors import PyContainerError
from pycontainer.events import Warned
from pycontainer.frontend.messages import Message, clean


def key(option: Option) -> str:
    return f"tool.example.{option.toml_key}"


def test_a_message_has_what_failed_where_and_what_to_do() -> None:
    error = PyContainerError(
        "Push was denied", facts=["user: `bot`", "two\nlines"], hint="Set {base_image}\nor {password}"
    )

    message = Message.of(error, spell=key)

    assert message.text == "Push was denied"
    assert message.facts == ("user: `bot`", "two", "lines")
    assert message.hints == ("Set `tool.example.base-image`", "or `tool.example.password`")
    assert str(message) == (
        "Push was denied\n  user: `bot`\n  two\n  lines\n"
        "\nhint: Set `tool.example.base-image`\nhint: or `tool.example.password`"
    )


def test_a_warning_is_told_in_the_same_form() -> None:
    told = Message.of(Warned(message="Odd", facts=("here",), hint="Set {tag}"), spell=lambda option: option.flag)

    assert str(told) == "Odd\n  here\n\nhint: Set `--tag`"


def test_without_facts_and_hints_nothing_follows() -> None:
    assert str(Message.of(PyContainerError("Failed"), spell=key)) == "Failed"


def test_a_word_in_braces_that_is_no_option_stays_a_word() -> None:
    message = Message.of(PyContainerError("Failed", hint="Write {time} there, {Not this}"), spell=key)

    assert message.hints == ("Write `time` there, {Not this}",)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("\x1b[2J\x1b]0;title\x07", r"\x1b[2J\x1b]0;title\x07"),
        ("name\r\n\tvalue", "name   value"),
        ("right\u202eto left", r"right\u202eto left"),
        ("a\x00b\x85c", r"a\x00b\x85c"),
        ("käse 北 🔒", "käse 北 🔒"),
    ],
)
def test_what_others_said_does_not_steer_the_terminal(said: str, shown: str) -> None:
    assert clean(said) == shown

    message = Message.of(PyContainerError(said, facts=[f"fact {said}"], hint=f"hint {said}"), spell=key)
    for line in (message.text, *message.facts, *message.hints):
        assert all(character.isprintable() for character in line)
