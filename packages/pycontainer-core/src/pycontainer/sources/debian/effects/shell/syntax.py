"""The syntax tree of a shell script (POSIX.1-2017, *Shell Command Language*, section 2.10), as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal as OneOf
from typing import TypeAlias


@dataclass(frozen=True, kw_only=True, slots=True)
class Text:
    """Characters that stand for themselves; `quoted` ones are no pattern and are never split."""

    text: str
    quoted: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Parameter:
    """`$name` or `${name<operator>word}`; `#` before the name, its length, is the operator `length`."""

    name: str
    operator: str = ""
    word: Word = ()
    quoted: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Substitution:
    """`$(…)` or backquotes."""

    body: Sequence
    quoted: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Arithmetic:
    """`$((…))`, whose value is never asked for."""

    quoted: bool = False


Part: TypeAlias = Text | Parameter | Substitution | Arithmetic
Word: TypeAlias = "tuple[Part, ...]"


@dataclass(frozen=True, kw_only=True, slots=True)
class Redirection:
    """`2>/dev/null`: the operator and what it goes to; of `<<`, the document itself."""

    operator: str
    target: Word
    descriptor: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Simple:
    """A command with its words, or assignments alone. `line` counts from one."""

    line: int
    assignments: tuple[tuple[str, Word], ...] = ()
    words: tuple[Word, ...] = ()
    redirections: tuple[Redirection, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Pipeline:
    """Commands joined by `|`, or one command that is negated."""

    line: int
    commands: tuple[Command, ...]
    negated: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class AndOr:
    """Two commands joined by `&&` or `||`."""

    line: int
    left: Command
    operator: OneOf["&&", "||"]
    right: Command


@dataclass(frozen=True, kw_only=True, slots=True)
class Sequence:
    """Commands one after the other."""

    commands: tuple[Command, ...]
    line: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """`{ …; }` or `( … )`, with what is redirected for all of it."""

    line: int
    body: Command
    subshell: bool = False
    redirections: tuple[Redirection, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class If:
    """Conditions with what follows each, and what follows none of them."""

    line: int
    branches: tuple[tuple[Sequence, Sequence], ...]
    otherwise: Sequence


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """A word, and patterns with what follows each."""

    line: int
    word: Word
    branches: tuple[tuple[tuple[Word, ...], Sequence], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class For:
    """A loop over words; none for the parameters of the script."""

    line: int
    name: str
    words: tuple[Word, ...] | None
    body: Sequence


@dataclass(frozen=True, kw_only=True, slots=True)
class While:
    """`while` or `until`."""

    line: int
    condition: Sequence
    body: Sequence
    until: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Function:
    """The definition of a function."""

    line: int
    name: str
    body: Command


Command: TypeAlias = Simple | Pipeline | AndOr | Sequence | Group | If | Case | For | While | Function
