"""The base image of a project that names none.

default_base_image(root, ">=3.11")        # "python:3.11-slim"
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pycontainer.errors import BaseImageError, ProjectError

if TYPE_CHECKING:
    from pathlib import Path

    from packaging.specifiers import SpecifierSet

_PINNED = re.compile(r"(?:cpython[-@]?)?3\.(\d{1,2})(?:\.\d{1,3})?(?:(?:a|b|rc)\d+|-dev)?")
# Minor versions of Python 3, preferred first: those whose support has not ended long ago, those to come, the old ones.
_SUPPORTED: Final = range(9, 15)
_LATER: Final = range(15, 30)
_EARLIER: Final = range(8, 5, -1)
_LOWER_BOUNDS: Final = frozenset({">=", ">", "~=", "==", "==="})
_MICROS: Final = range(40)
_MAX_PIN: Final = 4096


def default_base_image(root: Path, requires_python: str | None) -> str:
    """`python:3.X-slim`, by `.python-version`, else the lower bound of `requires-python`, else the newest known.

    Only the feature version is taken of a pin such as `3.12.4`: images of older patch releases are no longer rebuilt.

    Args:
        root: The project's directory.
        requires_python: A specifier set, or none.

    Raises:
        ProjectError: `requires-python` is malformed.
        BaseImageError: No Python that is known satisfies it.
    """
    minor = _pinned(root)
    if minor is None:
        minor = _lowest(requires_python) if requires_python else _SUPPORTED[-1]
    return f"python:3.{minor}-slim"


def _pinned(root: Path) -> int | None:
    """The first CPython that `.python-version` names (pyenv and uv both write the file)."""
    try:
        with (root / ".python-version").open("rb") as file:
            text = file.read(_MAX_PIN).decode("utf-8-sig", "replace")
    except OSError:
        return None
    for line in text.splitlines():
        if match := _PINNED.fullmatch(line.partition("#")[0].strip()):
            return int(match[1])
    return None


def _lowest(requires_python: str) -> int:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415 - 20 ms, not always needed

    try:
        allowed = SpecifierSet(requires_python)
    except InvalidSpecifier as error:
        raise ProjectError(f"`requires-python` is malformed: `{requires_python}`") from error
    bounded = any(specifier.operator in _LOWER_BOUNDS for specifier in allowed)
    supported: list[int] = list(_SUPPORTED if bounded else reversed(_SUPPORTED))
    minor: int
    for minor in (*supported, *_LATER, *_EARLIER):
        if _allows(allowed, minor):
            return minor
    raise BaseImageError(
        f"No base image is known for Python `{requires_python}`",
        facts=["project: `requires-python` in pyproject.toml"],
        hint="Set {base_image} to an image with such a Python",
    )


def _allows(allowed: SpecifierSet, minor: int) -> bool:
    return any(allowed.contains(f"3.{minor}.{micro}") for micro in _MICROS)
