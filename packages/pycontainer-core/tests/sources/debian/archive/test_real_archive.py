"""The archive that this machine's own apt uses: signed by others, written by others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pycontainer.blobs.store import BlobStore
from pycontainer.errors import IntegrityError
from pycontainer.sources.debian.archive import (
    Archive,
    HostApt,
    Keyring,
    Keyrings,
    Verifier,
    archive_settings,
    choose_sources,
    read_host_apt,
)
from pycontainer.testing.debian_archive import SigningKey
from pycontainer.transports.http import HttpClient, HttpSettings

pytestmark = pytest.mark.network


@pytest.fixture(scope="module")
def host() -> HostApt:
    found = read_host_apt()
    if found.distribution != "debian":
        pytest.skip("this machine is not Debian")
    return found


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> BlobStore:
    return BlobStore(tmp_path_factory.mktemp("cache"))


@pytest.fixture
def client(host: HostApt) -> Iterator[HttpClient]:
    sources = choose_sources(host=host, distribution="debian", codename=host.codename)
    with closing(HttpClient(archive_settings(HttpSettings(), sources))) as client:
        yield client


def open_archive(
    host: HostApt, client: HttpClient, store: BlobStore, verifier: Verifier, keyrings: Keyrings
) -> Archive:
    sources = choose_sources(host=host, distribution="debian", codename=host.codename)
    return Archive(
        sources, http=client, store=store, folder=store.root / "debian", keyrings=keyrings, verifier=verifier
    )


def test_release_index_and_package_of_the_real_archive(
    host: HostApt, client: HttpClient, store: BlobStore, verifier: Verifier
) -> None:
    archive = open_archive(host, client, store, verifier, Keyrings(host=host.files))
    index = archive.index("amd64")
    assert len(index.names()) > 50_000
    assert {release.origin for release in archive.releases} == {"Debian"}
    assert any(release.asked == f"{host.codename}-security" for release in archive.releases)
    package = index.versions("netbase")[0]
    path = archive.fetch(package)
    assert path.stat().st_size == package.size
    assert path.read_bytes()[:8] == b"!<arch>\n"


def test_one_of_several_signatures_is_enough(
    host: HostApt, client: HttpClient, store: BlobStore, verifier: Verifier, tmp_path: Path
) -> None:
    """Debian signs with its old key, its new key and the release's own; a base image may know any one of them."""
    single = host.files.get(f"usr/share/keyrings/debian-archive-{host.codename}-automatic.gpg")
    if single is None:
        pytest.skip("this host has no keyring of a single key")
    keyrings = Keyrings(host={"usr/share/keyrings/debian-archive-keyring.gpg": single})
    sources = choose_sources(host=host, distribution="debian", codename=host.codename)
    main = [source for source in sources if source.suite == host.codename]
    archive = Archive(main, http=client, store=store, folder=tmp_path, keyrings=keyrings, verifier=verifier)
    assert archive.index("amd64").names()


def test_a_stranger_did_not_sign_it(
    host: HostApt, client: HttpClient, tmp_path: Path, store: BlobStore, verifier: Verifier, key: SigningKey
) -> None:
    sources = choose_sources(host=host, distribution="debian", codename=host.codename)
    strangers = Keyrings(
        base={
            path: Keyring.parse(path, key.public).keys
            for source in sources
            for path in (*source.signed_by, "etc/apt/trusted.gpg")
        }
    )
    archive = Archive(sources, http=client, store=store, folder=tmp_path, keyrings=strangers, verifier=verifier)
    with pytest.raises(IntegrityError, match="not signed by a key that is trusted"):
        archive.index("amd64")
