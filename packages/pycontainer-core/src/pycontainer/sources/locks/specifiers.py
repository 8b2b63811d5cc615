"""`requires-python`, asked once for each pair of specifier and version.

supports_python(">=3.11,<4", "3.12.4", "the project")
"""

from __future__ import annotations

from functools import lru_cache

from pycontainer.errors import LockError


def supports_python(specifier: str, version: str, whose: str) -> bool:
    """Whether a Python version satisfies the `requires-python` of somebody.

    Raises:
        LockError: It is not a specifier set.
    """
    try:
        return _holds(specifier, version)
    except ValueError as error:
        raise LockError(f"`requires-python` of {whose} is malformed", facts=[f"it is `{specifier[:200]}`"]) from error


@lru_cache(maxsize=512)
def _holds(specifier: str, version: str) -> bool:
    from packaging.specifiers import SpecifierSet  # noqa: PLC0415 - 20 ms, and only where a lock has specifiers

    return SpecifierSet(specifier).contains(version, prereleases=True)
