"""What a user may set about registries, as one frozen value."""

from __future__ import annotations

import os
from collections.abc import Mapping  # noqa: TC003 - dataclasses keep their annotations readable
from pathlib import Path

from pycontainer.transports.http import HttpSettings
from pycontainer.transports.secrets import Redacted
from pycontainer.value import Value, field


def _home() -> Path | None:
    try:
        return Path.home()
    except RuntimeError:  # a user without a home, as in some containers
        return None


class Credential(Value, frozen=True, kw_only=True):
    """What proves who we are to one registry.

    Attributes:
        username: Empty with a token alone.
        password: Of basic authentication and of the token exchange.
        identity_token: A refresh token for the OAuth exchange; goes before the password.
        registry_token: A bearer token that is sent as it is.
        source: Where it was found, in words: "from `~/.docker/config.json`".
    """

    username: str = ""
    password: Redacted = field(default_factory=lambda: Redacted(""))
    identity_token: Redacted | None = None
    registry_token: Redacted | None = None
    source: str = "from the options"

    def __str__(self) -> str:
        user = f"user `{self.username}`" if self.username else "a token"
        return f"{user}, {self.source}"


class RegistrySettings(Value, frozen=True, kw_only=True):
    """How to reach registries and who we are there.

    Attributes:
        http: Timeouts, retries, certificates, proxies.
        insecure: Registries, `host` or `host:port`, that are spoken to over plain http. Loopback always is, unless
            `certs.d` has a directory for it.
        mirrors: For a registry, the hosts to pull from first, with a path before the repository where they have one:
            `{"docker.io": ("mirror.example/hub",)}`. A mirror gets credentials of its own, never the registry's.
        credentials: By registry, what a flag or a caller gave; goes before everything else.
        own_registries: Those the image is pushed to: `REGISTRY_USERNAME` and `REGISTRY_PASSWORD` are for these alone,
            so that they never reach the registry of a base image.
        anonymous_pull: Pull without credentials where a credential helper fails, with a warning, instead of stopping.
        helper_timeout: Seconds a credential helper may take.
        chunk_size: Bytes of a chunk: uploads are chunked where set, else sent in one request, or in chunks of 4 MiB
            (GHCR's limit) where a registry or a proxy before it refuses that; so no user has to set it.
        jobs: Blobs that move at the same time.
        environment: Where variables are read.
        home: The user's home directory.
    """

    _unshown = ("environment",)

    http: HttpSettings = field(default_factory=HttpSettings)
    insecure: frozenset[str] = frozenset()
    mirrors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    credentials: Mapping[str, Credential] = field(default_factory=dict)
    own_registries: frozenset[str] = frozenset()
    anonymous_pull: bool = False
    helper_timeout: float = 30.0
    chunk_size: int | None = None
    jobs: int = 4
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    home: Path | None = field(default_factory=_home)
