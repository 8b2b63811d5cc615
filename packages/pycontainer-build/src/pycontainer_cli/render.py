"""Errors and warnings as people read them.

error: Push to `registry.example/acme/api:1.4` was denied
  credentials: user `acme-bot`, from `~/.docker/config.json`

hint: Give this user write access to `acme/api`
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TextIO

from pycontainer.config.options import OPTIONS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pycontainer.errors import PyContainerError

_RED: Final = "1;31"
_YELLOW: Final = "1;33"
_CYAN: Final = "1;36"
_SETTING: Final = re.compile(r"\{([a-z_]+)\}")
# How this front end spells what has no flag of its own.
_SPELLINGS: Final = {"password": "--password-stdin"}


@dataclass(frozen=True, slots=True)
class Style:
    """Whether words are coloured; without colour the same words stand there."""

    colour: bool = False

    @classmethod
    def of(cls, stream: TextIO, environment: Mapping[str, str]) -> Style:
        """Colour on a terminal that can show it, unless `NO_COLOR` is set (no-color.org)."""
        return cls(stream.isatty() and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb")

    def paint(self, text: str, code: str) -> str:
        """The text between the escape sequences of a colour."""
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour else text


def render_error(error: PyContainerError, style: Style) -> str:
    """An error, ready to be written: what failed, where, and what to do."""
    hints = _hints(error.hint, style)
    return _render(style.paint("error:", _RED), error.message, error.facts, ["", *hints] if hints else [])


def render_warning(message: str, facts: Sequence[str], hint: str | None, style: Style) -> str:
    """A warning in the same form."""
    hints = [f"  {line}" for line in _hints(hint, style)]
    return _render(style.paint("warning:", _YELLOW), message, facts, hints)


def _render(label: str, message: str, facts: Sequence[str], hints: Sequence[str]) -> str:
    lines = [f"  {clean(line)}" for fact in facts for line in fact.splitlines()]
    return "\n".join([f"{label} {clean(message)}", *lines, *hints])


def _hints(hint: str | None, style: Style) -> list[str]:
    return [f"{style.paint('hint:', _CYAN)} {clean(line)}" for line in spell(hint or "").splitlines()]


def spell(hint: str) -> str:
    """A hint with each setting as the flag that sets it: `{base_image}` is `--base-image`."""
    return _SETTING.sub(lambda match: f"`{_flag(match[1])}`", hint)


def _flag(name: str) -> str:
    option = OPTIONS.get(name)
    return _SPELLINGS.get(name) or (option.flag if option else name)


def clean(text: str) -> str:
    """The text without control characters: what a server or a lock file said must not steer the terminal."""
    return "".join(character if character.isprintable() else _visible(character) for character in text)


def _visible(character: str) -> str:
    return " " if character in "\r\n\t" else ascii(character)[1:-1]
