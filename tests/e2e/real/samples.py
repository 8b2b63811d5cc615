"""Sample projects, locked by the real tools, and what each does when it runs.

    project = lock_sample(SAMPLES["flask"], directory)

The samples lie in `tests/projects` without locks, since a lock carries the addresses of the index it was made with.
"""

from __future__ import annotations

import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from real.programs import run

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PROJECTS = Path(__file__).parents[2] / "projects"
# The interpreter that runs the tests serves to make locks, which are for all; nothing is downloaded for it.
UV_ENV = {"UV_PYTHON_DOWNLOADS": "never", "UV_PYTHON": sys.executable, "UV_NO_PROGRESS": "1"}


def uv(*words: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> str:
    """Run uv and return what it says on standard output."""
    from uv import find_uv_bin  # noqa: PLC0415  # not needed to collect the tests

    return run(find_uv_bin(), *words, cwd=cwd, env={**UV_ENV, **(env or {})}).stdout


def _uv_lock(project: Path) -> None:
    uv("lock", cwd=project)


def _poetry_lock(project: Path) -> None:
    # Poetry asks the public index for more than mirrors have; the plugin makes it ask like every other client. The
    # address is the one that uv is set up with, as it stands in any lock that uv makes.
    uv("lock", cwd=project)
    index = re.search(r'registry = "([^"]+)"', (project / "uv.lock").read_text(encoding="utf-8"))
    (project / "uv.lock").unlink()
    poetry = ("tool", "run", "--quiet", "--from", "poetry>=2,<3", "--with", "poetry-plugin-pypi-mirror", "poetry")
    with TemporaryDirectory() as data:
        env = {"POETRY_CACHE_DIR": data, "POETRY_CONFIG_DIR": data, "POETRY_VIRTUALENVS_CREATE": "false"}
        env["POETRY_PYPI_MIRROR_URL"] = f"{index[1].rstrip('/')}/" if index else ""
        uv(*poetry, "lock", "--no-interaction", cwd=project, env=env)


def _requirements(project: Path) -> None:
    options = ("--universal", "--python-version", "3.10", "--generate-hashes", "--no-emit-index-url", "--no-header")
    uv("pip", "compile", "--quiet", *options, "requirements.in", "-o", "requirements.txt", cwd=project)


def _pylock(project: Path) -> None:
    uv("lock", cwd=project)
    uv(
        "export",
        "--quiet",
        "--format",
        "pylock.toml",
        "--no-dev",
        "--no-emit-project",
        "-o",
        "pylock.toml",
        cwd=project,
    )
    (project / "uv.lock").unlink()


def _nothing(project: Path) -> None:
    """Leave a project without dependencies as it is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """A project, how it is locked, and what it does.

    Attributes:
        pages: Path to a fragment of the body, for a server on port 8000.
        arguments: Command line of a run that ends, after the entry point.
        output: Fragments of what that run prints.
        options: Further options of `pycontainer build`.
    """

    name: str
    lock: Callable[[Path], None]
    pages: Mapping[str, str]
    arguments: tuple[str, ...] = ()
    output: tuple[str, ...] = ()
    options: tuple[str, ...] = ()

    @property
    def serves(self) -> bool:
        """Whether the sample is a server rather than a job."""
        return bool(self.pages)


_SAMPLES = (
    Sample(
        name="fastapi",
        lock=_uv_lock,
        pages={"/": "hello from fastapi", "/orders/2": '"item":"käse"', "/orders/9": "no such order"},
    ),
    Sample(name="flask", lock=_poetry_lock, pages={"/": "<li>bread</li>"}),
    Sample(name="django", lock=_requirements, pages={"/": "<p>second</p>"}),
    Sample(name="numbers", lock=_pylock, pages={}, output=("sums {'a': 2, 'b': 4}", "solved [1.0, 2.0]")),
    Sample(
        name="workspace",
        lock=_uv_lock,
        pages={"/?name=sibling": "hello from sibling"},
        options=("--package", "api"),
    ),
    Sample(
        name="src-scripts",
        lock=_uv_lock,
        pages={},
        arguments=("Rome",),
        output=("weather 1.0.0: Rome is sunny",),
    ),
    Sample(name="single-file", lock=_nothing, pages={"/": "hello from a single file"}),
)
SAMPLES: Mapping[str, Sample] = {sample.name: sample for sample in _SAMPLES}


def lock_sample(sample: Sample, target: Path) -> Path:
    """Copy a sample to `target` and lock it there."""
    shutil.copytree(PROJECTS / sample.name, target, ignore=shutil.ignore_patterns("__pycache__", "dist", ".venv"))
    sample.lock(target)
    return target
