"""The fake registry and Debian's `docker-registry` pass one suite: the real one keeps the fake honest."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from pycontainer.testing.registry import FakeRegistry, Rules
from pycontainer.testing.registry.conformance import RegistryConformance, Target
from pycontainer.transports.registry import Credential, RegistrySettings
from pycontainer.transports.secrets import Redacted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

USER, PASSWORD = "conformance", "conformance-password"
# bcrypt of PASSWORD with the least cost, since Python lost `crypt`.
HTPASSWD = f"{USER}:$2b$04$UDyuvBaHp.dXjJV5/l4Piu2heF1zlMO2HL0iIANaO.733I8pa3yUu\n"

needs_registry = pytest.mark.skipif(shutil.which("docker-registry") is None, reason="docker-registry is not installed")


def settings_for(host: str) -> RegistrySettings:
    credential = Credential(username=USER, password=Redacted(PASSWORD))
    return RegistrySettings(credentials={host: credential}, environment={}, home=None)


class TestFakeRegistry(RegistryConformance):
    @pytest.fixture
    def target(self) -> Iterator[Target]:
        with FakeRegistry() as registry:
            yield Target(host=registry.host, settings=RegistrySettings(environment={}, home=None))


class TestFakeRegistryWithTokens(RegistryConformance):
    @pytest.fixture
    def target(self) -> Iterator[Target]:
        rules = Rules(authentication="token", users={USER: PASSWORD}, relative_locations=True)
        with FakeRegistry(rules) as registry:
            yield Target(host=registry.host, settings=settings_for(registry.host), needs_user=True)


class TestOlderFakeRegistry(RegistryConformance):
    """C10, C29: no digests in headers, no ranges, credentials in every request."""

    @pytest.fixture
    def target(self) -> Iterator[Target]:
        rules = Rules(authentication="basic", users={USER: PASSWORD}, digest_headers=False, ranges=False)
        with FakeRegistry(rules) as registry:
            yield Target(host=registry.host, settings=settings_for(registry.host), needs_user=True)


@pytest.fixture(scope="module")
def debian_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with DockerRegistry(tmp_path_factory.mktemp("registry")) as host:
        yield host


@pytest.fixture(scope="module")
def debian_host_with_passwords(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with DockerRegistry(tmp_path_factory.mktemp("registry"), passwords=HTPASSWD) as host:
        yield host


@needs_registry
class TestDebianRegistry(RegistryConformance):
    @pytest.fixture
    def target(self, debian_host: str) -> Target:
        return Target(host=debian_host, settings=RegistrySettings(environment={}, home=None))


@needs_registry
class TestDebianRegistryWithPasswords(RegistryConformance):
    @pytest.fixture
    def target(self, debian_host_with_passwords: str) -> Target:
        return Target(
            host=debian_host_with_passwords, settings=settings_for(debian_host_with_passwords), needs_user=True
        )


class DockerRegistry:
    """`docker-registry serve` on a free port, with its files in one directory."""

    def __init__(self, directory: Path, *, passwords: str | None = None) -> None:
        self._directory = directory
        self._port = free_port()
        lines = [
            "version: 0.1",
            "log: {level: error}",
            f"storage: {{filesystem: {{rootdirectory: {directory / 'storage'}}}}}",
            f"http: {{addr: '127.0.0.1:{self._port}', secret: conformance}}",
        ]
        if passwords is not None:
            (directory / "htpasswd").write_text(passwords)
            lines.append(f"auth: {{htpasswd: {{realm: conformance, path: {directory / 'htpasswd'}}}}}")
        (directory / "config.yml").write_text("\n".join(lines) + "\n")

    def __enter__(self) -> str:
        with (self._directory / "log").open("wb") as log:
            command = ["docker-registry", "serve", str(self._directory / "config.yml")]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = time.monotonic() + 15
        while not accepts(self._port):
            if time.monotonic() > deadline or self._process.poll() is not None:
                self.__exit__()
                pytest.fail(f"docker-registry did not start: {(self._directory / 'log').read_text()[-2000:]}")
            time.sleep(0.02)
        return f"127.0.0.1:{self._port}"

    def __exit__(self, *exception: object) -> None:
        self._process.terminate()
        self._process.wait(10)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
