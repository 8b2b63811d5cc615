"""Redirects, retries, framing, stalls, sizes: what a server can do to a client."""

from __future__ import annotations

import email.utils
import io
import logging
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from http.client import HTTPException
from itertools import count
from types import SimpleNamespace
from typing import BinaryIO

import pytest
from urllib3.exceptions import ProxyError

from pycontainer.errors import HTTPStatusError, NetworkError, StoreError
from pycontainer.testing.raw_server import RawServer, answer, ok
from pycontainer.transports.http import HttpClient, HttpSettings, RetryPolicy, Timeouts, wire
from pycontainer.transports.http.resume import ResumingReader
from pycontainer.transports.http.retries import parse_retry_after
from pycontainer.value import replace

QUICK = RetryPolicy(count=3, base=0.001)
IMPATIENT = Timeouts(connect=2, read=0.5, progress=0.5)
SETTINGS = HttpSettings(environment={}, retries=QUICK)


def get(url: str, settings: HttpSettings = SETTINGS, **headers: str) -> bytes:
    return HttpClient(settings).request("GET", url, headers=headers).content(limit=1 << 20)


class TestRetries:
    @pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
    def test_a_passing_failure_is_tried_again(self, status: int) -> None:
        with RawServer(answer(status, b"busy"), answer(status), ok(b"fine")) as server:
            assert get(server.url) == b"fine"
        assert len(server.heads) == 3

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 501])
    def test_a_refusal_is_not_tried_again(self, status: int) -> None:
        with RawServer(answer(status)) as server:
            assert HttpClient(SETTINGS).request("GET", server.url).status == status
        assert len(server.heads) == 1

    def test_a_broken_connection_is_tried_again(self) -> None:
        with RawServer(b"", b"HTTP/1.1 200 OK\r\n", ok(b"fine")) as server:
            assert get(server.url) == b"fine"

    def test_attempts_are_bounded(self) -> None:
        with RawServer(b"") as server, pytest.raises(NetworkError, match="broke"):
            get(server.url)
        assert len(server.heads) == QUICK.count + 1

    def test_the_last_bad_status_is_returned(self) -> None:
        with RawServer(answer(503)) as server:
            assert HttpClient(SETTINGS).request("GET", server.url).status == 503
        assert len(server.heads) == QUICK.count + 1

    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
    def test_what_may_have_had_an_effect_is_not_repeated_blindly(self, method: str) -> None:
        with RawServer(b"") as server, pytest.raises(NetworkError):
            HttpClient(SETTINGS).request(method, server.url, body=b"x")
        assert len(server.heads) == 1

    def test_a_streamed_body_is_opened_anew_for_each_attempt(self) -> None:
        opened: list[BinaryIO] = []

        def body() -> BinaryIO:
            opened.append(io.BytesIO(b"content"))
            return opened[-1]

        with RawServer(answer(503), ok()) as server:
            HttpClient(SETTINGS).request("PUT", server.url, body=body, size=7, retry=True).drain()
        assert len(opened) == 2
        assert all(stream.closed for stream in opened)

    def test_the_server_says_how_long_to_wait(self) -> None:
        waits: list[float] = []
        settings = replace(SETTINGS, retries=replace(QUICK, sleep=waits.append))
        with RawServer(answer(429, b"", "Retry-After: 7"), ok()) as server:
            get(server.url, settings)
        assert waits == [7]

    def test_waits_are_jittered_and_capped(self) -> None:
        policy = RetryPolicy(base=1, cap=8)
        waits = [policy.delay(6) for _ in range(200)]
        assert max(waits) <= 8
        assert len(set(waits)) > 100

    @pytest.mark.parametrize(
        ("value", "seconds"),
        [
            ("0", 0),
            ("30", 30),
            ("31536000", 60),
            ("9" * 400, 60),
            ("-5", None),
            ("soon", None),
            ("", None),
            (None, None),
            ("1e3", None),
            ("٣", None),
            ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
            ("Wed, 21 Oct 2215 07:28:00 GMT", 60),
            ("Wed, 99 Oct 2215 07:28:00 GMT", None),
        ],
    )
    def test_retry_after_in_every_form(self, value: str | None, seconds: float | None) -> None:
        assert parse_retry_after(value) == seconds

    def test_retry_after_as_a_date(self) -> None:
        when = int(time.time()) + 50
        longest = when - time.time()
        found = parse_retry_after(email.utils.formatdate(when, usegmt=True))
        assert found is not None
        assert max(when - time.time(), 0) <= found + 0.001 <= longest + 0.002  # it counts in microseconds


class TestRedirects:
    def test_they_are_followed(self) -> None:
        with RawServer(answer(302, b"", "Location: /b?c=1"), ok(b"there")) as server:
            response = HttpClient(SETTINGS).request("GET", f"{server.url}/a")
            assert response.content(limit=10) == b"there"
            assert response.url == f"{server.url}/b?c=1"

    def test_they_end(self) -> None:
        with (
            RawServer(answer(302, b"", "Location: /again")) as server,
            pytest.raises(NetworkError, match="More than 5"),
        ):
            get(server.url)
        assert len(server.heads) == 6

    @pytest.mark.parametrize("same", [True, False])
    def test_credentials_stay_with_their_origin(self, *, same: bool) -> None:
        with RawServer(ok(b"there")) as other, RawServer(b"") as first:
            target = f"{first.url}/next" if same else other.url
            first._scripts = (answer(307, b"", f"Location: {target}"), ok(b"there"))
            settings = replace(SETTINGS, allowed_hosts=frozenset({other.host}))
            secret = {"Authorization": "Bearer s3cret", "Cookie": "s3cret", "proxy-authorization": "s3cret"}
            assert get(f"{first.url}/", settings, **secret) == b"there"
            last = (first if same else other).heads[-1]
            assert (b"s3cret" in last) is same

    def test_credentials_do_not_return_after_a_detour(self) -> None:
        with RawServer(b"") as other, RawServer(b"") as first:
            first._scripts = (answer(302, b"", f"Location: {other.url}/"), ok())
            other._scripts = (answer(302, b"", f"Location: {first.url}/back"),)
            settings = replace(SETTINGS, allowed_hosts=frozenset({other.host, first.host}))
            get(first.url, settings, Authorization="Bearer s3cret")
            assert b"s3cret" in first.heads[0]
            assert b"s3cret" not in first.heads[1]

    @pytest.mark.parametrize(
        ("location", "message"),
        [
            ("http://127.0.0.1:1/", "private address"),
            ("http://localhost:1/", "private address"),
            ("http://169.254.169.254/latest/meta-data", "plain http"),
            ("https://169.254.169.254/latest/meta-data", "private address"),
            ("https://[::1]/", "private address"),
            ("https://[fe80::1%25eth0]/", "private address"),
            ("https://[::ffff:10.0.0.1]/", "private address"),
            ("https://2130706433/", "private address"),
            ("https://0x7f.1/", "private address"),
            ("https://10.1.2.3/", "private address"),
            ("https://100.64.0.1/", "private address"),
            ("https://0.0.0.0/", "private address"),
            ("http://elsewhere.example/", "plain http"),
            ("https://user:secret@elsewhere.example/", "credentials in it"),
            ("file:///etc/passwd", "not an http or https URL"),
            ("ftp://elsewhere.example/", "not an http or https URL"),
            ("https://elsewhere.example:0/", "not an http or https URL"),
            ("https://elsewhere.example:99999/", "not an http or https URL"),
            ("https:///path", "not an http or https URL"),
            ("https://[::1/", "URL"),
            ("https://els\\ewhere.example/", "URL"),
        ],
    )
    def test_what_a_server_must_not_point_to(self, location: str, message: str) -> None:
        redirect = answer(302, b"", f"Location: {location}")
        with RawServer(redirect) as server, pytest.raises(NetworkError, match=message) as caught:
            get(server.url)
        assert "secret" not in str(caught.value)

    def test_a_private_host_that_the_user_allows_is_reached(self) -> None:
        with RawServer(ok(b"there")) as other, RawServer(answer(302, b"", f"Location: {other.url}")) as server:
            assert get(server.url, replace(SETTINGS, allowed_hosts=frozenset({other.host}))) == b"there"

    def test_a_body_is_not_lost_by_a_redirect(self) -> None:
        with RawServer(answer(302, b"", "Location: /b")) as server, pytest.raises(NetworkError, match="loses its body"):
            HttpClient(SETTINGS).request("PUT", server.url, body=b"x")

    def test_a_body_goes_along_where_the_method_is_kept(self) -> None:
        with RawServer(answer(307, b"", "Location: /b"), ok()) as server:
            HttpClient(SETTINGS).request("PUT", server.url, body=b"x").drain()
        assert server.heads[1].startswith(b"PUT /b ")


class TestFraming:
    @pytest.mark.parametrize(
        "raw",
        [
            pytest.param(b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", id="LF alone"),
            pytest.param(
                b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
                id="two framings",
            ),
            pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok", id="two lengths"),
            pytest.param(b"HTTP/1.1 200 OK\r\nX: " + b"x" * (1 << 20) + b"\r\n\r\n", id="1 MB header"),
            pytest.param(
                b"HTTP/1.1 200 OK\r\n" + b"".join(b"X%d: %s\r\n" % (n, b"x" * 60_000) for n in range(10)) + b"\r\n",
                id="600 kB of headers",
            ),
            pytest.param(b"HTTP/1.1 200 OK\r\n" + b"X: x\r\n" * 5000 + b"\r\n", id="5000 headers"),
            pytest.param(b"HTTP/1.1 200 OK\r\n no colon\r\nContent-Length: 2\r\n\r\nok", id="a line that is no header"),
            pytest.param(b"ICY 200 OK\r\n\r\n", id="not HTTP"),
            pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", id="a chunk without size"),
            pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nok", id="too short"),
        ],
    )
    def test_an_answer_that_can_be_read_in_two_ways_is_refused(self, raw: bytes) -> None:
        with RawServer(raw) as server, pytest.raises(NetworkError):
            get(server.url, replace(SETTINGS, timeouts=IMPATIENT, retries=replace(QUICK, count=0)))

    def test_an_error_with_line_feeds_alone_keeps_its_status(self) -> None:
        with RawServer(b"HTTP/1.1 429 Too Many\nRetry-After: 0\n\nslow down") as server:
            response = HttpClient(SETTINGS).request("GET", server.url)
            assert (response.status, response.excerpt()) == (429, b"slow down")

    def test_a_body_is_given_as_it_came(self) -> None:
        with RawServer(ok(b"\x1f\x8b not gzip", "Content-Encoding: gzip")) as server:
            assert get(server.url) == b"\x1f\x8b not gzip"
        assert b"accept-encoding: identity\r\n" in server.heads[0].lower()

    def test_a_long_body_is_refused(self) -> None:
        with RawServer(ok(b"x" * 100)) as server, pytest.raises(NetworkError, match="longer than 99 bytes"):
            HttpClient(SETTINGS).request("GET", server.url).content(limit=99)

    def test_an_error_body_is_capped(self) -> None:
        with RawServer(answer(500, b"x" * (1 << 20))) as server:
            response = HttpClient(SETTINGS).request("POST", server.url)
            assert len(response.excerpt()) == 64 * 1024


class TestStalls:
    """No server here ends a connection while the client waits: that would be told as one that broke."""

    @pytest.fixture
    def over(self) -> Iterator[threading.Event]:
        event = threading.Event()
        yield event
        event.set()

    @pytest.mark.parametrize(
        ("beginning", "dripping"),
        [
            (b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"x"),
            (b"", b"H"),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", b""),
            (b"", b""),
        ],
        ids=["drips", "drips its head", "stops after its head", "never answers"],
    )
    def test_a_server_that_stops_or_drips_is_left(
        self, over: threading.Event, beginning: bytes, dripping: bytes
    ) -> None:
        def stall(connection: socket.socket) -> None:
            connection.sendall(beginning)
            for _ in range(999):
                connection.sendall(dripping)
                if over.wait(0.05):
                    return

        settings = replace(SETTINGS, timeouts=IMPATIENT, retries=replace(QUICK, count=0))
        with RawServer(stall) as server, pytest.raises(NetworkError, match="stopped sending"):
            get(server.url, settings)

    def test_a_server_that_stops_reading_is_left(self, over: threading.Event) -> None:
        def read_nothing(connection: socket.socket) -> None:
            del connection
            over.wait(60)

        settings = replace(SETTINGS, timeouts=IMPATIENT)
        with RawServer(read_nothing) as server, pytest.raises(NetworkError, match="stopped sending or taking"):
            HttpClient(settings).request("PUT", server.url, body=lambda: io.BytesIO(b"x" * (64 << 20)), size=64 << 20)

    def test_a_slow_but_working_server_is_waited_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def slow(connection: socket.socket) -> None:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            for _ in range(10):
                time.sleep(0.02)
                connection.sendall(b"x" * 10_000)

        # Each wait takes twenty seconds, by this clock: that is allowed, and so are all of them together.
        clock = count(0, 20)
        monkeypatch.setattr(wire, "time", SimpleNamespace(monotonic=lambda: float(next(clock))))
        timeouts = Timeouts(connect=60, read=60, progress=30)
        with RawServer(slow) as server:
            assert len(get(server.url, replace(SETTINGS, timeouts=timeouts))) == 100_000
        assert next(clock) > 100


class TestResuming:
    CONTENT = bytes(range(256)) * 2000

    def read(self, *scripts: bytes) -> tuple[bytes, list[bytes]]:
        with RawServer(*scripts) as server:
            client = HttpClient(SETTINGS)

            def open_at(offset: int) -> object:
                headers = {"Range": f"bytes={offset}-"} if offset else {}
                return client.request("GET", server.url, headers=headers)

            with ResumingReader(open_at, QUICK) as reader:  # type: ignore[arg-type]
                return reader.read(), server.heads

    def cut(self, count: int) -> bytes:
        return ok(self.CONTENT)[: len(ok(self.CONTENT)) - len(self.CONTENT) + count]

    def test_the_rest_is_asked_for(self) -> None:
        size = len(self.CONTENT)
        rest = answer(206, self.CONTENT[1000:], f"Content-Range: bytes 1000-{size - 1}/{size}")
        content, heads = self.read(self.cut(1000), rest)
        assert content == self.CONTENT
        assert b"range: bytes=1000-" in heads[1].lower()

    def test_a_server_without_ranges_sends_it_again(self) -> None:
        content, _ = self.read(self.cut(100_000), ok(self.CONTENT))
        assert content == self.CONTENT

    def test_a_server_without_ranges_may_break_while_it_sends_again_what_is_known(self) -> None:
        content, heads = self.read(self.cut(100_000), self.cut(50_000), ok(self.CONTENT))
        assert content == self.CONTENT
        assert len(heads) == 3

    def test_another_part_than_asked_for_is_refused(self) -> None:
        size = len(self.CONTENT)
        wrong = answer(206, self.CONTENT[500:], f"Content-Range: bytes 500-{size - 1}/{size}")
        with pytest.raises(HTTPStatusError, match="another part"):
            self.read(self.cut(1000), wrong)

    def test_a_part_without_its_range_is_refused(self) -> None:
        with pytest.raises(HTTPStatusError, match="another part"):
            self.read(self.cut(1000), answer(206, self.CONTENT[1000:]))

    def test_a_server_that_always_breaks_is_left(self) -> None:
        with pytest.raises(NetworkError):
            self.read(self.cut(10), self.cut(20), self.cut(30), self.cut(40), self.cut(50), ok(self.CONTENT))


class TestUrls:
    def test_plain_http_is_for_this_machine(self) -> None:
        with pytest.raises(NetworkError, match="plain http") as caught:
            get("http://index.example/")
        assert caught.value.hint is not None
        assert "index.example" in caught.value.hint

    def test_a_user_in_a_url_becomes_authentication(self) -> None:
        with RawServer(ok()) as server:
            get(f"http://bob:p%40ss@{server.host}/")
        assert b"Authorization: Basic Ym9iOnBAc3M=\r\n" in server.heads[0]
        assert b"bob" not in server.heads[0]

    def test_a_header_with_a_line_break_is_refused_without_being_shown(self) -> None:
        with RawServer(ok()) as server, pytest.raises(NetworkError, match="line break") as caught:
            get(server.url, Authorization="Bearer s3cret\r\nX: y")
        assert "s3cret" not in str(caught.value)
        assert not server.heads

    def test_a_source_that_cannot_be_read_is_not_a_broken_connection(self) -> None:
        class Broken(io.BytesIO):
            def read(self, _size: int | None = -1, /) -> bytes:
                raise OSError(5, "Input/output error")

        with RawServer(ok()) as server, pytest.raises(StoreError, match="cannot be read"):
            HttpClient(SETTINGS).request("PUT", server.url, body=Broken, size=10)

    def test_debug_logs_hold_no_parameters(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        with RawServer(ok()) as server:
            get(f"{server.url}/blob?sig=s3cret&digest=sha256:1")
        assert "/blob?sig=***&digest=sha256:1" in caplog.text
        assert "s3cret" not in caplog.text


class TestConnections:
    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    def test_connections_are_used_again(self, method: str) -> None:
        from pycontainer.testing.registry import FakeRegistry  # noqa: PLC0415

        with FakeRegistry() as registry:
            client = HttpClient(SETTINGS)
            accepted: list[object] = []
            original = registry._server.process_request
            registry._server.process_request = lambda *args: (accepted.append(args), original(*args))[1]  # type: ignore[method-assign, func-returns-value]
            for _ in range(5):
                with client.request(method, f"{registry.url}/v2/") as response:
                    assert response.status == 200
                    if method == "GET":  # nobody reads the body of an answer that has none
                        response.drain()
            client.close()
        assert len(accepted) == 1

    def test_a_refused_connection_is_named(self) -> None:
        with socket.socket() as silent:  # bound and not listening, so that nobody else gets the port
            silent.bind(("127.0.0.1", 0))
            port = silent.getsockname()[1]
            with pytest.raises(NetworkError, match=f"`127.0.0.1:{port}` refused the connection"):
                get(f"http://127.0.0.1:{port}/")

    @pytest.mark.parametrize(
        "before",
        [
            socket.gaierror(-2, "Name or service not known"),
            ssl.SSLError(1, "wrong version number"),
            ConnectionRefusedError(),
            TimeoutError(),
            ProxyError("no tunnel", OSError("Tunnel connection failed: 407 Proxy Authentication Required")),
            HTTPException("the head of the answer is longer than 256 KiB"),
        ],
        ids=lambda before: type(before).__name__,
    )
    def test_what_went_wrong_before_with_another_server_is_not_told_of_this_one(self, before: Exception) -> None:
        """Whoever asks the next server may do so while he handles the error of the one before."""
        with RawServer(b"") as server:
            try:
                raise before
            except type(before):
                with pytest.raises(NetworkError, match=f"The connection to `{server.host}` broke") as caught:
                    get(server.url)
            assert len(server.heads) == QUICK.count + 1
        assert caught.value.hint is None

    def test_an_unknown_host_is_named_and_not_asked_for_again(self) -> None:
        waits: list[float] = []
        settings = replace(SETTINGS, retries=replace(QUICK, sleep=waits.append))
        with pytest.raises(NetworkError, match=r"`nowhere.invalid` cannot be found"):
            get("https://nowhere.invalid/", settings)
        assert not waits
