"""A real registry (Debian's `docker-registry`) on a port of loopback."""

from __future__ import annotations

import json
import re
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

from real.programs import run, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIG = """\
version: 0.1
log: {{level: info}}
storage:
  filesystem: {{rootdirectory: {root}}}
  delete: {{enabled: true}}
http:
  addr: 127.0.0.1:0
"""
ACCEPTED = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
LISTENING = re.compile(r'msg="listening on 127\.0\.0\.1:(?P<port>[0-9]+)"')
CLOSE_SECONDS = 60
CLOSE_WAIT = "08"  # TCP_CLOSE_WAIT of Linux's tcp_states.h
# Of its access log, which has the form of Apache's.
REQUEST = re.compile(r'"(?P<method>[A-Z]+) (?P<path>[^ ?"]+)\S* HTTP/[0-9.]+" (?P<status>[0-9]+) (?P<sent>[0-9]+)')


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A request as the registry's own log has it; `sent` is the bytes of its answer."""

    method: str
    path: str
    status: int
    sent: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Registry:
    """Where a registry listens; a name in it is `registry.reference("app:1")`."""

    port: int
    root: Path

    @property
    def host(self) -> str:
        """`localhost:PORT`: every engine speaks plain http to that name."""
        return f"localhost:{self.port}"

    def reference(self, name: str) -> str:
        """The full reference of a repository and tag here."""
        return f"{self.host}/{name}"

    def manifest(self, repository: str, tag: str) -> tuple[str, dict[str, Any]]:
        """The digest that the registry gives a tag, and the document."""
        address = f"http://{self.host}/v2/{repository}/manifests/{tag}"
        with urlopen(Request(address, headers={"Accept": ",".join(ACCEPTED)}), timeout=60) as answer:  # loopback
            return answer.headers["Docker-Content-Digest"], json.load(answer)

    def tags(self, repository: str) -> list[str]:
        """The tags of a repository."""
        with urlopen(f"http://{self.host}/v2/{repository}/tags/list", timeout=60) as answer:  # loopback
            listed: list[str] = json.load(answer)["tags"]
            return listed

    def blob(self, repository: str, digest: str) -> bytes:
        """The content of a blob."""
        with urlopen(f"http://{self.host}/v2/{repository}/blobs/{digest}", timeout=60) as answer:  # loopback
            content: bytes = answer.read()
            return content

    def requests(self) -> list[Asked]:
        """What it was asked until now, by clients that have ended.

        It notes a request when it has sent the answer, so that whoever has the answer may look before that; but it
        keeps its side of a connection that a client has closed until it is done.
        """
        deadline = time.monotonic() + CLOSE_SECONDS
        while _is_half_closed(self.port):
            assert time.monotonic() < deadline, "the registry keeps connections that nobody needs"
            time.sleep(0.01)
        log = (self.root / "log").read_text(errors="replace")
        return [
            Asked(method=found["method"], path=found["path"], status=int(found["status"]), sent=int(found["sent"]))
            for found in REQUEST.finditer(log)
        ]

    def stored(self) -> int:
        """The bytes of all blobs that it has, each counted once."""
        return sum(path.stat().st_size for path in self.root.glob("data/docker/registry/v2/blobs/*/*/*/data"))

    def copy_in(self, layout: Path, layout_tag: str, name: str, *, every_platform: bool = False) -> str:
        """Copy an image, or a whole index, from an OCI layout into this registry; return its reference here."""
        reference = self.reference(name)
        copy = ("skopeo", "copy", "--quiet", "--insecure-policy", "--preserve-digests", "--dest-tls-verify=false")
        which = ("--all",) if every_platform else ()
        run(*copy, *which, f"oci:{layout}:{layout_tag}", f"docker://{reference}")
        return reference


def _is_half_closed(port: int) -> bool:
    """Whether a client has closed a connection that the server on this port of loopback has not closed yet."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return any(int(row[1].partition(":")[2], 16) == port and row[3] == CLOSE_WAIT for row in rows)


@contextmanager
def registry(root: Path) -> Iterator[Registry]:
    """An empty registry that keeps its data below `root`."""
    root.mkdir(parents=True, exist_ok=True)
    with serve(root, CONFIG.format(root=root / "data")) as port:
        yield Registry(port=port, root=root)


@contextmanager
def serve(root: Path, config: str) -> Iterator[int]:
    """`docker-registry serve` with a configuration that lets it choose its port, which is given; its log is in `root`.

    A port that is free now may be somebody else's when the program takes it.
    """
    path, log = root / "config.yml", root / "log"
    path.write_text(config)

    def port() -> int | None:
        found = LISTENING.search(log.read_text(errors="replace"))
        return int(found["port"]) if found else None

    with serving(["docker-registry", "serve", path], log=log, ready=lambda: port() is not None):
        chosen = port()
        assert chosen is not None
        yield chosen
