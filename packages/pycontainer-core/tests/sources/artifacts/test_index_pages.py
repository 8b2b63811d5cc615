import json
import threading
from pathlib import Path

import pytest

from pycontainer.errors import DeniedError, HTTPStatusError, NetworkError
from pycontainer.testing.index_server import IndexHandler, IndexServer
from pycontainer.transports.http import HttpClient
from pycontainer.transports.index_html import parse_html
from pycontainer.transports.index_pages import IndexPages, local_path, parse_json


@pytest.mark.parametrize("form", ["json", "html"])
def test_both_forms_of_a_page_list_files_with_absolute_addresses_and_hashes(
    index: IndexServer, http_client: HttpClient, form: str
) -> None:
    index.form = form
    digest = index.add("demo", "demo-1.0+cpu-py3-none-any.whl", b"content")
    [file] = IndexPages(http_client).project(index.simple, "demo") or ()
    assert file.filename == "demo-1.0+cpu-py3-none-any.whl"
    assert file.hashes == {"sha256": digest}
    assert file.url is not None
    assert file.url.startswith(f"{index.url}/files/demo-1.0")


def test_the_json_form_is_preferred(index: IndexServer, http_client: HttpClient) -> None:
    index.add("demo", "demo-1.0.tar.gz", b"")
    IndexPages(http_client).project(index.simple, "demo")
    accept = index.requests[0][1]["accept"]
    assert accept.startswith("application/vnd.pypi.simple.v1+json,")
    assert "text/html;q=0.01" in accept


def test_an_index_that_does_not_know_a_project_is_no_error(index: IndexServer, http_client: HttpClient) -> None:
    assert IndexPages(http_client).project(index.simple, "nobody") is None


def test_a_page_is_asked_for_once_however_many_threads_want_it(index: IndexServer, http_client: HttpClient) -> None:
    index.add("demo", "demo-1.0.tar.gz", b"")
    pages = IndexPages(http_client)
    threads = [threading.Thread(target=pages.project, args=(index.simple, "demo")) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(index.requests) == 1


def test_links_are_relative_to_where_a_redirect_led(index: IndexServer, http_client: HttpClient) -> None:
    index.add("demo", "demo-1.0.tar.gz", b"")

    def moved(handler: IndexHandler) -> bool:
        if handler.path.startswith("/old/"):
            return handler.send(301, Location=f"{index.simple}demo/")
        return False

    index.faults.append(moved)
    [file] = IndexPages(http_client).project(f"{index.url}/old/deep/er", "demo") or ()
    assert file.url == f"{index.url}/files/demo-1.0.tar.gz"


def test_a_redirect_loop_ends(index: IndexServer, http_client: HttpClient) -> None:
    index.faults.append(lambda handler: handler.send(302, Location=handler.path))
    with pytest.raises(NetworkError, match="redirects"):
        IndexPages(http_client).project(index.simple, "demo")


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_names_the_ways_to_give_credentials(index: IndexServer, http_client: HttpClient, status: int) -> None:
    index.faults.append(lambda handler: handler.send(status, b"who are you"))
    with pytest.raises(DeniedError) as caught:
        IndexPages(http_client).project(index.simple, "demo")
    assert "UV_INDEX_<NAME>_USERNAME" in str(caught.value.hint)


def test_a_server_that_keeps_failing_is_named_with_its_status(index: IndexServer, http_client: HttpClient) -> None:
    index.faults.append(lambda handler: handler.send(503))
    with pytest.raises(HTTPStatusError) as caught:
        IndexPages(http_client).project(index.simple, "demo")
    assert caught.value.status == 503
    assert len(index.requests) == 3  # the first and two more


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/vnd.pypi.simple.v1+json", b'{"meta": {"api-version": "2.0"}, "files": []}'),
        ("application/vnd.pypi.simple.v1+json", b"[" * 100_000),
        ("application/vnd.pypi.simple.v1+json", b'{"files": [{"filename": "x"}]}'),
        ("application/vnd.pypi.simple.v1+json", b"[]"),
        ("text/html", b'<meta name="pypi:repository-version" content="2.0">'),
        ("text/plain", b"welcome"),
    ],
)
def test_an_answer_that_is_no_page_is_refused(
    index: IndexServer, http_client: HttpClient, kind: str, body: bytes
) -> None:
    index.faults.append(lambda handler: handler.send(200, body, Content_Type=kind))
    with pytest.raises(NetworkError):
        IndexPages(http_client).project(index.simple, "demo")


def test_a_page_longer_than_any_is_refused(
    index: IndexServer, http_client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pycontainer.transports.index_pages._MAX_PAGE", 1000)
    index.faults.append(lambda handler: handler.send(200, b" " * 5000, Content_Type="text/html"))
    with pytest.raises(NetworkError, match="longer"):
        IndexPages(http_client).project(index.simple, "demo")


def test_html_is_read_as_installers_read_it() -> None:
    page = parse_html(
        '<base href="/deep/"><a href=" a-1.tar.gz#sha256=AB " data-requires-python="&gt;=3.8">a</a>'
        '<a data-yanked href="b-1.whl">b</a><a name="top">no link</a>'
    )
    assert page.base == "/deep/"
    assert [(anchor.href, anchor.requires_python, anchor.yanked) for anchor in page.anchors] == [
        ("a-1.tar.gz#sha256=AB", ">=3.8", False),
        ("b-1.whl", None, True),
    ]


def test_the_fields_of_pep_700_are_read() -> None:
    document = {
        "meta": {"api-version": "1.1"},
        "files": [
            {"filename": "a-1.tar.gz", "url": "a-1.tar.gz", "hashes": {"sha256": "AB"}, "size": 7, "yanked": "broken"},
            {"filename": "a-2.tar.gz", "url": "https://files.example/a-2.tar.gz", "hashes": {}, "size": -1},
        ],
    }
    first, second = parse_json(json.dumps(document).encode(), "https://index.example/simple/a/")
    assert (first.url, first.size, first.yanked) == ("https://index.example/simple/a/a-1.tar.gz", 7, True)
    assert first.hashes == {"sha256": "ab"}
    assert (second.size, second.yanked) == (None, False)


class TestOnThisHost:
    def test_a_directory_of_files_is_a_page_of_links(self, tmp_path: Path) -> None:
        (tmp_path / "a b").mkdir()
        (tmp_path / "a b" / "demo-1.0.tar.gz").write_bytes(b"x")
        (tmp_path / "a b" / "notes.txt").write_bytes(b"x")
        for address in (str(tmp_path / "a b"), (tmp_path / "a b").as_uri()):
            [file] = IndexPages(HttpClient()).links(address)
            assert file.path == tmp_path / "a b" / "demo-1.0.tar.gz"

    def test_a_directory_index_has_a_page_for_each_project(self, tmp_path: Path) -> None:
        page = tmp_path / "simple" / "demo" / "index.html"
        page.parent.mkdir(parents=True)
        page.write_text('<a href="../../files/demo-1.0%2Bcpu.tar.gz#sha256=ab">x</a>')
        pages = IndexPages(HttpClient())
        [file] = pages.project((tmp_path / "simple").as_uri(), "demo") or ()
        assert file.path == tmp_path / "files" / "demo-1.0+cpu.tar.gz"
        assert file.hashes == {"sha256": "ab"}
        assert pages.project((tmp_path / "simple").as_uri(), "other") is None

    def test_a_missing_directory_of_links_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(NetworkError, match="absent"):
            IndexPages(HttpClient()).links(str(tmp_path / "absent"))

    def test_a_page_from_the_network_cannot_link_to_a_file_of_this_host(
        self, index: IndexServer, http_client: HttpClient
    ) -> None:
        body = b'<a href="file:///etc/demo-1.0.tar.gz">x</a>'
        index.faults.append(lambda handler: handler.send(200, body, Content_Type="text/html"))
        [file] = IndexPages(http_client).project(index.simple, "demo") or ()
        assert file.path is None

    def test_addresses_and_paths_are_told_apart(self) -> None:
        assert local_path("https://index.example/simple") is None
        assert local_path("file:///srv/a%20b") == Path("/srv/a b")
        assert local_path("file://localhost/srv") == Path("/srv")
        assert local_path("/srv/wheels") == Path("/srv/wheels")
