"""An archive as builds use it: what is asked for, what is asked for again, and where else."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from pycontainer.blobs.store import BlobStore
from pycontainer.errors import DeniedError, IntegrityError, NetworkError, PackageError, PyContainerError
from pycontainer.events import Event, TaskAdvanced, TaskFinished, Warned
from pycontainer.oci import Digest
from pycontainer.sources.debian.archive import (
    AptSource,
    Archive,
    Credentials,
    Keyring,
    Keyrings,
    Verifier,
    archive_settings,
    read_apt_sources,
)
from pycontainer.sources.debian.archive.sequoia import Sequoia
from pycontainer.testing.debian_archive import ArchiveHandler, ArchiveServer, SigningKey, serving_archive
from pycontainer.testing.debian_faults import IN_RELEASE, RELEASE_FAULTS, cut_off_once
from pycontainer.testing.debs import DebForge
from pycontainer.transports.http import HttpClient, HttpSettings

Opener = Callable[..., Archive]
RELEASE = "/debian/dists/bookworm/InRelease"


def changed(server: ArchiveServer) -> None:
    """The archive as it is a day later."""
    server.add(DebForge(name="newcomer"))
    server.publish(date=datetime.now(timezone.utc) + timedelta(minutes=1))


@pytest.fixture
def mirror(server: ArchiveServer) -> Iterator[ArchiveServer]:
    """Another address of the same archive."""
    with serving_archive(server.key) as other:
        other.files = server.files
        yield other


class TestRequests:
    def test_a_cold_build_asks_for_release_index_and_packages(
        self, server: ArchiveServer, open_archive: Opener
    ) -> None:
        archive = open_archive()
        index = archive.index("amd64")
        paths = archive.fetch_all([index.versions("demo")[0], index.versions("libdemo1")[0]])
        assert [path.read_bytes()[:7] for path in paths] == [b"!<arch>"] * 2
        release, packages, *debs = server.asked()
        assert release == RELEASE
        assert packages.startswith("/debian/dists/bookworm/main/binary-amd64/by-hash/SHA256/")
        assert sorted(debs) == ["/debian/pool/main/demo_1.0_amd64.deb", "/debian/pool/main/libdemo1_2.0%2Bb1_amd64.deb"]

    def test_a_warm_build_asks_whether_there_is_a_newer_release(
        self, server: ArchiveServer, open_archive: Opener, heard: list[Event]
    ) -> None:
        archive = open_archive()
        archive.fetch(archive.index("amd64").versions("demo")[0])
        server.requests.clear()
        heard.clear()
        archive = open_archive()
        archive.fetch(archive.index("amd64").versions("demo")[0])
        ((path, headers),) = server.requests
        assert path == RELEASE
        assert headers["if-none-match"]
        assert headers["cache-control"] == "max-age=0"
        finished = [event for event in heard if isinstance(event, TaskFinished)]
        assert [(event.name, event.reused) for event in finished] == [("demo_1.0_amd64.deb", True)]

    def test_an_archive_that_does_not_know_changes_gives_its_release_again(
        self, server: ArchiveServer, open_archive: Opener
    ) -> None:
        server.tells_changes = False
        open_archive().index("amd64")
        server.requests.clear()
        open_archive().index("amd64")
        assert server.asked() == [RELEASE]

    def test_a_newer_release_is_seen_at_once(self, server: ArchiveServer, open_archive: Opener) -> None:
        assert "newcomer" not in open_archive().index("amd64").names()
        changed(server)
        assert "newcomer" in open_archive().index("amd64").names()

    def test_one_archive_reads_its_index_once(self, server: ArchiveServer, open_archive: Opener) -> None:
        archive = open_archive()
        assert archive.index("amd64") is archive.index("amd64")
        assert len(server.asked()) == 2

    def test_an_unchanged_release_is_checked_again(self, open_archive: Opener) -> None:
        """Its key may have been taken from the keyring since, or the release have expired."""
        open_archive().index("amd64")
        with pytest.raises(IntegrityError, match="not signed by a key that is trusted"):
            open_archive(keyrings=Keyrings(given=[SigningKey.make("Another").keyring()])).index("amd64")
        with pytest.raises(PackageError, match="has expired"):
            open_archive(clock=lambda: datetime.now(timezone.utc) + timedelta(days=8), verifier=None).index("amd64")

    def test_an_archive_without_hashes_in_its_paths_is_read_by_name(
        self, server: ArchiveServer, open_archive: Opener
    ) -> None:
        server.publish(by_hash=False)
        assert open_archive().index("amd64").names()
        assert server.asked("Packages") == ["/debian/dists/bookworm/main/binary-amd64/Packages.xz"]

    def test_a_missing_hash_path_is_made_up_for_by_the_name(self, server: ArchiveServer, open_archive: Opener) -> None:
        server.faults.append(lambda handler: "by-hash" in handler.path and handler.send(404))
        assert open_archive().index("amd64").names()

    @pytest.mark.parametrize("suffix", [".xz", ".gz", ""])
    def test_every_form_of_an_index_is_read(self, suffix: str, server: ArchiveServer, open_archive: Opener) -> None:
        name = f"main/binary-amd64/Packages{suffix}"
        server.publish(suffixes=(suffix,), listed=lambda indexes: {name: indexes[name]})
        for _ in range(2):
            assert sorted(open_archive().index("amd64").names()) == ["demo", "libdemo1"]
        assert len(server.asked("by-hash")) == 1

    def test_a_damaged_index_in_the_cache_is_fetched_again(self, open_archive: Opener, store: BlobStore) -> None:
        open_archive().index("amd64")
        (digest,) = (item for item, _ in store.entries() if b"Package: demo" in store.path(item).read_bytes())
        content = store.path(digest).read_bytes()
        store.path(digest).write_bytes(content.replace(b"demo", b"evil"))
        assert sorted(open_archive().index("amd64").names()) == ["demo", "libdemo1"]
        assert store.path(digest).read_bytes() == content

    def test_packages_of_all_architectures_may_have_an_index_of_their_own(
        self, server: ArchiveServer, open_archive: Opener
    ) -> None:
        server.add(DebForge(name="shared", architecture="all"))
        server.publish(architectures=["amd64", "all"], fields={"No-Support-for-Architecture-all": "Packages"})
        open_archive().index("amd64")
        assert len(server.asked("binary-all")) == 0
        server.publish(architectures=["amd64", "all"], date=datetime.now(timezone.utc) + timedelta(minutes=1))
        assert "shared" in open_archive().index("amd64").names()
        assert len(server.asked("binary-all")) == 1

    def test_a_flat_archive_has_its_index_beside_its_packages(
        self, server: ArchiveServer, open_archive: Opener
    ) -> None:
        indexes = {
            path.rpartition("/")[2]: content
            for path, content in server.files.items()
            if path.endswith(("binary-amd64/Packages", "binary-amd64/Packages.xz"))
        }
        server.publish(listed=lambda _: indexes)
        server.files |= {f"flat/repo/{name}": content for name, content in indexes.items()}
        server.files["flat/repo/InRelease"] = server.files[IN_RELEASE]
        (source,) = read_apt_sources({"etc/apt/sources.list": f"deb {server.url}/flat repo/\n".encode()})
        server.publish(by_hash=False, listed=lambda _: indexes)
        server.files["flat/repo/InRelease"] = server.files[IN_RELEASE]
        archive = open_archive(sources=[source])
        assert sorted(archive.index("amd64").names()) == ["demo", "libdemo1"]
        server.files["flat/pool/main/demo_1.0_amd64.deb"] = server.files["debian/pool/main/demo_1.0_amd64.deb"]
        assert archive.fetch(archive.index("amd64").versions("demo")[0]).exists()

    def test_each_source_believes_its_own_keys(self, server: ArchiveServer, open_archive: Opener) -> None:
        """Two sources of one suite, of which one names another key: it is not believed for the other's sake."""
        stranger = SigningKey.make("Another").armored
        sources = [*server.sources(), *server.sources(signed_by=(stranger,))]
        with pytest.raises(IntegrityError, match="not signed by a key that is trusted"):
            open_archive(sources=sources).index("amd64")

    def test_sources_of_other_architectures_are_left_alone(self, server: ArchiveServer, open_archive: Opener) -> None:
        sources = [*server.sources(architectures=("amd64",)), *server.sources("ports", architectures=("arm64",))]
        assert open_archive(sources=sources).index("amd64").names()
        assert server.asked("ports") == []
        with pytest.raises(PackageError, match="No archive of packages for `riscv64` is known"):
            open_archive(sources=sources).index("riscv64")

    def test_a_suite_that_was_only_guessed_may_be_absent(self, server: ArchiveServer, open_archive: Opener) -> None:
        sources = [*server.sources(), *server.sources("bookworm-updates", guessed=True)]
        archive = open_archive(sources=sources)
        assert archive.index("amd64").names()
        assert [release.asked for release in archive.releases] == ["bookworm"]

    def test_what_is_not_http_is_passed_over_aloud(
        self, server: ArchiveServer, open_archive: Opener, heard: list[Event]
    ) -> None:
        other = AptSource(uri="cdrom:[Debian GNU/Linux]", suite="bookworm", components=("main",))
        assert open_archive(sources=[other, *server.sources()]).index("amd64").names()
        assert any(isinstance(event, Warned) and "passed over" in event.message for event in heard)


class TestPackages:
    def test_a_lock_needs_neither_index_nor_verifier(self, server: ArchiveServer, open_archive: Opener) -> None:
        package = server.add(DebForge(name="locked"))
        for path in [path for path in server.files if "/dists/" in path]:
            del server.files[path]
        assert open_archive(keyrings=Keyrings()).fetch(package).stat().st_size == package.size
        assert server.asked() == ["/debian/pool/main/locked_1.0_amd64.deb"]

    def test_an_index_tells_which_archive_has_a_package(
        self, server: ArchiveServer, open_archive: Opener, key: SigningKey
    ) -> None:
        with serving_archive(key) as security:
            security.add(DebForge(name="fixed"), suite="bookworm-security")
            security.publish("bookworm-security")
            archive = open_archive(sources=[*server.sources(), *security.sources("bookworm-security")])
            archive.fetch(archive.index("amd64").versions("fixed")[0])
            assert server.asked("pool") == []

    def test_without_an_index_the_pool_tells_after_the_first(
        self, server: ArchiveServer, open_archive: Opener, key: SigningKey
    ) -> None:
        with serving_archive(key) as security:
            packages = [security.add(DebForge(name=f"fixed{number}"), component="updates") for number in range(3)]
            archive = open_archive(sources=[*server.sources(), *security.sources("bookworm-security")])
            for package in packages:
                archive.fetch(package)
            assert len(server.asked("pool")) == 1

    def test_a_broken_download_goes_on_where_it_broke(
        self, server: ArchiveServer, open_archive: Opener, heard: list[Event]
    ) -> None:
        archive = open_archive()
        package = archive.index("amd64").versions("libdemo1")[0]
        server.faults.append(cut_off_once("demo_1.0"))
        package = archive.index("amd64").versions("demo")[0]
        heard.clear()
        archive.fetch(package)
        ranges = [headers.get("range") for path, headers in server.requests if "demo_1.0" in path]
        assert ranges == [None, f"bytes={package.size // 2}-"]
        assert sum(event.count for event in heard if isinstance(event, TaskAdvanced)) == package.size

    def test_many_are_fetched_at_once(self, server: ArchiveServer, open_archive: Opener) -> None:
        packages = [server.add(DebForge(name=f"p{number}")) for number in range(4)]
        together = threading.Barrier(4, timeout=60)

        def wait(handler: ArchiveHandler) -> bool:
            del handler
            together.wait()
            return False

        server.faults.append(wait)
        assert len(set(open_archive().fetch_all(packages))) == 4

    def test_two_that_want_the_same_share_one_download(
        self, server: ArchiveServer, open_archive: Opener, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hashed = Digest.__hash__

        def let_others_go_on(self: Digest) -> int:
            time.sleep(0.001)
            return hashed(self)

        monkeypatch.setattr(Digest, "__hash__", let_others_go_on)
        package = server.add(DebForge(name="shared", architecture="all"))
        assert len(set(open_archive().fetch_all([package] * 6))) == 1
        assert len(server.asked("shared")) == 1

    def test_downloads_can_be_stopped(self, open_archive: Opener) -> None:
        archive = open_archive()
        package = archive.index("amd64").versions("libdemo1")[0]
        archive.stop()
        with pytest.raises(NetworkError, match="was interrupted"):
            archive.fetch(package)

    def test_an_archive_that_drips_does_not_hold_a_build(
        self, server: ArchiveServer, open_archive: Opener, impatient_client: HttpClient
    ) -> None:
        package = open_archive().index("amd64").versions("demo")[0]
        over = threading.Event()

        def drip(handler: ArchiveHandler) -> bool:
            if not handler.path.endswith(".deb"):
                return False
            handler.send_response(200)
            handler.send_header("Content-Length", str(package.size))
            handler.end_headers()
            with contextlib.suppress(OSError):
                for _ in range(600):
                    handler.wfile.write(b"!")
                    if over.wait(0.1):
                        break
            handler.close_connection = True
            return True

        server.faults.append(drip)
        # The server does not end it: that would be a connection that broke.
        with pytest.raises(NetworkError, match="stopped sending"):
            open_archive(http=impatient_client).fetch(package)
        over.set()


class TestMirrors:
    def test_another_mirror_gives_what_the_first_does_not(
        self, server: ArchiveServer, mirror: ArchiveServer, open_archive: Opener
    ) -> None:
        server.faults.append(lambda handler: handler.send(503))
        archive = open_archive(sources=server.sources(mirrors=(mirror.uri,)))
        index = archive.index("amd64")
        assert archive.fetch(index.versions("demo")[0]).exists()
        assert archive.releases[0].uri == mirror.uri

    @pytest.mark.parametrize("fault", ["changed", "expired", "text after"])
    def test_another_mirror_stands_in_for_one_that_is_not_believed(
        self, fault: str, server: ArchiveServer, mirror: ArchiveServer, open_archive: Opener
    ) -> None:
        mirror.files = dict(server.files)
        RELEASE_FAULTS[fault](server)
        assert open_archive(sources=server.sources(mirrors=(mirror.uri,))).index("amd64").names()

    def test_another_mirror_gives_the_package_that_the_first_one_damaged(
        self, server: ArchiveServer, mirror: ArchiveServer, open_archive: Opener
    ) -> None:
        mirror.files = dict(server.files)
        archive = open_archive(sources=server.sources(mirrors=(mirror.uri,)))
        package = archive.index("amd64").versions("demo")[0]
        server.files["debian/pool/main/demo_1.0_amd64.deb"] = b"x" * package.size
        assert archive.fetch(package).read_bytes()[:7] == b"!<arch>"
        assert len(mirror.asked("pool")) == 1

    def test_addresses_of_one_paragraph_are_read_once(
        self, server: ArchiveServer, mirror: ArchiveServer, open_archive: Opener
    ) -> None:
        text = f"Types: deb\nURIs: {server.uri} {mirror.uri}\nSuites: bookworm\nComponents: main\n"
        sources = read_apt_sources({"etc/apt/sources.list.d/x.sources": text.encode()})
        index = open_archive(sources=sources).index("amd64")
        assert len(index.versions("demo")) == 1
        assert len(server.asked("by-hash") + mirror.asked("by-hash")) == 1


class TestOffline:
    def test_what_was_verified_is_used_where_the_archive_does_not_answer(
        self, server: ArchiveServer, open_archive: Opener, heard: list[Event], verifier: Verifier
    ) -> None:
        open_archive(verifier=verifier).index("amd64")
        server.faults.append(lambda handler: handler.send(503))
        archive = open_archive(verifier=verifier)
        assert sorted(archive.index("amd64").names()) == ["demo", "libdemo1"]
        (warning,) = (event for event in heard if isinstance(event, Warned))
        assert "does not answer" in warning.message
        assert archive.releases[0].codename == "bookworm"

    def test_it_is_used_where_nothing_listens(
        self, key: SigningKey, http_client: HttpClient, store: BlobStore, tmp_path: Path, heard: list[Event]
    ) -> None:
        with serving_archive(key) as server:
            server.add(DebForge())
            server.publish()
            sources, keyrings = server.sources(), server.keyrings()
            made = [
                Archive(
                    sources,
                    http=http_client,
                    store=store,
                    folder=tmp_path / "x",
                    keyrings=keyrings,
                    emit=heard.append,
                )
                for _ in range(2)
            ]
            made[0].index("amd64")
        http_client.close()
        with socket.socket() as silent:  # bound and not listening, so that nobody else gets the port
            silent.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # its last connections may not be over
            silent.bind(("127.0.0.1", urlsplit(server.url).port or 0))
            assert list(made[1].index("amd64").names()) == ["demo"]
        assert any(isinstance(event, Warned) for event in heard)

    def test_it_is_not_used_once_it_has_expired(self, server: ArchiveServer, open_archive: Opener) -> None:
        open_archive().index("amd64")
        server.faults.append(lambda handler: handler.send(503))
        later = datetime.now(timezone.utc) + timedelta(days=8)
        with pytest.raises(PackageError, match="has expired"):
            open_archive(verifier=Sequoia(), clock=lambda: later).index("amd64")

    def test_an_archive_that_says_no_is_no_silent_one(self, server: ArchiveServer, open_archive: Opener) -> None:
        open_archive().index("amd64")
        server.hidden = ("InRelease",)
        with pytest.raises(PackageError, match="no signed release of `bookworm`"):
            open_archive().index("amd64")
        server.faults.append(lambda handler: handler.send(403))
        with pytest.raises(DeniedError):
            open_archive().index("amd64")

    def test_nothing_is_made_up_where_nothing_is_remembered(self, server: ArchiveServer, open_archive: Opener) -> None:
        server.faults.append(lambda handler: handler.send(503))
        with pytest.raises(NetworkError):
            open_archive().index("amd64")


class TestSnapshots:
    DATE = datetime(2026, 3, 1, 20, 0, tzinfo=timezone.utc)
    STAMP = "20260302T080000Z"

    def test_a_package_that_left_is_taken_from_the_time_of_the_lock(
        self, server: ArchiveServer, open_archive: Opener
    ) -> None:
        package = server.add(DebForge(name="gone"))
        content = server.files.pop("debian/pool/main/gone_1.0_amd64.deb")
        server.files[f"snapshot/{self.STAMP}/pool/main/gone_1.0_amd64.deb"] = content
        fields = {"dates": {"x": self.DATE}, "sources": server.sources(snapshot=f"{server.url}/snapshot/{{time}}")}
        assert open_archive(**fields).fetch(package).read_bytes() == content
        assert [path.split("/")[1] for path in server.asked("gone")] == ["debian", "snapshot"]

    def test_the_option_names_a_service(self, server: ArchiveServer, open_archive: Opener) -> None:
        package = server.add(DebForge(name="gone"))
        content = server.files.pop("debian/pool/main/gone_1.0_amd64.deb")
        server.files[f"snapshot/{self.STAMP}/pool/main/gone_1.0_amd64.deb"] = content
        archive = open_archive(dates={"x": self.DATE}, snapshots=[f"{server.url}/snapshot/{{time}}/"])
        assert archive.fetch(package).read_bytes() == content

    def test_what_it_gives_is_checked_as_well(self, server: ArchiveServer, open_archive: Opener) -> None:
        package = server.add(DebForge(name="gone"))
        content = server.files.pop("debian/pool/main/gone_1.0_amd64.deb")
        server.files[f"snapshot/{self.STAMP}/pool/main/gone_1.0_amd64.deb"] = content[:-1] + b"x"
        archive = open_archive(dates={"x": self.DATE}, snapshots=[f"{server.url}/snapshot/{{time}}"])
        with pytest.raises(IntegrityError):
            archive.fetch(package)

    def test_nothing_is_asked_of_the_future(self, server: ArchiveServer, open_archive: Opener) -> None:
        package = server.add(DebForge(name="gone"))
        server.files.pop("debian/pool/main/gone_1.0_amd64.deb")
        now = self.DATE + timedelta(hours=1)
        archive = open_archive(dates={"x": self.DATE}, snapshots=[f"{server.url}/snapshot/{{time}}"], clock=lambda: now)
        with pytest.raises(PackageError, match="No archive has"):
            archive.fetch(package)
        assert server.asked("snapshot") == ["/snapshot/20260301T210000Z/pool/main/gone_1.0_amd64.deb"]


class TestCredentials:
    SECRET = "hunter2-planted-secret"

    @pytest.fixture
    def closed(self, server: ArchiveServer) -> ArchiveServer:
        server.user = ("bob", self.SECRET)
        return server

    def test_a_user_in_the_address_is_let_in(self, closed: ArchiveServer, open_archive: Opener) -> None:
        address = closed.uri.replace("://", f"://bob:{self.SECRET}@")
        sources = read_apt_sources({"etc/apt/sources.list": f"deb {address} bookworm main".encode()})
        archive = open_archive(sources=sources)
        assert archive.fetch(archive.index("amd64").versions("demo")[0]).exists()
        assert self.SECRET not in repr(sources) + repr(archive.releases) + str(sources[0])

    def test_a_user_of_auth_conf_is_let_in(self, closed: ArchiveServer, open_archive: Opener) -> None:
        text = f"machine {closed.url} login bob password {self.SECRET}\n"
        credentials = Credentials.of(closed.sources(), {"etc/apt/auth.conf.d/x.conf": text.encode()})
        assert open_archive(credentials=credentials).index("amd64").names()
        assert self.SECRET not in repr(credentials)

    @pytest.mark.parametrize("repeats", [True, False])
    def test_a_wrong_one_is_never_shown(
        self, closed: ArchiveServer, open_archive: Opener, heard: list[Event], *, repeats: bool
    ) -> None:
        closed.user = ("bob", "another")
        if repeats:
            closed.faults.append(lambda handler: handler.send(401, handler.headers["Authorization"].encode()))
        address = closed.uri.replace("://", f"://bob:{self.SECRET}@")
        sources = read_apt_sources({"etc/apt/sources.list": f"deb {address} bookworm main".encode()})
        with pytest.raises(DeniedError, match="denies access") as caught:
            open_archive(sources=sources).index("amd64")
        said = _everything(caught.value) + repr(heard)
        assert self.SECRET not in said
        assert "Ym9iOmh1bnRlcjIt" not in said  # its base64
        assert "auth.conf" in (caught.value.hint or "")

    def test_it_is_in_no_file_of_the_cache(self, closed: ArchiveServer, open_archive: Opener, tmp_path: Path) -> None:
        address = closed.uri.replace("://", f"://bob:{self.SECRET}@")
        sources = read_apt_sources({"etc/apt/sources.list": f"deb {address} bookworm main".encode()})
        open_archive(sources=sources).index("amd64")
        assert not [
            path for path in tmp_path.rglob("*") if path.is_file() and self.SECRET.encode() in path.read_bytes()
        ]

    def test_http_needs_a_scheme_in_auth_conf(self) -> None:
        credentials = Credentials.of(
            [],
            {
                "/etc/apt/auth.conf": b"# none\nmachine archive.example/debian login bob\n password one # x\n"
                b"machine http://archive.example login eve password two",
                "etc/apt/sources.list": b"machine archive.example login no password no",
            },
        )
        assert credentials.headers("https://archive.example/debian/x") == {"Authorization": "Basic Ym9iOm9uZQ=="}
        assert credentials.headers("https://archive.example/debian-security/x") == {}
        assert credentials.headers("http://archive.example/debian/x") == {"Authorization": "Basic ZXZlOnR3bw=="}
        assert credentials.headers("https://other.example/debian/x") == {}
        assert credentials.headers("https://archive.example:8443/debian/x") == {}


def _everything(error: BaseException | None) -> str:
    texts = []
    while error is not None:
        texts += [repr(error), str(error), *(getattr(error, "facts", ())), str(getattr(error, "hint", ""))]
        error = error.__cause__ or error.__context__
    return "\n".join(texts)


class TestPlainHttp:
    def test_it_goes_to_the_archives_and_nowhere_else(self) -> None:
        sources = [
            AptSource(uri="http://archive.example/debian", suite="x", mirrors=("http://other.example:81/debian",)),
            AptSource(uri="https://secure.example/debian", suite="x", snapshot="http://old.example/a/{time}"),
        ]
        settings = archive_settings(HttpSettings(allowed_hosts=frozenset({"mine"})), sources)
        assert settings.allowed_hosts == {"mine", "archive.example", "other.example:81", "old.example"}

    def test_a_redirect_to_another_host_stays_forbidden(self, server: ArchiveServer, open_archive: Opener) -> None:
        server.faults.append(lambda handler: handler.send(302, Location="http://elsewhere.example/InRelease"))
        with pytest.raises(NetworkError, match=r"`elsewhere\.example` would be reached over plain http"):
            open_archive().index("amd64")


def test_inline_keys_of_a_source_are_enough(server: ArchiveServer, open_archive: Opener, verifier: Verifier) -> None:
    lines = "\n".join(f" {line or '.'}" for line in server.key.armored.splitlines())
    text = f"Types: deb\nURIs: {server.uri}\nSuites: bookworm\nComponents: main\nSigned-By:\n{lines}\n"
    sources = read_apt_sources({"etc/apt/sources.list.d/x.sources": text.encode()})
    assert open_archive(sources=sources, keyrings=Keyrings(), verifier=verifier).index("amd64").names()


def test_an_armored_keyring_is_as_good_as_a_binary_one(
    server: ArchiveServer, open_archive: Opener, verifier: Verifier
) -> None:
    several = SigningKey.make("Another").armored + "\n" + server.key.armored
    keyrings = Keyrings(given=[Keyring.parse("both.asc", several.encode())])
    assert open_archive(keyrings=keyrings, verifier=verifier).index("amd64").names()


def test_threads_share_one_archive(server: ArchiveServer, open_archive: Opener) -> None:
    archive = open_archive()
    found: list[object] = []
    errors: list[PyContainerError] = []

    def work() -> None:
        try:
            found.append(archive.index("amd64"))
        except PyContainerError as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert len({id(index) for index in found}) == 1
    assert len(server.asked(RELEASE)) == 1
