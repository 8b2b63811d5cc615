"""`requires-python`, asked once for each pair of specifier and version.

supports_python(">=3.11,<4", "3.12.4", "the project")
"""

from __future__ import annotations

import operator
import re
from functools import lru_cache
from typing import Final

from pycontainer.errors import LockError

# What nearly all of them are made of: releases compared, none of them a pre-release or a local version; and `==3.12.*`.
_ORDER: Final = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt, "!=": operator.ne}
_CLAUSE: Final = re.compile(r"\s*(>=|<=|!=|>|<)\s*(\d{1,9}(?:\.\d{1,9}){0,3})\s*", re.ASCII)
_WILDCARD: Final = re.compile(r"\s*==\s*(\d{1,9}(?:\.\d{1,9}){0,3})\.\*\s*", re.ASCII)
_RELEASE: Final = re.compile(r"\d{1,9}(?:\.\d{1,9}){0,3}", re.ASCII)


def supports_python(specifier: str, version: str, whose: str) -> bool:
    """Whether a Python version satisfies the `requires-python` of somebody.

    Raises:
        LockError: It is not a specifier set.
    """
    try:
        return satisfies(specifier, version)
    except ValueError as error:
        raise LockError(f"`requires-python` of {whose} is malformed", facts=[f"it is `{specifier[:200]}`"]) from error


@lru_cache(maxsize=512)
def satisfies(specifier: str, version: str) -> bool:
    """Whether a version satisfies a specifier set (*Version specifiers*); pre-releases may.

    Raises:
        ValueError: It is not a specifier set.
    """
    if _RELEASE.fullmatch(version):
        if wildcard := _WILDCARD.fullmatch(specifier):
            series = wildcard[1].split(".")
            return _padded(version)[: len(series)] == _padded(wildcard[1])[: len(series)]
        clauses = [_CLAUSE.fullmatch(clause) for clause in specifier.split(",")]
        if all(clauses):
            release = _padded(version)
            return all(_ORDER[clause[1]](release, _padded(clause[2])) for clause in clauses if clause)
    from packaging.specifiers import SpecifierSet  # noqa: PLC0415 - 20 ms, and seldom needed

    return SpecifierSet(specifier).contains(version, prereleases=True)


def _padded(release: str) -> tuple[int, ...]:
    parts = [int(part) for part in release.split(".")]
    return tuple(parts + [0] * (4 - len(parts)))
