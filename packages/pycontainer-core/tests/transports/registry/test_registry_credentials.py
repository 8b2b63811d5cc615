"""Where credentials are found, what matches, and what a helper may do wrong; helpers here are real programs."""

from __future__ import annotations

import base64
import json
import os
import stat
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from pycontainer.errors import NetworkError, ToolError
from pycontainer.events import Event, Warned
from pycontainer.transports.registry import Credential, RegistrySettings
from pycontainer.transports.registry.credentials import Credentials
from pycontainer.transports.secrets import Redacted

needs_posix = pytest.mark.skipif(os.name == "nt", reason="helpers are written as scripts with a first line")


def auth(user: str, password: str) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


def write_config(directory: Path, name: str = "config.json", **value: Any) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / name
    path.write_text(json.dumps(value))
    return path


class Home:
    """A user's home with configuration and programs."""

    def __init__(self, root: Path) -> None:
        self.path = root / "home"
        self.programs = root / "programs"
        self.path.mkdir()
        self.programs.mkdir()
        self.environment: dict[str, str] = {"PATH": str(self.programs)}
        self.events: list[Event] = []

    def docker(self, **value: Any) -> Path:
        return write_config(self.path / ".docker", **value)

    def program(self, name: str, body: str) -> None:
        """A program in Python; `server` holds what it was sent."""
        path = self.programs / name
        path.write_text(f"#!{sys.executable} -I\nimport sys, json, time\nserver = sys.stdin.read()\n{body}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def helper(self, name: str, secrets: dict[str, tuple[str, str]]) -> None:
        self.program(
            f"docker-credential-{name}",
            f"known = {secrets!r}\n"
            "if sys.argv[1:] != ['get'] or server not in known:\n"
            "    print('credentials not found in native keychain'); sys.exit(1)\n"
            "user, secret = known[server]\n"
            "print(json.dumps({'ServerURL': server, 'Username': user, 'Secret': secret}))",
        )

    def credentials(self, **settings: Any) -> Credentials:
        made = RegistrySettings(environment=self.environment, home=self.path, **settings)
        return Credentials(made, emit=self.events.append)

    def find(self, registry: str, repository: str = "acme/api", **settings: Any) -> Credential | None:
        return self.credentials(**settings).find(registry, repository, for_push=True)

    def user(self, registry: str, repository: str = "acme/api", **settings: Any) -> str | None:
        found = self.find(registry, repository, **settings)
        return found.username if found is not None else None


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


class TestOrder:
    def test_the_first_place_wins(self, home: Home, tmp_path: Path) -> None:
        registry = "ghcr.io"

        def entry(user: str) -> dict[str, Any]:
            return {"auths": {registry: auth(user, "x")}}

        home.environment["GITHUB_TOKEN"] = "t"
        home.environment["GITHUB_ACTOR"] = "actor"
        assert home.user(registry) == "actor"
        home.docker(**entry("docker"))
        assert home.user(registry) == "docker"
        write_config(tmp_path / "xdg" / "containers", "auth.json", **entry("xdg"))
        home.environment["XDG_CONFIG_HOME"] = str(tmp_path / "xdg")
        assert home.user(registry) == "xdg"
        write_config(tmp_path / "run" / "containers", "auth.json", **entry("runtime"))
        home.environment["XDG_RUNTIME_DIR"] = str(tmp_path / "run")
        assert home.user(registry) == "runtime"
        write_config(tmp_path / "dockercfg", **entry("DOCKER_CONFIG"))
        home.environment["DOCKER_CONFIG"] = str(tmp_path / "dockercfg")
        assert home.user(registry) == "DOCKER_CONFIG"
        home.environment["REGISTRY_AUTH_FILE"] = str(write_config(tmp_path, "auth.json", **entry("AUTH_FILE")))
        assert home.user(registry) == "AUTH_FILE"
        home.environment |= {"REGISTRY_USERNAME": "variable", "REGISTRY_PASSWORD": "x"}
        assert home.user(registry) == "AUTH_FILE"
        own = frozenset({registry})
        assert home.user(registry, own_registries=own) == "variable"
        flag = {registry: Credential(username="flag", password=Redacted("x"))}
        assert home.user(registry, own_registries=own, credentials=flag) == "flag"

    def test_a_place_without_an_entry_is_passed_over(self, home: Home, tmp_path: Path) -> None:
        home.environment["REGISTRY_AUTH_FILE"] = str(write_config(tmp_path, "auth.json", auths={}))
        home.docker(auths={"registry.example": auth("docker", "x")})
        assert home.user("registry.example") == "docker"

    def test_the_pushers_variables_never_reach_another_registry(self, home: Home) -> None:
        home.environment |= {"REGISTRY_USERNAME": "bob", "REGISTRY_PASSWORD": "x"}
        assert home.user("docker.io", own_registries=frozenset({"ghcr.io"})) is None

    def test_the_github_token_is_for_github(self, home: Home) -> None:
        home.environment["GITHUB_TOKEN"] = "t"
        assert home.user("ghcr.io.evil.example") is None
        assert home.user("ghcr.io") == "x-access-token"

    def test_nothing_is_anonymous(self, home: Home) -> None:
        assert home.find("registry.example") is None


class TestMatching:
    @pytest.mark.parametrize(
        ("key", "registry", "matches"),
        [
            ("reg.io", "reg.io", True),
            ("REG.io", "reg.io", True),
            ("https://reg.io", "reg.io", True),
            ("http://reg.io", "reg.io", True),
            ("https://reg.io/", "reg.io", True),
            ("https://reg.io/v1/", "reg.io", True),
            ("https://reg.io/v2/", "reg.io", True),
            ("reg.io/v2", "reg.io", True),
            ("reg.io:5000", "reg.io:5000", True),
            ("https://reg.io:5000/v2/", "reg.io:5000", True),
            ("reg.io/acme", "reg.io", True),
            ("reg.io/acme/api", "reg.io", True),
            ("reg.io/other", "reg.io", False),
            ("reg.io/acme/api/deeper", "reg.io", False),
            ("reg.io/ac", "reg.io", False),
            ("reg.io", "reg.io.evil", False),
            ("reg.io.evil", "reg.io", False),
            ("https://reg.io.evil/reg.io", "reg.io", False),
            ("https://evil/reg.io", "reg.io", False),
            ("reg.io", "reg.io:5000", False),
            ("reg.io:5000", "reg.io", False),
            ("sub.reg.io", "reg.io", False),
            ("reg.io", "sub.reg.io", False),
            ("https://index.docker.io/v1/", "docker.io", True),
            ("index.docker.io", "docker.io", True),
            ("docker.io", "docker.io", True),
            ("registry-1.docker.io", "docker.io", True),
            ("https://registry.hub.docker.com", "docker.io", True),
            ("docker.io/acme", "docker.io", True),
            ("docker.io", "docker.io.evil", False),
        ],
    )
    def test_a_key_is_for_its_registry_alone(self, home: Home, key: str, registry: str, *, matches: bool) -> None:
        home.docker(auths={key: auth("bob", "x")})
        assert (home.find(registry) is not None) is matches

    def test_the_most_specific_repository_wins(self, home: Home) -> None:
        keys = ["reg.io", "reg.io/acme", "reg.io/acme/api"]
        home.docker(auths={key: auth(key.replace("/", "-"), "x") for key in keys})
        assert home.user("reg.io", "acme/api") == "reg.io-acme-api"
        assert home.user("reg.io", "acme/web") == "reg.io-acme"
        assert home.user("reg.io", "other") == "reg.io"

    def test_a_key_written_as_the_host_goes_before_a_url(self, home: Home) -> None:
        home.docker(auths={"https://reg.io/v1/": auth("url", "x"), "reg.io": auth("host", "x")})
        assert home.user("reg.io") == "host"

    def test_an_empty_entry_is_nothing(self, home: Home) -> None:
        home.docker(auths={"reg.io": {}, "reg.io/acme": {"auth": ""}})
        assert home.find("reg.io") is None


class TestEntries:
    @pytest.mark.parametrize("password", ["a:b:c", "pässwörd-日本", " spaces ", "x" * 5000])
    def test_passwords_of_every_kind(self, home: Home, password: str) -> None:
        home.docker(auths={"reg.io": auth("bob", password)})
        found = home.find("reg.io")
        assert found is not None
        assert (found.username, found.password.reveal()) == ("bob", password)

    def test_user_and_password_in_the_open(self, home: Home) -> None:
        home.docker(auths={"reg.io": {"username": "bob", "password": "x"}})
        assert home.user("reg.io") == "bob"

    def test_tokens(self, home: Home) -> None:
        zero = "00000000-0000-0000-0000-000000000000"
        home.docker(auths={"reg.io": {**auth(zero, ""), "identitytoken": "refresh"}, "b.io": {"registrytoken": "bear"}})
        found = home.find("reg.io")
        assert found is not None
        assert found.identity_token == Redacted("refresh")
        other = home.find("b.io")
        assert other is not None
        assert other.registry_token == Redacted("bear")


class TestBrokenFiles:
    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"  \n",
            b"{",
            b"[]",
            b"null",
            b'\xef\xbb\xbf{"auths": {}}',
            b'{"auths": {"reg.io": {"auth": "s3cret-not-base64!"}}}',
            b'{"auths": {"reg.io": {"auth": "czNjcmV0"}}}',
            b'{"auths": {"reg.io": "s3cret"}}',
            b'{"auths": ["s3cret"]}',
            b'{"credsStore": 5}',
            b'{"credHelpers": {"reg.io": 5}}',
            b"\xff\xfe s3cret",
            b"[" * 100_000,
        ],
    )
    def test_a_file_that_is_broken_is_named_and_not_quoted(self, home: Home, content: bytes) -> None:
        path = home.docker()
        path.write_bytes(content)
        with pytest.raises(NetworkError, match=r"`~/\.docker/config\.json` cannot be read") as caught:
            home.find("reg.io")
        assert "s3cret" not in f"{caught.value!r} {caught.value} {caught.value.__cause__}"

    def test_a_file_that_is_a_directory_is_named(self, home: Home) -> None:
        (home.path / ".docker" / "config.json").mkdir(parents=True)
        with pytest.raises(NetworkError, match="cannot be read"):
            home.find("reg.io")

    def test_other_settings_do_not_matter(self, home: Home) -> None:
        home.docker(auths={"reg.io": auth("bob", "x")}, HttpHeaders={"X": "y"}, proxies={}, credsStore=None)
        assert home.user("reg.io") == "bob"


@needs_posix
class TestHelpers:
    def test_helpers_go_before_the_store_and_that_before_the_file(self, home: Home) -> None:
        home.helper("one", {"a.io": ("one", "x")})
        home.helper("two", {"a.io": ("two", "x"), "b.io": ("two", "x")})
        auths = {host: auth("file", "x") for host in ("a.io", "b.io", "c.io", "d.io")}
        home.docker(auths=auths, credsStore="two", credHelpers={"a.io": "one", "c.io": "one", "d.io": ""})
        assert home.user("a.io") == "one"
        assert home.user("b.io") == "two"
        assert home.user("c.io") == "file"
        assert home.user("d.io") == "file"

    def test_a_helper_that_has_nothing_leaves_it_to_the_store(self, home: Home) -> None:
        home.helper("one", {})
        home.helper("two", {"a.io": ("two", "x")})
        home.docker(credsStore="two", credHelpers={"a.io": "one"})
        assert home.user("a.io") == "two"

    @pytest.mark.parametrize("server", ["https://index.docker.io/v1/", "docker.io", "index.docker.io"])
    def test_docker_hub_is_asked_for_under_its_names(self, home: Home, server: str) -> None:
        home.helper("store", {server: ("bob", "x")})
        home.docker(credsStore="store")
        assert home.user("docker.io", "library/python") == "bob"

    def test_an_identity_token(self, home: Home) -> None:
        home.helper("store", {"a.azurecr.io": ("<token>", "refresh")})
        home.docker(credsStore="store")
        found = home.find("a.azurecr.io")
        assert found is not None
        assert (found.identity_token, found.username) == (Redacted("refresh"), "")

    def test_the_source_says_which_helper(self, home: Home) -> None:
        home.helper("store", {"a.io": ("bob", "x")})
        home.docker(credsStore="store")
        assert str(home.find("a.io")) == (
            "user `bob`, from the credential helper `docker-credential-store` (`~/.docker/config.json`)"
        )

    def test_a_missing_helper_is_named_with_what_to_do(self, home: Home) -> None:
        home.docker(credsStore="desktop")
        with pytest.raises(ToolError, match="`docker-credential-desktop` is not installed") as caught:
            home.find("a.io")
        assert caught.value.hint == "Install it, or remove `desktop` from `~/.docker/config.json`"

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            ("print('no keyring'); sys.exit(1)", "failed"),
            ("print('default credentials not found, run `cloud login`'); sys.exit(1)", "failed"),
            ("print('keychain locked'); print('role: credentials not found', file=sys.stderr); sys.exit(1)", "failed"),
            ("sys.exit(2)", "failed"),
            ("print(json.dumps({'Username': 'u', 'Secret': 's3cret'})); sys.exit(1)", "failed"),
            ("print('Welcome!'); print(json.dumps({'Username': 'u', 'Secret': 's3cret'}))", "other than JSON"),
            ("print('s3cret')", "other than JSON"),
            ("print('[]')", "other than JSON"),
            ("print(json.dumps({'Username': 'u', 'Secret': ['s3cret']}))", "other than JSON"),
            ("pass", "other than JSON"),
        ],
    )
    def test_what_a_helper_does_wrong_is_named(self, home: Home, body: str, message: str) -> None:
        home.program("docker-credential-store", body)
        home.docker(credsStore="store", auths={"a.io": auth("file", "x")})
        with pytest.raises(ToolError, match=message) as caught:
            home.find("a.io")
        assert "docker-credential-store" in caught.value.message
        assert "s3cret" not in str(caught.value)

    def test_a_helper_that_does_not_answer_is_ended(self, home: Home) -> None:
        home.program("docker-credential-store", "time.sleep(600)")
        home.docker(credsStore="store")
        begin = time.monotonic()
        with pytest.raises(ToolError, match=r"`docker-credential-store` did not answer in 0\.5 s"):
            home.find("a.io", helper_timeout=0.5)
        assert time.monotonic() - begin < 300

    @pytest.mark.parametrize("name", ["../evil", "a/b", "..", ".", "a..b", "a\\b", "a b", "-x", "", "a\n"])
    def test_a_helper_that_is_a_path_is_never_run(self, home: Home, tmp_path: Path, name: str) -> None:
        marker = tmp_path / "ran"
        home.program("evil", f"open({str(marker)!r}, 'w')")
        home.docker(credHelpers={"a.io": name}, credsStore=name)
        if name:
            with pytest.raises(ToolError, match="cannot be the name of a credential helper"):
                home.find("a.io")
        else:
            assert home.find("a.io") is None
        assert not marker.exists()

    def test_a_pull_goes_on_without_a_failing_helper_only_where_allowed(self, home: Home) -> None:
        home.docker(credsStore="desktop")
        with pytest.raises(ToolError):
            home.credentials().find("a.io", "x", for_push=False)
        lenient = home.credentials(anonymous_pull=True)
        assert lenient.find("a.io", "x", for_push=False) is None
        assert isinstance(home.events[0], Warned)
        with pytest.raises(ToolError):
            lenient.find("a.io", "x", for_push=True)


@needs_posix
class TestAzure:
    ANSWER = "print(json.dumps({'accessToken': 'refresh', 'loginServer': 'acme.azurecr.io'}))"

    def test_the_cli_is_asked_for_azures_registries_alone(self, home: Home) -> None:
        home.program("az", f"open({str(home.path / 'asked')!r}, 'w').write(' '.join(sys.argv[1:]))\n{self.ANSWER}")
        assert home.find("acme.azurecr.io.evil") is None
        assert not (home.path / "asked").exists()
        found = home.find("acme.azurecr.io")
        assert found is not None
        assert found.identity_token == Redacted("refresh")
        assert (home.path / "asked").read_text() == "acr login --name acme --expose-token --output json"

    @pytest.mark.parametrize("body", ["sys.exit(1)", "print('please sign in')", "print('{}')", "print('[1]')"])
    def test_a_cli_that_is_not_signed_in_is_nothing(self, home: Home, body: str) -> None:
        home.program("az", body)
        assert home.find("acme.azurecr.io") is None

    def test_no_cli_is_nothing(self, home: Home) -> None:
        assert home.find("acme.azurecr.io") is None


class TestExplaining:
    def test_every_place_is_a_line_and_no_secret_is(self, home: Home, tmp_path: Path) -> None:
        home.environment["REGISTRY_AUTH_FILE"] = str(write_config(tmp_path, "auth.json", auths={}))
        home.docker(auths={"a.io": auth("bob", "s3cret")})
        explained = home.credentials().explain("a.io", "acme/api")
        assert explained.lines == (
            "options: nothing for this registry",
            f"`{tmp_path / 'auth.json'}`: nothing for this registry",
            "`~/.docker/config.json`: user `bob`, from `~/.docker/config.json`",
        )
        assert explained.credential is not None
        assert "s3cret" not in repr(explained)

    def test_a_broken_place_is_a_line_too(self, home: Home) -> None:
        home.docker(credsStore="desktop")
        explained = home.credentials().explain("a.io", "acme/api")
        assert "is not installed" in explained.lines[-1]
        assert explained.credential is None


class TestSecrets:
    def test_a_credential_prints_without_its_secrets(self) -> None:
        credential = Credential(
            username="bob",
            password=Redacted("s3cret"),
            identity_token=Redacted("s3cret"),
            registry_token=Redacted("s3cret"),
        )
        settings = RegistrySettings(credentials={"a.io": credential}, environment={"REGISTRY_PASSWORD": "s3cret"})
        for shown in (str(credential), repr(credential), f"{credential.password}", repr(settings), f"{credential}"):
            assert "s3cret" not in shown

    def test_a_secret_is_not_pickled(self) -> None:
        import pickle  # noqa: PLC0415

        with pytest.raises(TypeError):
            pickle.dumps(Redacted("s3cret"))
