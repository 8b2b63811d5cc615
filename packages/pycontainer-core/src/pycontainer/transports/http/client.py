"""The client: one method, `request`, that redirects, retries and proxies by our rules, not a library's."""

from __future__ import annotations

import base64
import re
import threading
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import unquote, urlsplit, urlunsplit

from pycontainer.errors import NetworkError, StoreError
from pycontainer.events import Noted, ignore
from pycontainer.transports.http import tls
from pycontainer.transports.http.connections import TransientNetworkError, causes, connection_error, proxy_denied
from pycontainer.transports.http.proxies import Proxy, proxy_for
from pycontainer.transports.http.response import Response
from pycontainer.transports.http.retries import RETRIED_STATUSES
from pycontainer.transports.http.settings import HttpSettings
from pycontainer.transports.http.urls import Origin, check_scheme, check_server_url, resolve
from pycontainer.transports.secrets import header_secrets, redact_url
from pycontainer.value import Value, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from pycontainer.events import Emit

_MAX_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_KEEP_METHOD = frozenset({307, 308})
_PROXY_AUTHENTICATION_REQUIRED = 407
_IDEMPOTENT = frozenset({"GET", "HEAD"})
# What belongs to an origin: never sent to another (GHSA of every HTTP client there is).
_ORIGIN_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})
_HEADER_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")
_BLOCK = 64 * 1024
_NOTEWORTHY_WAIT = 2.0


class HttpClient:
    """Requests over pooled connections; safe to share between threads.

    Args:
        settings: Timeouts, retries, certificates, allowed hosts, environment.
        emit: Hears of waits that a server asked for.
    """

    def __init__(self, settings: HttpSettings | None = None, *, emit: Emit = ignore) -> None:
        self.settings = settings or HttpSettings()
        self._emit = emit
        self._lock = threading.Lock()
        self._pools: dict[tuple[str | None, tuple[Path, ...] | None], Any] = {}
        self._secrets: frozenset[str] = frozenset()

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | Callable[[], BinaryIO] | None = None,
        size: int | None = None,
        retry: bool | None = None,
        allow_redirects: bool = True,
    ) -> Response:
        """Send a request and give the answer whatever its status, its body unread and undecoded.

        Args:
            method: `GET`, `HEAD`, `POST`, `PUT`, `PATCH`, `DELETE`.
            url: Absolute; a user part becomes an `Authorization` header unless there is one.
            headers: `Authorization`, `Cookie` and the like are left out for every other origin we are redirected to.
            body: Bytes, or what opens a stream to send; it is opened anew for each attempt.
            size: Bytes of a streamed body.
            retry: Try again on broken connections and on 408, 429, 500, 502, 503, 504: by default for GET and HEAD.
            allow_redirects: Else an answer that redirects is returned.

        Raises:
            NetworkError: No answer, or one that must not be followed; see the message.
            DeniedError: The proxy wants a user.
        """
        url, sent = _with_user(url, dict(headers or {}))
        _check_headers(sent)
        self.remember(header_secrets(sent))
        origin = check_scheme(url, self.settings.allowed_hosts)
        request = _Request(method=method, url=url, headers=sent, body=body, size=size)
        retry = request.is_idempotent if retry is None else retry
        for _ in range(_MAX_REDIRECTS + 1):
            response = self._send_repeatedly(request) if retry else self._send(request)
            location = response.headers.get("location")
            if response.status not in _REDIRECTS or location is None or not allow_redirects:
                return response
            response.drain()
            target = resolve(request.url, location)
            following = check_server_url(
                target, sender=origin, allowed_hosts=self.settings.allowed_hosts, what="redirect"
            )
            if not request.is_idempotent and response.status not in _KEEP_METHOD:
                raise NetworkError(
                    f"`{origin.authority}` redirects a {method} in a way that loses its body",
                    facts=[f"{request}: {response.status}", f"redirect: {redact_url(target)}"],
                )
            request = request.to(target, keep_credentials=following == origin)
            origin = following
        raise NetworkError(f"More than {_MAX_REDIRECTS} redirects", facts=[str(request)])

    def remember(self, secrets: Iterable[str]) -> None:
        """Mask these texts wherever a server repeats them; what authorises a request is remembered by itself."""
        new = frozenset(secrets) - self._secrets
        if new:
            with self._lock:
                self._secrets |= new

    def _send_repeatedly(self, request: _Request) -> Response:
        policy = self.settings.retries
        for failures in range(1, policy.count + 1):
            asked = None
            try:
                response = self._send(request)
                if response.status not in RETRIED_STATUSES:
                    return response
                asked = response.headers.get("retry-after")
                reason = f"answered {response.status}"
                response.drain()
            except TransientNetworkError:
                reason = "did not answer"
            delay = policy.delay(failures, asked)
            authority = Origin.of(request.url).authority
            self._emit(
                Noted(
                    message=f"`{authority}` {reason}, trying again in {delay:.1f} s ({failures} of {policy.count})",
                    detail=delay < _NOTEWORTHY_WAIT,
                )
            )
            policy.sleep(delay)
        return self._send(request)

    def _send(self, request: _Request) -> Response:
        import urllib3  # noqa: PLC0415 - slow to import, not needed by every command

        timeouts = self.settings.timeouts
        fields = {"User-Agent": self.settings.user_agent, "Accept-Encoding": "identity", **request.headers}
        if request.size is not None:
            fields["Content-Length"] = str(request.size)
        stream = request.body() if callable(request.body) else None
        try:
            raw = self._pool(Origin.of(request.url)).urlopen(
                request.method,
                request.url,
                body=request.body if stream is None else _blocks(stream),
                headers=fields,
                redirect=False,
                retries=False,
                preload_content=False,
                decode_content=False,
                assert_same_host=False,
                timeout=urllib3.Timeout(connect=timeouts.connect, read=timeouts.read),
            )
        except (urllib3.exceptions.HTTPError, OSError) as error:
            named = connection_error(error, request.method, request.url, secrets=self._secrets)
            if _is_transient(error):
                raise TransientNetworkError(named.message, facts=named.facts, hint=named.hint) from error
            raise named from error
        finally:
            if stream is not None:
                stream.close()
        response = Response(raw, method=request.method, url=request.url, secrets=self._secrets)
        if response.status == _PROXY_AUTHENTICATION_REQUIRED:
            response.drain()
            raise proxy_denied(str(request))
        return response

    def _pool(self, origin: Origin) -> Any:
        """The pool manager for this origin: by proxy, and by certificates where the host has its own."""
        secure = origin.scheme == "https"
        directories = tls.host_directories(self.settings.certs_dirs, origin) if secure else None
        proxy = proxy_for(origin, self.settings.environment)
        key = (proxy.url if proxy else None, directories)
        with self._lock:
            if key not in self._pools:
                self._pools[key] = self._make_pool(proxy, directories)
            return self._pools[key]

    def _make_pool(self, proxy: Proxy | None, directories: tuple[Path, ...] | None) -> Any:
        import urllib3  # noqa: PLC0415 - as above

        from pycontainer.transports.http import wire  # noqa: PLC0415 - as above

        wire.keep_logs_clean()
        options: dict[str, Any] = {"num_pools": 32, "maxsize": 16}
        if directories is not None:  # reading the system's certificates takes longer than a request to this machine
            options["ssl_context"] = tls.make_context(self.settings, directories)
        if proxy is None:
            manager = urllib3.PoolManager(**options)
        else:
            proxy_headers = {}
            if proxy.credentials:
                token = base64.b64encode(proxy.credentials.reveal().encode()).decode()
                proxy_headers = {"Proxy-Authorization": f"Basic {token}"}
            if proxy.url.startswith("https:"):
                options["proxy_ssl_context"] = tls.make_context(self.settings, ())
            manager = urllib3.ProxyManager(proxy.url, proxy_headers=proxy_headers, **options)
        manager.pool_classes_by_scheme = wire.pool_classes(self.settings.timeouts)
        return manager

    def close(self) -> None:
        """Close idle connections."""
        with self._lock:
            for manager in self._pools.values():
                for key in manager.pools.keys():  # noqa: SIM118 - not a dict: urllib3 forbids iterating it
                    if (pool := manager.pools.get(key)) is not None:
                        pool.close()
                manager.clear()
            self._pools.clear()


class _Request(Value, frozen=True, kw_only=True):
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | Callable[[], BinaryIO] | None
    size: int | None

    def __str__(self) -> str:
        return f"{self.method} {redact_url(self.url)}"

    @property
    def is_idempotent(self) -> bool:
        return self.method in _IDEMPOTENT

    def to(self, url: str, *, keep_credentials: bool) -> _Request:
        kept = {
            name: value
            for name, value in self.headers.items()
            if keep_credentials or name.lower() not in _ORIGIN_HEADERS
        }
        return replace(self, url=url, headers=kept)


def _is_transient(error: BaseException) -> bool:
    """Whether another attempt can help: not where the name, the certificate or the proxy is wrong."""
    import urllib3.exceptions as kinds  # noqa: PLC0415 - as above

    permanent = (kinds.SSLError, kinds.NameResolutionError, kinds.ProxyError, kinds.LocationValueError)
    malformed = (kinds.InvalidHeader, kinds.HeaderParsingError)
    return not isinstance(error, (*permanent, *malformed)) and not _is_refusal_of_framing(error)


def _is_refusal_of_framing(error: BaseException) -> bool:
    import http.client  # noqa: PLC0415 - as above

    return any(type(cause) in {http.client.HTTPException, http.client.LineTooLong} for cause in causes(error))


def _blocks(stream: BinaryIO) -> Iterator[bytes]:
    """Blocks of a body; a source that cannot be read must not look like a connection that broke."""
    while True:
        try:
            block = stream.read(_BLOCK)
        except OSError as error:
            raise StoreError("The content to send cannot be read", facts=[error.strerror or str(error)]) from error
        if not block:
            return
        yield block


def _with_user(url: str, headers: dict[str, str]) -> tuple[str, dict[str, str]]:
    """The URL without its user part, which becomes basic authentication."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url, headers
    userinfo, at, host = parts.netloc.rpartition("@")
    if not at:
        return url, headers
    if not any(name.lower() == "authorization" for name in headers):
        user, _, password = userinfo.partition(":")
        token = base64.b64encode(f"{unquote(user)}:{unquote(password)}".encode()).decode()
        headers["Authorization"] = f"Basic {token}"
    return urlunsplit((parts.scheme, host, parts.path, parts.query, "")), headers


def _check_headers(headers: Mapping[str, str]) -> None:
    for name, value in headers.items():
        if not _HEADER_VALUE.fullmatch(value):
            raise NetworkError(f"The header `{name}` would hold a line break or a control character")
