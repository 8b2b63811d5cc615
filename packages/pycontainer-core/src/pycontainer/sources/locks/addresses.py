"""Addresses in lock files: their file names, their credentials, and which of them may be followed.

redact("https://me:secret@index.example/simple")               # "https://***@index.example/simple"
public_url("https://me:secret@files.example/a.whl?sig=secret")  # "https://files.example/a.whl"
url_filename("https://files.example/a%2Bb-1.0.tar.gz#sha256=…")  # "a+b-1.0.tar.gz"
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit, urlunsplit

if TYPE_CHECKING:
    from collections.abc import Collection

# A password may hold an `@` that nobody quoted: everything up to the last one before the path.
_USERINFO = re.compile(r"(?<=://)[^/?#\s]*@")
_SECRET_QUERY = re.compile(
    r"(?i)(?<=[?&])([^=&\s#]*(?:token|password|secret|signature|sig|key|auth)[^=&\s#]*)=[^&\s#]+"
)


def redact(text: str) -> str:
    """The text with the credentials of every address in it replaced by `***`."""
    return _SECRET_QUERY.sub(r"\1=***", _USERINFO.sub("***@", text))


def public_url(url: str) -> str:
    """The address as an image may hold it, without user part, query and fragment (PEP 610, *Data structure*).

    The whole query goes, unlike with pip and uv, which keep it: it is where signed addresses, tokens of jobs and of
    deployments have their secrets, under names that no list can hold. What is lost identifies nothing: hash and commit
    are recorded beside the address. The user `git` of SSH stays: everyone's, and part of the address.

    Raises:
        ValueError: It is malformed.
    """
    parts = urlsplit(url)
    userinfo, _, host = parts.netloc.rpartition("@")
    if userinfo == "git" and parts.scheme in {"ssh", "git+ssh"}:
        host = f"git@{host}"
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


def url_filename(url: str) -> str:
    """The last part of the path of an address, percent-decoded; not checked."""
    path = url.split("#", 1)[0].split("?", 1)[0]
    return unquote(path[path.rfind("/") + 1 :])


def defect(url: str) -> str | None:
    """Why an address is none that a file can be fetched from, or none where it is."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "its address is malformed"
    if parts.scheme not in {"https", "http"}:
        return f"its address has the scheme `{parts.scheme[:20]}`"
    if not host or not url.isascii() or not url.isprintable() or " " in url:
        return "its address is malformed"
    return None


def insecure_host(url: str, allowed: Collection[str] = ()) -> str | None:
    """The host of an address that is plain http, neither on this machine nor in `allowed` (`name`, `name:port`)."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "http" or is_loopback(host) or host in allowed or f"{host}:{parts.port or 80}" in allowed:
        return None
    return host


def is_loopback(host: str) -> bool:
    """Whether a host name or address literal can only mean this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
