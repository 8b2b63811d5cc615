"""What tests rely on of the servers that they start."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from typing import Any
from urllib.parse import urlsplit

import pytest

from pycontainer.testing import loopback
from pycontainer.testing.loopback import AnsweringHandler, serving_on_loopback
from pycontainer.testing.raw_server import RawServer
from pycontainer.testing.registry import FakeRegistry


def test_a_client_hears_of_the_end_whatever_the_server_waits_for() -> None:
    def wait_for_more(connection: socket.socket) -> None:
        connection.sendall(b"begun")
        connection.recv(1)

    with RawServer(wait_for_more) as server:
        host, _, port = server.host.partition(":")
        client = socket.create_connection((host, int(port)), timeout=60)
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert client.recv(5) == b"begun"
    with client:
        assert client.recv(1) == b""


def test_many_clients_may_come_before_the_server_looks_up(monkeypatch: pytest.MonkeyPatch) -> None:
    looks_up = threading.Event()
    accept = loopback._Server.get_request

    def wait_and_accept(server: Any) -> Any:
        looks_up.wait(60)
        return accept(server)

    monkeypatch.setattr(loopback._Server, "get_request", wait_and_accept)
    with serving_on_loopback(AnsweringHandler) as url, contextlib.ExitStack() as clients:
        address = "127.0.0.1", urlsplit(url).port or 0
        for _ in range(32):
            clients.enter_context(socket.create_connection(address, timeout=0.5))
        looks_up.set()


@pytest.mark.parametrize("linger", [struct.pack("ii", 0, 0), struct.pack("ii", 1, 0)], ids=["ended", "reset"])
def test_a_registry_hears_of_a_request_that_is_cut_off(linger: bytes) -> None:
    with FakeRegistry() as registry:
        with socket.create_connection(("127.0.0.1", registry.port), timeout=60) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            client.sendall(b"PUT /blob HTTP/1.1\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n")
            assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"  # it waits for the body from now on
            client.sendall(b"half")
        (heard,) = registry.hears("PUT")
    assert heard.status == 0
