"""Indexes and settings as values: what uv's, pip's and Poetry's files all say in their own words."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit, urlunsplit

from pycontainer.transports.secrets import Redacted, redact_url
from pycontainer.value import Value, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from pycontainer.transports.http import HttpSettings


class User(Value, frozen=True, kw_only=True):
    """A name and a password; `password` prints as `***`."""

    name: str
    password: Redacted

    @property
    def header(self) -> str:
        """The value of `Authorization` (RFC 7617)."""
        pair = f"{self.name}:{self.password.reveal()}"
        return f"Basic {base64.b64encode(pair.encode()).decode()}"


class Index(Value, frozen=True, kw_only=True):
    """An index, or a page or directory of links.

    Attributes:
        url: http, https or file, without a user part; or an absolute path.
        source: What named it, for messages: `` `PIP_INDEX_URL` ``.
        tool: Whose setting it is: `options`, `lock`, `uv`, `pip`, `poetry`.
        name: What the user calls it; the names of credential variables come from it.
        explicit: Whether only packages that are locked to it may come from it.
        username: The user part of the address.
        password: Its password.
    """

    url: str
    source: str
    tool: str = "lock"
    name: str | None = None
    explicit: bool = False
    username: str | None = None
    password: Redacted | None = None

    @classmethod
    def parse(
        cls, text: str, *, source: str, tool: str = "lock", name: str | None = None, explicit: bool = False
    ) -> Index:
        """Read an address, its user part set aside."""
        url, username, password = _without_user(text.strip())
        return cls(
            url=url, source=source, tool=tool, name=name, explicit=explicit, username=username, password=password
        )

    def __str__(self) -> str:
        return redact_url(self.url) if "://" in self.url else self.url


def _without_user(text: str) -> tuple[str, str | None, Redacted | None]:
    try:
        parts = urlsplit(text)
    except ValueError:
        return text, None, None
    userinfo, at, host = parts.netloc.rpartition("@")
    if not at:
        return text, None, None
    username, colon, password = userinfo.partition(":")
    url = urlunsplit(parts._replace(netloc=host))
    return url, unquote(username), Redacted(unquote(password)) if colon else None


class IndexSettings(Value, frozen=True, kw_only=True):
    """Where packages come from.

    Attributes:
        default: The index that is asked last; none where nobody configured one.
        extra: Further indexes, in the order in which they are asked; those that are explicit only by locked packages.
        find_links: Pages and directories of files, asked before any index.
        no_index: Whether only `find_links` may be asked.
        keyring: Whether the program `keyring` is to be asked for passwords.
        ca_files: Certificates (PEM) to trust besides the system's.
        insecure_hosts: `host` or `host:port` that may be spoken to over plain http.
        ask: Asks the tool of a front end who we are at the address of an index, or of a server of files.
    """

    default: Index | None = None
    extra: tuple[Index, ...] = ()
    find_links: tuple[Index, ...] = ()
    no_index: bool = False
    keyring: bool = False
    ca_files: tuple[Path, ...] = ()
    insecure_hosts: frozenset[str] = frozenset()
    ask: Callable[[str], User | None] | None = None

    def over(self, other: IndexSettings) -> IndexSettings:
        """These settings, completed by others that count less."""
        # A default that another one overrules keeps its credentials, for the packages that are locked to it.
        demoted = (replace(other.default, explicit=True),) if other.default and self.default else ()
        known = {self.default.url} if self.default else set()
        return IndexSettings(
            default=self.default or other.default,
            extra=_distinct((*self.extra, *other.extra, *demoted), known),
            find_links=_distinct((*self.find_links, *other.find_links), set()),
            no_index=self.no_index or other.no_index,
            keyring=self.keyring or other.keyring,
            ca_files=tuple(dict.fromkeys((*self.ca_files, *other.ca_files))),
            insecure_hosts=self.insecure_hosts | other.insecure_hosts,
            ask=self.ask or other.ask,
        )

    @property
    def everything(self) -> tuple[Index, ...]:
        """All that may have credentials."""
        return (*self.extra, *((self.default,) if self.default else ()), *self.find_links)

    def named(self, name: str) -> Index | None:
        """The index that the user calls so."""
        return next((index for index in self.everything if index.name == name), None)

    def apply_to(self, http: HttpSettings) -> HttpSettings:
        """HTTP settings that trust and allow what these settings say, too."""
        return replace(
            http,
            ca_files=tuple(dict.fromkeys((*http.ca_files, *self.ca_files))),
            allowed_hosts=http.allowed_hosts | self.insecure_hosts,
        )


def _distinct(indexes: Iterable[Index], known: set[str]) -> tuple[Index, ...]:
    found: dict[str, Index] = {}
    for index in indexes:
        if index.url.rstrip("/") not in {url.rstrip("/") for url in known}:
            found.setdefault(index.url.rstrip("/"), index)
    return tuple(found.values())
