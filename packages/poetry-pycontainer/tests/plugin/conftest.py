"""Projects of Poetry, and Poetry itself as an application in this process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from cleo.testers.application_tester import ApplicationTester
from poetry.console.application import Application
from poetry_projects import Done, PoetrySample, Run

from pycontainer.destinations.layout import LayoutDestination
from pycontainer.testing.images import debian_like
from pycontainer.testing.index_server import IndexServer, serving


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PoetrySample:
    """A folder for a project, and no settings of this host."""
    for name in list(os.environ):
        if name.startswith(("PYCONTAINER_", "POETRY_", "UV_", "PIP_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("POETRY_CACHE_DIR", str(tmp_path / "poetry-cache"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    root = tmp_path / "project"
    root.mkdir()
    monkeypatch.chdir(root)
    return PoetrySample(root)


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A base image of Debian's and docker-library's shape."""
    path = tmp_path_factory.mktemp("base") / "layout"
    LayoutDestination(path).write(debian_like("3.12.4"))
    return f"oci:{path}"


@pytest.fixture
def index() -> Iterator[IndexServer]:
    """A package index on loopback."""
    with serving() as server:
        yield server


@pytest.fixture
def run(project: PoetrySample, base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command of Poetry in the project, as its own tests do."""
    del project  # it is the current directory
    monkeypatch.setenv("PYCONTAINER_BASE_IMAGE", base)
    monkeypatch.setenv("PYCONTAINER_PLATFORM", "linux/amd64")
    monkeypatch.setenv("PYCONTAINER_CACHE_DIR", str(tmp_path / "cache"))

    def run_command(command: str, *, decorated: bool = False) -> Done:
        tester = ApplicationTester(Application())
        code = tester.execute(command, decorated=decorated)
        return Done(code, tester.io.fetch_output(), tester.io.fetch_error())

    return run_command
