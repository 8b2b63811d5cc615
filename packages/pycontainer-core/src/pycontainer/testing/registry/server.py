"""The fake registry's HTTP side: connections, faults, recording."""

from __future__ import annotations

import contextlib
import http.server
import socket
import struct
import sys
import threading
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pycontainer.testing.registry.access import Access
from pycontainer.testing.registry.api import Api
from pycontainer.testing.registry.faults import Answer, Corrupt, Drip, Faults, LoseAnswer, Reset, Stall
from pycontainer.testing.registry.reply import Reply
from pycontainer.testing.registry.rules import Rules
from pycontainer.testing.registry.store import Recorded, Store

if TYPE_CHECKING:
    import ssl

    from pycontainer.testing.registry.faults import Effect

_BLOCK = 64 * 1024
_HEAD_ONLY = frozenset({204, 304})
_HEARS_SECONDS = 60


class FakeRegistry:
    """A registry on a port of loopback that the system chooses; a context manager.

    Attributes:
        rules: How it behaves; may be replaced at any time.
        faults: What goes wrong; may be changed at any time.
        store: What it holds.
        closing: Set when it ends; nothing stalls from then on.

    Args:
        rules: How it behaves.
        tls: A server's context, to speak https.
    """

    def __init__(self, rules: Rules | None = None, *, tls: ssl.SSLContext | None = None) -> None:
        self.rules = rules or Rules()
        self.faults = Faults()
        self.store = Store()
        self.closing = threading.Event()
        self._tls = tls
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.registry = self
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def port(self) -> int:
        """The port."""
        return self._server.server_port

    @property
    def host(self) -> str:
        """Address and port, as in a reference."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """The base URL."""
        return f"{'https' if self._tls else 'http'}://{self.host}"

    @property
    def requests(self) -> list[Recorded]:
        """What was asked until now, in the order of the answers."""
        with self.store.lock:
            return list(self.store.requests)

    def asked(self, method: str, part: str = "") -> list[Recorded]:
        """The requests of this method whose target holds `part`."""
        return [item for item in self.requests if item.method == method and part in item.target]

    def hears(self, method: str, part: str = "") -> list[Recorded]:
        """As `asked`, when there is such a request: of one that is cut off it hears later than who cuts it off."""
        deadline = time.monotonic() + _HEARS_SECONDS
        while not (found := self.asked(method, part)):
            assert time.monotonic() < deadline, f"there was no {method} of `{part}`"
            time.sleep(0.01)
        return found

    def __enter__(self) -> FakeRegistry:  # noqa: PYI034 - not made to be inherited from
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.close_connections()
        self._server.server_close()


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    registry: FakeRegistry

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._connections: set[socket.socket] = set()
        self._connections_lock = threading.Lock()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._connections_lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._connections_lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        with self._connections_lock:
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _GoneError(Exception):
    """The connection was broken on purpose."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60
    server: _Server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def _serve(self) -> None:
        registry = self.server.registry
        effect = registry.faults.take(self.command, self.path)
        self._received = 0
        try:
            reply = self._reply(registry, effect)
        except (_GoneError, OSError):
            self.close_connection = True
            self._record(0)
            return
        if isinstance(effect, LoseAnswer):
            self._record(0)
            self._break()
            return
        self._record(reply.status)
        with contextlib.suppress(OSError, _GoneError):
            self._send(reply, effect)

    def _reply(self, registry: FakeRegistry, effect: Effect | None) -> Reply:
        if isinstance(effect, Answer) and effect.early:
            self.close_connection = True
            return Reply(status=effect.status, headers=dict(effect.headers), body=effect.body)
        body = self._read_body(effect.after if isinstance(effect, Reset) and not effect.answer else None)
        if isinstance(effect, Answer):
            return Reply(status=effect.status, headers=dict(effect.headers), body=effect.body)
        if isinstance(effect, Stall) and not effect.within:
            registry.closing.wait(effect.seconds)
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        access = Access(registry.rules, registry.store, registry.url)
        if parts.path == "/token":
            return access.token(self.command, parts.query, headers, body)
        refused = access.refuse(self.command, parts.path, parts.query, headers)
        if refused is not None:
            return refused
        return Api(registry.rules, registry.store, registry.url).answer(
            self.command, parts.path, parts.query, headers, body
        )

    def _read_body(self, stop_after: int | None) -> bytes:
        if stop_after is not None:
            self._received = len(self.rfile.read(min(stop_after, self._length())))
            self._break()
            raise _GoneError
        body = bytearray()
        length = self._length()
        while len(body) < length and (data := self.rfile.read(min(_BLOCK, length - len(body)))):
            body += data
            self._received = len(body)
        if len(body) < length:
            raise _GoneError
        return bytes(body)

    def _length(self) -> int:
        text = self.headers.get("content-length", "0")
        return int(text) if text.isdigit() else 0

    def _send(self, reply: Reply, effect: Effect | None) -> None:
        body, headers = reply.body, dict(reply.headers)
        if self.server.registry.rules.warning:
            headers["Warning"] = self.server.registry.rules.warning
        if isinstance(effect, Corrupt):
            body = _corrupt(body, effect)
            headers.update({name: value for name, value in effect.headers.items() if value is not None})
            headers = {name: value for name, value in headers.items() if effect.headers.get(name, "") is not None}
        if reply.status not in _HEAD_ONLY:
            headers.setdefault("Content-Length", str(len(body)))
        self.send_response(reply.status)
        for name, value in headers.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command == "HEAD" or reply.status in _HEAD_ONLY:
            return
        self._send_body(body, effect)

    def _send_body(self, body: bytes, effect: Effect | None) -> None:
        half = len(body) // 2
        if isinstance(effect, Reset) and effect.answer:
            self.wfile.write(body[: effect.after])
            self._break()
        elif isinstance(effect, Stall) and effect.within:
            self.wfile.write(body[:half])
            self.server.registry.closing.wait(effect.seconds)
            self.wfile.write(body[half:])
        elif isinstance(effect, Drip):
            for position in range(len(body)):
                self.wfile.write(body[position : position + 1])
                self.server.registry.closing.wait(effect.interval)
        else:
            self.wfile.write(body)

    def _break(self) -> None:
        """A reset, not an orderly end."""
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.wfile.flush()
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.shutdown(socket.SHUT_RD)

    def _record(self, status: int) -> None:
        parts = urlsplit(self.path)
        store = self.server.registry.store
        recorded = Recorded(
            method=self.command,
            path=parts.path,
            query=parts.query,
            headers={name.lower(): value for name, value in self.headers.items()},
            received=self._received,
            status=status,
        )
        with store.lock:
            store.requests.append(recorded)


def _corrupt(body: bytes, effect: Corrupt) -> bytes:
    if effect.flip and body:
        body = body[:-1] + bytes([body[-1] ^ 1])
    return body[: len(body) - effect.cut] + effect.extra
