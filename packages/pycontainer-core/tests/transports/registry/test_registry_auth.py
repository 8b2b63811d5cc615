"""Challenges, tokens, and what a registry or token server must not be able to do with credentials."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest

from pycontainer import value
from pycontainer.errors import DeniedError, HTTPStatusError, NetworkError
from pycontainer.events import Event, Warned
from pycontainer.oci import Reference, media_types
from pycontainer.testing.raw_server import RawServer, answer, ok
from pycontainer.testing.registry import Answer, FakeRegistry, Fault, Rules
from pycontainer.testing.registry.conformance import make_blob, make_image
from pycontainer.transports.http import HttpClient, HttpSettings, RetryPolicy
from pycontainer.transports.registry import Credential, Pushed, RegistryClient, RegistrySettings
from pycontainer.transports.registry.auth import Authorizer, Need
from pycontainer.transports.registry.challenge import Challenge, choose_challenge, parse_challenges
from pycontainer.transports.registry.credentials import Credentials
from pycontainer.transports.registry.endpoint import Endpoint
from pycontainer.transports.secrets import Redacted

if TYPE_CHECKING:
    from collections.abc import Callable

HTTP = HttpSettings(environment={}, retries=RetryPolicy(count=2, base=0.001))
BOB = Credential(username="bob", password=Redacted("s3cret"))
TOKENS = Rules(authentication="token", users={"bob": "s3cret"})


def client_for(host: str, credential: Credential | None = BOB, emit: Callable[[Event], None] = print) -> RegistryClient:
    credentials = {host: credential} if credential is not None else {}
    return RegistryClient(RegistrySettings(http=HTTP, credentials=credentials, environment={}, home=None), emit=emit)


def reference(host: str, text: str = "acme/api:1") -> Reference:
    return Reference.parse(f"{host}/{text}")


class TestChallenges:
    @pytest.mark.parametrize(
        ("header", "expected"),
        [
            ("Basic", [("basic", {})]),
            ('Basic realm="x"', [("basic", {"realm": "x"})]),
            (
                'Bearer realm="https://a.example/t?x=1",service="s",scope="repository:a/b:pull,push"',
                [
                    (
                        "bearer",
                        {"realm": "https://a.example/t?x=1", "service": "s", "scope": "repository:a/b:pull,push"},
                    )
                ],
            ),
            (
                "bearer realm=https://a.example , service=s",
                [("bearer", {"realm": "https://a.example", "service": "s"})],
            ),
            (
                'Negotiate, Basic realm="a, b", Bearer realm="r"',
                [("negotiate", {}), ("basic", {"realm": "a, b"}), ("bearer", {"realm": "r"})],
            ),
            (r'Bearer realm="a\"b"', [("bearer", {"realm": 'a"b'})]),
            ('Bearer REALM="r",realm="second"', [("bearer", {"realm": "r"})]),
            ('Bearer realm="', [("bearer", {"realm": ""})]),
            ("", []),
            ("====", []),
            (",,,", []),
        ],
    )
    def test_a_header_is_read(self, header: str, expected: list[tuple[str, dict[str, str]]]) -> None:
        found = [(challenge.scheme, dict(challenge.parameters)) for challenge in parse_challenges(header)]
        assert found == expected

    def test_bearer_goes_before_basic(self) -> None:
        chosen = choose_challenge('Basic realm="x", Bearer realm="r"')
        assert chosen is not None
        assert chosen.scheme == "bearer"
        assert choose_challenge("Bearer") is None
        assert choose_challenge("Negotiate") is None

    def test_a_long_header_takes_no_long_time(self) -> None:
        assert choose_challenge('Bearer realm="' + "\\" * 1_000_000) is None
        assert choose_challenge("a " * 1_000_000) is None


class TestTokens:
    def test_one_token_serves_a_push(self) -> None:
        with FakeRegistry(TOKENS) as registry:
            client, image = client_for(registry.host), make_image(10, 20)
            name = reference(registry.host).with_tag("1")
            for blob in (image.config_blob, *(layer.blob for layer in image.layers)):
                client.push_blob(name, blob)
            client.push_manifest(name, image.manifest.to_bytes(), media_types.MANIFEST)
            assert client.read_back(name) == image.digest
            assert len(registry.asked("GET", "/token")) == 1
            asked = parse_qs(registry.asked("GET", "/token")[0].query)
            assert asked == {"service": ["fake.example"], "scope": ["repository:acme/api:pull,push"]}

    @pytest.mark.parametrize("key", ["token", "access_token"])
    @pytest.mark.parametrize("lifetime", [None, 0, -5, 300, 10**30])
    def test_tokens_in_every_form(self, key: str, lifetime: int | None) -> None:
        with FakeRegistry(replace(TOKENS, token_key=key, token_lifetime=lifetime)) as registry:
            client = client_for(registry.host)
            assert client.push_blob(reference(registry.host), make_blob(10)) is Pushed.UPLOADED
            assert len(registry.asked("GET", "/token")) == 1

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param(json.dumps({"token": "x" * 2_000_000}).encode(), id="2 MB"),
            pytest.param(b"{}", id="none"),
            pytest.param(b"[]", id="list"),
            pytest.param(b'{"token": 5}', id="number"),
            pytest.param(b'{"token": "a\\r\\nX: y"}', id="line break"),
            pytest.param(b"<html>", id="HTML"),
            pytest.param(b"[" * 50_000, id="deep"),
        ],
    )
    def test_a_token_that_is_none_is_refused(self, body: bytes) -> None:
        with FakeRegistry(TOKENS) as registry:
            registry.faults.add(Fault(path="^/token", effect=Answer(status=200, body=body), times=None))
            with pytest.raises(NetworkError):
                client_for(registry.host).manifest(reference(registry.host))

    def test_an_identity_token_is_exchanged(self) -> None:
        rules = replace(TOKENS, identity_tokens=frozenset({"refresh+/&"}))
        credential = Credential(identity_token=Redacted("refresh+/&"))
        with FakeRegistry(rules) as registry:
            client = client_for(registry.host, credential)
            assert client.push_blob(reference(registry.host), make_blob(10)) is Pushed.UPLOADED
            assert len(registry.asked("POST", "/token")) == 1
            assert not registry.asked("GET", "/token")

    def test_without_oauth_the_identity_token_is_the_password(self) -> None:
        rules = replace(TOKENS, users={"zero": "refresh"}, oauth=False)
        credential = Credential(username="zero", identity_token=Redacted("refresh"))
        with FakeRegistry(rules) as registry:
            client = client_for(registry.host, credential)
            assert client.push_blob(reference(registry.host), make_blob(10)) is Pushed.UPLOADED

    def test_a_registry_token_is_sent_as_it_is(self) -> None:
        credential = Credential(registry_token=Redacted("ready"))
        challenge = answer(401, b"", 'WWW-Authenticate: Bearer realm="https://nowhere.example/"')
        with RawServer(challenge, answer(404)) as server:
            with pytest.raises(HTTPStatusError):
                client_for(server.host, credential).manifest(reference(server.host))
            assert b"Authorization: Bearer ready\r\n" in server.heads[1]

    def test_anyone_pulls_where_anyone_may(self) -> None:
        with FakeRegistry(replace(TOKENS, anonymous_pull=True)) as registry:
            host = registry.host
            client_for(host).push_blob(reference(host), blob := make_blob(10))
            with client_for(host, None).blob(reference(host), blob.descriptor).open() as stream:
                assert stream.read() == blob.content
            with pytest.raises(DeniedError, match="Push to") as caught:
                client_for(host, None).push_blob(reference(host), make_blob(10))
            assert "credentials: none found" in caught.value.facts
            assert "docker login" in (caught.value.hint or "")

    def test_a_loop_of_refusals_ends_after_one_new_token(self) -> None:
        with FakeRegistry(replace(TOKENS, token_uses=0)) as registry:
            with pytest.raises(DeniedError, match="Pull from") as caught:
                client_for(registry.host).manifest(reference(registry.host))
            assert len(registry.asked("GET", "/token")) == 1
            assert len(registry.asked("GET", "/manifests/")) == 2
        assert "credentials: user `bob`, from the options" in caught.value.facts

    def test_a_wrong_password_is_denied_at_once(self) -> None:
        with FakeRegistry(TOKENS) as registry:
            wrong = Credential(username="bob", password=Redacted("wrong-password"))
            with pytest.raises(DeniedError, match="was denied") as caught:
                client_for(registry.host, wrong).push_blob(reference(registry.host), make_blob(10))
            assert len(registry.asked("GET", "/token")) == 1
        assert "wrong-password" not in str(caught.value)
        assert "incorrect username" in str(caught.value)

    def test_lifetimes_count_from_the_receipt(self) -> None:
        now = [1000.0]
        with FakeRegistry(replace(TOKENS, token_lifetime=300)) as registry:
            settings = RegistrySettings(environment={}, home=None, credentials={registry.host: BOB})
            authorizer = Authorizer(
                HttpClient(HTTP),
                Credentials(settings),
                Endpoint(registry.host, registry.url),
                clock=lambda: now[0],
            )
            need = Need("acme/api")
            challenge = Challenge("bearer", {"realm": f"{registry.url}/token"})
            first = authorizer.answer(challenge, need, refused=None)
            assert authorizer.header(need) == first
            now[0] += 280
            assert authorizer.header(need) == first
            now[0] += 15
            assert authorizer.header(need) is None
            assert authorizer.answer(challenge, need, refused=first) != first


class TestScopes:
    @pytest.mark.parametrize(
        ("need", "challenged", "scopes"),
        [
            (Need("a/b"), "", ("repository:a/b:pull",)),
            (Need("a/b"), "repository:a/b:pull", ("repository:a/b:pull",)),
            (Need("a/b", ("pull", "push")), "repository:a/b:pull", ("repository:a/b:pull,push",)),
            (Need("a/b"), "repository:a/b:pull,push,delete", ("repository:a/b:pull,push,delete",)),
            (Need("a/b"), "repository:virtual/a/b:pull", ("repository:virtual/a/b:pull",)),
            (Need("a/b", ("pull", "push")), "aws", ("aws",)),
            (Need("a/b"), "registry:catalog:*", ("registry:catalog:*",)),
            (
                Need("a/b", ("pull", "push"), "c/d"),
                "repository:a/b:push",
                ("repository:a/b:pull,push", "repository:c/d:pull"),
            ),
        ],
    )
    def test_what_is_asked_for(self, need: Need, challenged: str, scopes: tuple[str, ...]) -> None:
        assert need.scopes(challenged) == scopes

    def test_a_missing_mount_scope_does_not_stop_a_push(self) -> None:
        with FakeRegistry(TOKENS) as registry:
            host = registry.host
            client, blob = client_for(host), make_blob(10)
            client.push_blob(reference(host, "acme/base"), blob)
            # The token server gives no token for two scopes.
            registry.faults.add(Fault(path="^/token.*acme%2Fbase", effect=Answer(status=403), times=None))
            pushed = client.push_blob(reference(host), blob, origin=reference(host, "acme/base"))
            assert pushed is Pushed.UPLOADED


def challenge_with(realm: str) -> bytes:
    return answer(401, b"", f'WWW-Authenticate: Bearer realm="{realm}",service="s"')


class TestRealms:
    @pytest.mark.parametrize(
        ("realm", "message"),
        [
            ("http://auth.example/token", "plain http"),
            ("file:///etc/passwd", "not an http or https URL"),
            ("/token", "not an http or https URL"),
            ("https://user:pass@auth.example/token", "credentials in it"),
            ("https://127.0.0.1:1/token", "private address"),
            ("https://10.0.0.1/token", "private address"),
            ("https://169.254.169.254/token", "private address"),
            ("http://169.254.169.254/token", "plain http"),
            ("https://[::1]/token", "private address"),
            ("https://2130706433/token", "private address"),
            ("https://localhost/token", "private address"),
        ],
    )
    def test_a_realm_that_credentials_must_not_go_to(self, realm: str, message: str) -> None:
        with RawServer(challenge_with(realm)) as server, pytest.raises(NetworkError, match=message):
            client_for(server.host).manifest(reference(server.host))

    def test_a_realm_on_the_registrys_own_private_address_is_used(self) -> None:
        with RawServer(b"") as server:
            realm = f"{server.url}/token?account=x"
            server._scripts = (challenge_with(realm), ok(b'{"token": "t"}'), answer(404))
            with pytest.raises(HTTPStatusError, match="There is no image"):
                client_for(server.host).manifest(reference(server.host))
            assert server.heads[1].startswith(b"GET /token?account=x&service=s&scope=repository%3Aacme%2Fapi%3Apull ")
            assert base64.b64encode(b"bob:s3cret") in server.heads[1]
            assert b"Authorization: Bearer t\r\n" in server.heads[2]

    def test_a_token_request_that_is_redirected_elsewhere_gives_nothing_away(self) -> None:
        with RawServer(ok(b'{"token": "t"}')) as other, RawServer(b"") as server:
            redirect = answer(307, b"", f"Location: {other.url}/steal")
            server._scripts = (challenge_with(f"{server.url}/token"), redirect, answer(404))
            with pytest.raises(NetworkError, match="private address"):
                client_for(server.host).manifest(reference(server.host))
            assert not other.heads

    def test_an_exchanged_token_is_not_redirected_at_all(self) -> None:
        credential = Credential(identity_token=Redacted("refresh"))
        with RawServer(b"") as server:
            redirect = answer(307, b"", "Location: /elsewhere")
            server._scripts = (challenge_with(f"{server.url}/token"), redirect)
            with pytest.raises(HTTPStatusError):
                client_for(server.host, credential).manifest(reference(server.host))
            assert len(server.heads) == 2

    def test_a_challenge_of_another_host_is_not_answered(self) -> None:
        with RawServer(b"") as other, RawServer(b"") as server:
            other._scripts = (challenge_with(f"{other.url}/token"),)
            server._scripts = (answer(307, b"", f"Location: {other.url}/blob"),)
            made = RegistrySettings(
                http=value.replace(HTTP, allowed_hosts=frozenset({other.host})),
                credentials={server.host: BOB, other.host: BOB},
                environment={},
                home=None,
            )
            blob = make_blob(10)
            with pytest.raises(NetworkError):
                RegistryClient(made).blob(reference(server.host), blob.descriptor).open()
            assert all(b"authorization" not in head.lower() for head in other.heads)
            assert not any(b"/token" in head for head in other.heads)


class TestBasic:
    BASIC = Rules(authentication="basic", users={"bob": "s3cret"})

    def test_the_password_goes_to_the_registry(self) -> None:
        with FakeRegistry(self.BASIC) as registry:
            client = client_for(registry.host)
            assert client.push_blob(reference(registry.host), make_blob(10)) is Pushed.UPLOADED
            refused = [item for item in registry.requests if item.status == 401]
            assert len(refused) == 1

    def test_without_a_password_it_is_denied(self) -> None:
        with FakeRegistry(self.BASIC) as registry, pytest.raises(DeniedError):
            client_for(registry.host, None).manifest(reference(registry.host))

    def test_a_refusal_without_challenge_asks_the_root(self) -> None:
        with RawServer(answer(401), answer(401, b"", 'WWW-Authenticate: Basic realm="x"'), answer(404)) as server:
            with pytest.raises(HTTPStatusError, match="There is no image"):
                client_for(server.host).manifest(reference(server.host))
            assert server.heads[1].startswith(b"GET /v2/ ")
            assert b"Authorization: Basic" in server.heads[2]

    def test_a_refusal_without_any_challenge_is_denied(self) -> None:
        with RawServer(answer(401)) as server, pytest.raises(DeniedError):
            client_for(server.host).manifest(reference(server.host))


class TestMessages:
    def test_a_denied_push_says_what_who_and_what_to_do(self) -> None:
        with FakeRegistry(TOKENS) as registry:
            body = b'{"errors":[{"code":"DENIED","message":"permission_denied: write_package"}]}'
            registry.faults.add(Fault(method="POST", path="uploads", effect=Answer(status=403, body=body), times=None))
            with pytest.raises(DeniedError) as caught:
                client_for(registry.host).push_blob(reference(registry.host), make_blob(10))
        error = caught.value
        assert error.message == f"Push to `{registry.host}/acme/api` was denied"
        assert error.facts == (
            f"POST {registry.url}/v2/acme/api/blobs/uploads/: 403 DENIED: permission_denied: write_package",
            "credentials: user `bob`, from the options",
        )
        assert error.hint == "Give this user write access to `acme/api`"

    def test_a_warning_of_the_registry_is_shown_once(self) -> None:
        events: list[Any] = []
        with FakeRegistry(Rules(warning='299 - "free accounts end in May"')) as registry:
            client = client_for(registry.host, None, events.append)
            for _ in range(3):
                client.push_blob(reference(registry.host), make_blob(10))
        warned = [event.message for event in events if isinstance(event, Warned)]
        assert warned == [f"`{registry.host}` warns: free accounts end in May"]
