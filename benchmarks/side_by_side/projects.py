"""The projects that are built: what they need, their wheels, their locks.

project = PROJECTS["light"]
with serve(wheels(project), log) as index:
    make_project(project, index, directory)
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

from real.programs import free_port, listens, serving
from uv import find_uv_bin

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HERE = Path(__file__).parents[1]
PYTHON = "3.11"  # of the base image that `tools/base_image.py` makes
_MANYLINUX = ("manylinux_2_28", "manylinux_2_27", "manylinux_2_24", "manylinux_2_17", "manylinux2014")
_PYPROJECT = """\
[project]
name = "{name}"
version = "1.0.0"
requires-python = "=={python}.*"
dependencies = [{dependencies}]

[tool.uv]
environments = ["sys_platform == 'linux'"]

[[tool.uv.index]]
name = "local"
url = "{index}/simple"
default = true
"""
_SERVER = """\
from fastapi import FastAPI

app = FastAPI()


@app.get("/")
def hello() -> dict[str, str]:
    return {"hello": "benchmark"}
"""
_JOB = """\
import {modules}


def main() -> None:
    print("here they are:", {modules})


if __name__ == "__main__":
    main()
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Project:
    """A project to build.

    Attributes:
        dependencies: As in `pyproject.toml`.
        modules: What must import in the image.
        content: The project's one file, `main.py`.
        bump: One of the dependencies as it is, and as it is after it was bumped.
    """

    name: str
    dependencies: tuple[str, ...]
    modules: tuple[str, ...]
    content: str
    bump: tuple[str, str] | None = None

    @property
    def bumped(self) -> tuple[str, ...]:
        """The dependencies after one of them was bumped."""
        assert self.bump is not None
        before, after = self.bump
        return tuple(after if each == before else each for each in self.dependencies)


def _job(*modules: str) -> str:
    return _JOB.format(modules=", ".join(modules))


PROJECTS = {
    project.name: project
    for project in (
        Project(
            name="light",
            dependencies=("fastapi", "uvicorn"),
            modules=("fastapi", "uvicorn", "pydantic_core"),
            content=_SERVER,
        ),
        Project(
            name="heavy",
            dependencies=("numpy", "pandas", "scipy", "scikit-learn"),
            modules=("numpy", "pandas", "scipy", "sklearn"),
            content=_job("numpy", "pandas", "scipy", "sklearn"),
        ),
        Project(
            name="huge",
            dependencies=("torch==2.13.0",),
            modules=("torch",),
            content=_job("torch"),
        ),
        Project(
            name="forty",  # packages in the lock
            dependencies=(
                *("fastapi", "uvicorn", "sqlalchemy", "alembic", "httpx", "boto3", "sentry-sdk", "pyjwt"),
                *("pydantic-settings", "structlog", "jinja2", "rich==14.0.0", "tenacity", "orjson"),
            ),
            modules=("fastapi", "sqlalchemy", "boto3", "jwt", "rich", "orjson"),
            content=_SERVER,
            bump=("rich==14.0.0", "rich==14.1.0"),
        ),
        Project(
            name="pure",
            dependencies=("django", "boto3", "rich", "httpx"),
            modules=("django", "boto3", "rich", "httpx"),
            content=_job("django", "boto3", "rich", "httpx"),
        ),
    )
}


def wheels(project: Project) -> Path:
    """The wheels of a project, downloaded once with pip as it is set up here, and kept for the next run.

    Raises:
        subprocess.CalledProcessError: They cannot be had.
    """
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pycontainer-workspace"
    folder = caches / f"benchmark-{project.name}-{PYTHON}"
    if not (folder / "complete").exists():
        pip: list[str | Path] = [find_uv_bin(), "tool", "run", "--quiet", "pip", "download", "-qq", "--dest", folder]
        platforms = [f"--platform={name}_{os.uname().machine}" for name in _MANYLINUX]
        chosen = ["--only-binary=:all:", f"--python-version={PYTHON}", *platforms]
        for dependencies in (project.dependencies, *([project.bumped] if project.bump else [])):
            subprocess.run([*pip, *chosen, *dependencies], check=True)
        (folder / "complete").touch()
    return folder


@dataclass(frozen=True, kw_only=True, slots=True)
class Index:
    """Where an index listens."""

    address: str

    def sent(self) -> int:
        """The bytes of wheels that it has sent so far."""
        with urlopen(f"{self.address}/sent", timeout=30) as answer:  # noqa: S310 - loopback
            return int(answer.read())


@contextmanager
def serve(folder: Path, log: Path) -> Iterator[Index]:
    """An index that has the wheels of a folder, for as long as the context."""
    port = free_port()
    command: list[str | Path] = [sys.executable, "-m", "side_by_side.index", folder, str(port)]
    with serving(command, log=log, ready=lambda: listens(port), env={"PYTHONPATH": str(HERE)}):
        yield Index(address=f"http://127.0.0.1:{port}")


def make_project(project: Project, index: Index, directory: Path) -> Path:
    """Write a project and lock it against an index.

    Raises:
        subprocess.CalledProcessError: It cannot be locked.
    """
    directory.mkdir(parents=True)
    (directory / "main.py").write_text(project.content)
    require(project.dependencies, project.name, index, directory)
    return directory


def require(dependencies: Sequence[str], name: str, index: Index, directory: Path) -> None:
    """Let a project depend on something, and lock it.

    Raises:
        subprocess.CalledProcessError: It cannot be locked.
    """
    quoted = ", ".join(f'"{each}"' for each in dependencies)
    pyproject = _PYPROJECT.format(name=name, python=PYTHON, dependencies=quoted, index=index.address)
    (directory / "pyproject.toml").write_text(pyproject)
    env = {**os.environ, "UV_NO_CACHE": "1", "UV_NO_PROGRESS": "1"}
    subprocess.run([find_uv_bin(), "lock", "--quiet"], cwd=directory, env=env, check=True)
