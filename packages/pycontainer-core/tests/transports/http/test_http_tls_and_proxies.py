"""Certificates and proxies, against real ones."""

from __future__ import annotations

import contextlib
import shutil
import socket
import ssl
import subprocess
import threading
from pathlib import Path

import pytest

from pycontainer.errors import DeniedError, NetworkError
from pycontainer.testing.raw_server import RawServer, answer, ok
from pycontainer.testing.registry import FakeRegistry
from pycontainer.transports.http import HttpClient, HttpSettings, Origin, RetryPolicy
from pycontainer.transports.http.proxies import proxy_for
from pycontainer.value import replace

SETTINGS = HttpSettings(environment={}, retries=RetryPolicy(count=1, base=0.001))

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificates")


class Authority:
    """A certificate authority in a directory, by `openssl ca`, which can date certificates as it likes."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.certificate = directory / "ca.pem"
        (directory / "index.txt").touch()
        (directory / "serial").write_text("01\n")
        (directory / "ca.cnf").write_text(
            f"[ca]\ndefault_ca=d\n[d]\ndir={directory}\ndatabase={directory}/index.txt\nnew_certs_dir={directory}\n"
            f"serial={directory}/serial\ndefault_md=sha256\npolicy=p\nunique_subject=no\ncopy_extensions=copy\n"
            "[p]\ncommonName=supplied\n[req]\ndistinguished_name=dn\n[dn]\n"
        )
        self.openssl(
            "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 3650 -subj /CN=test-authority "
            "-addext basicConstraints=critical,CA:true -addext keyUsage=critical,keyCertSign,cRLSign -config ca.cnf"
        )

    def openssl(self, arguments: str) -> None:
        subprocess.run(["openssl", *arguments.split()], cwd=self.directory, check=True, capture_output=True)

    def issue(self, name: str, alternative: str, *, begin: str = "2020", end: str = "2099") -> Path:
        """A file with key and certificate, good from one new year to another."""
        self.openssl(
            f"req -newkey rsa:2048 -nodes -keyout {name}.key -out {name}.csr -subj /CN={name} -config ca.cnf "
            f"-addext subjectAltName={alternative}"
        )
        self.openssl(
            f"ca -batch -config ca.cnf -cert ca.pem -keyfile ca.key -in {name}.csr -out {name}.cert -notext "
            f"-startdate {begin}0101000000Z -enddate {end}0101000000Z"
        )
        combined = self.directory / f"{name}.pem"
        combined.write_text(
            (self.directory / f"{name}.cert").read_text() + (self.directory / f"{name}.key").read_text()
        )
        return combined


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def good(authority: Authority) -> Path:
    return authority.issue("good", "IP:127.0.0.1,DNS:registry.example")


def context(pem: Path) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(pem)
    return made


def get(url: str, settings: HttpSettings) -> int:
    client = HttpClient(settings)
    with client.request("GET", url) as response:
        response.drain()
    client.close()
    return response.status


class TestTrust:
    def test_a_certificate_of_the_option_is_trusted(self, authority: Authority, good: Path) -> None:
        with FakeRegistry(tls=context(good)) as registry:
            assert get(f"{registry.url}/v2/", replace(SETTINGS, ca_files=(authority.certificate,))) == 200

    @pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
    def test_a_certificate_of_the_environment_is_trusted(self, authority: Authority, good: Path, variable: str) -> None:
        environment = {variable: str(authority.certificate)}
        with FakeRegistry(tls=context(good)) as registry:
            assert get(f"{registry.url}/v2/", replace(SETTINGS, environment=environment)) == 200

    def test_a_certificate_of_certs_d_is_trusted_for_its_host_alone(
        self, authority: Authority, good: Path, tmp_path: Path
    ) -> None:
        with FakeRegistry(tls=context(good)) as registry, FakeRegistry(tls=context(good)) as other:
            (tmp_path / registry.host).mkdir()
            shutil.copy(authority.certificate, tmp_path / registry.host / "ca.crt")
            settings = replace(SETTINGS, certs_dirs=(tmp_path,))
            assert get(f"{registry.url}/v2/", settings) == 200
            with pytest.raises(NetworkError, match="unknown authority"):
                get(f"{other.url}/v2/", settings)

    def test_a_client_certificate_of_certs_d_is_shown(self, authority: Authority, good: Path, tmp_path: Path) -> None:
        authority.issue("client", "DNS:client.example")
        server = context(good)
        server.verify_mode = ssl.CERT_REQUIRED
        server.load_verify_locations(authority.certificate)
        with FakeRegistry(tls=server) as registry:
            directory = tmp_path / registry.host
            directory.mkdir()
            shutil.copy(authority.certificate, directory / "ca.crt")
            settings = replace(SETTINGS, certs_dirs=(tmp_path,))
            with pytest.raises(NetworkError):
                get(f"{registry.url}/v2/", settings)
            for suffix in ("cert", "key"):
                shutil.copy(authority.directory / f"client.{suffix}", directory)
            assert get(f"{registry.url}/v2/", settings) == 200

    @pytest.mark.parametrize("content", [None, b"", b"not a certificate"])
    def test_a_ca_file_that_cannot_be_read_is_named(self, tmp_path: Path, content: bytes | None) -> None:
        path = tmp_path / "ca.pem"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(NetworkError, match=r"ca\.pem` cannot be read"):
            get("https://127.0.0.1:1/", replace(SETTINGS, environment={"SSL_CERT_FILE": str(path)}))


class TestDistrust:
    @pytest.mark.parametrize(
        ("alternative", "dates", "message"),
        [
            ("IP:127.0.0.1", ("2020", "2021"), "has expired, or this host's clock is wrong"),
            ("IP:127.0.0.1", ("2098", "2099"), "is not valid yet, or this host's clock"),
            ("DNS:other.example", ("2020", "2099"), "is for another host"),
        ],
    )
    def test_what_is_wrong_with_a_certificate_is_said(
        self, authority: Authority, alternative: str, dates: tuple[str, str], message: str
    ) -> None:
        pem = authority.issue(f"bad{abs(hash((alternative, dates)))}", alternative, begin=dates[0], end=dates[1])
        settings = replace(SETTINGS, ca_files=(authority.certificate,))
        with FakeRegistry(tls=context(pem)) as registry, pytest.raises(NetworkError, match=message):
            get(f"{registry.url}/v2/", settings)

    def test_an_unknown_authority_is_said_with_what_to_do(self, good: Path) -> None:
        with FakeRegistry(tls=context(good)) as registry:
            with pytest.raises(NetworkError, match="unknown authority") as caught:
                get(f"{registry.url}/v2/", SETTINGS)
            assert "{ca_file}" in (caught.value.hint or "")
            assert not registry.requests

    def test_plain_http_is_never_fallen_back_to(self) -> None:
        with RawServer(ok()) as server:
            with pytest.raises(NetworkError, match="does not speak TLS"):
                get(f"https://{server.host}/", SETTINGS)
            assert not any(head.startswith(b"GET") for head in server.heads)

    def test_a_redirect_from_https_to_http_is_refused(self, authority: Authority, good: Path) -> None:
        from pycontainer.testing.registry import Answer, Fault  # noqa: PLC0415

        settings = replace(SETTINGS, ca_files=(authority.certificate,), allowed_hosts=frozenset({"cdn.example"}))
        with FakeRegistry(tls=context(good)) as registry:
            effect = Answer(status=302, headers={"Location": "http://cdn.example/blob"})
            registry.faults.add(Fault(effect=effect))
            with pytest.raises(NetworkError, match="from https to plain http"):
                get(f"{registry.url}/v2/", settings)


def tunnel(target: tuple[str, int]) -> object:
    """A proxy's script: takes CONNECT and passes bytes both ways."""

    def pipe(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)

    def script(connection: socket.socket) -> None:
        with socket.create_connection(target) as upstream:
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            threading.Thread(target=pipe, args=(upstream, connection), daemon=True).start()
            pipe(connection, upstream)

    return script


def bind_to_one_of(listener: socket.socket, ports: range) -> None:
    """Bind to the first of the ports that is free."""
    for port in ports:
        with contextlib.suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return
    raise AssertionError(f"none of {ports} is free")


class TestProxies:
    def test_plain_http_is_forwarded_with_the_proxys_own_user(self) -> None:
        with RawServer(ok(b"by proxy")) as proxy:
            environment = {"HTTP_PROXY": f"http://bob:p%40ss@{proxy.host}"}
            settings = replace(SETTINGS, environment=environment, allowed_hosts=frozenset({"registry.example"}))
            assert get("http://registry.example/v2/", settings) == 200
        head = proxy.heads[0]
        assert head.startswith(b"GET http://registry.example/v2/ HTTP/1.1\r\n")
        assert b"Proxy-Authorization: Basic Ym9iOnBAc3M=\r\n" in head

    def test_https_is_tunnelled(self, authority: Authority, good: Path) -> None:
        with FakeRegistry(tls=context(good)) as registry:
            with RawServer(tunnel(("127.0.0.1", registry.port))) as proxy:  # type: ignore[arg-type]
                environment = {"https_proxy": f"http://bob:secret@{proxy.host}"}
                settings = replace(SETTINGS, environment=environment, ca_files=(authority.certificate,))
                assert get("https://registry.example/v2/", settings) == 200
            assert proxy.heads[0].startswith(b"CONNECT registry.example:443 ")
            assert b"Proxy-Authorization" in proxy.heads[0]
            assert "proxy-authorization" not in registry.requests[0].headers

    @pytest.mark.parametrize("scheme", ["http", "https"])
    def test_a_proxy_that_wants_a_user_is_named(self, scheme: str) -> None:
        with RawServer(answer(407, b"", "Proxy-Authenticate: Basic")) as proxy:
            environment = {f"{scheme}_proxy": f"http://bob:s3cret@{proxy.host}"}
            settings = replace(SETTINGS, environment=environment, allowed_hosts=frozenset({"registry.example"}))
            with pytest.raises(DeniedError, match="proxy asks for a user") as caught:
                get(f"{scheme}://registry.example/v2/", settings)
        assert "s3cret" not in f"{caught.value} {caught.value.hint}"

    def test_a_proxy_that_is_not_there_is_named(self) -> None:
        with socket.socket() as silent:  # bound and not listening, so that nobody else gets the port
            silent.bind(("127.0.0.1", 0))
            port = silent.getsockname()[1]
            settings = replace(SETTINGS, environment={"HTTPS_PROXY": f"http://127.0.0.1:{port}"})
            with pytest.raises(NetworkError, match="proxy cannot be used"):
                get("https://registry.example/", settings)

    def test_a_port_with_a_status_in_it_is_not_what_the_proxy_said(self) -> None:
        with socket.socket() as silent:
            bind_to_one_of(silent, range(40700, 40800))
            settings = replace(SETTINGS, environment={"HTTPS_PROXY": f"http://127.0.0.1:{silent.getsockname()[1]}"})
            with pytest.raises(NetworkError, match="proxy cannot be used"):
                get("https://registry.example/", settings)

    @pytest.mark.parametrize(
        ("url", "rules", "proxied"),
        [
            ("https://registry.example/", "", True),
            ("https://registry.example/", "*", False),
            ("https://registry.example/", "registry.example", False),
            ("https://a.registry.example/", "registry.example", False),
            ("https://notregistry.example/", "registry.example", True),
            ("https://registry.example/", ".registry.example", True),
            ("https://a.registry.example/", ".registry.example", False),
            ("https://a.registry.example/", "*.registry.example", False),
            ("https://registry.example:5000/", "registry.example:5000", False),
            ("https://registry.example:5001/", "registry.example:5000", True),
            ("https://10.1.2.3/", "10.0.0.0/8", False),
            ("https://11.1.2.3/", "10.0.0.0/8", True),
            ("https://10.1.2.3/", "10.1.2.3", False),
            ("https://[fd00::1]/", "fd00::/8", False),
            ("https://[fd00::1]/", "[fd00::1]", False),
            ("https://registry.example/", "a.example, REGISTRY.example ,b.example", False),
            ("https://localhost:5000/", "", False),
            ("https://127.0.0.1:5000/", "", False),
        ],
    )
    def test_no_proxy(self, url: str, rules: str, *, proxied: bool) -> None:
        environment = {"HTTPS_PROXY": "http://proxy.example:3128", "NO_PROXY": rules}
        assert (proxy_for(Origin.of(url), environment) is not None) is proxied

    def test_variables(self) -> None:
        http, https = Origin.of("http://registry.example/"), Origin.of("https://registry.example/")
        assert proxy_for(http, {"HTTPS_PROXY": "http://p.example"}) is None
        found = proxy_for(https, {"ALL_PROXY": "p.example:1", "no_proxy": ""})
        assert found is not None
        assert found.url == "http://p.example:1"
        assert proxy_for(http, {"HTTP_PROXY": "http://p.example", "REQUEST_METHOD": "GET"}) is None
        with pytest.raises(NetworkError, match="`HTTPS_PROXY` is not") as caught:
            proxy_for(https, {"HTTPS_PROXY": "socks5://bob:s3cret@p.example"})
        assert "s3cret" not in str(caught.value)
