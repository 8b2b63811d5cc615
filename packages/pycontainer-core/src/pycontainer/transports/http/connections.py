"""What went wrong on the way to a server, said so that a user can act on it."""

from __future__ import annotations

import re
import socket
import ssl
from urllib.parse import urlsplit

from pycontainer.errors import DeniedError, NetworkError
from pycontainer.transports.secrets import printable, redact_url, scrub

# How http.client and urllib3 begin to tell what a proxy answered to CONNECT.
_TUNNEL_DENIED = "Tunnel connection failed: 407"
_UNKNOWN_AUTHORITY = "is signed by an unknown authority"
# X509_V_ERR_* of OpenSSL's x509_vfy.h.
_CERTIFICATE_FAULTS = {
    9: "is not valid yet, or this host's clock is wrong",
    10: "has expired, or this host's clock is wrong",
    62: "is for another host",
    64: "is for another host",
    **dict.fromkeys((2, 18, 19, 20, 21, 27), _UNKNOWN_AUTHORITY),
}


class TransientNetworkError(NetworkError):
    """A connection that broke, was refused or timed out: it may work the next time."""


def connection_error(
    error: BaseException, method: str, url: str, *, secrets: frozenset[str] = frozenset()
) -> NetworkError:
    """The named error for an exception of urllib3, http.client, ssl or the socket."""
    if isinstance(error, NetworkError):
        return error
    host = urlsplit(url).netloc.rpartition("@")[2]
    request = f"{method} {redact_url(url)}"
    chain = causes(error)
    names = {type(cause).__name__ for cause in chain}
    if "ProxyError" in names:
        return _proxy_error(chain, request)
    tls = next((cause for cause in chain if isinstance(cause, ssl.SSLError)), None)
    if tls is not None:
        return _tls_error(tls, host, request)
    lookup = next((cause for cause in chain if isinstance(cause, socket.gaierror)), None)
    if lookup is not None:
        return NetworkError(f"The host `{host}` cannot be found", facts=[request, f"name lookup: {lookup.strerror}"])
    facts = [request]
    if "ConnectionRefusedError" in names:
        what = f"`{host}` refused the connection"
    elif "ConnectTimeoutError" in names:
        what = f"`{host}` did not accept the connection in time"
    elif names & {"ReadTimeoutError", "TimeoutError"}:
        what = f"`{host}` stopped sending or taking data"
    else:
        what = f"The connection to `{host}` broke"
        facts.append(scrub(_words(chain[-1]), secrets))
    return NetworkError(what, facts=facts)


def causes(error: BaseException) -> list[BaseException]:
    """The exception and what it wraps, in attributes, arguments or as its cause: outermost first.

    Not its context: that may be what went wrong before, with another server that this one stands in for.
    """
    found: list[BaseException] = []
    queue: list[object] = [error]
    while queue:
        item = queue.pop(0)
        if isinstance(item, BaseException) and not any(item is known for known in found):
            found.append(item)
            queue += [getattr(item, "original_error", None), getattr(item, "reason", None), *item.args, item.__cause__]
    return found


def _proxy_error(chain: list[BaseException], request: str) -> NetworkError:
    if any(str(cause).startswith(_TUNNEL_DENIED) for cause in chain):
        return proxy_denied(request)
    return NetworkError("The proxy cannot be used", facts=[request, _words(chain[-1])])


def proxy_denied(request: str) -> DeniedError:
    """The error for a proxy that wants a user."""
    return DeniedError(
        "The proxy asks for a user and a password",
        facts=[f"{request}: 407"],
        hint="Set `HTTPS_PROXY` (for plain http `HTTP_PROXY`) to `http://user:password@host:port`",
    )


def _tls_error(error: ssl.SSLError, host: str, request: str) -> NetworkError:
    if isinstance(error, ssl.SSLCertVerificationError):
        what = _CERTIFICATE_FAULTS.get(error.verify_code, "cannot be trusted")
        return NetworkError(
            f"The certificate of `{host}` {what}",
            facts=[request, f"TLS: {error.verify_message}"],
            hint="Set {ca_file} or `SSL_CERT_FILE` to the certificate of that authority"
            if what is _UNKNOWN_AUTHORITY
            else None,
        )
    facts = [request, f"TLS: {(error.reason or str(error)).replace('_', ' ').lower()}"]
    if error.reason in {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"}:
        return NetworkError(
            f"`{host}` does not speak TLS",
            facts=facts,
            hint=f"Add `{host}` to {{insecure_registries}} if it is meant to be reached over plain http",
        )
    return NetworkError(f"No secure connection to `{host}`", facts=facts)


def _words(error: BaseException) -> str:
    """The text of an exception without addresses of objects, on one line."""
    text = re.sub(r"<[^<>]* at 0x[0-9a-f]+>:?\s*|HTTPS?Connection(Pool)?\([^()]*\):\s*", "", str(error))
    return printable(text) or type(error).__name__
