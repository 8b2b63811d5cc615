import contextlib
import hashlib
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, as_completed, wait
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from pycontainer.blobs.store import BlobStore
from pycontainer.errors import (
    ConfigError,
    DeniedError,
    HTTPStatusError,
    IntegrityError,
    LockError,
    NetworkError,
    PyContainerError,
)
from pycontainer.events import Event, TaskAdvanced, TaskFinished, TaskStarted
from pycontainer.oci import Digest
from pycontainer.sources.fetch import ArtifactFetcher, gather
from pycontainer.sources.indexes import Index, IndexCredentials, IndexLookup, IndexSettings
from pycontainer.sources.indexes.lookup import split_filename
from pycontainer.sources.locks import Artifact, LockedPackage, Registry
from pycontainer.testing.index_server import IndexHandler, IndexServer
from pycontainer.testing.raw_server import RawServer
from pycontainer.transports.http import HttpClient, HttpSettings
from pycontainer.transports.index_pages import IndexFile, IndexPages, _from_anchors

NAME = "demo-1.0-py3-none-any.whl"


@pytest.fixture
def fetcher(tmp_path: Path, http_client: HttpClient, heard: list[Event]) -> Callable[..., ArtifactFetcher]:
    def make(
        default: str | None = None,
        *,
        environment: Mapping[str, str] | None = None,
        http: HttpClient = http_client,
        **fields: Any,
    ) -> ArtifactFetcher:
        settings = IndexSettings(default=Index.parse(default, source="test") if default else None, **fields)
        credentials = IndexCredentials(settings, environment={"HOME": "/nonexistent", **(environment or {})})
        lookup = IndexLookup(settings, IndexPages(http, authorize=credentials.headers))
        store = BlobStore(tmp_path / "cache")
        return ArtifactFetcher(store, http, lookup, headers=credentials.headers, emit=heard.append)

    return make


def artifact(content: bytes, filename: str = NAME, **fields: Any) -> Artifact:
    fields.setdefault("hashes", {"sha256": hashlib.sha256(content).hexdigest()})
    return Artifact(filename=filename, **fields)


class TestByAddress:
    def test_a_file_is_stored_by_its_hash_and_its_progress_is_told(
        self, index: IndexServer, fetcher: Callable[..., ArtifactFetcher], heard: list[Event]
    ) -> None:
        content = b"c" * 3_000_000
        index.add("demo", NAME, content)
        path = fetcher().fetch(artifact(content, url=f"{index.url}/files/{NAME}", size=len(content)))
        assert path.read_bytes() == content
        assert path.name == hashlib.sha256(content).hexdigest()
        assert isinstance(heard[0], TaskStarted)
        assert heard[0].total == len(content)
        assert sum(event.count for event in heard if isinstance(event, TaskAdvanced)) == len(content)
        assert heard[-1] == TaskFinished(verb=heard[0].verb, name=NAME, size=len(content))

    def test_what_was_fetched_before_is_not_fetched_again(
        self, index: IndexServer, fetcher: Callable[..., ArtifactFetcher], heard: list[Event]
    ) -> None:
        index.add("demo", NAME, b"content")
        wanted = artifact(b"content", url=f"{index.url}/files/{NAME}")
        assert fetcher().fetch(wanted) == fetcher().fetch(wanted)
        assert len(index.requests) == 1
        assert isinstance(heard[-1], TaskFinished)
        assert heard[-1].reused

    @pytest.mark.parametrize("damage", [b"contenX", b"short", b"", b"content and more"])
    def test_a_damaged_entry_of_the_cache_is_fetched_anew(
        self, index: IndexServer, fetcher: Callable[..., ArtifactFetcher], damage: bytes
    ) -> None:
        index.add("demo", NAME, b"content")
        wanted = artifact(b"content", url=f"{index.url}/files/{NAME}")
        path = fetcher().fetch(wanted)
        path.chmod(0o644)
        path.write_bytes(damage)
        assert fetcher().fetch(wanted).read_bytes() == b"content"
        assert len(index.requests) == 2

    @pytest.mark.parametrize(
        ("fields", "said"),
        [
            ({"hashes": {"sha256": "0" * 64}}, "sha256:" + "0" * 64),
            ({"hashes": {"sha512": "0" * 128}}, "sha512:" + "0" * 128),
            ({"hashes": {"md5": "0" * 32}}, "strong hash"),
            ({"size": 3}, "more than the 3 bytes"),
            ({"size": 30}, "30 in the lock"),
        ],
    )
    def test_what_is_not_locked_is_never_published(
        self, index: IndexServer, fetcher: Callable[..., ArtifactFetcher], tmp_path: Path, fields: Any, said: str
    ) -> None:
        index.add("demo", NAME, b"content")
        with pytest.raises(IntegrityError) as caught:
            fetcher().fetch(artifact(b"content", url=f"{index.url}/files/{NAME}", **fields))
        assert NAME in caught.value.message
        assert said in str(caught.value)
        assert [path for path in tmp_path.rglob("*") if path.is_file()] == []

    def test_a_file_without_a_hash_is_recorded_as_it_was_seen(
        self, index: IndexServer, fetcher: Callable[..., ArtifactFetcher]
    ) -> None:
        digest = index.add("demo", NAME, b"content")
        found = fetcher().fetched(Artifact(filename=NAME, url=f"{index.url}/files/{NAME}"))
        assert (found.sha256, found.size) == (digest, 7)

    def test_a_broken_download_goes_on_where_it_broke(
        self, index: IndexServer, fetcher: Callable[..., ArtifactFetcher]
    ) -> None:
        content = bytes(range(256)) * 8000
        index.add("demo", NAME, content)

        def break_once(handler: IndexHandler) -> bool:
            if not handler.headers.get("Range"):
                handler.send_response(200)
                handler.send_header("Content-Length", str(len(content)))
                handler.end_headers()
                handler.wfile.write(content[:1_000_000])
                handler.wfile.flush()
                handler.connection.shutdown(socket.SHUT_RDWR)
                return True
            return False

        index.faults.append(break_once)
        path = fetcher().fetch(artifact(content, url=f"{index.url}/files/{NAME}", size=len(content)))
        assert path.read_bytes() == content
        ranges = [headers.get("range") for _, headers in index.requests]
        assert ranges[0] is None
        assert ranges[1] is not None
        assert 0 < int(ranges[1].removeprefix("bytes=").rstrip("-")) <= 1_000_000

    def test_a_server_in_trouble_is_asked_again(
        self, index: IndexServer, fetcher: Callable[..., ArtifactFetcher]
    ) -> None:
        index.add("demo", NAME, b"content")
        troubles = iter([500, 503])

        def fail_twice(handler: IndexHandler) -> bool:
            status = next(troubles, None)
            if status:
                handler.send(status)
            return bool(status)

        index.faults.append(fail_twice)
        assert fetcher().fetch(artifact(b"content", url=f"{index.url}/files/{NAME}")).read_bytes() == b"content"

    def test_a_missing_file_is_named_with_its_status(
        self, index: IndexServer, fetcher: Callable[..., ArtifactFetcher]
    ) -> None:
        with pytest.raises(HTTPStatusError) as caught:
            fetcher().fetch(artifact(b"content", url=f"{index.url}/files/{NAME}"))
        assert caught.value.status == 404
        assert len(index.requests) == 1

    def test_a_download_that_ends_early_each_time_fails(self, fetcher: Callable[..., ArtifactFetcher]) -> None:
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this"
        with RawServer(answer) as server, pytest.raises(NetworkError):
            fetcher().fetch(artifact(b"content", url=f"{server.url}/{NAME}"))

    def test_a_stall_is_noticed_in_time(
        self, fetcher: Callable[..., ArtifactFetcher], impatient_client: HttpClient
    ) -> None:
        quiet = threading.Event()

        def stall(connection: socket.socket) -> None:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this")
            quiet.wait(120)

        with RawServer(stall) as server:
            try:
                # The server does not end it: that would be a connection that broke.
                with pytest.raises(NetworkError, match="stopped sending"):
                    fetcher(http=impatient_client).fetch(artifact(b"content", url=f"{server.url}/{NAME}"))
            finally:
                quiet.set()

    def test_a_redirect_loop_ends(self, index: IndexServer, fetcher: Callable[..., ArtifactFetcher]) -> None:
        index.faults.append(lambda handler: handler.send(302, Location=handler.path))
        with pytest.raises(NetworkError, match="redirects"):
            fetcher().fetch(artifact(b"content", url=f"{index.url}/files/{NAME}"))

    @pytest.mark.parametrize("location", ["http://files.example/x.whl", "file:///etc/passwd", "http://u:p@127.0.0.1/x"])
    def test_a_redirect_to_where_nobody_may_be_sent_is_refused(
        self, index: IndexServer, fetcher: Callable[..., ArtifactFetcher], location: str
    ) -> None:
        index.faults.append(lambda handler: handler.send(302, Location=location))
        with pytest.raises(NetworkError):
            fetcher().fetch(artifact(b"content", url=f"{index.url}/files/{NAME}"))
        assert len(index.requests) == 1

    def test_plain_http_is_refused_before_anything_is_sent(self, fetcher: Callable[..., ArtifactFetcher]) -> None:
        with pytest.raises(NetworkError, match="plain http"):
            fetcher().fetch(artifact(b"content", url=f"http://index.example/{NAME}"))

    def test_threads_that_want_one_file_share_a_download(
        self, index: IndexServer, fetcher: Callable[..., ArtifactFetcher]
    ) -> None:
        index.add("demo", NAME, b"content")
        index.faults.append(lambda _: time.sleep(0.2))
        one = fetcher()
        paths = one.fetch_all([artifact(b"content", url=f"{index.url}/files/{NAME}")] * 6)
        assert len(set(paths)) == 1
        assert len(index.requests) == 1

    def test_ctrl_c_ends_downloads_that_run(
        self, index: IndexServer, fetcher: Callable[..., ArtifactFetcher], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        begun, over = threading.Event(), threading.Event()
        sent_all: list[int] = []

        def drip(handler: IndexHandler) -> bool:
            handler.send_response(200)
            handler.send_header("Content-Length", str(2400 * 10_000))
            handler.end_headers()
            begun.set()
            with contextlib.suppress(OSError):
                for _ in range(2400):  # two minutes
                    handler.wfile.write(b"x" * 10_000)
                    if over.wait(0.05):
                        return True
                sent_all.append(1)
            return True

        def interrupted(_: object) -> None:
            assert begun.wait(60)
            raise KeyboardInterrupt

        index.faults.append(drip)
        one = fetcher()
        monkeypatch.setattr("pycontainer.sources.fetch.as_completed", interrupted)
        with pytest.raises(KeyboardInterrupt):
            one.fetch_all([artifact(b"content", url=f"{index.url}/files/{NAME}")])
        over.set()
        assert not sent_all

    def test_all_that_failed_is_told_at_once(self, index: IndexServer, fetcher: Callable[..., ArtifactFetcher]) -> None:
        index.add("demo", NAME, b"content")
        wanted = [
            artifact(b"content", url=f"{index.url}/files/{NAME}"),
            artifact(b"other", "b-1.0-py3-none-any.whl", url=f"{index.url}/files/{NAME}"),
            artifact(b"c", "c-1.0-py3-none-any.whl", url=f"{index.url}/files/absent"),
        ]
        with pytest.raises(IntegrityError) as caught:
            fetcher().fetch_all(wanted)
        assert caught.value.message == "2 files could not be fetched"
        assert "`b-1.0-py3-none-any.whl` is not the file that is locked" in caught.value.facts
        assert any("/files/absent: 404" in fact for fact in caught.value.facts)


class TestOnThisHost:
    def test_a_path_is_copied_and_checked(self, tmp_path: Path, fetcher: Callable[..., ArtifactFetcher]) -> None:
        path = tmp_path / NAME
        path.write_bytes(b"content")
        assert fetcher().fetch(artifact(b"content", path=path)).read_bytes() == b"content"
        with pytest.raises(IntegrityError):
            fetcher().fetch(artifact(b"other", path=path))

    def test_a_path_that_is_gone_is_named(self, tmp_path: Path, fetcher: Callable[..., ArtifactFetcher]) -> None:
        with pytest.raises(LockError, match="not where the lock says") as caught:
            fetcher().fetch(artifact(b"content", path=tmp_path / NAME))
        assert str(tmp_path) in str(caught.value)


class TestByName:
    @pytest.mark.parametrize("form", ["json", "html"])
    def test_an_index_is_asked_by_name_and_believed_by_hash(
        self, index: IndexServer, fetcher: Callable[..., ArtifactFetcher], form: str
    ) -> None:
        index.form = form
        index.add("demo", NAME, b"content")
        assert fetcher(index.simple).fetch(artifact(b"content")).read_bytes() == b"content"

    def test_a_file_of_the_name_with_another_hash_is_not_even_downloaded(
        self, index: IndexServer, fetcher: Callable[..., ArtifactFetcher]
    ) -> None:
        found = index.add("demo", NAME, b"evil")
        with pytest.raises(IntegrityError) as caught:
            fetcher(index.simple).fetch(artifact(b"content"))
        assert found in str(caught.value)
        assert index.asked("/files/") == []

    def test_a_page_without_hashes_does_not_help_an_impostor(
        self, index: IndexServer, fetcher: Callable[..., ArtifactFetcher]
    ) -> None:
        index.page_hashes = False
        index.add("demo", NAME, b"evil")
        with pytest.raises(IntegrityError, match="not the file that is locked"):
            fetcher(index.simple).fetch(artifact(b"content"))

    def test_the_next_index_has_it(
        self, index: IndexServer, other_index: IndexServer, fetcher: Callable[..., ArtifactFetcher]
    ) -> None:
        index.add("demo", NAME, b"evil")
        other_index.add("demo", NAME, b"content")
        one = fetcher(index.simple, extra=(Index.parse(other_index.simple, source="test"),))
        assert one.fetch(artifact(b"content")).read_bytes() == b"content"

    def test_an_index_that_is_down_does_not_matter_where_another_has_it(
        self, index: IndexServer, other_index: IndexServer, fetcher: Callable[..., ArtifactFetcher]
    ) -> None:
        other_index.faults.append(lambda handler: handler.send(403))
        index.add("demo", NAME, b"content")
        one = fetcher(index.simple, extra=(Index.parse(other_index.simple, source="test"),))
        assert one.fetch(artifact(b"content")).read_bytes() == b"content"

    def test_the_index_that_the_lock_names_is_asked_first_and_explicit_ones_not_at_all(
        self, index: IndexServer, other_index: IndexServer, fetcher: Callable[..., ArtifactFetcher]
    ) -> None:
        index.add("demo", NAME, b"content")
        explicit = Index.parse(other_index.simple, source="test", explicit=True)
        one = fetcher(index.simple, extra=(explicit,))
        one.fetch(artifact(b"content"))
        assert other_index.requests == []
        other_index.add("two", "two-1.0.tar.gz", b"two")
        one.fetch(artifact(b"two", "two-1.0.tar.gz", index=other_index.simple))
        assert index.asked("/two/") == []

    def test_find_links_come_before_any_index(
        self, index: IndexServer, fetcher: Callable[..., ArtifactFetcher], tmp_path: Path
    ) -> None:
        (tmp_path / "wheels").mkdir()
        (tmp_path / "wheels" / NAME).write_bytes(b"content")
        one = fetcher(index.simple, find_links=(Index.parse(str(tmp_path / "wheels"), source="test"),))
        assert one.fetch(artifact(b"content")).read_bytes() == b"content"
        assert index.requests == []

    def test_no_index_has_it(self, index: IndexServer, fetcher: Callable[..., ArtifactFetcher]) -> None:
        with pytest.raises(LockError, match="No index has") as caught:
            fetcher(index.simple).fetch(artifact(b"content"))
        assert index.simple in str(caught.value)

    def test_without_any_index_the_ways_to_name_one_are_told(self, fetcher: Callable[..., ArtifactFetcher]) -> None:
        with pytest.raises(ConfigError, match="No Python index is configured") as caught:
            fetcher().fetch(artifact(b"content"))
        for way in ("UV_DEFAULT_INDEX", "PIP_INDEX_URL", "tool.uv.index", "install uv"):
            assert way in str(caught.value.hint)

    def test_the_default_of_uv_is_asked_for_only_when_it_is_needed(
        self, index: IndexServer, http_client: HttpClient, tmp_path: Path
    ) -> None:
        index.add("demo", NAME, b"content")
        asked: list[str] = []
        (tmp_path / "wheels").mkdir()
        (tmp_path / "wheels" / "here-1.0.tar.gz").write_bytes(b"here")

        def default() -> str:
            asked.append(index.simple)
            return index.simple

        settings = IndexSettings(find_links=(Index.parse(str(tmp_path / "wheels"), source="test"),))
        lookup = IndexLookup(settings, IndexPages(http_client), default=default)
        lookup.locate(artifact(b"here", "here-1.0.tar.gz"))
        assert asked == []
        for _ in range(2):
            assert lookup.locate(artifact(b"content")).url == f"{index.url}/files/{NAME}"
        assert asked == [index.simple]

    def test_a_public_page_cannot_send_us_to_a_private_host(self, http_client: HttpClient) -> None:
        page = b'<a href="https://10.0.0.7/demo-1.0-py3-none-any.whl">x</a>'

        class Pages(IndexPages):
            def project(self, index: str, name: str) -> tuple[IndexFile, ...]:
                del index, name
                return _from_anchors(page.decode(), "https://index.example/simple/demo/")

        settings = IndexSettings(default=Index.parse("https://index.example/simple/", source="test"))
        with pytest.raises(NetworkError, match="private"):
            IndexLookup(settings, Pages(http_client)).locate(artifact(b"content"))


class TestFilesOfAPackage:
    """`requirements.txt` pins versions and hashes and names no files."""

    def listed(self, index_url: str, http_client: HttpClient, package: LockedPackage, **fields: Any) -> LockedPackage:
        settings = IndexSettings(default=Index.parse(index_url, source="test"), **fields)
        [found] = IndexLookup(settings, IndexPages(http_client)).list_files([package])
        return found

    def package(self, version: str = "1.0", **fields: Any) -> LockedPackage:
        return LockedPackage(name="demo", version=version, source=Registry(), files_listed=False, **fields)

    def test_the_files_of_the_version(self, index: IndexServer, http_client: HttpClient) -> None:
        for name in (NAME, "demo-1.0.tar.gz", "demo-1.1-py3-none-any.whl", "demo_extra-1.0-py3-none-any.whl"):
            index.add("demo", name, name.encode())
        found = self.listed(index.simple, http_client, self.package(unhashed=True))
        assert [wheel.filename for wheel in found.wheels] == [NAME]
        assert found.sdist is not None
        assert found.sdist.filename == "demo-1.0.tar.gz"
        assert found.files_listed

    def test_files_with_hashes_that_the_lock_does_not_know_are_left_out(
        self, index: IndexServer, http_client: HttpClient
    ) -> None:
        digest = index.add("demo", NAME, b"good")
        index.add("demo", "demo-1.0-cp312-cp312-linux_x86_64.whl", b"evil")
        found = self.listed(index.simple, http_client, self.package(hashes=frozenset({f"sha256:{digest}"})))
        assert [wheel.filename for wheel in found.wheels] == [NAME]

    def test_no_file_with_a_known_hash_is_an_error(self, index: IndexServer, http_client: HttpClient) -> None:
        index.add("demo", NAME, b"evil")
        with pytest.raises(IntegrityError, match="demo"):
            self.listed(index.simple, http_client, self.package(hashes=frozenset({"sha256:" + "0" * 64})))

    def test_a_local_version_meets_a_plain_pin(self, index: IndexServer, http_client: HttpClient) -> None:
        index.add("demo", NAME, b"plain")
        index.add("demo", "demo-1.0+cpu-py3-none-any.whl", b"local")
        found = self.listed(index.simple, http_client, self.package(unhashed=True))
        assert [wheel.filename for wheel in found.wheels] == ["demo-1.0+cpu-py3-none-any.whl"]

    def test_without_hashes_a_second_index_cannot_add_files(
        self, index: IndexServer, other_index: IndexServer, http_client: HttpClient
    ) -> None:
        other_index.add("demo", NAME, b"first")
        index.add("demo", "demo-1.0-cp312-cp312-linux_x86_64.whl", b"second")
        extra = (Index.parse(other_index.simple, source="test"),)
        found = self.listed(index.simple, http_client, self.package(unhashed=True), extra=extra)
        assert [wheel.filename for wheel in found.wheels] == [NAME]

    def test_a_version_that_no_index_has(self, index: IndexServer, http_client: HttpClient) -> None:
        index.add("demo", NAME, b"content")
        with pytest.raises(LockError, match=r"No index has a file of `demo` 2\.0"):
            self.listed(index.simple, http_client, self.package("2.0", unhashed=True))


class TestCredentials:
    def test_pages_and_files_are_asked_for_with_the_users_name(
        self, index: IndexServer, fetcher: Callable[..., ArtifactFetcher], planted: str
    ) -> None:
        index.user = ("me", planted)
        index.add("demo", NAME, b"content")
        assert fetcher(index.with_user("me", planted)).fetch(artifact(b"content")).read_bytes() == b"content"
        assert all("authorization" in headers for _, headers in index.requests)

    def test_another_host_never_sees_them(
        self, index: IndexServer, other_index: IndexServer, fetcher: Callable[..., ArtifactFetcher], planted: str
    ) -> None:
        index.user = ("me", planted)
        other_index.add("demo", NAME, b"content")
        one = fetcher(other_index.simple, extra=(Index.parse(index.with_user("me", planted), source="test"),))
        one.fetch(artifact(b"content"))
        assert not any("authorization" in headers for _, headers in other_index.requests)

    @pytest.mark.parametrize("trouble", ["denied", "missing", "wrong", "error", "redirect", "broken"])
    def test_no_error_and_no_event_shows_them(
        self,
        index: IndexServer,
        fetcher: Callable[..., ArtifactFetcher],
        planted: str,
        heard: list[Event],
        trouble: str,
    ) -> None:
        index.add("demo", NAME, b"evil" if trouble == "wrong" else b"content")

        def cut(handler: IndexHandler) -> bool:
            handler.connection.shutdown(socket.SHUT_RDWR)
            return True

        faults: dict[str, Callable[[IndexHandler], object]] = {
            "denied": lambda handler: handler.send(401, planted.encode(), Content_Type="text/plain"),
            "error": lambda handler: handler.send(500, planted.encode(), Content_Type="text/plain"),
            "redirect": lambda handler: handler.send(302, Location=f"http://me:{planted}@index.example/"),
            "broken": cut,
        }
        if trouble in faults:
            index.faults.append(faults[trouble])
        name = "absent-1.0-py3-none-any.whl" if trouble == "missing" else NAME
        stated = index.with_user("me", planted)
        for wanted in (
            artifact(b"content", name),
            artifact(b"content", name, index=stated),
            artifact(b"content", name, url=stated.replace("/simple/", f"/files/{name}?token={planted}")),
        ):
            with pytest.raises(PyContainerError) as caught:
                fetcher(stated).fetch(wanted)
            error = caught.value
            shown = [str(error), repr(error), str(error.facts), str(error.hint), repr(heard), repr(wanted)]
            assert not [text for text in shown if planted in text]

    def test_a_refused_download_is_told_as_that(
        self, index: IndexServer, fetcher: Callable[..., ArtifactFetcher]
    ) -> None:
        index.user = ("me", "right")
        index.add("demo", NAME, b"content")
        with pytest.raises(DeniedError, match="denied"):
            fetcher().fetch(artifact(b"content", url=f"{index.url}/files/{NAME}"))


@pytest.mark.parametrize(
    ("filename", "parts"),
    [
        ("Demo.Pkg-1.0.tar.gz", ("demo-pkg", "1.0")),
        ("a-b-2.0rc1.zip", ("a-b", "2.0rc1")),
        ("zope.interface-5.0-cp312-cp312-linux_x86_64.whl", ("zope-interface", "5.0")),
        ("notes.txt", ("", "")),
    ],
)
def test_file_names_tell_project_and_version(filename: str, parts: tuple[str, str]) -> None:
    assert split_filename(filename) == parts


def test_a_programming_error_is_not_hidden_among_failures() -> None:
    def wrong() -> None:
        raise ZeroDivisionError

    def failed() -> None:
        raise LockError("x")

    with pytest.raises(ZeroDivisionError):
        gather([failed, wrong], 2)


def test_fetched_files_are_where_the_store_says(
    index: IndexServer, fetcher: Callable[..., ArtifactFetcher], tmp_path: Path
) -> None:
    digest = index.add("demo", NAME, b"content")
    path = fetcher(index.simple).fetch(artifact(b"content"))
    assert path == BlobStore(tmp_path / "cache").path(Digest("sha256", digest))


def test_a_client_with_the_users_environment_works_too(index: IndexServer, tmp_path: Path) -> None:
    """Proxies and certificates of the environment do not stand in the way of loopback."""
    index.add("demo", NAME, b"content")
    http = HttpClient(HttpSettings(environment={"HTTP_PROXY": "http://proxy.example:3128"}))
    settings = IndexSettings(default=Index.parse(index.simple, source="test"))
    one = ArtifactFetcher(BlobStore(tmp_path), http, IndexLookup(settings, IndexPages(http)))
    assert one.fetch(artifact(b"content")).read_bytes() == b"content"
    http.close()


def test_a_server_that_is_away_is_not_asked_for_every_file(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    numbers, heard = count(1), threading.Event()

    def fail() -> None:
        asked.append(number := next(numbers))
        if number > 4:  # begun before it is heard that the fourth has failed: these end as they may
            assert heard.wait(60)
        raise NetworkError("`x` refused the connection")

    def wait_for_those_that_run(futures: Sequence[Future[None]]) -> object:
        heard.set()
        return wait(futures)

    monkeypatch.setattr("pycontainer.sources.fetch.wait", wait_for_those_that_run)
    with pytest.raises(NetworkError) as caught:
        gather([fail] * 50, 4)

    assert 4 <= len(asked) <= 8
    assert caught.value.message == f"{len(asked)} files could not be fetched"
    assert caught.value.facts[-1] == f"{50 - len(asked)} more were not asked for"


def test_every_file_is_asked_for_where_the_server_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    heard = threading.Event()

    def fail() -> None:
        assert heard.wait(60)
        raise NetworkError("`x` broke off")

    def begin_with_the_one_that_came(futures: Sequence[Future[None]]) -> Iterator[Future[None]]:
        ended = as_completed(futures)
        first = next(ended)
        heard.set()
        yield first
        yield from ended

    monkeypatch.setattr("pycontainer.sources.fetch.as_completed", begin_with_the_one_that_came)
    with pytest.raises(NetworkError, match="49 files could not be fetched"):
        gather([lambda: None, *[fail] * 49], 4)
