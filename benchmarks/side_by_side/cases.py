"""The projects that are built: what they need, their wheels, their locks.

with serve_wheels(case) as index:
    project = make_project(case, index, directory)
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from uv import find_uv_bin

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parents[1]
PYTHON = "3.11"  # of the base image that `tools/base_image.py` makes
_MANYLINUX = ("manylinux_2_28", "manylinux_2_27", "manylinux_2_24", "manylinux_2_17", "manylinux2014")
_PYPROJECT = """\
[project]
name = "{name}"
version = "1.0.0"
requires-python = "=={python}.*"
dependencies = {dependencies}

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
    print({versions})


if __name__ == "__main__":
    main()
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """A project to build.

    Attributes:
        dependencies: As in `pyproject.toml`.
        modules: What must import in the image.
        file: The project's one file, and what stands in it.
        timed: Whether all contenders build it, or only our memory is measured.
    """

    name: str
    dependencies: tuple[str, ...]
    modules: tuple[str, ...]
    file: tuple[str, str]
    timed: bool = True


def _job(*modules: str) -> tuple[str, str]:
    versions = ", ".join(f"{module}.__version__" for module in modules)
    return "main.py", _JOB.format(modules=", ".join(modules), versions=versions)


CASES = {
    case.name: case
    for case in (
        Case(
            name="light",
            dependencies=("fastapi", "uvicorn"),
            modules=("fastapi", "uvicorn", "pydantic_core"),
            file=("main.py", _SERVER),
        ),
        Case(
            name="heavy",
            dependencies=("numpy", "pandas", "scipy", "scikit-learn"),
            modules=("numpy", "pandas", "scipy", "sklearn"),
            file=_job("numpy", "pandas", "scipy", "sklearn"),
        ),
        Case(
            name="huge",
            dependencies=("torch==2.13.0",),
            modules=("torch",),
            file=_job("torch"),
            timed=False,
        ),
    )
}


def wheels(case: Case) -> Path:
    """The wheels of a case, downloaded once with pip as it is set up here, and kept for the next run.

    Raises:
        subprocess.CalledProcessError: They cannot be had.
    """
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pycontainer-workspace"
    folder = caches / f"benchmark-{case.name}-{PYTHON}"
    if not (folder / "complete").exists():
        pip: list[str | Path] = [find_uv_bin(), "tool", "run", "--quiet", "pip", "download", "-qq", "--dest", folder]
        platforms = [f"--platform={name}_{os.uname().machine}" for name in _MANYLINUX]
        chosen = ["--only-binary=:all:", f"--python-version={PYTHON}", *platforms]
        subprocess.run([*pip, *chosen, *case.dependencies], check=True)
        (folder / "complete").touch()
    return folder


@contextmanager
def serve_wheels(case: Case) -> Iterator[str]:
    """The address of an index that has the wheels of a case."""
    command: list[str | Path] = [sys.executable, "-m", "side_by_side.index", wheels(case)]
    with subprocess.Popen(command, cwd=HERE, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        finally:
            server.terminate()


def make_project(case: Case, index: str, directory: Path) -> Path:
    """Write the project of a case and lock it against an index.

    Raises:
        subprocess.CalledProcessError: It cannot be locked.
    """
    directory.mkdir(parents=True)
    name, content = case.file
    dependencies = "[" + ", ".join(f'"{each}"' for each in case.dependencies) + "]"
    pyproject = _PYPROJECT.format(name=case.name, python=PYTHON, dependencies=dependencies, index=index)
    (directory / "pyproject.toml").write_text(pyproject)
    (directory / name).write_text(content)
    # A lock needs an interpreter of the right version only to ask for its version.
    env = {**os.environ, "UV_NO_CACHE": "1", "UV_NO_PROGRESS": "1"}
    subprocess.run([find_uv_bin(), "lock", "--quiet"], cwd=directory, env=env, check=True)
    return directory
