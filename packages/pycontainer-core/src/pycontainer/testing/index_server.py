"""A Python index on loopback (PEP 503, 691, 700), real but for the faults that a test asks for.

    with serving() as index:
        index.add("demo", "demo-1.0-py3-none-any.whl", content)
        index.faults.append(lambda handler: handler.send(503))
        http.request("GET", f"{index.simple}demo/")

Every request is remembered with its headers.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.server
import json
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass
class IndexServer:
    """An index of projects.

    Attributes:
        url: Scheme, host and port.
        files: Project → file name → content.
        form: Of its pages: `json` or `html`.
        user: Name and password that every request must have.
        requests: Path and headers, in lower case, of each.
        faults: Asked before anything is answered; one that returns true has answered itself.
        page_hashes: Whether its pages tell hashes.
    """

    url: str = ""
    files: dict[str, dict[str, bytes]] = field(default_factory=dict)
    form: str = "json"
    user: tuple[str, str] | None = None
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    faults: list[Callable[[IndexHandler], object]] = field(default_factory=list)
    page_hashes: bool = True

    @property
    def simple(self) -> str:
        """The address of the index itself."""
        return f"{self.url}/simple/"

    def with_user(self, user: str, password: str) -> str:
        """That address with a user part."""
        return self.simple.replace("://", f"://{user}:{password}@")

    def add(self, project: str, filename: str, content: bytes) -> str:
        """Publish a file; its sha256."""
        self.files.setdefault(project, {})[filename] = content
        return hashlib.sha256(content).hexdigest()

    def asked(self, part: str) -> list[tuple[str, dict[str, str]]]:
        """The requests whose path has this part."""
        return [request for request in self.requests if part in request[0]]


def _page(server: IndexServer, project: str) -> tuple[str, bytes]:
    files = server.files[project]
    if server.form == "json":
        entries = [
            {
                "filename": name,
                "url": f"../../files/{name}",
                "hashes": {"sha256": hashlib.sha256(content).hexdigest()} if server.page_hashes else {},
                "size": len(content),
            }
            for name, content in files.items()
        ]
        document = {"meta": {"api-version": "1.1"}, "name": project, "files": entries}
        return "application/vnd.pypi.simple.v1+json", json.dumps(document).encode()
    lines = [
        f'<a href="../../files/{name.replace("+", "%2B")}'
        + (f'#sha256={hashlib.sha256(content).hexdigest()}"' if server.page_hashes else '"')
        + f' data-requires-python="&gt;=3.8">{name}</a><br>'
        for name, content in files.items()
    ]
    return "text/html; charset=utf-8", f"<!DOCTYPE html><html><body>{''.join(lines)}</body></html>".encode()


class IndexHandler(http.server.BaseHTTPRequestHandler):
    """Answers for an `IndexServer`."""

    protocol_version = "HTTP/1.1"
    index: IndexServer

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

    def do_HEAD(self) -> None:
        """As GET, without the content."""
        self.do_GET()

    def do_GET(self) -> None:
        """A page or a file."""
        index = self.index
        index.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        if any(fault(self) for fault in list(index.faults)):
            return
        if index.user is not None:
            expected = "Basic " + base64.b64encode(":".join(index.user).encode()).decode()
            if self.headers.get("Authorization") != expected:
                self.send(401, b"no such user", WWW_Authenticate="Basic")
                return
        parts = self.path.strip("/").split("/")
        if parts[:-1] == ["simple"] and parts[-1] in index.files:
            kind, body = _page(index, parts[-1])
            self.send(200, body, Content_Type=kind)
            return
        content = next(
            (
                files[parts[-1].replace("%2B", "+")]
                for files in index.files.values()
                if parts[-1].replace("%2B", "+") in files
            ),
            None,
        )
        if parts[0] != "files" or content is None:
            self.send(404)
            return
        start = self.headers.get("Range", "").removeprefix("bytes=").rstrip("-")
        if start:
            offset = int(start)
            self.send(206, content[offset:], Content_Range=f"bytes {offset}-{len(content) - 1}/{len(content)}")
        else:
            self.send(200, content)


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # a client that hangs up is part of the tests


@contextlib.contextmanager
def serving() -> Iterator[IndexServer]:
    """An index that is there until the context ends."""
    index = IndexServer()
    server = _Server(("127.0.0.1", 0), type("Handler", (IndexHandler,), {"index": index}))
    index.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield index
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
