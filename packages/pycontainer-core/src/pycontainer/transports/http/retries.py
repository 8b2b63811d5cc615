"""When to try again, and how long to wait before."""

from __future__ import annotations

import email.utils
import random
import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from pycontainer.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable

RETRIED_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
MAX_RETRY_AFTER = 60.0


class RetryPolicy(Value, frozen=True, kw_only=True):
    """Exponential back-off with full jitter, so that many clients do not come back together.

    Attributes:
        count: How often to try again after the first failure.
        base: Seconds; the n-th wait is a random time up to `base * 2**n`.
        cap: Seconds; the longest wait that the server did not ask for.
        sleep: What waits; a test passes its own.
    """

    count: int = 5
    base: float = 0.5
    cap: float = 20.0
    sleep: Callable[[float], None] = time.sleep

    def delay(self, failures: int, retry_after: str | None = None) -> float:
        """Seconds to wait after this many failures (1 or more) and what the answer's `Retry-After` said."""
        asked = parse_retry_after(retry_after)
        jittered: float = random.uniform(0.1, 1.0) * min(self.cap, self.base * 2 ** (failures - 1))  # noqa: S311 - not secret
        return jittered if asked is None else max(asked, min(jittered, 1.0))

    def wait(self, failures: int, retry_after: str | None = None) -> None:
        """Wait that long."""
        self.sleep(self.delay(failures, retry_after))


def parse_retry_after(value: str | None) -> float | None:
    """The seconds of a `Retry-After` header (RFC 9110, 10.2.3): between 0 and 60, or none where it says nothing."""
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:10]), MAX_RETRY_AFTER)
    try:
        when = email.utils.parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=timezone.utc)
    return min(max((when - datetime.now(timezone.utc)).total_seconds(), 0.0), MAX_RETRY_AFTER)
