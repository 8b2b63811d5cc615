"""Poetry's sources and credentials, asked only when an index is."""

from __future__ import annotations

from pathlib import Path

import pytest
from poetry_projects import PYPROJECT, PoetrySample

from poetry_pycontainer.indexes import poetry_indexes
from pycontainer.events import Event, Warned, ignore

SOURCES = """
[[tool.poetry.source]]
name = "corp"
url = "https://corp.example/simple"

[[tool.poetry.source]]
name = "labs"
url = "https://labs.example/simple"
priority = "explicit"
"""
PAGE = """
[[tool.poetry.source]]
name = "page"
url = "https://files.example/links.html"
"""
KEYRING = """
from keyring.backend import KeyringBackend
from keyring.credentials import SimpleCredential

class Keyring(KeyringBackend):
    priority = 9

    def get_credential(self, service, username):
        return SimpleCredential("ring", "from-keyring") if "labs" in service else None

    def get_password(self, service, username):
        return None

    set_password = delete_password = get_password
"""


def test_every_source_serves_what_is_locked_to_it_and_nothing_else(project: PoetrySample) -> None:
    project.write(PYPROJECT + SOURCES + PAGE)

    settings = poetry_indexes(project.poetry(), emit=ignore)

    assert [each.url for each in settings.find_links] == ["https://files.example/links.html"]
    assert {(each.name, each.url, each.explicit) for each in settings.extra} == {
        ("corp", "https://corp.example/simple", True),
        ("labs", "https://labs.example/simple", True),
    }


def test_credentials_are_those_that_poetry_has(
    project: PoetrySample, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "planted_keyring.py").write_text(KEYRING)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "planted_keyring.Keyring")
    monkeypatch.setenv("POETRY_HTTP_BASIC_CORP_USERNAME", "bob")
    monkeypatch.setenv("POETRY_HTTP_BASIC_CORP_PASSWORD", "from-variable")
    project.write(PYPROJECT + SOURCES)
    settings = poetry_indexes(project.poetry(), emit=ignore)
    assert settings.ask is not None

    corp, labs = settings.ask("https://corp.example/simple"), settings.ask("https://labs.example/simple")
    stranger = settings.ask("https://files.example/")

    assert corp is not None
    assert (corp.name, corp.password.reveal()) == ("bob", "from-variable")
    assert labs is not None
    assert (labs.name, labs.password.reveal()) == ("ring", "from-keyring")
    assert stranger is None, "a host that nobody knows learns no password"
    assert "from-" not in repr((settings, corp, labs))


def test_certificates_of_a_source(project: PoetrySample, tmp_path: Path) -> None:
    settings_file = f'[certificates.corp]\ncert = "{tmp_path}/corp.pem"\n[certificates.labs]\ncert = false\n'
    (project.root / "poetry.toml").write_text(settings_file)
    project.write(PYPROJECT + SOURCES)
    heard: list[Event] = []

    settings = poetry_indexes(project.poetry(), emit=heard.append)

    assert settings.ca_files == (tmp_path / "corp.pem",)
    (warning,) = heard
    assert isinstance(warning, Warned)
    assert "`labs` are checked" in warning.message
