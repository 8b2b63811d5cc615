"""Reads words of a shell script: quotes, parameters, substitutions (POSIX.1-2017, sections 2.2 and 2.6)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pycontainer.sources.debian.effects.shell.syntax import (
    Arithmetic,
    Parameter,
    Sequence,
    Simple,
    Substitution,
    Text,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from pycontainer.sources.debian.effects.shell.syntax import Part, Word

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9]|[@*#?$!-]")
_BRACED_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9]+|[@*#?$!-]")
_OPERATOR = re.compile(r":?[-=?+]|%%?|##?")
_PLAIN = re.compile(r"[^\s'\"\\$`|&;<>()]+")
_QUOTED_PLAIN = re.compile(r"[^\"\\$`]+")
_BRACED_PLAIN = re.compile(r"[^'\"\\$`}]+")
# Nothing that a person wrote nests deeper.
MAX_DEPTH: Final = 40


class UnreadableError(Exception):
    """A construct outside of the subset. It never leaves this package: it is a reason to refuse a script."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(what)
        self.line = line


class Words:
    """A place in a script, and what can be read there.

    Args:
        text: The script.
        substitute: Reads commands up to a closing character that stands alone, and steps over it.
    """

    def __init__(self, text: str, substitute: Callable[[], Sequence]) -> None:
        self.text = text
        self.place = 0
        self.depth = 0
        self._substitute = substitute
        self._cuts: list[tuple[int, int]] = []

    @property
    def line(self) -> int:
        """The number of the line, from one."""
        cut = sum(lines for place, lines in self._cuts if place <= self.place)
        return 1 + self.text.count("\n", 0, self.place) + cut

    def cut(self, start: int, end: int) -> None:
        """Take lines out of the text, and remember how many for the number of the others."""
        self._cuts.append((start, self.text.count("\n", start, end)))
        self.text = self.text[:start] + self.text[end:]

    def unreadable(self, what: str) -> UnreadableError:
        """That the script goes beyond the subset here."""
        return UnreadableError(self.line, what)

    def peek(self, literal: str) -> bool:
        """Whether the text goes on with these characters."""
        return self.text.startswith(literal, self.place)

    def word(self) -> Word:
        """A word; empty where none begins."""
        parts: list[Part] = []
        while self.place < len(self.text):
            if match := _PLAIN.match(self.text, self.place):
                parts.append(Text(text=match[0]))
                self.place = match.end()
            elif not self._quoted_part(parts):
                break
        return tuple(parts)

    def document(self, text: str) -> Word:
        """The content of a here-document whose delimiter is not quoted."""
        inner = Words(text, self._substitute)
        if "`" in text or "$(" in text:
            unknown = Simple(line=self.line, words=((Text(text="a command in a here-document"),),))
            return (Substitution(body=Sequence(commands=(unknown,)), quoted=True),)
        parts: list[Part] = []
        while inner.place < len(text):
            inner._double_part(parts)
        return tuple(parts)

    def _quoted_part(self, parts: list[Part]) -> bool:
        """Read one part that does not stand for itself; whether there was one."""
        character = self.text[self.place]
        if character == "'":
            end = self._find("'", self.place + 1)
            parts.append(Text(text=self.text[self.place + 1 : end], quoted=True))
            self.place = end + 1
        elif character == '"':
            self._double_quoted(parts)
        elif character == "\\":
            escaped = self.text[self.place + 1 : self.place + 2]
            if escaped != "\n":
                parts.append(Text(text=escaped, quoted=True))
            self.place += 2
        elif character == "$":
            parts.append(self._dollar(quoted=False))
        elif character == "`":
            parts.append(self._backquoted(quoted=False))
        else:
            return False
        return True

    def _double_quoted(self, parts: list[Part]) -> None:
        self.place += 1
        parts.append(Text(text="", quoted=True))
        while not self.peek('"'):
            self._double_part(parts)
        self.place += 1

    def _double_part(self, parts: list[Part]) -> None:
        if self.place >= len(self.text):
            raise self.unreadable("a quote that does not end")
        if match := _QUOTED_PLAIN.match(self.text, self.place):
            parts.append(Text(text=match[0], quoted=True))
            self.place = match.end()
        elif self.peek("\\"):
            escaped = self.text[self.place + 1 : self.place + 2]
            if escaped != "\n":
                parts.append(Text(text=escaped if escaped in '$`"\\' else "\\" + escaped, quoted=True))
            self.place += 2
        elif self.peek("$"):
            parts.append(self._dollar(quoted=True))
        elif self.peek("`"):
            parts.append(self._backquoted(quoted=True))
        else:  # a double quote in a here-document
            parts.append(Text(text=self.text[self.place], quoted=True))
            self.place += 1

    def _dollar(self, *, quoted: bool) -> Part:
        if self.peek("$(("):
            return self._arithmetic(quoted=quoted)
        if self.peek("$("):
            self.place += 2
            return Substitution(body=self._nested(), quoted=quoted)
        if self.peek("${"):
            return self._braced(quoted=quoted)
        match = _NAME.match(self.text, self.place + 1)
        if not match:
            self.place += 1
            return Text(text="$", quoted=True)
        self.place = match.end()
        return Parameter(name=match[0], quoted=quoted)

    def _nested(self) -> Sequence:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.unreadable("commands in commands, too deep")
        body = self._substitute()
        self.depth -= 1
        return body

    def _arithmetic(self, *, quoted: bool) -> Arithmetic:
        end = self._find("))", self.place)
        inside = self.text[self.place + 3 : end]
        if any(sign in inside for sign in ("`", "$(", "=", "++", "--")):
            raise self.unreadable("arithmetic that changes something")
        self.place = end + 2
        return Arithmetic(quoted=quoted)

    def _braced(self, *, quoted: bool) -> Parameter:
        self.place += 2
        length = self.peek("#") and not self.peek("#}")
        self.place += length
        match = _BRACED_NAME.match(self.text, self.place)
        if not match:
            raise self.unreadable("a parameter without a name")
        self.place = match.end()
        operator = "length" if length else ""
        word: Word = ()
        if not length and (found := _OPERATOR.match(self.text, self.place)):
            self.place = found.end()
            operator, word = found[0], self._braced_word()
        if not self.peek("}"):
            raise self.unreadable("an expansion of bash")
        self.place += 1
        return Parameter(name=match[0], operator=operator, word=word, quoted=quoted)

    def _braced_word(self) -> Word:
        parts: list[Part] = []
        while not self.peek("}"):
            if self.place >= len(self.text):
                raise self.unreadable("a parameter that does not end")
            if match := _BRACED_PLAIN.match(self.text, self.place):
                parts.append(Text(text=match[0]))
                self.place = match.end()
            else:
                self._quoted_part(parts)
        return tuple(parts)

    def _backquoted(self, *, quoted: bool) -> Substitution:
        end = self._find("`", self.place + 1)
        if "\\" in self.text[self.place : end]:
            raise self.unreadable("backslashes in backquotes")
        # Only a closing parenthesis ends a substitution for the parser: put one in its place.
        self.text = f"{self.text[:end]}){self.text[end + 1 :]}"
        self.place += 1
        return Substitution(body=self._nested(), quoted=quoted)

    def _find(self, literal: str, start: int) -> int:
        end = self.text.find(literal, start)
        if end < 0:
            raise self.unreadable("a quote that does not end")
        return end
