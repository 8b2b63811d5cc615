"""`WWW-Authenticate`: how a registry wants to be asked (RFC 9110, 11.6.1; distribution, *token authentication*)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pycontainer.value import Value, field

if TYPE_CHECKING:
    from collections.abc import Mapping

_SCHEME = re.compile(r"\s*,?\s*([A-Za-z][A-Za-z0-9-]*)(?=[\s,]|$)(?!\s*=)")
_PARAMETER = re.compile(r'\s*,?\s*([A-Za-z_][A-Za-z0-9_-]*)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))')
_MAX_HEADER = 16 * 1024


class Challenge(Value, frozen=True):
    """A scheme in lower case, `bearer` or `basic`, and its parameters."""

    scheme: str
    parameters: Mapping[str, str] = field(default_factory=dict)


def parse_challenges(header: str) -> tuple[Challenge, ...]:
    """All challenges of a header in their order; what cannot be read is left out."""
    text, position, found = header[:_MAX_HEADER], 0, []
    while scheme := _SCHEME.match(text, position):
        position = scheme.end()
        parameters: dict[str, str] = {}
        while parameter := _PARAMETER.match(text, position):
            name, quoted, plain = parameter.groups()
            value = plain if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
            parameters.setdefault(name.lower(), value)
            position = parameter.end()
        found.append(Challenge(scheme.group(1).lower(), parameters))
    return tuple(found)


def choose_challenge(header: str) -> Challenge | None:
    """The challenge to answer: `Bearer` with a realm before `Basic`, none where neither is offered."""
    challenges = parse_challenges(header)
    bearer = (item for item in challenges if item.scheme == "bearer" and item.parameters.get("realm"))
    basic = (item for item in challenges if item.scheme == "basic")
    return next(bearer, None) or next(basic, None)
