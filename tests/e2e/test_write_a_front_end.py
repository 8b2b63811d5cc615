"""The front end of `docs/how-to/write-a-front-end.md` works: in the real PDM it makes an image that runs."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from real.programs import run
from real.samples import uv

if TYPE_CHECKING:
    from subprocess import CompletedProcess

    from real.engines import DockerLike
    from real.registry import Registry

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "how-to" / "write-a-front-end.md"
# PDM's own dependencies are not pinned, and some of their later releases do not go together.
PDM_DATE = "2026-10-15"
PROJECT = """\
[build-system]
requires = ["pdm-backend"]
build-backend = "pdm.backend"

[project]
name = "greeter"
version = "1.0"
requires-python = ">=3.10"
dependencies = ["idna"]
scripts = { greet = "greeter:main" }

[project.optional-dependencies]
loud = ["sniffio"]

[tool.pdm.container]
labels = { from = "PDM" }
"""
CODE = """\
from importlib.util import find_spec

import idna


def main() -> None:
    print("hello", idna.encode("köln").decode(), "loud" if find_spec("sniffio") else "quiet")
"""


def block(language: str) -> str:
    """The one piece of code of the page in a language."""
    (code,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return str(code)


@dataclass(frozen=True, kw_only=True)
class Pdm:
    """The real PDM, in a virtual environment of its own, with a home that is not the user's."""

    program: Path
    home: Path

    def __call__(self, *words: str | Path, cwd: Path, status: int = 0) -> CompletedProcess[str]:
        env = {
            "HOME": str(self.home),
            "PDM_CHECK_UPDATE": "false",
            "PDM_IGNORE_SAVED_PYTHON": "1",
            "COLUMNS": "200",
            "PYCONTAINER_CACHE_DIR": str(self.home / "cache"),
        }
        return run(self.program, *words, cwd=cwd, env=env, status=status)


@pytest.fixture(scope="module")
def pdm(tmp_path_factory: pytest.TempPathFactory) -> Pdm:
    """PDM with the plugin of the page."""
    root = tmp_path_factory.mktemp("pdm")
    plugin = root / "plugin"
    plugin.mkdir()
    (plugin / "pyproject.toml").write_text(block("toml"), "utf-8")
    (plugin / "pdm_pycontainer.py").write_text(block("python"), "utf-8")
    python = root / "venv" / "bin" / "python"
    install = ("pip", "install", "--quiet", "--python", python, "--link-mode", "hardlink")
    uv("venv", "--quiet", root / "venv")
    uv(*install, "--exclude-newer", PDM_DATE, "pdm")
    uv(*install, ROOT / "packages" / "pycontainer-core", plugin)
    home = root / "home"
    home.mkdir()
    return Pdm(program=python.parent / "pdm", home=home)


@pytest.fixture(scope="module")
def project(pdm: Pdm, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that PDM has locked."""
    root = tmp_path_factory.mktemp("projects") / "greeter"
    (root / "src" / "greeter").mkdir(parents=True)
    (root / "pyproject.toml").write_text(PROJECT, "utf-8")
    (root / "src" / "greeter" / "__init__.py").write_text(CODE, "utf-8")
    pdm("lock", "--group", ":all", cwd=root)
    return root


def test_the_page_keeps_its_promise_of_less_than_a_hundred_lines() -> None:
    assert len(block("python").splitlines()) < 100


def test_the_front_end_of_the_page_pushes_an_image_that_runs(
    pdm: Pdm, project: Path, registry: Registry, base_image: str, podman: DockerLike
) -> None:
    tag = registry.reference("greeter:1")

    built = pdm("build-container", "--base-image", base_image, "--tag", tag, "--push", cwd=project)

    digest, manifest = registry.manifest("greeter", "1")
    assert built.stdout == f"{registry.reference('greeter')}@{digest}\n", "alone on standard output"
    assert "moved" in built.stderr
    config = json.loads(registry.blob("greeter", manifest["config"]["digest"]))
    assert config["config"]["Labels"]["from"] == "PDM", "the tool's own table is read"
    podman.pull(tag)
    assert podman.run(tag).stdout == "hello xn--kln-sna quiet\n"


def test_its_groups_are_those_of_the_tool(pdm: Pdm, project: Path, base_image: str) -> None:
    planned = pdm("build-container", "--group", "loud", "--base-image", base_image, "--dry-run", cwd=project)

    assert "sniffio" in planned.stdout


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (("--group", "nope"), 1, "The lock has no group `nope`"),
        (("--platform", "linux/amd64,moon"), 2, "`moon` is not a platform\n  set by: --platform"),
        (("--lockfile", "other.lock"), 1, "hint: Run `pdm lock`"),
    ],
    ids=["group", "option", "lock"],
)
def test_its_errors_are_messages(
    pdm: Pdm, project: Path, base_image: str, words: tuple[str, ...], status: int, told: str
) -> None:
    failed = pdm("build-container", "--base-image", base_image, *words, cwd=project, status=status)

    assert told in failed.stderr
    assert failed.stdout == ""
    assert "Traceback" not in failed.stderr


def test_its_lock_is_as_fresh_as_the_tool_says(pdm: Pdm, project: Path, base_image: str, tmp_path: Path) -> None:
    changed = tmp_path / "changed"
    changed.mkdir()
    for name in ("pyproject.toml", "pdm.lock"):
        text = (project / name).read_text("utf-8")
        (changed / name).write_text(
            text.replace('dependencies = ["idna"]', 'dependencies = ["idna", "sniffio"]'), "utf-8"
        )

    failed = pdm("build-container", "--base-image", base_image, cwd=changed, status=1)

    assert "`pdm.lock` is older than `pyproject.toml`" in failed.stderr
