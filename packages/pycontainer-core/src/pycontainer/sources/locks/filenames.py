"""Wheel file names (*Binary distribution format*, File name convention), read fast enough for thousands.

parse_wheel("numpy-2.1.0-1-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl").platforms
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

_SEPARATORS = re.compile(r"[-_.]+")
_WHEEL = re.compile(
    r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._]*[A-Za-z0-9])?)-(?P<version>[A-Za-z0-9.!+_]+)(?:-(?P<build>\d[A-Za-z0-9_.]*))?"
    r"-(?P<pythons>[A-Za-z0-9_.]+)-(?P<abis>[A-Za-z0-9_.]+)-(?P<platforms>[A-Za-z0-9_.]+)\.whl",
    re.ASCII,
)
_BUILD = re.compile(r"(\d{1,18})(.*)", re.ASCII)


class WheelName(NamedTuple):
    """What the name of a wheel says; `name` is normalised, the compressed tag sets are split."""

    name: str
    version: str
    build: tuple[int, str]
    pythons: list[str]
    abis: list[str]
    platforms: list[str]


def parse_wheel(filename: str) -> WheelName | None:
    """Read the name of a wheel; none where it breaks the convention, so that no installer would take the file."""
    match = _WHEEL.fullmatch(filename) if len(filename) <= 255 else None  # noqa: PLR2004 - NAME_MAX everywhere
    if match is None:
        return None
    build = _BUILD.fullmatch(match["build"] or "")
    return WheelName(
        normalize(match["name"]),
        match["version"],
        (int(build[1]), build[2]) if build else (-1, ""),
        match["pythons"].lower().split("."),
        match["abis"].lower().split("."),
        match["platforms"].lower().split("."),
    )


@lru_cache(maxsize=8192)
def normalize(name: str) -> str:
    """The name of a project as it is compared (*Names and normalization*)."""
    return _SEPARATORS.sub("-", name).lower()
