"""What a user may set about HTTP, as one frozen value."""

from __future__ import annotations

import os
from collections.abc import Mapping  # noqa: TC003 - dataclasses keep their annotations readable
from pathlib import Path  # noqa: TC003 - as above

from pycontainer.transports.http.retries import RetryPolicy
from pycontainer.value import Value, field


class Timeouts(Value, frozen=True, kw_only=True):
    """Limits in seconds.

    Attributes:
        connect: To open a connection, TLS included.
        read: From the end of a request to the first byte of its answer; a registry commits an upload in this time.
        progress: While bytes flow, the longest time in which fewer than `minimum_rate` bytes a second may arrive or
            one block of a request's body may fail to leave.
        minimum_rate: Bytes a second, far below any working line and above a server that drips.
    """

    connect: float = 15.0
    read: float = 120.0
    progress: float = 30.0
    minimum_rate: float = 64.0


class HttpSettings(Value, frozen=True, kw_only=True):
    """How to reach servers.

    Attributes:
        timeouts: See `Timeouts`.
        retries: See `RetryPolicy`.
        ca_files: Files of certificates (PEM) that are trusted besides the system's and those that `SSL_CERT_FILE` and
            `REQUESTS_CA_BUNDLE` name.
        certs_dirs: Directories laid out like Docker's `certs.d`: `<host>[:<port>]/*.crt`, `*.cert` with `*.key`.
        allowed_hosts: `host` or `host:port` the user vouches for: plain http is allowed there, and a redirect may lead
            there though the address is private. Loopback may always be spoken to over http.
        environment: Where the proxy and CA variables are read.
        user_agent: The `User-Agent` header.
    """

    _unshown = ("environment",)

    timeouts: Timeouts = field(default_factory=Timeouts)
    retries: RetryPolicy = field(default_factory=RetryPolicy)
    ca_files: tuple[Path, ...] = ()
    certs_dirs: tuple[Path, ...] = ()
    allowed_hosts: frozenset[str] = frozenset()
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    user_agent: str = "pycontainer"
