"""A lock that was found fresh is not parsed again, and never answers otherwise than if it were."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import msgspec
import pytest

from pycontainer.config import BuildConfig
from pycontainer.plan.dependencies import select
from pycontainer.project import Pyproject
from pycontainer.project.standalone import StandaloneProject
from pycontainer.sources.locks import Chosen, Lock, LockMemory, discover
from pycontainer.sources.target import Target

PYPROJECT = '[project]\nname = "app"\nversion = "1"\ndependencies = ["{dependency}"]\n'
WHEEL = 'url = "https://{user}files.example/demo-1.0-py3-none-any.whl", hash = "sha256:{zeros}", size = 7'
LOCK = """\
version = 1
requires-python = ">=3.10"

[manifest]
members = ["app", "tools"]

[[package]]
name = "app"
version = "1"
source = {{ virtual = "." }}
dependencies = [{{ name = "demo" }}, {{ name = "tools" }}]
[package.metadata]
requires-dist = [{{ name = "demo" }}, {{ name = "tools", editable = "tools" }}]

[[package]]
name = "demo"
version = "1.0"
source = {{ registry = "https://{user}index.example/simple" }}
wheels = [
    {{ {wheel} }},
]

[[package]]
name = "tools"
version = "2"
source = {{ editable = "tools" }}
[package.metadata]
requires-dist = []
"""


class Workspace:
    """A project with one member, and how often its lock was parsed."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root, self.parsed, self.memory = root, 0, LockMemory(root / "memory")
        reader = discover._reader

        def counted(_: Path) -> Callable[[Path, bytes], Lock]:
            def read(path: Path, content: bytes) -> Lock:
                self.parsed += 1
                return reader(path)(path, content)

            return read

        monkeypatch.setattr(discover, "_reader", counted)
        self.write()

    def write(self, *, user: str = "") -> None:
        wheel = WHEEL.format(user=user, zeros="0" * 64)
        (self.root / "uv.lock").write_text(LOCK.format(user=user, wheel=wheel))
        project = PYPROJECT.format(dependency='demo", "tools') + "[tool.uv.sources]\ntools = { workspace = true }\n"
        (self.root / "pyproject.toml").write_text(project)
        (self.root / "tools").mkdir(exist_ok=True)
        (self.root / "tools/pyproject.toml").write_text('[project]\nname = "tools"\nversion = "2"\n')

    def chosen(self, target: Target, *, no_build: bool = False) -> tuple[Chosen, ...]:
        """What a build chooses."""
        project = StandaloneProject(
            pyproject=Pyproject.read(self.root), resolve=_never, build=_never, locked=True, memory=self.memory
        )
        config = BuildConfig(tag="app:1", no_build=no_build)
        return select(project.lock(target), project, target, config, lambda _, packages: packages)


def _never(*_: object) -> NoReturn:
    raise AssertionError


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    return Workspace(tmp_path, monkeypatch)


def test_what_was_asked_before_is_answered_without_parsing(workspace: Workspace, target: Target) -> None:
    first = workspace.chosen(target)
    assert [each.package.name for each in first] == ["demo", "tools"]
    assert workspace.chosen(target) == first
    assert workspace.parsed == 1


def test_another_question_is_asked_of_the_lock(workspace: Workspace, targets: list[Target]) -> None:
    for target in targets:
        workspace.chosen(target)
    assert workspace.parsed == len(targets)
    workspace.chosen(targets[0], no_build=True)
    assert workspace.parsed == len(targets) + 1


def test_a_lock_or_a_project_that_changed_is_read_again(workspace: Workspace, target: Target) -> None:
    workspace.chosen(target)
    for name in ("uv.lock", "pyproject.toml", "tools/pyproject.toml"):
        with (workspace.root / name).open("a") as file:
            file.write("\n# touched\n")
        before = workspace.parsed
        workspace.chosen(target)
        assert workspace.parsed == before + 1, name


def test_a_member_that_a_link_leads_elsewhere_now_is_found_there(workspace: Workspace, target: Target) -> None:
    (workspace.root / "tools").rename(workspace.root / "one")
    (workspace.root / "two").mkdir()
    (workspace.root / "two/pyproject.toml").write_bytes((workspace.root / "one/pyproject.toml").read_bytes())
    for place in ("one", "two"):
        (workspace.root / "tools").unlink(missing_ok=True)
        (workspace.root / "tools").symlink_to(place)
        _, tools = workspace.chosen(target)
        assert msgspec.structs.asdict(tools.package.source)["path"] == workspace.root / place


@pytest.mark.skipif(os.name == "nt", reason="names of files are text")
@pytest.mark.parametrize("place", ["project", "member"])
def test_a_path_that_is_no_text_is_not_remembered(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: Target
) -> None:
    """Any name that is not in the encoding of the locale, which is ASCII in a bare container."""
    odd = tmp_path / os.fsdecode(b"caf\xe9")
    odd.mkdir()
    workspace = Workspace(odd if place == "project" else tmp_path, monkeypatch)
    if place == "member":
        (tmp_path / "tools").rename(odd / "tools")
        (tmp_path / "tools").symlink_to(odd / "tools")
    first = workspace.chosen(target)
    assert [each.package.name for each in first] == ["demo", "tools"]
    assert workspace.chosen(target) == first
    assert workspace.parsed == 2


def test_a_password_is_not_written_down(workspace: Workspace, target: Target) -> None:
    workspace.write(user="me:s3cr3t@")
    assert workspace.chosen(target) == workspace.chosen(target)
    assert workspace.parsed == 2
    assert all(b"s3cr3t" not in path.read_bytes() for path in (workspace.root / "memory").iterdir())


def test_a_damaged_answer_is_none(workspace: Workspace, target: Target) -> None:
    first = workspace.chosen(target)
    for path in (workspace.root / "memory").iterdir():
        path.write_bytes(path.read_bytes().replace(b"demo", b"demi"))
    assert workspace.chosen(target) == first
    assert workspace.parsed == 2
