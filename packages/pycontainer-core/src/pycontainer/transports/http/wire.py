"""urllib3's connections, made stricter and impatient: bounded heads, one framing, a lowest speed.

Imported when the first request is made, since urllib3 takes longer to import than most commands to run.
"""

from __future__ import annotations

import http.client
import io
import logging
import time
from typing import TYPE_CHECKING, Any

import urllib3
import urllib3.connection

from pycontainer.transports.secrets import redact_url

if TYPE_CHECKING:
    import socket

    from _typeshed import WriteableBuffer

    from pycontainer.transports.http.settings import Timeouts

# Servers send a few kilobytes; http.client alone would take 100 lines of 64 KiB.
MAX_HEAD = 256 * 1024
_FIRST_ERROR_STATUS = 400


class _PacedReader(io.RawIOBase):
    """Reads a socket and gives up on a sender that stops or drips: urllib3's own timeout starts anew at each byte."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, timeouts: Timeouts) -> None:
        self._raw = raw
        self._sock = sock
        self._timeouts = timeouts
        self._started = False
        self._waited = 0.0
        self._arrived = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        begin = time.monotonic()
        count = self._raw.readinto(buffer)
        if not self._started:  # the server's own thinking, bounded by the read timeout alone
            self._started = True
            self._sock.settimeout(self._timeouts.progress)
            return count
        self._waited += time.monotonic() - begin
        self._arrived += count or 0
        if self._waited >= self._timeouts.progress:
            if count and self._arrived < self._waited * self._timeouts.minimum_rate:
                raise TimeoutError(f"{self._arrived} bytes in {self._waited:.0f} s")
            self._waited, self._arrived = 0.0, 0
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _HeadReader:
    """Stands before a response's stream while its head is read: counts bytes and notices lines that end in LF alone."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self._left = MAX_HEAD
        self.bare_lf = False

    def readline(self, limit: int = -1) -> bytes:
        line: bytes = self._raw.readline(limit)
        if not line:  # http.client takes the end of the connection for the end of the head
            raise http.client.RemoteDisconnected("the answer ends within its head")
        self._left -= len(line)
        if self._left < 0:
            raise http.client.HTTPException(f"the head of the answer is longer than {MAX_HEAD >> 10} KiB")
        if line.endswith(b"\n") and not line.endswith(b"\r\n"):
            self.bare_lf = True
        return line

    def close(self) -> None:
        self._raw.close()


class _StrictResponse(http.client.HTTPResponse):
    """A response whose end no two parsers could see differently."""

    timeouts: Timeouts

    def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        self.fp = io.BufferedReader(
            _PacedReader(sock.makefile("rb", buffering=0), sock, self.timeouts), buffer_size=64 * 1024
        )

    def begin(self) -> None:
        raw: Any = self.fp
        head: Any = _HeadReader(raw)
        self.fp = head
        try:
            super().begin()
            self._check_head(head)
        except BaseException:
            raw.close()  # http.client leaves it to the garbage collector
            raw = None
            raise
        finally:
            self.fp = raw if self.fp is head or raw is None else self.fp

    def _check_head(self, head: _HeadReader) -> None:
        if head.bare_lf:
            # Docker Hub's 429 is known for it; an error's body is for people, so its end does not matter.
            if self.status < _FIRST_ERROR_STATUS:
                raise http.client.HTTPException("the answer's header lines end in LF alone")
            self.will_close = True
        if self.headers.get("transfer-encoding") and self.headers.get("content-length"):
            raise http.client.HTTPException("the answer has both Content-Length and Transfer-Encoding")
        if self.headers.defects:
            raise http.client.HTTPException("the answer has malformed headers")


def pool_classes(timeouts: Timeouts) -> dict[str, Any]:
    """urllib3's pools by scheme, with connections that keep to these timeouts."""
    response = type("_Response", (_StrictResponse,), {"timeouts": timeouts})

    class _HTTPConnection(urllib3.connection.HTTPConnection):
        response_class = response

        def send(self, data: Any) -> None:
            if self.sock is not None:
                self.sock.settimeout(timeouts.progress)
            super().send(data)

    class _HTTPSConnection(urllib3.connection.HTTPSConnection):
        response_class = response

        def send(self, data: Any) -> None:
            if self.sock is not None:
                self.sock.settimeout(timeouts.progress)
            super().send(data)

    class _HTTPPool(urllib3.HTTPConnectionPool):
        ConnectionCls = _HTTPConnection

    class _HTTPSPool(urllib3.HTTPSConnectionPool):
        ConnectionCls = _HTTPSConnection

    return {"http": _HTTPPool, "https": _HTTPSPool}


class _RedactUrls(logging.Filter):
    """urllib3 logs the target of each request at debug level, signatures and upload states included."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                redact_url(item) if isinstance(item, str) and "?" in item else item for item in record.args
            )
        return True


def keep_logs_clean() -> None:
    """Mask parameters in urllib3's own log lines, once a process."""
    for name in ("urllib3.connectionpool", "urllib3.connection", "urllib3.poolmanager"):
        logger = logging.getLogger(name)
        if not any(isinstance(item, _RedactUrls) for item in logger.filters):
            logger.addFilter(_RedactUrls())
