"""URLs that a server or a user gave: which may be requested, and which keep the credentials.

Origin.of("https://registry.example/v2/") == Origin("https", "registry.example", 443)
"""

from __future__ import annotations

import ipaddress
import re
import socket
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urljoin, urlsplit

from pycontainer.errors import NetworkError
from pycontainer.transports.secrets import redact_url
from pycontainer.value import Value

if TYPE_CHECKING:
    from collections.abc import Collection

DEFAULT_PORTS = {"http": 80, "https": 443}
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f\\]")
_LEGACY_IPV4 = re.compile(r"(0[xX][0-9a-fA-F]*|[0-9]+)(\.(0[xX][0-9a-fA-F]*|[0-9]+)){0,3}")


class Origin(Value, frozen=True):
    """Scheme, host and port: what credentials belong to (RFC 9110, 4.3.1)."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Origin:
        """The origin of an absolute http or https URL.

        Raises:
            NetworkError: Not such a URL.
        """
        parts = split_url(url)
        scheme = parts.scheme.lower()
        return cls(scheme, (parts.hostname or "").rstrip("."), parts.port or DEFAULT_PORTS[scheme])

    @property
    def authority(self) -> str:
        """Host and port, the port left out where it is the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    def is_among(self, hosts: Collection[str]) -> bool:
        """Whether `host` or `host:port` of this origin is in a list that a user wrote."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return not {host, self.host, f"{host}:{self.port}"}.isdisjoint(hosts)

    @property
    def is_loopback(self) -> bool:
        """Whether this is this very machine: `localhost`, 127.0.0.0/8, ::1."""
        address = ip_literal(self.host)
        return address.is_loopback if address else self.host == "localhost" or self.host.endswith(".localhost")

    @property
    def is_private(self) -> bool:
        """Whether the host is written as an address that is not of the public Internet, or is this machine."""
        address = ip_literal(self.host)
        return self.is_loopback or (address is not None and (not address.is_global or address.is_multicast))


def ip_literal(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address a host stands for without a look-up, in every form that resolvers take: `2130706433` too."""
    text = host.partition("%")[0].strip("[]").rstrip(".")
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        if not _LEGACY_IPV4.fullmatch(text):
            return None
        try:
            return ipaddress.IPv4Address(socket.inet_aton(text))
        except OSError:
            return None
    return getattr(address, "ipv4_mapped", None) or address


def split_url(url: str) -> SplitResult:
    """Split an absolute http or https URL.

    Raises:
        NetworkError: Another scheme, no host, a port that is none, spaces, control characters or backslashes.
    """
    try:
        parts = urlsplit(url)
        valid = parts.scheme.lower() in DEFAULT_PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid or _FORBIDDEN.search(url):
        raise NetworkError(f"`{redact_url(url)[:300]!s}` is not an http or https URL")
    return parts


def check_scheme(url: str, allowed_hosts: Collection[str]) -> Origin:
    """The origin of a URL that is about to be requested.

    Raises:
        NetworkError: Plain http to a host that is neither this machine nor allowed.
    """
    origin = Origin.of(url)
    if origin.scheme == "http" and not origin.is_loopback and not origin.is_among(allowed_hosts):
        raise NetworkError(
            f"`{origin.authority}` would be reached over plain http",
            facts=[f"URL: {redact_url(url)}", "only this machine may be reached over http unless a host is allowed"],
            hint=f"Add `{origin.authority}` to {{insecure_registries}} if its network can be trusted",
        )
    return origin


def check_server_url(url: str, *, sender: Origin, allowed_hosts: Collection[str], what: str) -> Origin:
    """The origin of a URL that a server sent: a redirect, an upload's `Location`, a token server's address.

    Every such URL could make this host ask another one on the attacker's behalf. What is left out is DNS: a public name
    that resolves to a private address is not seen here.

    Raises:
        NetworkError: It holds a user part, falls back from https to http, or points to a private address elsewhere.
    """
    facts = [f"{what}: {redact_url(url)}", f"sent by: {sender.authority}"]
    parts = split_url(url)
    if "@" in parts.netloc:
        raise NetworkError(f"`{sender.authority}` sent a URL with credentials in it", facts=facts)
    if sender.scheme == "https" and parts.scheme.lower() == "http":
        raise NetworkError(f"`{sender.authority}` points from https to plain http", facts=facts)
    origin = check_scheme(url, allowed_hosts)
    elsewhere = (origin.host, origin.port) != (sender.host, sender.port)
    if elsewhere and origin.is_private and not origin.is_among(allowed_hosts):
        raise NetworkError(
            f"`{sender.authority}` points to the private address `{origin.authority}`",
            facts=facts,
            hint=f"Add `{origin.authority}` to {{insecure_registries}} if that is meant",
        )
    return origin


def resolve(base: str, location: str) -> str:
    """A `Location`, absolute or relative to the URL that answered (RFC 9110, 10.2.2)."""
    try:
        return urljoin(base, location)
    except ValueError:
        raise NetworkError(
            f"`{redact_url(location)[:300]}` is not a URL", facts=[f"sent by: {redact_url(base)}"]
        ) from None
