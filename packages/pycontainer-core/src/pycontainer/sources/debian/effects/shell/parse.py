"""Reads a shell script into its syntax tree.

script = parse(text)        # Sequence(commands=(…))

What is outside of the subset (background jobs, `select`, arrays, process substitution) is no syntax here at all: it is
a reason not to follow the script.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pycontainer.sources.debian.effects.shell.syntax import (
    AndOr,
    Case,
    Command,
    For,
    Function,
    Group,
    If,
    Pipeline,
    Redirection,
    Sequence,
    Simple,
    Text,
    While,
    Word,
)
from pycontainer.sources.debian.effects.shell.words import MAX_DEPTH, UnreadableError, Words

if TYPE_CHECKING:
    from collections.abc import Callable

_MAX_SCRIPT: Final = 128 << 10
_BLANK = re.compile(r"(?:[ \t]|\\\n)+")
_COMMENT = re.compile(r"#[^\n]*")
_REDIRECTION = re.compile(r"([0-9]?)(<<-|<<|>>|>&|<&|>\||<|>)")
_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=")
_FUNCTION = re.compile(r"(?:function[ \t]+)?([A-Za-z_][A-Za-z0-9_-]*)[ \t]*\([ \t]*\)")
_RESERVED: Final = frozenset(
    ["if", "then", "elif", "else", "fi", "case", "esac", "for", "while", "until", "do", "done", "in", "{", "}", "!"]
)
_CLOSING: Final = frozenset(["then", "elif", "else", "fi", "esac", "do", "done", "}"])


def parse(text: str) -> Sequence:
    """The commands of a script.

    Raises:
        UnreadableError: It is too long, or beyond the subset.
    """
    if len(text) > _MAX_SCRIPT:
        raise UnreadableError(1, "a script of more than 128 KiB")
    return _Parser(text).script()


class _Parser:
    def __init__(self, text: str) -> None:
        self._at = Words(text, self._substitution)
        self._depth = 0

    def script(self) -> Sequence:
        body = self._sequence()
        if self._at.place < len(self._at.text):
            raise self._at.unreadable("what no command begins with")
        return body

    def _substitution(self) -> Sequence:
        body = self._sequence()
        self._expect(")")
        return body

    # Blanks, line ends, reserved words

    def _skip(self) -> None:
        while True:
            if match := _BLANK.match(self._at.text, self._at.place) or _COMMENT.match(self._at.text, self._at.place):
                self._at.place = match.end()
            else:
                return

    def _skip_lines(self) -> None:
        self._skip()
        while self._at.peek("\n"):
            self._at.place += 1
            self._skip()

    def _document(self, delimiter: str, *, literal: bool, tabs: bool) -> Word:
        """Take a here-document, which begins on the next line, out of the script."""
        text = self._at.text
        start = place = text.find("\n", self._at.place) + 1
        lines: list[str] = []
        while start and place < len(text):
            end = text.find("\n", place)
            line = text[place : end if end >= 0 else len(text)]
            place += len(line) + 1
            line = line.lstrip("\t") if tabs else line
            if line == delimiter:
                self._at.cut(start, min(place, len(text)))
                content = "".join(f"{line}\n" for line in lines)
                return (Text(text=content, quoted=True),) if literal else self._at.document(content)
            lines.append(line)
        raise self._at.unreadable("a here-document that does not end")

    def _reserved(self) -> str:
        """The reserved word that stands here, without stepping over it."""
        self._skip()
        match = re.compile(r"[a-z]+(?![^\s;|&()<>])|[{}!](?=[\s;]|\Z)").match(self._at.text, self._at.place)
        return match[0] if match and match[0] in _RESERVED else ""

    def _stands(self, literal: str) -> bool:
        self._skip()
        return self._at.peek(literal)

    def _word(self) -> Word:
        self._skip()
        return self._at.word()

    def _accept(self, literal: str) -> bool:
        if not self._stands(literal):
            return False
        self._at.place += len(literal)
        return True

    def _expect(self, literal: str) -> None:
        self._skip_lines()
        if not self._accept(literal):
            raise self._at.unreadable(f"`{literal}` is missing")

    def _expect_reserved(self, word: str) -> None:
        self._skip_lines()
        if self._reserved() != word:
            raise self._at.unreadable(f"`{word}` is missing")
        self._at.place += len(word)

    # Lists

    def _sequence(self) -> Sequence:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._at.unreadable("commands in commands, too deep")
        commands: list[Command] = []
        self._skip_lines()
        line = self._at.line
        while self._at.place < len(self._at.text) and not self._ends():
            commands.append(self._and_or())
            self._skip()
            if self._at.peek("&"):
                raise self._at.unreadable("a command in the background")
            if self._at.peek(";") and not self._at.peek(";;"):
                self._at.place += 1
            elif not self._at.peek("\n") and self._at.place < len(self._at.text) and not self._ends():
                raise self._at.unreadable("what no command ends with")
            self._skip_lines()
        self._depth -= 1
        return Sequence(commands=tuple(commands), line=line)

    def _ends(self) -> bool:
        return self._at.peek(")") or self._at.peek(";;") or self._reserved() in _CLOSING

    def _and_or(self) -> Command:
        left = self._pipeline()
        while True:
            self._skip()
            line = self._at.line
            if self._accept("&&"):
                self._skip_lines()
                left = AndOr(line=line, left=left, operator="&&", right=self._pipeline())
            elif self._accept("||"):
                self._skip_lines()
                left = AndOr(line=line, left=left, operator="||", right=self._pipeline())
            else:
                return left

    def _pipeline(self) -> Command:
        self._skip()
        line = self._at.line
        negated = self._reserved() == "!"
        self._at.place += negated
        commands = [self._command()]
        while self._stands("|") and not self._at.peek("||"):
            self._at.place += 1
            self._skip_lines()
            commands.append(self._command())
        if len(commands) == 1 and not negated:
            return commands[0]
        return Pipeline(line=line, commands=tuple(commands), negated=negated)

    # Commands

    def _command(self) -> Command:
        word = self._reserved()
        line = self._at.line
        compound: dict[str, Callable[[int], Command]] = {
            "if": self._if,
            "case": self._case,
            "for": self._for,
            "while": self._while,
            "until": self._until,
        }
        if word in compound:
            self._at.place += len(word)
            body: Command = compound[word](line)
        elif word == "{":
            self._at.place += 1
            body = self._sequence()
            self._expect_reserved("}")
        elif self._at.peek("("):
            self._at.place += 1
            body = self._substitution()
            return Group(line=line, body=body, subshell=True, redirections=self._redirections())
        elif match := _FUNCTION.match(self._at.text, self._at.place):
            self._at.place = match.end()
            self._skip_lines()
            return Function(line=line, name=match[1], body=self._command())
        elif word:
            raise self._at.unreadable(f"`{word}` where a command begins")
        else:
            return self._simple(line)
        redirections = self._redirections()
        return Group(line=line, body=body, redirections=redirections) if redirections else body

    def _if(self, line: int) -> If:
        branches = []
        otherwise = Sequence(commands=())
        while True:
            condition = self._sequence()
            self._expect_reserved("then")
            branches.append((condition, self._sequence()))
            word = self._reserved()
            if word == "elif":
                self._at.place += len(word)
                continue
            if word == "else":
                self._at.place += len(word)
                otherwise = self._sequence()
            self._expect_reserved("fi")
            return If(line=line, branches=tuple(branches), otherwise=otherwise)

    def _case(self, line: int) -> Case:
        self._skip()
        word = self._at.word()
        self._expect_reserved("in")
        branches = []
        while True:
            self._skip_lines()
            if self._reserved() == "esac":
                break
            self._accept("(")
            patterns = [self._pattern()]
            while self._accept("|"):
                patterns.append(self._pattern())
            self._expect(")")
            branches.append((tuple(patterns), self._sequence()))
            if not self._accept(";;"):
                break
        self._expect_reserved("esac")
        return Case(line=line, word=word, branches=tuple(branches))

    def _pattern(self) -> Word:
        self._skip()
        pattern = self._at.word()
        if not pattern:
            raise self._at.unreadable("a pattern is missing")
        return pattern

    def _for(self, line: int) -> For:
        self._skip()
        match = re.compile(r"[A-Za-z_][A-Za-z0-9_]*").match(self._at.text, self._at.place)
        if not match:
            raise self._at.unreadable("a loop without a name")
        self._at.place = match.end()
        words: list[Word] | None = None
        self._skip_lines()
        if self._reserved() == "in":
            self._at.place += len("in")
            words = []
            while word := self._word():
                words.append(word)
        self._accept(";")
        self._expect_reserved("do")
        body = self._sequence()
        self._expect_reserved("done")
        return For(line=line, name=match[0], words=None if words is None else tuple(words), body=body)

    def _while(self, line: int, *, until: bool = False) -> While:
        condition = self._sequence()
        self._expect_reserved("do")
        body = self._sequence()
        self._expect_reserved("done")
        return While(line=line, condition=condition, body=body, until=until)

    def _until(self, line: int) -> While:
        return self._while(line, until=True)

    def _simple(self, line: int) -> Command:
        assignments: list[tuple[str, Word]] = []
        words: list[Word] = []
        redirections: list[Redirection] = []
        while True:
            self._skip()
            if self._redirection(redirections):
                continue
            match = None if words else _ASSIGNMENT.match(self._at.text, self._at.place)
            if match:
                self._at.place = match.end()
                if self._at.peek("("):
                    raise self._at.unreadable("an array")
                assignments.append((match[1], self._at.word()))
            elif word := self._at.word():
                words.append(word)
            else:
                break
        if not (assignments or words or redirections):
            raise self._at.unreadable("a command is missing")
        return Simple(line=line, assignments=tuple(assignments), words=tuple(words), redirections=tuple(redirections))

    def _redirections(self) -> tuple[Redirection, ...]:
        redirections: list[Redirection] = []
        self._skip()
        while self._redirection(redirections):
            self._skip()
        return tuple(redirections)

    def _redirection(self, redirections: list[Redirection]) -> bool:
        match = _REDIRECTION.match(self._at.text, self._at.place)
        if not match:
            return False
        self._at.place = match.end()
        self._skip()
        target = self._at.word()
        if not target:
            raise self._at.unreadable("a redirection to nothing")
        operator = match[2]
        if operator.startswith("<<"):
            delimiter = "".join(part.text for part in target if isinstance(part, Text))
            literal = any(part.quoted for part in target if isinstance(part, Text))
            target, operator = self._document(delimiter, literal=literal, tabs=operator == "<<-"), "<<"
        redirections.append(Redirection(operator=operator, target=target, descriptor=match[1]))
        return True
