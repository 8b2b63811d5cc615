"""Errors and warnings as people read them.

error: Push to `registry.example/acme/api:1.4` was denied
  credentials: user `acme-bot`, from `~/.docker/config.json`

hint: Give this user write access to `acme/api`
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TextIO

from pycontainer.frontend.messages import Message
from pycontainer.value import Value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pycontainer.config.option import Option
    from pycontainer.errors import PyContainerError

_RED: Final = "1;31"
_YELLOW: Final = "1;33"
_CYAN: Final = "1;36"
# How this front end spells what has no flag of its own.
_SPELLINGS: Final = {"password": "--password-stdin"}


class Style(Value, frozen=True):
    """Whether words are coloured; without colour the same words stand there."""

    colour: bool = False

    @classmethod
    def of(cls, stream: TextIO, environment: Mapping[str, str]) -> Style:
        """Colour on a terminal that can show it, unless `NO_COLOR` is set (no-color.org)."""
        return cls(stream.isatty() and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb")

    def paint(self, text: str, code: str) -> str:
        """The text between the escape sequences of a colour."""
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour else text


def message_of(error: PyContainerError) -> Message:
    """What an error says, each setting as the flag that sets it: `{base_image}` is `--base-image`."""
    return Message.of(error, spell=flag)


def flag(option: Option) -> str:
    """What a user of the command sets an option with."""
    return _SPELLINGS.get(option.name) or option.flag


def render_error(error: PyContainerError, style: Style) -> str:
    """An error, ready to be written: what failed, where, and what to do."""
    message = message_of(error)
    hints = _hints(message, style)
    return _render(style.paint("error:", _RED), message, ["", *hints] if hints else [])


def render_warning(message: Message, style: Style) -> str:
    """A warning in the same form."""
    return _render(style.paint("warning:", _YELLOW), message, [f"  {line}" for line in _hints(message, style)])


def _render(label: str, message: Message, hints: list[str]) -> str:
    return "\n".join([f"{label} {message.text}", *(f"  {fact}" for fact in message.facts), *hints])


def _hints(message: Message, style: Style) -> list[str]:
    return [f"{style.paint('hint:', _CYAN)} {hint}" for hint in message.hints]
