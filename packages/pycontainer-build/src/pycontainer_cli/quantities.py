"""Times and sizes as people write them.

parse_duration("12h", "--older-than"), parse_size("2GB", "--max-size")      # 43200.0, 2000000000
"""

from __future__ import annotations

import re
from typing import Final

from pycontainer.config.values import show
from pycontainer.errors import ConfigError

_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_BYTES: Final = {
    "b": 1,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "tb": 10**12,
    "kib": 2**10,
    "mib": 2**20,
    "gib": 2**30,
    "tib": 2**40,
}
_QUANTITY: Final = re.compile(r"(\d{1,15}(?:\.\d{1,3})?) ?([A-Za-z]{1,3})", re.ASCII)


def parse_duration(text: str, flag: str) -> float:
    """Seconds.

    Raises:
        ConfigError: It is no time.
    """
    return _parse(text, _SECONDS, f"`{flag}` is not a time", "expected: such as `90m`, `12h` or `30d`")


def parse_size(text: str, flag: str) -> int:
    """Bytes.

    Raises:
        ConfigError: It is no size.
    """
    return int(_parse(text, _BYTES, f"`{flag}` is not a size", "expected: such as `500MB` or `2GB`"))


def _parse(text: str, units: dict[str, int], message: str, expected: str) -> float:
    match = _QUANTITY.fullmatch(text.strip())
    unit = units.get(match[2].lower()) if match else None
    if match is None or unit is None:
        raise ConfigError(message, facts=[f"found: `{show(text)}`", expected])
    return float(match[1]) * unit
