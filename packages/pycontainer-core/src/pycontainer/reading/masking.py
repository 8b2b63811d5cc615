"""What an image says, without the secrets that it says: a config and a history are full of them, and a terminal keeps.

masked("|1 TOKEN=abc /bin/sh -c make")              # "|1 TOKEN=*** /bin/sh -c make"
masked_value("DATABASE_URL", "postgres://a:b@db/x")     # "postgres://***@db/x"
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pycontainer.config.secrets import looks_secret
from pycontainer.policy.detectors import scan_text
from pycontainer.sources.locks.addresses import redact
from pycontainer.transports.secrets import MASK

if TYPE_CHECKING:
    from collections.abc import Mapping

_ASSIGNED: Final = re.compile(r"\b([A-Za-z_][A-Za-z0-9_.-]*)=(?:\"[^\"]*\"|'[^']*'|\S+)")
_WORD: Final = re.compile(r"\S+")


def masked(text: str) -> str:
    """A command, or a line of a history: values of names that are secret, and words that look it, are `***`."""
    public = redact(_ASSIGNED.sub(_assignment, text))
    if not any(scan_text(public)):
        return public
    public = _WORD.sub(lambda word: MASK if any(scan_text(word[0])) else word[0], public)
    return MASK if any(scan_text(public)) else public  # a key has several words


def masked_value(name: str, value: str) -> str:
    """The value of a variable, label or annotation."""
    return MASK if value and looks_secret(name) else masked(value)


def masked_values(values: Mapping[str, str]) -> dict[str, str]:
    """All values of a table."""
    return {name: masked_value(name, value) for name, value in values.items()}


def _assignment(match: re.Match[str]) -> str:
    return f"{match[1]}={MASK}" if looks_secret(match[1]) else match[0]
