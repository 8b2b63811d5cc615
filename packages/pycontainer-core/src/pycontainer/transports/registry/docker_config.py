"""Docker's and the containers tools' files of credentials, read; their helpers are run by `helpers`.

config = DockerConfig.read(path)
config.find(names)                       # names: `keys.lookup_names(registry, repository)`

Formats: *config.json* of `docker/cli` and `containers-auth.json(5)`, whose keys may name a repository too.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING, Any

from pycontainer.errors import NetworkError
from pycontainer.transports.registry.settings import Credential
from pycontainer.transports.secrets import Redacted
from pycontainer.value import Value, field

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_HUB = "docker.io"
_HUB_HOSTS = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"})
_HUB_KEY = "https://index.docker.io/v1/"
_API_PATHS = frozenset({"", "v1", "v2"})
_MAX_FILE = 16 * 1024 * 1024


def lookup_names(registry: str, repository: str) -> tuple[str, ...]:
    """The keys that may hold a repository's credentials, the most specific first.

    `ghcr.io/acme/api`, `ghcr.io/acme`, `ghcr.io`; for Docker Hub the same under each of its names.
    """
    hosts = (_HUB, *sorted(_HUB_HOSTS - {_HUB})) if registry in _HUB_HOSTS else (registry.lower(),)
    parts = repository.split("/") if repository else []
    paths = ["/".join(parts[:count]) for count in range(len(parts), 0, -1)]
    return (*(f"{host}/{path}" for path in paths for host in hosts), *hosts)


def helper_names(registry: str) -> tuple[str, ...]:
    """The server URLs under which a credential helper may know a registry, the likeliest first."""
    return (_HUB_KEY, "index.docker.io", _HUB) if registry in _HUB_HOSTS else (registry, f"https://{registry}")


def normal_key(key: str) -> str:
    """A key of `auths` without scheme, final slash and the API's own path: `https://index.docker.io/v1/`, `host/v2`.

    What is left is compared whole, so that `reg.io` never matches `reg.io.evil`.
    """
    text = key.strip().rstrip("/")
    scheme, separator, rest = text.partition("://")
    if separator and scheme in {"http", "https"}:
        return rest.partition("/")[0].lower()  # Docker takes the host of a URL, whatever its path
    host, _, path = text.partition("/")
    return host.lower() if path in _API_PATHS else f"{host.lower()}/{path}"


class DockerConfig(Value, frozen=True, kw_only=True):
    """One file: `auths`, `credHelpers`, `credsStore`; `shown` is its path for people."""

    _unshown = ("auths",)

    shown: str
    auths: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    cred_helpers: Mapping[str, str] = field(default_factory=dict)
    creds_store: str = ""

    @classmethod
    def read(cls, path: Path, *, shown: str) -> DockerConfig | None:
        """Read a file; none where there is none.

        Raises:
            NetworkError: It cannot be read or is not such a file. Its content is never quoted.
        """
        try:
            with path.open("rb") as file:
                raw = file.read(_MAX_FILE)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise _unreadable(shown, error.strerror or "unreadable") from error
        try:
            value = json.loads(raw.decode("utf-8"))
            return cls(
                shown=shown,
                auths=_mapping(value, "auths", dict),
                cred_helpers=_mapping(value, "credHelpers", str),
                creds_store=_text(value, "credsStore"),
            )
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            # The exception's text may quote the file, and so may its traceback.
            kind = "not UTF-8" if isinstance(error, UnicodeDecodeError) else "not a Docker configuration file"
            raise _unreadable(shown, "the file is empty" if not raw.strip() else kind) from None

    def helper(self, names: Sequence[str]) -> str | None:
        """The helper that `credHelpers` names: empty where it says to use none, absent where it says nothing."""
        found = {normal_key(key): value for key, value in self.cred_helpers.items()}
        return next((found[name] for name in names if name in found), None)

    def entry(self, names: Sequence[str]) -> Credential | None:
        """What `auths` itself holds.

        Raises:
            NetworkError: The entry cannot be decoded.
        """
        found: dict[str, tuple[str, Mapping[str, Any]]] = {}
        for key, value in self.auths.items():
            # A key written exactly as the name goes before one that only becomes it.
            if normal_key(key) not in found or key == normal_key(key):
                found[normal_key(key)] = (key, value)
        for name in names:
            if name in found:
                key, value = found[name]
                if (credential := self._decode(key, value)) is not None:
                    return credential
        return None

    def _decode(self, key: str, entry: Mapping[str, Any]) -> Credential | None:
        try:
            username, password = _user_and_password(entry)
            identity, registry = _text(entry, "identitytoken"), _text(entry, "registrytoken")
        except (ValueError, TypeError, binascii.Error):
            raise _unreadable(self.shown, f"the entry for `{key}` cannot be decoded") from None
        if not (password or identity or registry):
            return None
        return Credential(
            username=username,
            password=Redacted(password),
            identity_token=Redacted(identity) if identity else None,
            registry_token=Redacted(registry) if registry else None,
            source=f"from `{self.shown}`",
        )


def _user_and_password(entry: Mapping[str, Any]) -> tuple[str, str]:
    encoded = _text(entry, "auth")
    if not encoded:
        return _text(entry, "username"), _text(entry, "password")
    # Docker pads the decoded text with NUL; a password may hold `:`, a user name may not.
    user, colon, password = base64.b64decode(encoded, validate=True).decode("utf-8").rstrip("\0").partition(":")
    if not colon:
        raise ValueError("no colon")
    return user, password


def _mapping(value: Any, name: str, kind: type) -> dict[str, Any]:
    found = value.get(name) or {}
    if not all(isinstance(key, str) and isinstance(item, kind) for key, item in found.items()):
        raise TypeError(name)
    return dict(found)


def _text(value: Any, name: str) -> str:
    found = value.get(name) or ""
    if not isinstance(found, str):
        raise TypeError(name)
    return found


def _unreadable(shown: str, reason: str) -> NetworkError:
    return NetworkError(
        f"The credentials in `{shown}` cannot be read", facts=[f"reason: {reason}"], hint="Repair or remove that file"
    )
