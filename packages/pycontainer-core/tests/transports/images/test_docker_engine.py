"""The engine is found as the `docker` command finds it, and what it answers is understood."""

from __future__ import annotations

import hashlib
import http.server
import io
import json
import os
import shutil
import socketserver
import ssl
import subprocess
import sys
import tarfile
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pycontainer.destinations.docker import DockerDestination
from pycontainer.errors import ConfigError, IntegrityError, ToolError
from pycontainer.events import Event, Warned
from pycontainer.image import ImageIndex
from pycontainer.oci import Platform, Reference
from pycontainer.testing.images import File, debian_like, forge_image, forge_layer
from pycontainer.transports import docker_engine
from pycontainer.transports.archives import docker_archive
from pycontainer.transports.docker_engine import DockerEngine, EngineAddress, find_engine
from pycontainer.transports.tar_files import Member

if sys.platform == "win32":
    pytest.skip("the engine's socket is a Unix one", allow_module_level=True)

NAMES = [Reference.parse("myapp:1"), Reference.parse("ghcr.io/acme/app")]
IMAGE = debian_like()
ID = str(IMAGE.config_blob.descriptor.digest)


class FakeEngine:
    """As much of an engine as we talk to, with the faults that a real one does not make on demand."""

    def __init__(self) -> None:
        self.loaded = b""
        self.status = 200
        self.answer: list[dict[str, Any]] = [{"stream": "Loaded image: myapp:1\n"}]
        self.images: dict[str, str] = {}
        self.hang_up_after: int | None = None
        self.hung_up = threading.Event()


class _UnixServer(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    engine: FakeEngine

    def close_request(self, request: Any) -> None:
        super().close_request(request)
        self.engine.hung_up.set()

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


class _TCPServer(http.server.ThreadingHTTPServer):
    engine: FakeEngine

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _UnixServer | _TCPServer

    def log_message(self, *_: object) -> None:
        pass

    def address_string(self) -> str:
        return "socket"

    def do_GET(self) -> None:
        if self.path == "/version":
            self._send(200, json.dumps({"Os": "linux", "Arch": "arm64"}).encode())
            return
        name = self.path.removeprefix("/images/").removesuffix("/json")
        found = self.server.engine.images.get(name)
        self._send(200 if found else 404, json.dumps({"Id": found, "message": "No such image"}).encode())

    def do_POST(self) -> None:
        body = io.BytesIO()
        while (line := self.rfile.readline()) and (size := int(line, 16)):
            body.write(self.rfile.read(size))
            self.rfile.readline()
            if self.server.engine.hang_up_after is not None and body.tell() > self.server.engine.hang_up_after:
                self._send(500, b'{"message":"no space left on device"}')
                self.close_connection = True
                return
        if not line:  # the request was never finished
            self.close_connection = True
            return
        self.server.engine.loaded = body.getvalue()
        lines = "".join(json.dumps(line) + "\r\n" for line in self.server.engine.answer)
        self._send(self.server.engine.status, lines.encode())

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def running(server: _UnixServer | _TCPServer) -> Iterator[FakeEngine]:
    with server:
        server.engine = FakeEngine()
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.engine
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def engine() -> Iterator[tuple[FakeEngine, DockerEngine]]:
    # A socket's path has at most 108 characters, fewer than pytest's folders.
    with tempfile.TemporaryDirectory(prefix="engine-") as folder:
        path = Path(folder) / "docker.sock"
        with running(_UnixServer(str(path), _Handler)) as server:
            yield server, DockerEngine(EngineAddress(host=f"unix://{path}"))


def test_the_archive_arrives_as_it_was_written(engine: tuple[FakeEngine, DockerEngine]) -> None:
    server, client = engine
    server.images = {"myapp:1": ID, "ghcr.io/acme/app:latest": ID}
    written = DockerDestination(NAMES, engine=client).write(IMAGE)
    with tarfile.open(fileobj=io.BytesIO(server.loaded)) as tar:
        assert "manifest.json" in tar.getnames()
    assert written.reference == f"docker:{ID}"
    assert written.digest == IMAGE.digest


def test_the_store_of_containerd_names_an_image_by_its_manifest(engine: tuple[FakeEngine, DockerEngine]) -> None:
    server, client = engine
    server.images = {"myapp:1": str(IMAGE.digest)}
    assert DockerDestination(NAMES[:1], engine=client).write(IMAGE).reference == f"docker:{IMAGE.digest}"


@pytest.mark.parametrize("image_id", [ID, str(IMAGE.digest)])
def test_an_image_without_a_name_is_found_by_its_id(engine: tuple[FakeEngine, DockerEngine], image_id: str) -> None:
    server, client = engine
    server.images = {image_id: image_id}
    assert DockerDestination(engine=client).write(IMAGE).reference == f"docker:{image_id}"


@pytest.mark.parametrize("images", [{}, {"myapp:1": "sha256:another"}, {"myapp:1": ID}])
def test_another_image_under_one_of_the_names_is_an_error(
    engine: tuple[FakeEngine, DockerEngine], images: dict[str, str]
) -> None:
    server, client = engine
    server.images = images
    with pytest.raises(IntegrityError, match="Docker has another image"):
        DockerDestination(NAMES, engine=client).write(IMAGE)


def test_an_error_behind_a_good_status_is_an_error(engine: tuple[FakeEngine, DockerEngine]) -> None:
    server, client = engine
    server.answer = [{"stream": "Loading\n"}, {"error": "invalid diffID", "errorDetail": {"message": "invalid diffID"}}]
    with pytest.raises(ToolError, match="Docker cannot load the image") as caught:
        DockerDestination(NAMES, engine=client).write(IMAGE)
    assert caught.value.facts[0] == "invalid diffID"


def test_a_refusal_is_told_in_the_words_of_the_engine(engine: tuple[FakeEngine, DockerEngine]) -> None:
    server, client = engine
    server.status, server.answer = 400, [{"message": "not an archive"}]
    with pytest.raises(ToolError, match="Docker refused: 400") as caught:
        client.load(docker_archive(IMAGE, NAMES))
    assert caught.value.facts[0] == "not an archive"


def test_an_engine_that_hangs_up_is_heard_first(engine: tuple[FakeEngine, DockerEngine]) -> None:
    server, client = engine
    server.hang_up_after = 100_000
    large = forge_image([forge_layer([File("a", os.urandom(8 << 20))])])
    with pytest.raises(ToolError) as caught:
        client.load(docker_archive(large, NAMES))
    assert caught.value.message in {"Docker refused: 500", "Docker cannot be reached"}


def test_a_layer_that_fails_ends_the_request_unfinished(engine: tuple[FakeEngine, DockerEngine]) -> None:
    server, client = engine

    class Broken:
        descriptor = IMAGE.layers[0].descriptor

        def open(self) -> io.BytesIO:
            raise IntegrityError("damaged")

    members = docker_archive(IMAGE, NAMES)
    broken = [Member(member.name, Broken()) if member.blob is IMAGE.layers[0].blob else member for member in members]
    with pytest.raises(IntegrityError, match="damaged"):
        client.load(broken)
    assert server.hung_up.wait(60)  # what it has not taken by then it never takes
    assert server.loaded == b""


def test_a_layer_that_fails_is_told_even_where_the_engine_has_hung_up(engine: tuple[FakeEngine, DockerEngine]) -> None:
    server, client = engine
    server.hang_up_after = 511  # all of the member's header

    class Broken:
        descriptor = IMAGE.layers[0].descriptor

        def open(self) -> io.BytesIO:
            assert server.hung_up.wait(60)
            raise IntegrityError("damaged")

    with pytest.raises(IntegrityError, match="damaged"):
        client.load([Member("layer.tar", Broken())])


def test_another_pipe_that_breaks_is_not_taken_for_the_engines(
    engine: tuple[FakeEngine, DockerEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(docker_engine, "_TIMEOUT", 5.0)  # how long it would wait for an answer that cannot come
    server, client = engine

    class Told:
        descriptor = IMAGE.layers[0].descriptor

        def open(self) -> io.BytesIO:
            raise BrokenPipeError  # as of whoever reads what is said while the layer is made

    with pytest.raises(BrokenPipeError):
        client.load([Member("layer.tar", Told())])
    assert server.hung_up.wait(60)  # what it has not taken by then it never takes
    assert server.loaded == b""


def test_of_an_index_the_engine_gets_its_own_platform_and_says_so(engine: tuple[FakeEngine, DockerEngine]) -> None:
    server, client = engine
    arm = debian_like(platform=Platform("linux", "arm64", "v8"))
    server.images = {"myapp:1": str(arm.config_blob.descriptor.digest)}
    events: list[Event] = []
    written = DockerDestination(NAMES[:1], engine=client, emit=events.append).write(ImageIndex(images=(IMAGE, arm)))
    assert written.digest == arm.digest
    [warning] = [event for event in events if isinstance(event, Warned)]
    assert warning.facts == ("left out: linux/amd64",)


def test_an_index_without_the_platform_of_the_engine_is_refused(engine: tuple[FakeEngine, DockerEngine]) -> None:
    index = ImageIndex(images=(IMAGE, debian_like(platform=Platform("linux", "s390x"))))
    with pytest.raises(ConfigError, match="None of the images is for Docker, which runs on linux/arm64"):
        DockerDestination(NAMES, engine=engine[1]).write(index)


def test_an_engine_that_is_not_there_is_named() -> None:
    engine = DockerEngine(EngineAddress(host="unix:///nonexistent/docker.sock", source="from `DOCKER_HOST`"))
    with pytest.raises(ToolError, match="Docker cannot be reached") as caught:
        engine.platform()
    assert caught.value.facts[1] == "address: unix:///nonexistent/docker.sock, from `DOCKER_HOST`"


@pytest.mark.parametrize("host", ["npipe:////./pipe/docker_engine", "ssh://me@host", "fd://", "nonsense"])
def test_an_address_we_cannot_speak_to_says_what_to_do(host: str) -> None:
    with pytest.raises(ToolError, match="cannot be reached") as caught:
        DockerEngine(EngineAddress(host=host))
    assert "docker load" in str(caught.value.hint)


# --- where the engine is --------------------------------------------------------------------------------------------


def context(folder: Path, name: str, host: str, *, tls: bool = False) -> None:
    key = hashlib.sha256(name.encode()).hexdigest()
    meta = folder / "contexts" / "meta" / key
    meta.mkdir(parents=True)
    (meta / "meta.json").write_text(json.dumps({"Name": name, "Endpoints": {"docker": {"Host": host}}}))
    if tls:
        (folder / "contexts" / "tls" / key / "docker").mkdir(parents=True)


def test_without_anything_it_is_the_default_socket(tmp_path: Path) -> None:
    assert find_engine({}, tmp_path).host == "unix:///var/run/docker.sock"


def test_the_variable_goes_before_contexts(tmp_path: Path) -> None:
    context(tmp_path, "remote", "tcp://far:2376")
    environment = {"DOCKER_HOST": "unix:///x.sock", "DOCKER_CONTEXT": "remote", "DOCKER_CONFIG": str(tmp_path)}
    assert find_engine(environment, tmp_path).host == "unix:///x.sock"


@pytest.mark.parametrize("by", ["variable", "file"])
def test_a_context_is_used(tmp_path: Path, by: str) -> None:
    folder = tmp_path / ".docker"
    context(folder, "desktop-linux", "unix:///home/me/docker.sock", tls=True)
    if by == "file":
        (folder / "config.json").write_text('{"currentContext":"desktop-linux"}')
    found = find_engine({"DOCKER_CONTEXT": "desktop-linux"} if by == "variable" else {}, tmp_path)
    assert found.host == "unix:///home/me/docker.sock"
    assert found.certificates is not None
    assert found.source == "from the Docker context `desktop-linux`"


@pytest.mark.parametrize("content", ["", "[]", "{", '{"currentContext":1}', '{"currentContext":"default"}'])
def test_a_configuration_without_a_context_means_the_default(tmp_path: Path, content: str) -> None:
    (tmp_path / "config.json").write_text(content)
    assert find_engine({"DOCKER_CONFIG": str(tmp_path)}, tmp_path).host == "unix:///var/run/docker.sock"


@pytest.mark.parametrize("meta", [None, "{}", "[", '{"Endpoints":[]}'])
def test_a_context_that_cannot_be_read_is_named(tmp_path: Path, meta: str | None) -> None:
    if meta is not None:
        context(tmp_path, "lost", "x")
        [path] = tmp_path.rglob("meta.json")
        path.write_text(meta)
    with pytest.raises(ToolError, match="The Docker context `lost` cannot be read"):
        find_engine({"DOCKER_CONFIG": str(tmp_path), "DOCKER_CONTEXT": "lost"}, tmp_path)


@pytest.mark.parametrize(
    ("environment", "certificates"),
    [
        ({}, None),
        ({"DOCKER_TLS_VERIFY": "1"}, ".docker"),
        ({"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/certs"}, "/certs"),
        ({"DOCKER_CERT_PATH": "/certs"}, None),
    ],
)
def test_tls_is_used_when_asked_for(tmp_path: Path, environment: dict[str, str], certificates: str | None) -> None:
    found = find_engine({"DOCKER_HOST": "tcp://127.0.0.1:2376", **environment}, tmp_path).certificates
    assert found == (None if certificates is None else tmp_path / certificates)


def certificates(folder: Path, *names: str) -> None:
    """An authority, and a certificate of its for each name, as `dockerd --tlsverify` has them."""
    (folder / "extensions").write_text("subjectAltName=IP:127.0.0.1\n")
    new = "openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN={0} -keyout {0}-key.pem"
    commands = [f"{new} -x509 -days 2 -out ca.pem".format("ca")]
    for name in names:
        commands.append(f"{new} -out {{0}}.csr".format(name))
        signed = "openssl x509 -req -days 2 -in {0}.csr -CA ca.pem -CAkey ca-key.pem -CAcreateserial -out {0}.pem"
        commands.append(f"{signed} -extfile extensions".format(name))
    for command in commands:
        subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificates")
def test_both_sides_of_a_tcp_connection_prove_who_they_are(tmp_path: Path) -> None:
    certificates(tmp_path, "server", "cert")
    (tmp_path / "cert-key.pem").rename(tmp_path / "key.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_verify_locations(tmp_path / "ca.pem")
    context.load_cert_chain(tmp_path / "server.pem", tmp_path / "server-key.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    server = _TCPServer(("127.0.0.1", 0), _Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with running(server):
        host = f"tcp://127.0.0.1:{server.server_port}"
        environment = {"DOCKER_HOST": host, "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(tmp_path)}
        assert str(DockerEngine.find(environment).platform()) == "linux/arm64"
        (tmp_path / "cert.pem").unlink()
        for wrong in (environment, {"DOCKER_HOST": host}, {**environment, "DOCKER_CERT_PATH": "/nonexistent"}):
            with pytest.raises(ToolError, match="Docker cannot be reached"):
                DockerEngine.find(wrong).platform()
