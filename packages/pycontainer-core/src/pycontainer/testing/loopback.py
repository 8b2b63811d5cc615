"""What servers of files on loopback have in common: whom they answer, how, and until when.

class Answers(AnsweringHandler):
def do_GET(self) -> None:
if self.admits(state):
self.send_content(b"hello")

with serving_on_loopback(Answers) as url: ...
"""

from __future__ import annotations

import base64
import contextlib
import http.server
import threading
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Admission(Protocol):
    """Whom a server answers, and what it remembers of who asked."""

    user: tuple[str, str] | None
    requests: list[tuple[str, dict[str, str]]]

    @property
    def faults(self) -> list[Callable[[Any], object]]:
        """Asked before anything is answered; one that returns true has answered itself."""
        ...


class AnsweringHandler(http.server.BaseHTTPRequestHandler):
    """Answers in one call, and says nothing on the terminal."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Nothing."""

    def send(self, status: int, body: bytes = b"", **headers: str) -> bool:
        """Answer; true, so that a fault can be one expression."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        return True

    def send_content(self, content: bytes, **headers: str) -> None:
        """Answer with a file, or with the rest of it that the request asks for."""
        start = self.headers.get("Range", "").removeprefix("bytes=").rstrip("-")
        if start:
            offset = int(start)
            ranged = f"bytes {offset}-{len(content) - 1}/{len(content)}"
            self.send(206, content[offset:], **headers, Content_Range=ranged)
        else:
            self.send(200, content, **headers)

    def admits(self, server: Admission) -> bool:
        """Remember the request; whether it is to be answered, and neither a fault nor a refusal has done so."""
        server.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        if any(fault(self) for fault in list(server.faults)):
            return False
        if server.user is not None:
            expected = "Basic " + base64.b64encode(":".join(server.user).encode()).decode()
            if self.headers.get("Authorization") != expected:
                self.send(401, b"no such user", WWW_Authenticate="Basic")
                return False
        return True


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64  # more than five clients at once would wait a second for their next attempt

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # a client that hangs up is part of the tests


@contextlib.contextmanager
def serving_on_loopback(handler: type[AnsweringHandler]) -> Iterator[str]:
    """The address of a server that is there until the context ends."""
    server = _Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
