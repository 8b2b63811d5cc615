"""Authorised requests to one registry."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, BinaryIO

from pycontainer.events import Warned, ignore
from pycontainer.transports.http import HttpClient, Origin
from pycontainer.transports.registry.auth import Authorizer, Need, denied_error
from pycontainer.transports.secrets import printable, scrub

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pycontainer.errors import DeniedError
    from pycontainer.events import Emit
    from pycontainer.transports.http import Response
    from pycontainer.transports.registry.challenge import Challenge
    from pycontainer.transports.registry.credentials import Credentials
    from pycontainer.transports.registry.endpoint import Endpoint
    from pycontainer.transports.secrets import Redacted

UNAUTHORIZED, FORBIDDEN = 401, 403


class Session:
    """One registry: its challenge, its tokens, its warnings; safe to share between threads."""

    def __init__(self, http: HttpClient, credentials: Credentials, endpoint: Endpoint, *, emit: Emit = ignore) -> None:
        self.http = http
        self.endpoint = endpoint
        self._authorizer = Authorizer(http, credentials, endpoint)
        self._emit = emit
        self._warned: set[str] = set()
        self._lock = threading.Lock()

    def request(
        self,
        method: str,
        url: str,
        need: Need,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | Callable[[], BinaryIO] | None = None,
        size: int | None = None,
        retry: bool | None = None,
        answer_challenge: bool = True,
    ) -> Response:
        """Send a request, authorised where it goes to the registry itself; a 401 is answered once.

        Args:
            method: As of `HttpClient.request`.
            url: Absolute; one that is not of the registry's origin gets no credentials.
            need: What the request does, for the token's scope.
            headers: As of `HttpClient.request`.
            body: As of `HttpClient.request`.
            size: As of `HttpClient.request`.
            retry: As of `HttpClient.request`.
            answer_challenge: Send it again after a 401; else the new token waits for the next request and the 401 is
                returned, as an upload's request must go to a new session.

        Raises:
            DeniedError: Refused with the credentials there are.
            NetworkError: See `HttpClient.request`.
        """
        ours = Origin.of(url) == self.endpoint.origin
        authorization = self._authorizer.header(need) if ours else None
        response = self._send(method, url, authorization, headers, body=body, size=size, retry=retry)
        if response.status == UNAUTHORIZED and ours and self.is_from_registry(response):
            try:
                renewed = self._renew(response, need, refused=authorization)
            except BaseException:
                response.close()
                raise
            if not answer_challenge and authorization is not None:
                return response
            response.drain()
            response = self._send(method, url, renewed, headers, body=body, size=size, retry=retry)
        if response.status == UNAUTHORIZED and ours:
            raise self.denied(response, need)
        return response

    def denied(self, response: Response, need: Need) -> DeniedError:
        """The error for a 401 or 403: what was asked, who we were, where the credentials are from."""
        return denied_error(self.endpoint, need, response, self._authorizer.credential(need))

    def _send(
        self,
        method: str,
        url: str,
        authorization: Redacted | None,
        headers: Mapping[str, str] | None,
        *,
        body: bytes | Callable[[], BinaryIO] | None,
        size: int | None,
        retry: bool | None,
    ) -> Response:
        sent = dict(headers or {})
        if authorization is not None:
            sent["Authorization"] = authorization.reveal()
        response = self.http.request(method, url, headers=sent, body=body, size=size, retry=retry)
        self._warn(response)
        return response

    def _renew(self, response: Response, need: Need, *, refused: Redacted | None) -> Redacted:
        challenge = _challenge(response) or self._ping()
        renewed = self._authorizer.answer(challenge, need, refused=refused) if challenge is not None else None
        if renewed is None:
            raise self.denied(response, need)
        return renewed

    def _ping(self) -> Challenge | None:
        """The challenge of `/v2/`, for registries whose refusal of the real request has none (gcr.io)."""
        with self.http.request("GET", f"{self.endpoint.base}/v2/") as response:
            response.drain()
            return _challenge(response)

    def is_from_registry(self, response: Response) -> bool:
        """Whether a challenge is ours to answer: one of a host we were redirected to is not."""
        return Origin.of(response.url) == self.endpoint.origin

    def _warn(self, response: Response) -> None:
        """Show a `Warning: 299` of the registry once (distribution-spec, *Warnings*)."""
        text = response.headers.get("warning", "")
        if not text.startswith("299 "):
            return
        said = scrub(printable(text.partition('"')[2].rpartition('"')[0] or text), response.secrets)
        with self._lock:
            new = said not in self._warned
            self._warned.add(said)
        if new:
            self._emit(Warned(message=f"`{self.endpoint.registry}` warns: {said}"))


def _challenge(response: Response) -> Challenge | None:
    from pycontainer.transports.registry.challenge import choose_challenge  # noqa: PLC0415 - many ask for nothing

    return choose_challenge(response.headers.get("www-authenticate", ""))
