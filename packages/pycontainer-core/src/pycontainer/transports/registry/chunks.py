"""A blob in chunks (distribution-spec, *Pushing a blob in chunks*): resumable within its session."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, BinaryIO

from pycontainer.errors import NetworkError
from pycontainer.transports.http.connections import TransientNetworkError
from pycontainer.transports.http.failures import status_error
from pycontainer.transports.http.retries import RETRIED_STATUSES
from pycontainer.transports.registry.counted import CountedReader, HighWater

if TYPE_CHECKING:
    from collections.abc import Callable

    from pycontainer.blobs.blob import Blob
    from pycontainer.transports.http import Response, RetryPolicy
    from pycontainer.transports.registry.auth import Need
    from pycontainer.transports.registry.session import Session

_OK, _ACCEPTED, _NO_CONTENT, _RANGE_NOT_SATISFIABLE = 200, 202, 204, 416
_RANGE = re.compile(r"(?:bytes=)?0-(\d{1,19})")
_BLOCK = 1024 * 1024


class ChunkedSender:
    """Sends the chunks of one blob into one session; `location` is where its next request goes.

    Args:
        session: The registry.
        need: The repository, for pushing.
        blob: Read forward; opened again where the registry lost more than the last chunk.
        retries: How often in a row a chunk may fail.
        progress: Told of bytes that left.
        follow: Takes the checked `Location` from an answer.
    """

    def __init__(
        self,
        session: Session,
        need: Need,
        blob: Blob,
        *,
        retries: RetryPolicy,
        progress: HighWater,
        follow: Callable[[Response], str],
    ) -> None:
        self._session = session
        self._need = need
        self._blob = blob
        self._retries = retries
        self._progress = progress
        self._follow = follow
        self.location = ""

    def send(self, location: str, chunk_size: int) -> Response | None:
        """Send everything but the closing request; gives the answer that stopped it, if one did."""
        self.location = location
        total = self._blob.descriptor.size
        offset = failures = 0
        with contextlib.closing(_Chunks(self._blob)) as chunks:
            while offset < total:
                chunk = chunks.at(offset, chunk_size)
                begin = offset
                try:
                    response = self._patch(offset, chunk)
                    if response.status == _ACCEPTED:
                        response.drain()
                        self.location = self._follow(response)
                        offset = _reported(response, default=offset + len(chunk))
                    elif response.status in RETRIED_STATUSES or response.status == _RANGE_NOT_SATISFIABLE:
                        response.drain()
                        offset = self._ask()
                    else:
                        return response
                except TransientNetworkError:
                    offset = self._ask()
                if offset > begin + len(chunk):
                    raise NetworkError(
                        f"`{self._session.endpoint.registry}` has more of the blob than was sent",
                        facts=[f"sent: {begin + len(chunk)} bytes", f"reported: {offset}"],
                    )
                failures = 0 if offset > begin else failures + 1
                if failures > self._retries.count:
                    raise NetworkError(f"`{self._session.endpoint.registry}` takes no more of the blob")
                if failures:
                    self._retries.wait(failures)
                else:
                    self._progress.restart(begin)
                    self._progress.move(offset - begin)
        return None

    def _patch(self, offset: int, chunk: bytes) -> Response:
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Range": f"{offset}-{offset + len(chunk) - 1}",
        }
        return self._session.request("PATCH", self.location, self._need, headers=headers, body=chunk, retry=False)

    def _ask(self) -> int:
        """How many bytes the registry has.

        Raises:
            TransientNetworkError: The session is lost; another may work.
        """
        response = self._session.request("GET", self.location, self._need)
        if response.status not in {_NO_CONTENT, _OK, _ACCEPTED}:
            error = status_error(response)
            raise TransientNetworkError(error.message, facts=error.facts)
        response.drain()
        if "location" in response.headers:
            self.location = self._follow(response)
        return _reported(response, default=0)


def _reported(response: Response, *, default: int) -> int:
    """The offset after the last byte that a `Range` names.

    `0-0` is what distribution says of one byte and of none: one only where one is what must be there.
    """
    found = _RANGE.fullmatch(response.headers.get("range", "").strip())
    if found is None:
        return default
    last = int(found.group(1))
    return last + 1 if last or default == 1 else 0


class _Chunks:
    """A blob by offset: forward for nothing, back within the last chunk for nothing, further back by reading again."""

    def __init__(self, blob: Blob) -> None:
        self._blob = blob
        self._stream: BinaryIO | CountedReader | None = None
        self._position = 0
        self._chunk = b""

    def at(self, offset: int, size: int) -> bytes:
        behind = self._position - offset
        if 0 < behind <= len(self._chunk):
            return self._chunk[-behind:]
        if self._stream is None or behind > 0:
            self.close()
            self._stream = CountedReader(self._blob.open(), self._blob.descriptor, HighWater(_nobody))
            self._position = 0
            while self._position < offset:
                self._read(min(_BLOCK, offset - self._position))
        return self._read(size)

    def _read(self, size: int) -> bytes:
        assert self._stream is not None  # noqa: S101 - `at` has opened it
        parts = bytearray()
        while len(parts) < size and (data := self._stream.read(size - len(parts))):
            parts += data
        self._position += len(parts)
        self._chunk = bytes(parts)
        return self._chunk

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None


def _nobody(count: int) -> None:
    del count
