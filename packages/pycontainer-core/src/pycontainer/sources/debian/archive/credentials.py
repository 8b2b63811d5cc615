"""Who may read an archive: users in its address, and those of apt's `auth.conf` (apt_auth.conf(5)).

credentials = Credentials.of(sources, {"etc/apt/auth.conf.d/acme.conf": content})
http.request("GET", url, headers=credentials.headers(url))
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from pycontainer.transports.secrets import Redacted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pycontainer.sources.debian.archive.apt_sources import AptSource

_AUTH_FILE: Final = re.compile(r"etc/apt/auth\.conf(?:\.d/[^/]+\.conf)?")
_MACHINE: Final = re.compile(r"(?:(?P<scheme>[a-z+]+)://)?(?P<host>[^/]+)(?P<path>/.*)?", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Entry:
    """A user and what he is for; `scheme` is none where the file does not say."""

    scheme: str | None
    host: str
    path: str
    login: Redacted

    def fits(self, url: str) -> bool:
        parts = urlsplit(url)
        # Without a scheme it is meant for connections that nobody listens to: apt sends it over https only.
        if parts.scheme != (self.scheme or "https"):
            return False
        host = parts.netloc.rpartition("@")[2].lower()
        return host == self.host.lower() and (parts.path == self.path or parts.path.startswith(f"{self.path}/"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Credentials:
    """What is sent to whom."""

    entries: tuple[_Entry, ...] = ()

    @classmethod
    def of(cls, sources: Iterable[AptSource], files: Mapping[str, bytes] | None = None) -> Credentials:
        """Those in the addresses of sources, then those in `auth.conf` and `auth.conf.d/*.conf`, by path."""
        found = [_of_source(source) for source in sources if source.credentials is not None]
        for path in sorted(files or {}):
            if files is not None and _AUTH_FILE.fullmatch(path.lstrip("/")):
                found += _of_file(files[path].decode("utf-8", "replace"))
        return cls(entries=tuple(found))

    def headers(self, url: str) -> Mapping[str, str]:
        """`Authorization` for this address; empty where nobody is known for it."""
        entry = next((entry for entry in self.entries if entry.fits(url)), None)
        if entry is None:
            return {}
        return {"Authorization": f"Basic {base64.b64encode(entry.login.reveal().encode()).decode()}"}


def _of_source(source: AptSource) -> _Entry:
    assert source.credentials is not None  # noqa: S101 - the caller looked
    parts = urlsplit(source.uri)
    user = source.credentials.reveal()
    login = Redacted(user if ":" in user else f"{user}:")
    return _Entry(scheme=parts.scheme, host=parts.netloc, path=parts.path.rstrip("/"), login=login)


def _of_file(text: str) -> Iterator[_Entry]:
    """The entries of a file of netrc's form: `machine HOST[:PORT][/PATH] login USER password WORD`."""
    words = iter(word for line in text.splitlines() for word in line.partition("#")[0].split())
    machine, login = None, ""
    for word in words:
        if word == "machine":
            machine, login = _MACHINE.fullmatch(next(words, "")), ""
        elif word == "login":
            login = next(words, "")
        elif word == "password" and machine is not None:
            user = Redacted(f"{login}:{next(words, '')}")
            path = (machine["path"] or "").rstrip("/")
            yield _Entry(scheme=machine["scheme"], host=machine["host"], path=path, login=user)
