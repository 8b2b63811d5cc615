"""A signed archive on loopback, a client, both verifiers, what was heard."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pycontainer.blobs.store import BlobStore
from pycontainer.events import Event
from pycontainer.sources.debian.archive import Archive, Verifier
from pycontainer.sources.debian.archive.gpgv import Gpgv
from pycontainer.sources.debian.archive.sequoia import Sequoia
from pycontainer.testing.debian_archive import ArchiveServer, SigningKey, serving_archive
from pycontainer.testing.debs import DebForge
from pycontainer.transports.http import HttpClient, HttpSettings, RetryPolicy, Timeouts
from pycontainer.value import replace

DEMO = DebForge(name="demo", fields={"Depends": "libdemo1"})
SETTINGS = HttpSettings(
    retries=RetryPolicy(count=1, sleep=lambda seconds: time.sleep(min(seconds, 0.01))), environment={}
)
LIBRARY = DebForge(name="libdemo1", version="2.0+b1", files={"usr/lib/libdemo.so.1": b"\x7fELF" * 40_000})


@pytest.fixture(scope="session")
def key() -> SigningKey:
    return SigningKey.make()


@pytest.fixture
def empty_server(key: SigningKey) -> Iterator[ArchiveServer]:
    with serving_archive(key) as archive:
        yield archive


@pytest.fixture
def server(empty_server: ArchiveServer) -> ArchiveServer:
    """Two packages in `bookworm/main`."""
    empty_server.add(DEMO)
    empty_server.add(LIBRARY)
    empty_server.publish()
    return empty_server


@pytest.fixture
def http_client() -> Iterator[HttpClient]:
    """No waits between attempts; it sees nothing of this host."""
    client = HttpClient(SETTINGS)
    yield client
    client.close()


@pytest.fixture
def impatient_client() -> Iterator[HttpClient]:
    """One that notices a stall in half a second, also where it is this machine that stands still."""
    client = HttpClient(replace(SETTINGS, timeouts=Timeouts(connect=5, read=2, progress=0.5, minimum_rate=1024)))
    yield client
    client.close()


@pytest.fixture
def heard() -> list[Event]:
    return []


def gpgv() -> Gpgv:
    program = shutil.which("gpgv")
    assert program, "gpgv is not installed"
    return Gpgv(program)


@pytest.fixture(params=["gpgv", "pysequoia"])
def verifier(request: pytest.FixtureRequest) -> Verifier:
    return gpgv() if request.param == "gpgv" else Sequoia()


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "cache")


@pytest.fixture
def open_archive(
    server: ArchiveServer, http_client: HttpClient, store: BlobStore, tmp_path: Path, heard: list[Event]
) -> Callable[..., Archive]:
    """An archive as a build opens it: each time anew, over the same cache."""

    def make(**fields: Any) -> Archive:
        fields = {"sources": server.sources(), "keyrings": server.keyrings(), "http": http_client, **fields}
        return Archive(store=store, folder=tmp_path / "cache" / "debian", emit=heard.append, **fields)

    return make
