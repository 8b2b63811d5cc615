"""A signed archive on loopback, both verifiers."""

from __future__ import annotations

import shutil
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
from pycontainer.transports.http import HttpClient, HttpSettings
from pycontainer.value import replace

DEMO = DebForge(name="demo", fields={"Depends": "libdemo1"})
LIBRARY = DebForge(name="libdemo1", version="2.0+b1", files={"usr/lib/libdemo.so.1": b"\x7fELF" * 40_000})


@pytest.fixture
def http_settings(http_settings: HttpSettings) -> HttpSettings:
    """One more attempt is enough."""
    return replace(http_settings, retries=replace(http_settings.retries, count=1))


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
