"""Which proxy a URL goes through: `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`, in either case."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit, urlunsplit

from pycontainer.errors import NetworkError
from pycontainer.transports.http.urls import DEFAULT_PORTS, Origin, ip_literal
from pycontainer.transports.secrets import Redacted, redact_url
from pycontainer.value import Value

if TYPE_CHECKING:
    from collections.abc import Mapping


class Proxy(Value, frozen=True):
    """A proxy's URL without its user part, and the user part as `user:password`."""

    url: str
    credentials: Redacted | None
    variable: str

    @classmethod
    def parse(cls, text: str, variable: str) -> Proxy:
        """Read the value of a proxy variable; a value without a scheme means http.

        Raises:
            NetworkError: Not an http or https URL.
        """
        url = text if "://" in text else f"http://{text}"
        try:
            parts = urlsplit(url)
            valid = parts.scheme in DEFAULT_PORTS and bool(parts.hostname) and parts.port != 0
        except ValueError:
            valid = False
        if not valid:
            raise NetworkError(
                f"The proxy in `{variable}` is not an http or https URL", facts=[f"value: {redact_url(url)}"]
            )
        userinfo, _, host = parts.netloc.rpartition("@")
        credentials = Redacted(unquote(userinfo)) if userinfo else None
        return cls(urlunsplit((parts.scheme, host, "", "", "")), credentials, variable)


def proxy_for(origin: Origin, environment: Mapping[str, str]) -> Proxy | None:
    """The proxy for requests to this origin, or none; this machine itself is never asked for through one."""
    if origin.is_loopback or _is_exempt(origin, _variable(environment, "no_proxy")[1]):
        return None
    for name in (f"{origin.scheme}_proxy", "all_proxy"):
        variable, value = _variable(environment, name)
        # A CGI server turns a client's `Proxy:` header into HTTP_PROXY ("httpoxy").
        if variable == "HTTP_PROXY" and "REQUEST_METHOD" in environment:
            continue
        if value:
            return Proxy.parse(value, variable)
    return None


def _variable(environment: Mapping[str, str], name: str) -> tuple[str, str]:
    for spelling in (name, name.upper()):
        if value := environment.get(spelling, "").strip():
            return spelling, value
    return name, ""


def _is_exempt(origin: Origin, rules: str) -> bool:
    return any(_matches(origin, rule.strip().lower()) for rule in rules.split(",") if rule.strip())


def _matches(origin: Origin, rule: str) -> bool:
    """One item of NO_PROXY: `*`, a domain with or without its dot, `host:port`, an address, a CIDR block."""
    if rule == "*":
        return True
    address = ip_literal(origin.host)
    if address is not None:
        try:
            return address in ipaddress.ip_network(rule.strip("[]"), strict=False)
        except ValueError:
            pass
    host, colon, port = rule.rpartition(":")
    if colon and port.isdigit() and "]" not in port:
        if int(port) != origin.port:
            return False
        rule = host
    rule = rule.strip("[]").lstrip("*").rstrip(".")
    domain = rule.lstrip(".")
    return origin.host.endswith(f".{domain}") or (origin.host == domain and not rule.startswith("."))
