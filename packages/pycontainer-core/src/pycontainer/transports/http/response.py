"""An answer, its body still on the wire."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from pycontainer.errors import NetworkError
from pycontainer.transports.http.connections import connection_error
from pycontainer.transports.secrets import redact_url

if TYPE_CHECKING:
    import urllib3
    from _typeshed import WriteableBuffer

# FAILURES.md, "We bound": what a server says about an error, or a token, is never long.
MAX_ERROR_BODY = 64 * 1024


class Headers(Mapping[str, str]):
    """Header fields by name in any case; a field sent twice is joined by `, `."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self._fields = {name.lower(): value for name, value in fields.items()}

    def __getitem__(self, name: str) -> str:
        return self._fields[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    @property
    def media_type(self) -> str:
        """`Content-Type` without its parameters, in lower case; empty where there is none."""
        return self.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def content_length(self) -> int | None:
        """`Content-Length` where it is one."""
        text = self.get("content-length", "").strip()
        return int(text) if text.isascii() and text.isdigit() and len(text) < len(str(2**63)) else None


class Response(io.RawIOBase):
    """Status, headers, and the undecoded body as a binary stream; close it or read it to its end.

    Attributes:
        url: The URL that answered, after redirects.
        secrets: Texts that the client sent anywhere and that no message may repeat.
    """

    def __init__(
        self, raw: urllib3.BaseHTTPResponse, *, method: str, url: str, secrets: frozenset[str] = frozenset()
    ) -> None:
        self._response = raw
        self.method = method
        self.url = url
        self.secrets = secrets
        self.status = raw.status
        self.headers = Headers(raw.headers)

    def __repr__(self) -> str:
        return f"<{self.method} {redact_url(self.url)}: {self.status}>"

    def readable(self) -> bool:
        """Always."""
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """What has arrived, at most `size` bytes of it and at least one; nothing at the end; all where size is -1.

        Raises:
            NetworkError: The connection broke, stalled, or ended before `Content-Length` bytes.
        """
        if size is None or size < 0:
            return b"".join(iter(lambda: self.read(1 << 20), b""))
        try:
            return self._response.read1(size) if size else b""
        except Exception as error:
            raise connection_error(error, self.method, self.url, secrets=self.secrets) from error

    def readinto(self, buffer: WriteableBuffer) -> int:
        """As `read`, into a buffer."""
        view = memoryview(buffer).cast("B")
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    @property
    def stream(self) -> BinaryIO:
        """This response, for what takes a `BinaryIO`."""
        return cast("BinaryIO", self)

    def content(self, *, limit: int) -> bytes:
        """The whole body, closed afterwards.

        Raises:
            NetworkError: It is longer than `limit` bytes, or did not arrive.
        """
        with self:
            found = bytearray()
            while data := self.read(64 * 1024):
                found += data
                if len(found) > limit:
                    raise NetworkError(
                        f"The answer is longer than {limit} bytes", facts=[f"{self.method} {redact_url(self.url)}"]
                    )
            return bytes(found)

    def excerpt(self) -> bytes:
        """The first 64 KiB of the body of an error, whatever happens to the connection; closed afterwards."""
        found = bytearray()
        try:
            while len(found) < MAX_ERROR_BODY and (data := self.read(MAX_ERROR_BODY - len(found))):
                found += data
        except NetworkError:
            pass  # the status is what matters
        self.close()
        return bytes(found)

    def json(self, *, limit: int) -> Any:
        """The body as JSON.

        Raises:
            NetworkError: Too long, or not JSON.
        """
        raw = self.content(limit=limit)
        try:
            return json.loads(raw)
        except (ValueError, RecursionError):
            raise NetworkError(
                "The answer is not JSON",
                facts=[f"{self.method} {redact_url(self.url)}: {self.status}", f"type: {self.headers.media_type}"],
            ) from None

    def drain(self) -> None:
        """Read a short rest so that the connection can be used again; else drop it."""
        self.excerpt()

    def close(self) -> None:
        """Give the connection back if the body was read to its end, or there is none, else drop it."""
        if self.closed:
            return
        super().close()
        if getattr(self._response, "length_remaining", None) == 0 and not _is_read(self._response):
            self._response.read()  # the end of nothing (HEAD), which http.client wants to have seen
        if getattr(self._response, "length_remaining", None) in {0, None} and _is_read(self._response):
            self._response.release_conn()
        else:
            self._response.close()
            self._response.release_conn()


def _is_read(response: Any) -> bool:
    original = getattr(response, "_original_response", None)
    return original is None or bool(original.isclosed())
