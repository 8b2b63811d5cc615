from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from pycontainer.destinations.layout import LayoutDestination
from pycontainer.testing.images import debian_like
from pycontainer_cli.main import main

SNAPSHOTS = Path(__file__).parent / "snapshots"


@dataclass(frozen=True)
class Done:
    """What a run of the command left: exit code, standard output, standard error."""

    code: int
    out: str
    err: str

    @property
    def transcript(self) -> str:
        """The run as a snapshot has it."""
        parts = [f"exit code {self.code}"]
        parts += [f"--- {name}\n{text.rstrip()}" for name, text in (("stdout", self.out), ("stderr", self.err)) if text]
        return "\n".join(parts) + "\n"


class _Bytes(io.TextIOWrapper):
    def __init__(self, content: bytes) -> None:
        super().__init__(io.BytesIO(content), encoding="utf-8")


Run = Callable[..., Done]


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A layout with a base image."""
    path = tmp_path_factory.mktemp("base") / "layout"
    LayoutDestination(path).write(debian_like("3.12.4"))
    return path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run the command in an empty directory, with no variables of ours and a home of its own."""
    for name in os.environ:
        if name.startswith(("PYCONTAINER_", "REGISTRY_", "DOCKER_", "GITHUB_", "XDG_", "SOURCE_DATE", "NO_COLOR")):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("COLUMNS", "100")
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)

    def run_command(*words: str, stdin: bytes = b"", environment: Mapping[str, str] | None = None) -> Done:
        with monkeypatch.context() as patch:
            for name, value in (environment or {}).items():
                patch.setenv(name, value)
            patch.setattr(sys, "stdin", _Bytes(stdin))
            code = main(list(words))
        captured = capsys.readouterr()
        return Done(code, captured.out, captured.err)

    return run_command


@pytest.fixture
def snapshot() -> Callable[[str, str], None]:
    """Compare a text with `snapshots/NAME`; `UPDATE_SNAPSHOTS=1` writes it."""

    def compare(name: str, text: str) -> None:
        path = SNAPSHOTS / name
        if os.environ.get("UPDATE_SNAPSHOTS") == "1":
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(text.encode())
        assert text == path.read_text("utf-8"), f"{path} (UPDATE_SNAPSHOTS=1 writes it anew)"

    return compare
