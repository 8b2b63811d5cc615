"""Who may do what in a fake registry: basic authentication, and a token server at `/token`."""

from __future__ import annotations

import base64
import binascii
import json
import re
import secrets
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from pycontainer.testing.registry.reply import Reply, error_reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pycontainer.testing.registry.rules import Rules
    from pycontainer.testing.registry.store import Store

_REPOSITORY = re.compile(r"/v2/(.+?)/(?:blobs|manifests|tags|referrers)/")
_READ = frozenset({"GET", "HEAD"})


class Access:
    """Checks one request."""

    def __init__(self, rules: Rules, store: Store, url: str) -> None:
        self._rules = rules
        self._store = store
        self._url = url

    def refuse(self, method: str, path: str, query: str, headers: Mapping[str, str]) -> Reply | None:
        """The 401 for a request that lacks something, or none."""
        if self._rules.authentication == "none":
            return None
        found = _REPOSITORY.match(path)
        repository = found.group(1) if found else None
        # The status of a session is part of pushing, although it is read with GET.
        reading = method in _READ and "/blobs/uploads/" not in path
        authorization = headers.get("authorization", "")
        if self._rules.authentication == "basic":
            allowed = self._user(authorization) is not None or (reading and self._rules.anonymous_pull)
            return None if allowed else self._challenge('Basic realm="fake"')
        needed = {f"repository:{repository}:{'pull' if reading else 'push'}"} if repository else set()
        source = parse_qs(query).get("from", [""])[0]
        if source and method == "POST":
            needed.add(f"repository:{source}:pull")
        if self._granted(authorization, needed):
            return None
        realm = self._rules.realm or f"{self._url}/token"
        scope = f',scope="repository:{repository}:{"pull" if reading else "pull,push"}"' if repository else ""
        return self._challenge(f'Bearer realm="{realm}",service="fake.example"{scope}')

    def token(self, method: str, query: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """The token server: GET with basic authentication, or POST of a refresh token."""
        if method == "POST":
            if not self._rules.oauth:
                return error_reply(404, "NOT_FOUND")
            form = parse_qs(body.decode())
            if form.get("refresh_token", [""])[0] not in self._rules.identity_tokens:
                return error_reply(401, "UNAUTHORIZED", "unknown refresh token")
            return self._issue(form.get("scope", [""])[0].split(" "), user="identity")
        authorization = headers.get("authorization", "")
        user = self._user(authorization)
        if authorization and user is None:
            return error_reply(401, "UNAUTHORIZED", "incorrect username or password")
        return self._issue(parse_qs(query).get("scope", []), user=user)

    def _issue(self, scopes: list[str], *, user: str | None) -> Reply:
        granted: set[str] = set()
        for scope in scopes:
            name, _, actions = scope.rpartition(":")
            allowed = {"pull"} if user is None else {"pull", "push"}
            if user is None and not self._rules.anonymous_pull:
                allowed = set()
            granted |= {f"{name}:{action}" for action in set(actions.split(",")) & allowed}
        token = secrets.token_urlsafe(24)
        with self._store.lock:
            self._store.tokens[token] = (frozenset(granted), [0])
        answer: dict[str, object] = {self._rules.token_key: token}
        if self._rules.token_lifetime is not None:
            answer["expires_in"] = self._rules.token_lifetime
        return Reply(status=200, headers={"Content-Type": "application/json"}, body=json.dumps(answer).encode())

    def _granted(self, authorization: str, needed: set[str]) -> bool:
        scheme, _, token = authorization.partition(" ")
        with self._store.lock:
            granted, used = self._store.tokens.get(token, (frozenset(), [0]))
            if scheme.lower() != "bearer" or token not in self._store.tokens or not needed <= granted:
                return False
            used[0] += 1
            return self._rules.token_uses is None or used[0] <= self._rules.token_uses

    def _user(self, authorization: str) -> str | None:
        scheme, _, encoded = authorization.partition(" ")
        try:
            user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        return user if scheme.lower() == "basic" and self._rules.users.get(user) == password else None

    @staticmethod
    def _challenge(header: str) -> Reply:
        return error_reply(401, "UNAUTHORIZED", "authentication required", **{"WWW-Authenticate": header})
