r"""A server that answers with bytes, well formed or not.

with RawServer(b"HTTP/1.1 200 OK\n\n") as server:
    http.request("GET", server.url)
server.heads[0]                       # what it was sent, up to the empty line
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import TypeAlias

Script: TypeAlias = bytes | Callable[[socket.socket], None]


class RawServer:
    """Answers the n-th connection with the n-th script, the last one for all that follow; then closes it.

    Args:
        scripts: Bytes to send, or what to do with the connection once a request's head was read.
    """

    def __init__(self, *scripts: Script) -> None:
        self._scripts = scripts
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.heads: list[bytes] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)

    @property
    def host(self) -> str:
        """Address and port."""
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://{self.host}"

    def __enter__(self) -> RawServer:  # noqa: PYI034 - not made to be inherited from
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        # Whoever waits on a socket is woken, and closes it himself: the number of one that is closed under his hands
        # may be that of another file by the time that he reads.
        _shut_down(self._listener)
        self._thread.join()
        self._listener.close()
        for connection in self._open:
            _shut_down(connection)

    def _accept(self) -> None:
        number = 0
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(connection)
            script = self._scripts[min(number, len(self._scripts) - 1)]
            threading.Thread(target=self._serve, args=(connection, script), daemon=True).start()
            number += 1

    def _serve(self, connection: socket.socket, script: Script) -> None:
        with contextlib.suppress(OSError), connection:
            head = b""
            # A client that wants TLS begins with a 22 and never sends an empty line.
            while b"\r\n\r\n" not in head and not head.startswith(b"\x16") and (data := connection.recv(65536)):
                head += data
            self.heads.append(head)
            if isinstance(script, bytes):
                connection.sendall(script)
            else:
                script(connection)
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):
                    pass


def _shut_down(end: socket.socket) -> None:
    with contextlib.suppress(OSError):  # the other side has gone, or it is closed
        end.shutdown(socket.SHUT_RDWR)


def ok(body: bytes = b"", *headers: str) -> bytes:
    """A well-formed 200."""
    return answer(200, body, *headers)


def answer(status: int, body: bytes = b"", *headers: str) -> bytes:
    """A well-formed answer."""
    lines = [f"HTTP/1.1 {status} Status", f"Content-Length: {len(body)}", "Connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode() + body
