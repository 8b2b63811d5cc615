"""A package index on loopback: a folder of wheels behind the JSON form of the simple API (PEP 691).

python -m side_by_side.index FOLDER PORT      # serves until it is stopped

A program of its own, so that it takes no time from whoever measures. Files go out with `sendfile`; `/sent` tells how
many bytes of them have gone out so far.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import threading
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

JSON = "application/vnd.pypi.simple.v1+json"


class Index(BaseHTTPRequestHandler):
    """Answers `/simple/NAME/`, `/files/WHEEL` and `/sent`."""

    protocol_version = "HTTP/1.1"
    folder: Path
    sent = 0
    counting = threading.Lock()

    def do_GET(self) -> None:
        """Answer a request, a range of bytes included: uv reads the metadata of wheels so."""
        kind, _, name = self.path.strip("/").partition("/")
        if kind == "simple":
            self._send(json.dumps(project(self.folder, name)).encode(), JSON)
        elif kind == "files" and name in listing(self.folder):
            self._send_file(self.folder / name)
        elif kind == "sent":
            self._send(str(Index.sent).encode(), "text/plain")
        else:
            self.send_error(404)

    def do_HEAD(self) -> None:
        """Tell a file's size."""
        path = self.folder / self.path.rpartition("/")[2]
        self.send_response(200 if path.is_file() else 404)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(path.stat().st_size if path.is_file() else 0))
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
        """Say nothing."""

    def _send(self, content: bytes, media_type: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _send_file(self, path: Path) -> None:
        size = path.stat().st_size
        asked = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
        first, last = 0, size - 1
        if asked and asked[1]:
            first, last = int(asked[1]), min(int(asked[2] or last), last)
        elif asked:
            first = max(0, size - int(asked[2]))
        self.send_response(206 if asked else 200)
        if asked:
            self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(last - first + 1))
        self.end_headers()
        self.wfile.flush()
        with path.open("rb") as file:
            count = self.connection.sendfile(file, first, last - first + 1)
        with self.counting:
            Index.sent += count


@cache
def listing(folder: Path) -> dict[str, dict[str, object]]:
    """The wheels of a folder by name, hashed once."""
    return {
        path.name: {
            "filename": path.name,
            "url": f"/files/{path.name}",
            "hashes": {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()},
            "size": path.stat().st_size,
        }
        for path in sorted(folder.glob("*.whl"))
    }


def project(folder: Path, name: str) -> dict[str, object]:
    """The page of a project."""
    files = [entry for file, entry in listing(folder).items() if normalize(file.partition("-")[0]) == name]
    return {"meta": {"api-version": "1.1"}, "name": name, "versions": [], "files": files}


def normalize(name: str) -> str:
    """PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def main() -> None:
    """Serve a folder."""
    Index.folder = Path(sys.argv[1])
    listing(Index.folder)
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Index).serve_forever()


if __name__ == "__main__":
    main()
