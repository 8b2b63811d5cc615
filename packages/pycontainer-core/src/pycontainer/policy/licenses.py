"""Licence expressions against lists of licences (SPDX specification 2.3, annex D).

    permits("MIT OR GPL-3.0-only", allowed=["MIT"], denied=[])            # True: a user may choose MIT
    permits("MIT AND GPL-3.0-only", allowed=[], denied=["GPL-*"])         # False: both hold

Of `A OR B` one is enough, of `A AND B` both count. `X WITH exception` grants more than `X`: who allows `X` allows it,
and who denies `X` does not deny it; an entry `X WITH *` does. `X+` and `X-or-later` may be taken as `X`, so that an
entry `X` or `X-only` allows them.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_TOKEN: Final = re.compile(r"[()]|[^\s()]+")
_LATER: Final = ("-or-later", "+")
_NO_NAMES: Final = frozenset({None, "(", ")", "OR", "AND", "WITH"})
_DEEPEST: Final = 64


def permits(expression: str, *, allowed: Sequence[str], denied: Sequence[str]) -> bool:
    """Whether the licences of an expression can be chosen so that all are allowed and none is denied.

    Args:
        expression: A valid SPDX expression.
        allowed: Identifiers, in which `*` stands for anything; none means that all are allowed.
        denied: The same, of what must not be chosen.

    Raises:
        ValueError: It is no expression, or nested more deeply than anybody writes.
    """
    parser = _Parser(_TOKEN.findall(expression), allowed, denied)
    permitted = parser.either(0)
    if parser.ahead() is not None:
        raise ValueError("there is more behind the expression")
    return permitted


class _Parser:
    """Reads an expression and judges it at once: OR binds least, then AND, then WITH."""

    def __init__(self, tokens: list[str], allowed: Sequence[str], denied: Sequence[str]) -> None:
        self._tokens = tokens[::-1]
        self._allowed = [entry.lower() for entry in allowed]
        self._denied = [entry.lower() for entry in denied]

    def ahead(self) -> str | None:
        return self._tokens[-1].upper() if self._tokens else None

    def either(self, depth: int) -> bool:
        permitted = self._both(depth)
        while self.ahead() == "OR":
            self._tokens.pop()
            permitted = self._both(depth) or permitted
        return permitted

    def _both(self, depth: int) -> bool:
        permitted = self._one(depth)
        while self.ahead() == "AND":
            self._tokens.pop()
            permitted = self._one(depth) and permitted
        return permitted

    def _one(self, depth: int) -> bool:
        if depth > _DEEPEST or (self.ahead() in _NO_NAMES and self.ahead() != "("):
            raise ValueError("not a licence expression")
        word = self._tokens.pop()
        if word == "(":
            permitted = self.either(depth + 1)
            if self.ahead() != ")":
                raise ValueError("a bracket is not closed")
            self._tokens.pop()
            return permitted
        if self.ahead() == "WITH":
            self._tokens.pop()
            if self.ahead() in _NO_NAMES:
                raise ValueError("not a licence expression")
            return self._permits(word, exception=self._tokens.pop())
        return self._permits(word, exception="")

    def _permits(self, name: str, *, exception: str) -> bool:
        name = name.lower()
        exact = f"{name} with {exception.lower()}" if exception else name
        return not _among(exact, self._denied) and (
            not self._allowed or any(_among(form, self._allowed) for form in (exact, *_weaker(name)))
        )


def _weaker(name: str) -> list[str]:
    """What a licence may be taken as."""
    for ending in _LATER:
        if name.endswith(ending):
            plain = name.removesuffix(ending)
            return [name, plain, f"{plain}-only"]
    return [name]


def _among(name: str, entries: Sequence[str]) -> bool:
    """Whether an entry means this licence; one without an exception means none that has one."""
    return any(fnmatchcase(name, entry) for entry in entries if (" with " in entry) == (" with " in name))
