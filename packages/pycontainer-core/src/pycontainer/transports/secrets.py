"""Secrets that print as `***`, and URLs and texts that can be shown.

password = Redacted("hunter2")
f"{password}" == "***"
password.reveal()                                          # the one way to the text: a reviewer can search for it
redact_url("https://bob:hunter2@host/x?sig=abc") == "https://***@host/x?sig=***"
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import quote, unquote, urlsplit, urlunsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MASK = "***"

# Parameters of the distribution API whose values say where something failed and are never secret. The value of any
# other (`_state`, `token`, `X-Amz-Signature`, `sig`) is masked.
_OPEN_PARAMETERS = frozenset({"digest", "from", "last", "mount", "n", "scope", "service"})
_SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})
# Shorter texts are words; masking them would garble messages and give nothing away.
_MIN_SECRET = 4
_UNPRINTABLE = re.compile(r"[^\x20-\x7e\u00a1-\u024f]+")
_QUOTED = 300


class Redacted:
    """A text that `str`, `repr`, `format` and logging show as `***`."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself, for the request that needs it."""
        return self._text

    def __str__(self) -> str:
        return MASK

    def __repr__(self) -> str:
        return f"Redacted({MASK!r})"

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Redacted) and hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled")


def redact_url(url: str) -> str:
    """The URL without what may be secret: its user part, and the values of parameters not known to be harmless."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "(not a URL)"
    userinfo, at, host = parts.netloc.rpartition("@")
    del userinfo
    query = "&".join(_redact_parameter(item) for item in parts.query.split("&")) if parts.query else ""
    return urlunsplit((parts.scheme, f"{MASK}@{host}" if at else host, parts.path, query, ""))


def _redact_parameter(item: str) -> str:
    name, equals, _ = item.partition("=")
    return item if not equals or name in _OPEN_PARAMETERS else f"{name}={MASK}"


def header_secrets(headers: Mapping[str, str]) -> frozenset[str]:
    """The texts in these request headers that an answer may echo and a message must not: tokens, passwords."""
    found: set[str] = set()
    for name, value in headers.items():
        if name.lower() not in _SECRET_HEADERS:
            continue
        scheme, _, rest = value.partition(" ")
        found.update((value, rest))
        if scheme.lower() == "basic":
            found.update(_basic_secrets(rest))
    return frozenset(text for text in found if len(text) >= _MIN_SECRET)


def _basic_secrets(encoded: str) -> tuple[str, ...]:
    try:
        decoded = base64.b64decode(encoded).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ()
    password = decoded.partition(":")[2]
    return (decoded, password)


def scrub(text: str, secrets: Iterable[str]) -> str:
    """The text with every secret in it masked, also where it is percent-encoded."""
    for secret in sorted(secrets, key=len, reverse=True):
        for form in {secret, quote(secret, safe=""), quote(secret), unquote(secret)}:
            if len(form) >= _MIN_SECRET:
                text = text.replace(form, MASK)
    return text


def printable(text: str) -> str:
    """What a server wrote, fit for a message: one line, no control characters, at most 300 of the rest."""
    line = _UNPRINTABLE.sub(" ", text).strip()
    return line if len(line) <= _QUOTED else f"{line[:_QUOTED]}…"
