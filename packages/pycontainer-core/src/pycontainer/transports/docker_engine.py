"""The API of a Docker Engine: find it, ask for its platform, load an image (Engine API 1.24, `/images/load`).

    engine = DockerEngine.find(os.environ)
    engine.load(docker_archive(image, names))
    engine.image_id("acme/app:1.4")

Podman's compatible socket answers to the same.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import socket
import ssl
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from pycontainer.errors import DocumentError, ToolError
from pycontainer.oci import Platform
from pycontainer.transports.tar_files import HungUpError, write_members

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from pycontainer.blobs.hashing import BytesLike
    from pycontainer.transports.tar_files import Member

DEFAULT_HOST = "unix:///var/run/docker.sock"
_CONNECT_TIMEOUT = 10.0
# The engine says nothing while it unpacks; a layer of 10 GB takes minutes.
_TIMEOUT = 900.0
_MAX_ANSWER = 1 << 20
_OK, _NOT_FOUND = 200, 404


@dataclass(frozen=True, kw_only=True, slots=True)
class EngineAddress:
    """Where an engine listens.

    Attributes:
        host: `unix:///path` or `tcp://host:port`.
        certificates: A folder with `ca.pem`, `cert.pem` and `key.pem`; without one, TCP is not encrypted.
        source: Where the address was found, in words.
    """

    host: str
    certificates: Path | None = None
    source: str = "the default"


def find_engine(environment: Mapping[str, str], home: Path | None = None) -> EngineAddress:
    """Where the engine is, by the rules of the `docker` command.

    `DOCKER_HOST`; else the context of `DOCKER_CONTEXT` or of Docker's configuration; else the default socket.

    Raises:
        ToolError: The context that is chosen does not exist or cannot be read.
    """
    configuration = environment.get("DOCKER_CONFIG")
    folder = Path(configuration) if configuration else (home or Path("~").expanduser()) / ".docker"
    if host := environment.get("DOCKER_HOST"):
        secure = environment.get("DOCKER_TLS_VERIFY") or environment.get("DOCKER_TLS")
        certificates = Path(environment.get("DOCKER_CERT_PATH") or folder) if secure else None
        return EngineAddress(host=host, certificates=certificates, source="from `DOCKER_HOST`")
    context = environment.get("DOCKER_CONTEXT") or _current_context(folder)
    if context and context != "default":
        return _context_address(folder, context)
    return EngineAddress(host=DEFAULT_HOST)


def _current_context(folder: Path) -> str | None:
    try:
        value = json.loads((folder / "config.json").read_bytes())
    except (OSError, ValueError):
        return None
    context = value.get("currentContext") if isinstance(value, dict) else None
    return context if isinstance(context, str) else None


def _context_address(folder: Path, context: str) -> EngineAddress:
    name = hashlib.sha256(context.encode()).hexdigest()
    path = folder / "contexts" / "meta" / name / "meta.json"
    try:
        host = json.loads(path.read_bytes())["Endpoints"]["docker"]["Host"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ToolError(
            f"The Docker context `{context}` cannot be read",
            facts=[f"file: {path}", f"{type(error).__name__}: {error}"],
            hint="Choose another with `docker context use`, or set `DOCKER_HOST`",
        ) from error
    certificates = folder / "contexts" / "tls" / name / "docker"
    return EngineAddress(
        host=str(host),
        certificates=certificates if certificates.is_dir() else None,
        source=f"from the Docker context `{context}`",
    )


class DockerEngine:
    """One engine.

    Args:
        address: Where it listens.

    Raises:
        ToolError: An address of a kind that cannot be spoken to from here.
    """

    def __init__(self, address: EngineAddress) -> None:
        self._address = address
        parts = urlsplit(address.host)
        if parts.scheme not in {"unix", "tcp", "http", "https"} or (
            parts.scheme == "unix" and not hasattr(socket, "AF_UNIX")
        ):
            raise ToolError(
                f"Docker cannot be reached at `{address.host}`",
                facts=[f"address: {address.source}", "supported: `unix://` and `tcp://`"],
                hint="Set {output} to `docker-archive:FILE` and load that with `docker load -i FILE`",
            )

    @classmethod
    def find(cls, environment: Mapping[str, str], home: Path | None = None) -> DockerEngine:
        """The engine that the `docker` command would use."""
        return cls(find_engine(environment, home))

    def platform(self) -> Platform:
        """What the engine runs on, which is not always this host: Docker Desktop's is Linux."""
        answer = self._get("/version") or {}
        return Platform(str(answer.get("Os", "linux")), str(answer.get("Arch", "amd64")))

    def image_id(self, name: str) -> str | None:
        """The ID of an image, or none where the engine does not have it."""
        answer = self._get(f"/images/{quote(name, safe='/:@')}/json")
        return None if answer is None else str(answer.get("Id"))

    def load(self, members: Iterable[Member], *, advance: Callable[[int], None] | None = None) -> tuple[str, ...]:
        """Stream a `docker save` archive to the engine; what it says it loaded, line by line.

        Raises:
            ToolError: It cannot be reached, or refuses the image.
        """
        connection = self._connect()
        chunks = _Chunks(connection, self._unreachable)
        try:
            with self._reaching():
                connection.putrequest("POST", "/images/load?quiet=1")
                connection.putheader("Content-Type", "application/x-tar")
                connection.putheader("Transfer-Encoding", "chunked")
                connection.endheaders()
            with suppress(HungUpError):  # it has heard enough: its answer says why
                write_members(chunks, members, advance=advance)
                chunks.end()
            with self._reaching():
                response = connection.getresponse()
                if response.status != _OK:
                    raise self._refused(response)
                return tuple(self._loaded(response))
        finally:
            connection.close()

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        """What fails in here is the connection to the engine."""
        try:
            yield
        except (OSError, http.client.HTTPException) as error:
            raise self._unreachable(error) from error

    def _loaded(self, response: http.client.HTTPResponse) -> Iterator[str]:
        """The lines of the answer, each a JSON object; one with `error` comes after the status said 200."""
        for line in response.read(_MAX_ANSWER).splitlines():
            try:
                value = json.loads(line)
            except ValueError:
                continue
            if isinstance(value, dict) and "error" in value:
                raise ToolError("Docker cannot load the image", facts=[str(value["error"])[:1000], *self._facts()])
            if isinstance(value, dict) and value.get("stream"):
                yield str(value["stream"]).strip()

    def _get(self, path: str) -> dict[str, Any] | None:
        connection = self._connect()
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            if response.status == _NOT_FOUND:
                return None
            if response.status != _OK:
                raise self._refused(response)
            value = json.loads(response.read(_MAX_ANSWER * 4))
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._unreachable(error) from error
        finally:
            connection.close()
        if not isinstance(value, dict):
            raise DocumentError(f"Docker's answer to `{path}` is not a JSON object", facts=self._facts())
        return value

    def _connect(self) -> http.client.HTTPConnection:
        parts = urlsplit(self._address.host)
        if parts.scheme == "unix":
            return _UnixConnection(parts.path)
        host, port = parts.hostname or "localhost", parts.port
        if self._address.certificates is None and parts.scheme != "https":
            return http.client.HTTPConnection(host, port or 2375, timeout=_TIMEOUT)
        return http.client.HTTPSConnection(host, port or 2376, timeout=_TIMEOUT, context=self._tls())

    def _tls(self) -> ssl.SSLContext:
        folder = self._address.certificates
        if folder is None:
            return ssl.create_default_context()
        try:
            ca = folder / "ca.pem"
            context = ssl.create_default_context(cafile=ca if ca.exists() else None)
            # Docker's own instructions make an authority without key usage, which Python 3.13 began to refuse.
            context.verify_flags &= ~ssl.VERIFY_X509_STRICT
            if (folder / "cert.pem").exists():
                context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
        except OSError as error:
            raise ToolError(
                "Docker's certificates cannot be used", facts=[str(error), f"folder: {folder}", *self._facts()]
            ) from error
        return context

    def _refused(self, response: http.client.HTTPResponse) -> ToolError:
        body = response.read(_MAX_ANSWER).decode("utf-8", "replace")
        with suppress(ValueError, KeyError, TypeError):
            body = str(json.loads(body)["message"])
        return ToolError(f"Docker refused: {response.status}", facts=[body.strip()[:1000], *self._facts()])

    def _unreachable(self, error: Exception) -> ToolError:
        denied = isinstance(error, PermissionError)
        return ToolError(
            "Docker cannot be reached",
            facts=[f"{type(error).__name__}: {error}", *self._facts()],
            hint="Use an account that may use Docker, or set {output} to `podman`"
            if denied
            else "Start Docker, or set {output} to `docker-archive:FILE`",
        )

    def _facts(self) -> list[str]:
        return [f"address: {self._address.host}, {self._address.source}"]


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a socket file."""

    def __init__(self, path: str) -> None:
        super().__init__("docker", timeout=_TIMEOUT)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(_CONNECT_TIMEOUT)
        self.sock.connect(self._path)
        self.sock.settimeout(_TIMEOUT)


class _Chunks:
    """What is written becomes the chunks of a request body (RFC 9112, section 7.1).

    Nothing is kept for later: after a blob that fails, no rest of a cut archive is sent.
    """

    def __init__(self, connection: http.client.HTTPConnection, unreachable: Callable[[Exception], ToolError]) -> None:
        self._connection = connection
        self._unreachable = unreachable

    def write(self, data: BytesLike, /) -> None:
        if data:  # one of no bytes would be the last
            self._send(b"%x\r\n%b\r\n" % (len(data), bytes(data)))

    def end(self) -> None:
        self._send(b"0\r\n\r\n")

    def _send(self, data: bytes) -> None:
        try:
            self._connection.send(data)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise HungUpError from error
        except (OSError, http.client.HTTPException) as error:
            raise self._unreachable(error) from error
