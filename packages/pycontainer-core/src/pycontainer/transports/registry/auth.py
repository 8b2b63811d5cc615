"""From a challenge and credentials to an `Authorization` header.

    authorizer = Authorizer(http, credentials, endpoint)
    authorizer.header(need)                   # what is known already, or none
    authorizer.answer(challenge, need)        # asks the token server

Flow (distribution, *Docker Registry v2 authentication via central service*): GET with basic authentication, or POST of
an identity token (OAuth 2.0 refresh token). Lifetimes count from the receipt on the monotonic clock, since clocks of
build machines are off; `issued_at` is not read.
"""

from __future__ import annotations

import base64
import threading
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from pycontainer.errors import DeniedError, NetworkError
from pycontainer.transports.http.failures import status_error, status_fact
from pycontainer.transports.http.urls import check_server_url
from pycontainer.transports.secrets import Redacted, redact_url
from pycontainer.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable

    from pycontainer.transports.http import HttpClient, Response
    from pycontainer.transports.registry.challenge import Challenge
    from pycontainer.transports.registry.credentials import Credentials
    from pycontainer.transports.registry.endpoint import Endpoint
    from pycontainer.transports.registry.settings import Credential

_MAX_TOKEN_BODY = 64 * 1024
# Tokens that say nothing, or less, live 60 seconds (distribution, *token authentication*, `expires_in`).
_MIN_LIFETIME = 60.0
_MARGIN = 10.0
_DENIED = frozenset({400, 401, 403})
_NO_OAUTH = frozenset({404, 405})
_OK, _FORBIDDEN = 200, 403


class Need(Value, frozen=True):
    """What a request does: `actions` in a repository, by its name on that host, and reading another to mount from."""

    repository: str
    actions: tuple[str, ...] = ("pull",)
    mount_from: str | None = None

    @property
    def is_push(self) -> bool:
        """Whether the request changes the registry."""
        return "push" in self.actions

    def scopes(self, challenged: str) -> tuple[str, ...]:
        """The scopes to ask for.

        The registry's own scope goes first and its resource verbatim (ECR Public's is `aws`, others' names hold a path
        that the client does not see), with our actions added so that one token serves a whole push.
        """
        kind, _, rest = challenged.partition(":")
        resource, _, offered = rest.rpartition(":")
        if challenged and (kind != "repository" or not resource or " " in challenged):
            return (challenged,)
        actions = list(dict.fromkeys((*self.actions, *(item for item in offered.split(",") if item))))
        scopes = [f"repository:{resource or self.repository}:{','.join(actions)}"]
        if self.mount_from is not None:
            scopes.append(f"repository:{self.mount_from}:pull")
        return tuple(scopes)


class _Token(Value, frozen=True):
    header: Redacted
    expires: float


class Authorizer:
    """The credentials of one registry at work; safe to share between threads."""

    def __init__(
        self,
        http: HttpClient,
        credentials: Credentials,
        endpoint: Endpoint,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._http = http
        self._credentials = credentials
        self._endpoint = endpoint
        self._clock = clock
        self._tokens: dict[Need, _Token] = {}
        self._lock = threading.Lock()

    def header(self, need: Need) -> Redacted | None:
        """The `Authorization` that served such a request before, unless it is about to expire."""
        with self._lock:
            return self._current(need)

    def answer(self, challenge: Challenge, need: Need, *, refused: Redacted | None) -> Redacted | None:
        """An `Authorization` other than the one that was refused; none where there is nothing to offer.

        Several threads meet the same refusal at once: the first gets a token, the others take it.

        Raises:
            DeniedError: The token server refuses the credentials.
            NetworkError: The token server cannot be used.
        """
        with self._lock:
            known = self._current(need)
            if known is not None and known != refused:
                return known
            token = self._fetch(challenge, need)
            if token is None or token.header == refused:
                self._tokens.pop(need, None)
                return None
            self._tokens[need] = token
            return token.header

    def credential(self, need: Need) -> Credential | None:
        """Who we are there, for messages."""
        return self._credentials.find(self._endpoint.registry, need.repository, for_push=need.is_push)

    def _current(self, need: Need) -> Redacted | None:
        token = self._tokens.get(need)
        return token.header if token is not None and self._clock() < token.expires else None

    def _fetch(self, challenge: Challenge, need: Need) -> _Token | None:
        credential = self.credential(need)
        if challenge.scheme == "basic":
            if credential is None or not credential.password:
                return None
            return _Token(_basic(credential), float("inf"))
        if credential is not None and credential.registry_token:
            return _Token(Redacted(f"Bearer {credential.registry_token.reveal()}"), float("inf"))
        return self._exchange(challenge, need, credential)

    def _exchange(self, challenge: Challenge, need: Need, credential: Credential | None) -> _Token:
        realm = challenge.parameters["realm"]
        check_server_url(
            realm, sender=self._endpoint.origin, allowed_hosts=self._http.settings.allowed_hosts, what="realm"
        )
        service = challenge.parameters.get("service")
        scopes = need.scopes(challenge.parameters.get("scope", ""))
        answer = None
        if credential is not None and credential.identity_token:
            self._http.remember([credential.identity_token.reveal()])
            answer = self._post(realm, service, scopes, credential.identity_token)
        if answer is None:
            answer = self._get(realm, service, scopes, credential)
        if answer.status in _DENIED:
            raise denied_error(self._endpoint, need, answer, credential)
        if answer.status != _OK:
            raise status_error(answer, f"The token server of `{self._endpoint.registry}` failed")
        return self._read(answer)

    def _get(self, realm: str, service: str | None, scopes: tuple[str, ...], credential: Credential | None) -> Response:
        parameters = ([("service", service)] if service else []) + [("scope", scope) for scope in scopes]
        # A realm may have a query of its own, which is kept.
        separator = "&" if "?" in realm else "?"
        url = f"{realm}{separator}{urlencode(parameters)}" if parameters else realm
        headers = {"Authorization": _basic(credential).reveal()} if credential is not None else {}
        return self._http.request("GET", url, headers=headers)

    def _post(
        self, realm: str, service: str | None, scopes: tuple[str, ...], identity_token: Redacted
    ) -> Response | None:
        form = {
            "grant_type": "refresh_token",
            "service": service or self._endpoint.registry,
            "client_id": "pycontainer",
            "scope": " ".join(scopes),
            "refresh_token": identity_token.reveal(),
        }
        response = self._http.request(
            "POST",
            realm,
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            body=urlencode(form).encode(),
            retry=True,
            allow_redirects=False,  # the body is the secret
        )
        if response.status in _NO_OAUTH:
            response.drain()
            return None
        return response

    def _read(self, response: Response) -> _Token:
        answer: Any = response.json(limit=_MAX_TOKEN_BODY)
        value = (answer.get("token") or answer.get("access_token")) if isinstance(answer, dict) else None
        if not isinstance(value, str) or not value.isascii() or not value.isprintable():
            raise NetworkError(
                f"The token server of `{self._endpoint.registry}` sent no token",
                facts=[f"{response.method} {redact_url(response.url)}: {response.status}"],
            )
        seconds = answer.get("expires_in")
        stated = float(seconds) if isinstance(seconds, int | float) and not isinstance(seconds, bool) else 0.0
        lifetime = max(_MIN_LIFETIME, min(stated, 86400.0))
        return _Token(Redacted(f"Bearer {value}"), self._clock() + lifetime - _MARGIN)


def denied_error(endpoint: Endpoint, need: Need, response: Response, credential: Credential | None) -> DeniedError:
    """What was asked of whom, what the answer was, who we were and where the credentials are from."""
    fact, _ = status_fact(response)
    hint = None
    if credential is None:
        hint = f"Sign in with `docker login {endpoint.registry}`, or set {{username}} and a password"
    elif response.status == _FORBIDDEN and need.is_push:
        hint = f"Give this user write access to `{need.repository}`"
    shown = f"credentials: {credential}" if credential is not None else "credentials: none found"
    what = "Push to" if need.is_push else "Pull from"
    return DeniedError(f"{what} `{endpoint.registry}/{need.repository}` was denied", facts=[fact, shown], hint=hint)


def _basic(credential: Credential) -> Redacted:
    secret = credential.password or credential.identity_token or Redacted("")
    token = base64.b64encode(f"{credential.username}:{secret.reveal()}".encode()).decode()
    return Redacted(f"Basic {token}")
