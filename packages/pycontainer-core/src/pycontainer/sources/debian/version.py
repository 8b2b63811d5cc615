"""Versions of Debian packages and their order (Debian Policy 5.6.12, deb-version(7)).

version_key("1.0~rc1-1") < version_key("1.0-1")        # True
satisfies("2:1.4-1", ">=", "1.5")                      # True: the epoch weighs most
"""

from __future__ import annotations

import re
from functools import lru_cache
from operator import eq, ge, gt, le, lt
from typing import TYPE_CHECKING, Final

from pycontainer.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Callable

_MAX_LENGTH: Final = 1000
# A colon is part of the upstream version only where there is an epoch before it.
_VERSION = re.compile(r"(?:(\d+):|(?!.*:))([0-9A-Za-z.+~:-]+)", re.ASCII)
_RUN = re.compile(r"(\D*)(\d*)", re.ASCII)
# A run of non-digits ends in `_END`: before it sorts `~`, behind it letters, then everything else.
_END: Final = "\x01"
_ORDER: Final = {ord("~"): "\x00"} | {ord(sign): chr(0x100 + ord(sign)) for sign in ".+:-"}
# `<` and `>` are the obsolete forms of `<=` and `>=` (Policy 7.1), which dpkg still reads.
_OPERATORS: Final[dict[str, Callable[[str, str], bool]]] = {
    "<<": lt,
    "<=": le,
    "<": le,
    "=": eq,
    ">=": ge,
    ">": ge,
    ">>": gt,
}


@lru_cache(maxsize=1 << 16)
def version_key(version: str) -> str:
    """A text that sorts as the version does; versions that are equal to dpkg, as `1.0` and `1.00-0`, have the same.

    Numbers stand behind their count of digits, so that texts compare as numbers of any length do; no part is the
    beginning of another, so that parts can stand in a row.

    Raises:
        DocumentError: It is no version.
    """
    match = _VERSION.fullmatch(version) if len(version) <= _MAX_LENGTH else None
    if match is None:
        raise DocumentError(f"`{version[:100]}` is not the version of a Debian package")
    upstream, _, revision = match[2].rpartition("-") if "-" in match[2] else (match[2], "", "")
    return _number(match[1] or "") + _part(upstream) + _part(revision)


def satisfies(version: str, operator: str, wanted: str) -> bool:
    """Whether a version stands in this relation, such as `>=`, to the wanted one; without operator any does.

    Raises:
        DocumentError: One of them is no version.
    """
    return not operator or _OPERATORS[operator](version_key(version), version_key(wanted))


def _part(text: str) -> str:
    runs = [f"{run.translate(_ORDER)}{_END}{_number(digits)}" for run, digits in _RUN.findall(text) if run or digits]
    return "".join(runs or [_END + _number("")]) + _END


def _number(digits: str) -> str:
    significant = digits.lstrip("0")
    return chr(len(significant) + 1) + significant
