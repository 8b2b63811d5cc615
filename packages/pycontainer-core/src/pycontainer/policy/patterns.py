"""Patterns of paths, as `forbidden-files` and `allowed-files` have them."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def matches(path: str, patterns: Iterable[str]) -> bool:
    """Whether a pattern means the path: all of it, or its last part where the pattern has no slash.

    `*` stands for anything, slashes too, `?` for one character, `[abc]` for one of them; a slash at the start of either
    does not count.
    """
    whole = path.lstrip("/")
    name = whole.rpartition("/")[2]
    return any(fnmatchcase(whole if "/" in pattern else name, pattern.lstrip("/")) for pattern in patterns)
