"""A Python index on loopback (PEP 503, 691, 700), real but for the faults that a test asks for.

    with serving() as index:
        index.add("demo", "demo-1.0-py3-none-any.whl", content)
        index.faults.append(lambda handler: handler.send(503))
        http.request("GET", f"{index.simple}demo/")

Every request is remembered with its headers.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pycontainer.testing.loopback import AnsweringHandler, serving_on_loopback

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


class IndexHandler(AnsweringHandler):
    """Answers for an `IndexServer`."""

    index: IndexServer

    def do_HEAD(self) -> None:  # noqa: N802 - http.server calls it so
        """As GET, without the content."""
        self.do_GET()

    def do_GET(self) -> None:  # noqa: N802 - http.server calls it so
        """A page or a file."""
        index = self.index
        if not self.admits(index):
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
        self.send_content(content)


@contextlib.contextmanager
def serving() -> Iterator[IndexServer]:
    """An index that is there until the context ends."""
    index = IndexServer()
    with serving_on_loopback(type("Handler", (IndexHandler,), {"index": index})) as index.url:
        yield index
