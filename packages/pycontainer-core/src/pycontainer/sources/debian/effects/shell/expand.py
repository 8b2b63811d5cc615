"""Expands words with what is known of the variables (POSIX.1-2017, section 2.6); a field nobody can know is none."""

from __future__ import annotations

import re
from fnmatch import translate
from typing import TYPE_CHECKING

from pycontainer.sources.debian.effects.shell.surroundings import in_running_system
from pycontainer.sources.debian.effects.shell.syntax import Arithmetic, Parameter, Substitution, Text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pycontainer.sources.debian.effects.shell.syntax import Part, Word

_GLOB = re.compile(r"[*?]|\[.*\]", re.DOTALL)
_EMPTY = Text(text="", quoted=True)
_SPECIAL = re.compile(r"[*?\[\]]")


class Expansion:
    """The variables of a moment.

    Args:
        variables: Name → value; none for a value that nobody knows. What is missing is not set.
        parameters: `$1` and so on.
        output: What a substitution prints, none where nobody knows.
        is_empty: Whether nothing is in a folder; none where nobody knows.
    """

    def __init__(
        self,
        variables: Mapping[str, str | None],
        parameters: Sequence[str | None],
        output: Callable[[Substitution], str | None],
        is_empty: Callable[[str], bool | None],
    ) -> None:
        self._variables = variables
        self._parameters = parameters
        self._output = output
        self._is_empty = is_empty

    def fields(self, word: Word) -> list[str | None]:
        """The fields of a word of a command."""
        parts = [part for part in word if part != _EMPTY]
        if all(isinstance(part, Text) for part in parts) and self._matches_nothing(word):
            return [self.text(word)]
        if len(parts) == 1 and isinstance(parts[0], Parameter) and parts[0].name == "@" and not parts[0].operator:
            return list(self._parameters)
        fields: list[str | None] = []
        current: str | None = ""
        begun = False
        for part in word:
            value = self._part(part)
            if value is None:
                current, begun = None, True
            elif part.quoted or isinstance(part, Text):
                if isinstance(part, Text) and not part.quoted and _GLOB.search(value) and word:
                    current = None
                elif current is not None:
                    current += value
                begun = True
            else:
                current, begun = self._split(value, fields, current, begun=begun)
        if begun:
            fields.append(current)
        return fields

    def _matches_nothing(self, word: Word) -> bool:
        """Whether a pattern stays as it is, since nothing is in the folder in which it looks (section 2.13.3)."""
        pattern = self.text(word) or ""
        glob = _GLOB.search(pattern)
        folder = pattern[: glob.start()].rpartition("/")[0] if glob else ""
        # What is empty in an image is not while a system runs.
        return folder.startswith("/") and in_running_system(folder) is False and self._is_empty(folder) is True

    def text(self, word: Word) -> str | None:
        """The word as one text: of an assignment, a redirection, the word of `case`."""
        values = [self._part(part) for part in word]
        return None if None in values else "".join(value for value in values if value is not None)

    def pattern(self, word: Word) -> re.Pattern[str] | None:
        """The word as a pattern of `case`."""
        source = ""
        for part in word:
            value = self._part(part)
            if value is None:
                return None
            source += _SPECIAL.sub(r"[\g<0>]", value) if part.quoted else value
        return re.compile(translate(source))

    def _split(
        self, value: str, fields: list[str | None], current: str | None, *, begun: bool
    ) -> tuple[str | None, bool]:
        """Add a value that is not quoted: blanks in it separate fields."""
        if _GLOB.search(value) or self._variables.get("IFS", "") not in {"", " \t\n"}:
            return None, True
        pieces = re.split(r"[ \t\n]+", value)
        for index, piece in enumerate(pieces):
            if index:
                if begun:
                    fields.append(current)
                current, begun = "", False
            if piece:
                current = None if current is None else current + piece
                begun = True
        return current, begun

    def _part(self, part: Part) -> str | None:
        if isinstance(part, Text):
            return part.text
        if isinstance(part, Arithmetic):
            return None
        if isinstance(part, Substitution):
            return self._output(part)
        return self._parameter(part)

    def _parameter(self, part: Parameter) -> str | None:
        known, value = self._value(part.name)
        is_set = not known or value is not None
        if not part.operator:
            return (value or "") if known else None
        kind = part.operator[-1]
        if part.operator in {"length", "%", "%%", "#", "##"}:
            return self._cut(part, value or "") if known else None
        if not known:
            return None
        missing = not is_set or (part.operator.startswith(":") and not value)
        if kind == "+":
            return "" if missing else self.text(part.word)
        if not missing:
            return value
        # `${x=…}` would set it and `${x?…}` would end the script; neither is followed.
        return self.text(part.word) if kind == "-" else None

    def _cut(self, part: Parameter, value: str) -> str | None:
        if part.operator == "length":
            return str(len(value))
        pattern = self.text(part.word)
        if pattern is None or _GLOB.search(pattern):
            return None
        return value.removeprefix(pattern) if part.operator[0] == "#" else value.removesuffix(pattern)

    def _value(self, name: str) -> tuple[bool, str | None]:  # noqa: PLR0911 - one return a kind of name
        """Whether the value is known, and which it is: none where it is not set."""
        if name == "#":
            return True, str(len(self._parameters))
        if name in {"@", "*"}:
            known = [value for value in self._parameters if value is not None]
            return len(known) == len(self._parameters), " ".join(known)
        if name == "0":
            return True, "script"
        if name.isdigit():
            index = int(name) - 1
            if index >= len(self._parameters):
                return True, None
            return self._parameters[index] is not None, self._parameters[index]
        if name in {"?", "$", "!", "-"}:
            return False, None
        if name not in self._variables:
            return True, None
        return self._variables[name] is not None, self._variables[name]
