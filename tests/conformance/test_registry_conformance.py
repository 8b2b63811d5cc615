"""The fake registry and Debian's `docker-registry` pass one suite: the real one keeps the fake honest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from debian_registry import HTPASSWD, PASSWORD, USER, debian_registry, needs_registry

from pycontainer.testing.registry import FakeRegistry, Rules
from pycontainer.testing.registry.conformance import RegistryConformance, Target
from pycontainer.transports.registry import Credential, RegistrySettings
from pycontainer.transports.secrets import Redacted

if TYPE_CHECKING:
    from collections.abc import Iterator


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
        rules = Rules(
            authentication="token",
            users={USER: PASSWORD},
            relative_locations=True,
            referrers_page=2,
            referrers_filter=True,
        )
        with FakeRegistry(rules) as registry:
            yield Target(host=registry.host, settings=settings_for(registry.host), needs_user=True)


class TestOlderFakeRegistry(RegistryConformance):
    """C10, C29: no digests in headers, no ranges, no referrers, credentials in every request."""

    @pytest.fixture
    def target(self) -> Iterator[Target]:
        rules = Rules(
            authentication="basic", users={USER: PASSWORD}, digest_headers=False, ranges=False, referrers=False
        )
        with FakeRegistry(rules) as registry:
            yield Target(host=registry.host, settings=settings_for(registry.host), needs_user=True)


@pytest.fixture(scope="module")
def debian_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with debian_registry(tmp_path_factory.mktemp("registry")) as host:
        yield host


@pytest.fixture(scope="module")
def debian_host_with_passwords(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with debian_registry(tmp_path_factory.mktemp("registry"), passwords=HTPASSWD) as host:
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
