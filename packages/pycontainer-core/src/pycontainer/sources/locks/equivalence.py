"""Whether two markers say the same, though a tool wrote one of them anew.

    same_markers('python_version >= "3.11"', "python_full_version >= '3.11'")      # True

Markers are asked in all the environments in which they could differ: around every version and with every name that
they mention. What depends on each other (the three names of a platform, the two of an implementation, the two versions
of Python) changes together, as it does on real machines.
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

from pycontainer.sources.locks.markers import Markers

if TYPE_CHECKING:
    from collections.abc import Iterable

_LITERAL = re.compile(r"\"([^\"]*)\"|'([^']*)'")
_RELEASE = re.compile(r"(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?(?:\.\*)?", re.ASCII)
_MOST = 20_000

# sys_platform, os_name, platform_system
_PLATFORMS = [("linux", "posix", "Linux"), ("darwin", "posix", "Darwin"), ("win32", "nt", "Windows"), ("?", "?", "?")]
_IMPLEMENTATIONS = [("cpython", "CPython"), ("pypy", "PyPy"), ("?", "?")]


def same_markers(one: str | None, other: str | None) -> bool:
    """Whether two markers hold in the same environments; markers too large to ask everywhere are taken for the same.

    Raises:
        LockError: One of them is not a marker.
    """
    if (one or "") == (other or ""):
        return True
    text = f"{one or ''} {other or ''}"
    literals = {double or single for double, single in _LITERAL.findall(text)}
    pythons, platforms = _pythons(literals), _platforms(literals, text)
    implementations = _IMPLEMENTATIONS if "implementation" in text else _IMPLEMENTATIONS[:1]
    machines = [*sorted(literals), "?"] if "platform_machine" in text else ["?"]
    extras = [frozenset[str](), *(frozenset({each}) for each in sorted(literals))] if "extra" in text else [frozenset()]
    if len(pythons) * len(platforms) * len(implementations) * len(machines) * len(extras) > _MOST:
        return True
    for python, platform, implementation, machine in itertools.product(pythons, platforms, implementations, machines):
        markers = Markers(_environment(python, platform, implementation, machine))
        if any(markers.hold(one, extras=active) != markers.hold(other, extras=active) for active in extras):
            return False
    return True


def _pythons(literals: Iterable[str]) -> list[str]:
    """Versions of Python on, below and above each that is mentioned."""
    found = {"3.12.5"}
    for literal in literals:
        for major, minor, micro in _RELEASE.findall(literal):
            place = (int(major), int(minor), int(micro or 0))
            below = (place[0], max(place[1] - 1, 0), 9)
            just_below = (*place[:2], max(place[2] - 1, 0))
            above = (place[0], place[1] + 1, 0)
            steps = (place, below, just_below, (*place[:2], place[2] + 1), above)
            found.update(".".join(map(str, step)) for step in steps)
    return sorted(found)


def _platforms(literals: Iterable[str], text: str) -> list[tuple[str, str, str]]:
    if not any(name in text for name in ("sys_platform", "os_name", "platform_system")):
        return _PLATFORMS[:1]
    known = {name for each in _PLATFORMS for name in each}
    return [*_PLATFORMS, *((literal, "posix", literal) for literal in sorted(literals) if literal not in known)]


def _environment(
    python: str, platform: tuple[str, str, str], implementation: tuple[str, str], machine: str
) -> dict[str, str]:
    return {
        "implementation_name": implementation[0],
        "implementation_version": python,
        "os_name": platform[1],
        "platform_machine": machine,
        "platform_python_implementation": implementation[1],
        "platform_release": "",
        "platform_system": platform[2],
        "platform_version": "",
        "python_full_version": python,
        "python_version": python.rpartition(".")[0],
        "sys_platform": platform[0],
    }
