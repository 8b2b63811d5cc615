"""A download that goes on where it broke."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pycontainer.errors import NetworkError
from pycontainer.transports.http.body_reader import BodyReader
from pycontainer.transports.http.failures import status_error

if TYPE_CHECKING:
    from collections.abc import Callable

    from pycontainer.transports.http.response import Response
    from pycontainer.transports.http.retries import RetryPolicy

_OK, _PARTIAL = 200, 206
# A server that sends a byte a connection must come to an end too.
_WORTHWHILE = 64 * 1024
_CONTENT_RANGE = re.compile(r"bytes (\d{1,19})-(\d{1,19})/(\d{1,19}|\*)")


class ResumingReader(BodyReader):
    """Reads a body, asking for the rest each time the connection breaks.

    The rest is used only when a 206 says it begins where we stopped; on 200 the body is read again from its start and
    what is known is skipped. That the parts belong together is for the reader's digest to prove.

    Args:
        open_at: Requests the body from an offset in bytes: with `Range: bytes=<offset>-` unless the offset is 0.
        retries: How often a body may break without 64 KiB of progress, and how long to wait.
        position: Where to begin.
    """

    def __init__(self, open_at: Callable[[int], Response], retries: RetryPolicy, *, position: int = 0) -> None:
        self._open_at = open_at
        self._retries = retries
        self._position = position
        self._failures = 0
        self._progress = 0
        self._known = 0
        self._response: Response | None = None

    def begin(self) -> None:
        """Send the first request now, so that a missing content is known before anyone reads."""
        if self._response is None:
            self._response = self._resume()

    def _read(self, size: int) -> bytes:
        """As `Response.read`, over broken connections.

        Raises:
            NetworkError: The connection broke more often than allowed, or the server sent another part than asked for.
        """
        while True:
            if self._response is None:
                self._response = self._resume()
            try:
                self._pass_over(self._response)
                data = self._response.read(size)
            except NetworkError:
                self._drop()
                self._failures += 1
                if self._failures > self._retries.count:
                    raise
                self._retries.wait(self._failures)
                continue
            self._position += len(data)
            self._progress += len(data)
            if self._progress >= _WORTHWHILE:
                self._progress = self._failures = 0
            return data

    def close(self) -> None:
        """Close the connection's body."""
        self._drop()
        super().close()

    def _drop(self) -> None:
        if self._response is not None:
            self._response.close()
            self._response = None

    def _resume(self) -> Response:
        response = self._open_at(self._position)
        try:
            self._known = _begins(response, self._position)
        except BaseException:
            response.close()
            raise
        return response

    def _pass_over(self, response: Response) -> None:
        """Read what is known already; a connection may break while that comes once more, too."""
        while self._known:
            data = response.read(min(self._known, 1 << 20))
            if not data:
                raise NetworkError("The content became shorter while it was downloaded")
            self._known -= len(data)


def _begins(response: Response, position: int) -> int:
    """How many bytes of the body stand before this position."""
    if response.status == _OK:
        return position
    if response.status != _PARTIAL or not position:
        raise status_error(response)
    found = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", ""))
    if found is None or int(found.group(1)) != position:
        raise status_error(response, "The server sent another part of the content than was asked for")
    return 0
