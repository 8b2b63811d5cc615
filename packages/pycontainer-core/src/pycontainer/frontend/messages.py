"""Errors and warnings as a front end shows them: each setting in its own words, nothing that steers a terminal.

message = Message.of(error, spell=lambda option: option.flag)
message.text, message.facts, message.hints
str(message)

Push to `registry.example/acme/api:1.4` was denied
credentials: user `acme-bot`, from `~/.docker/config.json`

hint: Give this user write access to `acme/api`
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeAlias

from pycontainer.config.option import Option
from pycontainer.config.options import OPTIONS
from pycontainer.value import Value

if TYPE_CHECKING:
    from pycontainer.errors import PyContainerError
    from pycontainer.events import Warned

# How a front end calls an option: `--base-image`, `tool.hatch.build.targets.container.base-image`.
Spell: TypeAlias = Callable[[Option], str]

_SETTING: Final = re.compile(r"\{([a-z_]+)\}")


class Message(Value, frozen=True, kw_only=True):
    """What failed, where, and what to do.

    Attributes:
        text: One line.
        facts: One line each.
        hints: One line each; none where nothing is known to help.
    """

    text: str
    facts: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()

    @classmethod
    def of(cls, told: PyContainerError | Warned, *, spell: Spell) -> Message:
        """The message of an error or a warning."""
        hint = _SETTING.sub(lambda match: _spelled(match[1], spell), told.hint or "")
        return cls(
            text=clean(told.message),
            facts=tuple(clean(line) for fact in told.facts for line in fact.splitlines()),
            hints=tuple(clean(line) for line in hint.splitlines()),
        )

    def __str__(self) -> str:
        hints = ["", *(f"hint: {hint}" for hint in self.hints)] if self.hints else []
        return "\n".join([self.text, *(f"  {fact}" for fact in self.facts), *hints])


def _spelled(name: str, spell: Spell) -> str:
    option = OPTIONS.get(name)
    return f"`{spell(option) if option else name}`"


def clean(text: str) -> str:
    """The text without control characters: what a server or a lock file said must not steer the terminal."""
    return "".join(character if character.isprintable() else _visible(character) for character in text)


def _visible(character: str) -> str:
    return " " if character in "\r\n\t" else ascii(character)[1:-1]
