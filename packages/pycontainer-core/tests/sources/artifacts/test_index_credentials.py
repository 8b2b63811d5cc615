import base64
import sys
from pathlib import Path

import pytest

from pycontainer.events import Emit, Event, ignore
from pycontainer.sources.indexes import Index, IndexCredentials, IndexSettings, User
from pycontainer.transports.secrets import Redacted

URL = "https://index.example/simple/"


def made(
    environment: dict[str, str] | None = None,
    emit: Emit = ignore,
    *,
    home: Path | None = None,
    keyring: bool = False,
    url: str = URL,
    name: str | None = None,
) -> IndexCredentials:
    index = Index.parse(url, source="test", name=name)
    folder = str(home or "/nonexistent")
    variables = {"HOME": folder, "XDG_CONFIG_HOME": folder, **(environment or {})}
    return IndexCredentials(IndexSettings(default=index, keyring=keyring), environment=variables, emit=emit)


def user_of(headers: dict[str, str]) -> str | None:
    value = headers.get("Authorization")
    return base64.b64decode(value.removeprefix("Basic ")).decode() if value else None


def test_nobody_is_nobody() -> None:
    assert made().headers(f"{URL}demo/") == {}


def test_the_user_part_of_an_address() -> None:
    assert user_of(made(url="https://me:p%40ss@index.example/simple/").headers(f"{URL}demo/")) == "me:p@ss"


def test_a_token_as_a_user() -> None:
    assert user_of(made(url="https://token@index.example/simple/").headers(f"{URL}demo/")) == "token:"


@pytest.mark.parametrize(
    ("name", "prefix"),
    [("corp", "UV_INDEX_CORP"), ("my-corp.one", "UV_INDEX_MY_CORP_ONE"), ("my-corp", "POETRY_HTTP_BASIC_MY_CORP")],
)
def test_variables_by_the_name_of_the_index(name: str, prefix: str) -> None:
    environment = {f"{prefix}_USERNAME": "me", f"{prefix}_PASSWORD": "pass"}
    assert user_of(made(environment, name=name).headers(f"{URL}demo/")) == "me:pass"


def test_the_file_of_poetry(tmp_path: Path) -> None:
    folder = tmp_path / "poetry"
    folder.mkdir()
    (folder / "auth.toml").write_text('[http-basic.corp]\nusername = "me"\npassword = "pass"\n')
    environment = {"POETRY_CONFIG_DIR": str(folder)}
    assert user_of(made(environment, name="corp").headers(URL)) == "me:pass"


def test_netrc_of_the_home_and_of_the_variable(tmp_path: Path) -> None:
    (tmp_path / ("_netrc" if sys.platform == "win32" else ".netrc")).write_text(
        "machine index.example login me password home\n"
    )
    (tmp_path / "other").write_text("machine index.example login me password other\n")
    assert user_of(made(home=tmp_path).headers(URL)) == "me:home"
    assert user_of(made({"NETRC": str(tmp_path / "other")}, home=tmp_path).headers(URL)) == "me:other"


def test_netrc_serves_hosts_that_are_no_index(tmp_path: Path) -> None:
    (tmp_path / "netrc").write_text("machine files.example login me password pass\n")
    assert user_of(made({"NETRC": str(tmp_path / "netrc")}).headers("https://files.example/x.whl")) == "me:pass"


def test_a_broken_netrc_is_passed_over_without_being_quoted(tmp_path: Path, planted: str) -> None:
    (tmp_path / "netrc").write_text(f"machine index.example login me passwort {planted}\n")
    heard: list[Event] = []
    assert made({"NETRC": str(tmp_path / "netrc")}, heard.append).headers(URL) == {}
    assert len(heard) == 1
    assert planted not in repr(heard)


@pytest.mark.parametrize(
    "url",
    [
        "http://index.example/simple/demo/",
        "https://index.example:8443/simple/demo/",
        "https://index.example.evil/simple/demo/",
        "https://other.example/simple/demo/",
    ],
)
def test_credentials_stay_with_their_scheme_host_and_port(url: str) -> None:
    assert made(url="https://me:pass@index.example/simple/").headers(url) == {}


def test_of_two_indexes_on_one_host_the_nearer_path_decides() -> None:
    one = Index.parse("https://a:1@index.example/team-a/simple", source="test")
    two = Index.parse("https://b:2@index.example/team-ab/simple", source="test")
    credentials = IndexCredentials(IndexSettings(extra=(one, two)), environment={"HOME": "/nonexistent"})
    assert user_of(credentials.headers("https://index.example/team-ab/simple/demo/")) == "b:2"
    assert user_of(credentials.headers("https://index.example/team-a/files/demo.whl")) == "a:1"


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands in for the keyring")
class TestKeyring:
    @pytest.fixture
    def path(self, tmp_path: Path) -> str:
        program = tmp_path / "keyring"
        program.write_text(
            f'#!/bin/sh\necho "$@" >> "{tmp_path}/asked"\n[ "$2" = index.example ] && echo from-keyring || exit 1\n'
        )
        program.chmod(0o755)
        return f"{tmp_path}:/usr/bin:/bin"

    def test_it_is_asked_by_address_then_by_host(self, path: str, tmp_path: Path) -> None:
        credentials = made({"PATH": path}, keyring=True, url="https://me@index.example/simple/")
        assert user_of(credentials.headers(URL)) == "me:from-keyring"
        assert user_of(credentials.headers(URL)) == "me:from-keyring"
        asked = (tmp_path / "asked").read_text().splitlines()
        assert asked == ["get https://index.example/simple/ me", "get index.example me"]

    def test_it_is_left_alone_unless_the_settings_ask_for_it(self, path: str, tmp_path: Path) -> None:
        made({"PATH": path}, url="https://me@index.example/simple/").headers(URL)
        assert not (tmp_path / "asked").exists()


def test_secrets_for_redaction_are_known(planted: str) -> None:
    environment = {"UV_INDEX_CORP_PASSWORD": "one-secret", "PIP_INDEX_URL": "https://u:two-secret@index.example/"}
    credentials = made(environment, url=f"https://me:{planted}@index.example/simple/")
    assert {"one-secret", "two-secret", planted} <= credentials.secrets()
    credentials.headers(URL)
    assert planted not in repr(vars(credentials))


def test_the_tool_of_a_front_end_is_asked_once_a_place_and_goes_before_variables_and_files() -> None:
    asked = []

    def ask(url: str) -> User | None:
        asked.append(url)
        return User(name="tool", password=Redacted("told")) if "index." in url else None

    settings = IndexSettings(default=Index.parse(URL, source="test", name="corp"), ask=ask)
    environment = {"HOME": "/nonexistent", "POETRY_HTTP_BASIC_CORP_PASSWORD": "variable"}
    credentials = IndexCredentials(settings, environment=environment)

    assert user_of(credentials.headers(f"{URL}demo/")) == "tool:told"
    assert user_of(credentials.headers(f"{URL}other/")) == "tool:told"
    assert credentials.headers("https://files.example/demo.whl") == {}
    assert asked == [URL, "https://files.example/"], "nobody is asked twice for one password"
    assert "told" in credentials.secrets()
    assert "told" not in repr(settings)


def test_an_address_with_a_user_goes_before_the_tool() -> None:
    index = Index.parse("https://me:stated@index.example/simple/", source="test")
    settings = IndexSettings(default=index, ask=lambda _: User(name="tool", password=Redacted("told")))

    credentials = IndexCredentials(settings, environment={"HOME": "/nonexistent"})

    assert user_of(credentials.headers(URL)) == "me:stated"
