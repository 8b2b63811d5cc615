"""`test` and `[`: conditions about files and texts (POSIX.1-2017, *test*), true, false, or not known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pycontainer.layers.entries import Kind
from pycontainer.sources.debian.effects.shell.surroundings import Unknown, in_running_system

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycontainer.sources.debian.effects.shell.surroundings import Surroundings

_FILES: Final = frozenset(
    ["-e", "-f", "-d", "-x", "-r", "-w", "-s", "-L", "-h", "-S", "-p", "-b", "-c", "-u", "-g", "-k"]
)
_KINDS: Final = {
    "-f": Kind.FILE, "-d": Kind.DIRECTORY, "-p": Kind.FIFO, "-b": Kind.BLOCK_DEVICE, "-c": Kind.CHARACTER_DEVICE,
}  # fmt: skip
_EXECUTABLE: Final = 0o111


def negated(value: bool | None) -> bool | None:  # noqa: FBT001 - a truth value is what it is about
    """Not, where not knowing stays not knowing."""
    return None if value is None else not value


def evaluate(arguments: Sequence[str | None], surroundings: Surroundings) -> bool | None:
    """The truth of a condition, none where nobody knows it.

    Args:
        arguments: Without the closing bracket; none for what nobody knows.
        surroundings: Who knows the files.
    """
    for operator, combine in (("-o", _either), ("-a", _both)):
        places = [place for place, word in enumerate(arguments) if word == operator and 0 < place < len(arguments) - 1]
        if places and len(arguments) > 3:  # noqa: PLR2004 - up to three words, it compares
            left, right = arguments[: places[0]], arguments[places[0] + 1 :]
            return combine(evaluate(left, surroundings), evaluate(right, surroundings))
    if arguments and arguments[0] == "!" and len(arguments) > 1:
        return negated(evaluate(arguments[1:], surroundings))
    return _primary(arguments, surroundings)


def _primary(  # noqa: PLR0911 - one return a form
    arguments: Sequence[str | None], surroundings: Surroundings
) -> bool | None:
    match arguments:
        case []:
            return False
        case [word]:
            return None if word is None else bool(word)
        case ["-n", word]:
            return None if word is None else bool(word)
        case ["-z", word]:
            return None if word is None else not word
        case [str(operator), word] if operator in _FILES:
            return _file(operator, word, surroundings)
        case [left, "=" | "==", right]:
            return None if left is None or right is None else left == right
        case [left, "!=", right]:
            return None if left is None or right is None else left != right
        case _:
            return None


def _file(  # noqa: PLR0911 - one return an operator
    operator: str, path: str | None, surroundings: Surroundings
) -> bool | None:
    if path == "":
        return False
    if path is None or not path.startswith("/"):
        return None
    if (running := in_running_system(path)) is not False:
        return None if running is None else False
    there = surroundings.find(path, follow=operator not in {"-L", "-h"})
    if isinstance(there, Unknown):
        return None
    if there is None or operator == "-e":
        return there is not None
    if operator in {"-L", "-h"}:
        return there.kind is Kind.SYMLINK
    if operator in _KINDS:
        return there.kind is _KINDS[operator]
    if operator == "-S":
        return False  # no package has a socket
    if operator == "-x":
        return there.mode is None or bool(there.mode & _EXECUTABLE)
    return bool(there.size) if operator == "-s" and there.size is not None else None


def _both(left: bool | None, right: bool | None) -> bool | None:  # noqa: FBT001 - as above
    if left is False or right is False:
        return False
    return None if left is None or right is None else True


def _either(left: bool | None, right: bool | None) -> bool | None:  # noqa: FBT001 - as above
    return negated(_both(negated(left), negated(right)))
