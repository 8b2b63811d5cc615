"""What can be told of commands by looking at them.

assigned(loop.body), is_search(command), printed_text(["echo", "yes"])
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pycontainer.sources.debian.effects.shell.syntax import (
    AndOr,
    Case,
    For,
    Group,
    If,
    Pipeline,
    Sequence,
    Simple,
    Text,
    While,
)

if TYPE_CHECKING:
    from pycontainer.sources.debian.effects.shell.syntax import Command

_MAX_TEXT: Final = 64 << 10
_ECHO_OPTION: Final = re.compile("-[neE]+")
_SILENT: Final = frozenset(
    [":", "true", "false", "test", "[", "set", "shift", "local", "export", "readonly", "unset", "umask"]
)


def is_search(command: Command) -> bool:
    """Whether it is `grep` that looks for one pattern in what it is given."""
    if not isinstance(command, Simple) or not command.words or command.words[0] != (Text(text="grep"),):
        return False
    patterns = [word for word in command.words[1:] if not (isinstance(word[0], Text) and word[0].text.startswith("-"))]
    return len(patterns) == 1


def printed_text(arguments: list[str | None]) -> str | None:
    """What `echo` prints, `printf` without a format, and what prints nothing."""
    name, *rest = arguments
    known = [argument for argument in rest if argument is not None]
    if name in _SILENT:
        return ""
    if len(known) < len(rest) or sum(map(len, known)) > _MAX_TEXT or any("\\" in each for each in known):
        return None
    if name == "echo" and not (known and _ECHO_OPTION.fullmatch(known[0])):
        return " ".join(known) + "\n"
    return known[0] if name == "printf" and len(known) == 1 and "%" not in known[0] else None


def assigned(command: Command) -> set[str]:
    """The names of variables that commands set, as far as it is written there."""
    if isinstance(command, Simple):
        return {name for name, _ in command.assignments}
    if isinstance(command, Sequence | Pipeline):
        return {name for each in command.commands for name in assigned(each)}
    if isinstance(command, If):
        bodies = [part for branch in command.branches for part in branch]
        return {name for each in (*bodies, command.otherwise) for name in assigned(each)}
    if isinstance(command, AndOr):
        return assigned(command.left) | assigned(command.right)
    if isinstance(command, Group | While | For):
        return assigned(command.body)
    return {name for _, body in command.branches for name in assigned(body)} if isinstance(command, Case) else set()
