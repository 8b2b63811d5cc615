"""A real index on loopback, with the faults that real ones have."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.server
import io
import json
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from pycontainer.events import Event
from pycontainer.transports.http import HttpClient, HttpSettings, RetryPolicy, Timeouts

PLANTED = "hunter2-planted-secret"


@dataclass
class IndexServer:
    """An index of projects; `faults` are functions that may answer a request themselves."""

    url: str = ""
    files: dict[str, dict[str, bytes]] = field(default_factory=dict)
    form: str = "json"
    user: tuple[str, str] | None = None
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    faults: list[Callable[[http.server.BaseHTTPRequestHandler], bool]] = field(default_factory=list)
    page_hashes: bool = True

    @property
    def simple(self) -> str:
        return f"{self.url}/simple/"

    def with_user(self, user: str, password: str) -> str:
        return self.simple.replace("://", f"://{user}:{password}@")

    def add(self, project: str, filename: str, content: bytes) -> str:
        self.files.setdefault(project, {})[filename] = content
        return hashlib.sha256(content).hexdigest()

    def asked(self, part: str) -> list[tuple[str, dict[str, str]]]:
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


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    index: IndexServer

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        pass

    def send(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
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
        if parts[0] == "simple" and len(parts) == 2 and parts[1] in index.files:
            kind, body = _page(index, parts[1])
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
def _serving() -> Iterator[IndexServer]:
    index = IndexServer()
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"index": index}))
    index.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield index
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def index() -> Iterator[IndexServer]:
    with _serving() as server:
        yield server


@pytest.fixture
def other_index() -> Iterator[IndexServer]:
    with _serving() as server:
        yield server


@pytest.fixture
def http_client() -> Iterator[HttpClient]:
    """Impatient: no waits between attempts, a stall is noticed in half a second; it sees nothing of this host."""
    settings = HttpSettings(
        timeouts=Timeouts(connect=5, read=5, progress=0.5, minimum_rate=1024),
        retries=RetryPolicy(count=2, sleep=lambda seconds: time.sleep(min(seconds, 0.01))),
        environment={},
    )
    client = HttpClient(settings)
    yield client
    client.close()


@pytest.fixture
def heard() -> list[Event]:
    return []


def make_wheel(name: str = "demo", version: str = "1.0", tag: str = "py3-none-any", body: str = "x = 1\n") -> bytes:
    """A wheel that an installer would take."""
    info = f"{name}-{version}.dist-info"
    members = {
        f"{name}/__init__.py": body,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    rows = []
    for path, text in members.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        rows.append(f"{path},sha256={digest},{len(text)}\n")
    members[f"{info}/RECORD"] = "".join(rows) + f"{info}/RECORD,,\n"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in members.items():
            archive.writestr(path, text)
    return out.getvalue()


@pytest.fixture
def wheel_of() -> Callable[..., bytes]:
    return make_wheel


@pytest.fixture
def planted() -> str:
    """A secret that nothing may show."""
    return PLANTED
