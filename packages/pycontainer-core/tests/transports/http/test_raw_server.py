from __future__ import annotations

import socket

from pycontainer.testing.raw_server import RawServer


def test_a_client_hears_of_the_end_whatever_the_server_waits_for() -> None:
    def wait_for_more(connection: socket.socket) -> None:
        connection.sendall(b"begun")
        connection.recv(1)

    with RawServer(wait_for_more) as server:
        host, _, port = server.host.partition(":")
        client = socket.create_connection((host, int(port)), timeout=10)
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert client.recv(5) == b"begun"
    with client:
        assert client.recv(1) == b""
