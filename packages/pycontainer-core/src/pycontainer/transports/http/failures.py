"""What an answer with an error status says, and the error for it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pycontainer.errors import HTTPStatusError
from pycontainer.transports.secrets import printable, redact_url, scrub

if TYPE_CHECKING:
    from pycontainer.transports.http.response import Response

# What is quoted is cut to 300 characters; a character has at most four bytes.
_QUOTED_BYTES = 4 * 300


def status_fact(response: Response) -> tuple[str, tuple[str, ...]]:
    """`POST https://…: 403 DENIED: …` for an answer with an error status, and its error codes; the answer is closed.

    Bodies of the distribution API are read (distribution-spec, *Error Codes*); of others the first words are quoted.
    Credentials are masked should the server repeat them.
    """
    body = response.excerpt()
    try:
        listed = json.loads(body)["errors"]
        errors = [(str(item.get("code", "")), str(item.get("message", ""))) for item in listed][:3]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        errors = []
    words = "; ".join(": ".join(part for part in pair if part) for pair in errors)
    if not errors and response.headers.media_type in {"text/plain", "application/json", ""}:
        words = body[:_QUOTED_BYTES].decode("utf-8", "replace")
    words = scrub(printable(scrub(words, response.secrets)), response.secrets)
    fact = f"{response.method} {redact_url(response.url)}: {response.status}"
    return (f"{fact} {words}" if words else fact), tuple(code for code, _ in errors)


def status_error(response: Response, message: str | None = None, *, hint: str | None = None) -> HTTPStatusError:
    """The error for an answer whose status nothing else explains."""
    fact, codes = status_fact(response)
    host = urlsplit(response.url).netloc.rpartition("@")[2]
    return HTTPStatusError(
        message or f"`{host}` answered with the status {response.status}",
        status=response.status,
        facts=[fact],
        hint=hint,
        codes=codes,
    )
