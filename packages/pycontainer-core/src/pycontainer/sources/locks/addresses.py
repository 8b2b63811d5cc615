"""Addresses in lock files: their file names, their credentials, and which of them may be followed.

redact("https://me:secret@index.example/simple")               # "https://***@index.example/simple"
url_filename("https://files.example/a%2Bb-1.0.tar.gz#sha256=…")  # "a+b-1.0.tar.gz"
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

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
