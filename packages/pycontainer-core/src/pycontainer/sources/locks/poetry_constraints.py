r"""Version constraints as Poetry writes them (Poetry documentation, *Dependency specification*).

allows("^3.10", "3.12.4")            # True
allows(">=3.8,<3.9 || >=3.10", "3.9.1")   # False
"""

from __future__ import annotations

import re
from functools import lru_cache

from pycontainer.errors import LockError

_TERM = re.compile(r"(\^|~(?!=)|[<>=!~]=|===|[<>=])?\s*(v?\d[A-Za-z0-9.!+_*-]*|\*)", re.ASCII)
_RELEASE = re.compile(r"v?(\d{1,9}(?:\.\d{1,9}){0,5})", re.ASCII)
_NEXT = {"=": "==", "": "=="}


@lru_cache(maxsize=1024)
def allows(constraint: str, version: str) -> bool:
    """Whether a version satisfies any of the alternatives of a constraint.

    Raises:
        LockError: It is not a constraint.
    """
    from packaging.specifiers import SpecifierSet  # noqa: PLC0415 - 20 ms, and most locks need none of it

    try:
        return any(
            SpecifierSet(specifiers(part)).contains(version, prereleases=True)
            for part in re.split(r"\|\|?", constraint)
        )
    except ValueError as error:
        raise LockError(f"`{constraint[:100]}` is not a version constraint of Poetry") from error


def specifiers(text: str) -> str:
    """One alternative in the form of PEP 440; empty where every version is allowed.

    Raises:
        ValueError: It is not a constraint.
    """
    terms = [term for term in re.split(r"\s*,\s*|(?<=[\w*])\s+(?=[\^~<>=!])", text.strip()) if term]
    return ",".join(filter(None, map(_specifier, terms)))


def _specifier(term: str) -> str:
    match = _TERM.fullmatch(term.strip())
    if match is None:
        raise ValueError(term)
    operator, version = match[1] or "", match[2]
    if version == "*":
        return ""
    if operator not in {"^", "~"}:
        return f"{_NEXT.get(operator, operator)}{version}"
    release = _RELEASE.match(version)
    if release is None:
        raise ValueError(term)
    parts = [int(part) for part in release[1].split(".")]
    # `^` lets everything change to the right of the first part that is not zero, `~` everything but major and minor.
    kept = (
        next((place for place, part in enumerate(parts) if part), len(parts) - 1)
        if operator == "^"
        else min(1, len(parts) - 1)
    )
    ceiling = [*parts[:kept], parts[kept] + 1]
    return f">={version},<{'.'.join(map(str, ceiling))}"
