"""Where a registry's API is: `docker.io` answers at `registry-1.docker.io`, loopback speaks http, mirrors go first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pycontainer.oci.reference import DOCKER_HUB
from pycontainer.transports.http import Origin
from pycontainer.transports.http.tls import host_directories
from pycontainer.value import Value

if TYPE_CHECKING:
    from pycontainer.oci import Reference
    from pycontainer.transports.registry.settings import RegistrySettings

_API_HOSTS = {DOCKER_HUB: "registry-1.docker.io"}


class Endpoint(Value, frozen=True):
    """One host that serves repositories.

    Attributes:
        registry: The host that credentials are looked up for.
        base: The URL before `/v2/`.
        prefix: What stands before a repository's name on a mirror, with its slash.
    """

    registry: str
    base: str
    prefix: str = ""

    @property
    def origin(self) -> Origin:
        """Scheme, host and port."""
        return Origin.of(self.base)

    def repository(self, name: str) -> str:
        """What a repository is called here."""
        return f"{self.prefix}{name}"

    def url(self, repository: str, path: str) -> str:
        """The URL of something in a repository: `url("acme/api", "tags/list")`."""
        return f"{self.base}/v2/{self.repository(repository)}/{path}"


def upstream(registry: str, settings: RegistrySettings) -> Endpoint:
    """The registry itself: what is pushed goes there and nowhere else."""
    host = _API_HOSTS.get(registry, registry)
    return Endpoint(registry, f"{_scheme(host, settings)}://{host}")


def pull_endpoints(reference: Reference, settings: RegistrySettings) -> tuple[Endpoint, ...]:
    """Where to pull from: the registry's mirrors, then the registry."""
    mirrors = []
    for mirror in settings.mirrors.get(reference.registry, ()):
        host, _, prefix = mirror.strip("/").partition("/")
        mirrors.append(Endpoint(host, f"{_scheme(host, settings)}://{host}", f"{prefix}/" if prefix else ""))
    return (*mirrors, upstream(reference.registry, settings))


def _scheme(host: str, settings: RegistrySettings) -> str:
    """Plain http where the user asked for it, and on this machine unless it has certificates in `certs.d`."""
    origin = Origin.of(f"http://{host}")
    if origin.is_among(settings.insecure):
        return "http"
    return "http" if origin.is_loopback and not host_directories(settings.http.certs_dirs, origin) else "https"
