"""Resolves the dependencies of a project that has no lock, with uv, for this one build.

    lock = resolve(root, PythonVersion(3, 12), Choice(extras=frozenset({"web"})), uv=uv, emit=emit)

The result is a `pylock.toml` in memory, for all platforms at once, read like any other. What it holds depends on the
day, so it is said aloud: only a lock makes builds repeatable.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from pycontainer.errors import LockError, ToolError
from pycontainer.events import PhaseStarted, Warned, ignore
from pycontainer.sources.locks.pylock import PyLock
from pycontainer.sources.tables import read_toml, table
from pycontainer.sources.uv import MISSING_HINT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pycontainer.events import Emit
    from pycontainer.sources.locks import Choice, Lock
    from pycontainer.sources.target import PythonVersion
    from pycontainer.sources.uv import Uv

_SETUP_FILES = ("setup.py", "setup.cfg")
# Tools that lock, and the build backend that each brings: the table of one says more than a backend.
_BACKENDS = {"uv": "uv_build", "poetry": "poetry.core", "pdm": "pdm.backend"}


def resolve(
    root: Path,
    python: PythonVersion,
    choice: Choice,
    *,
    uv: Uv | None,
    no_build: bool = False,
    emit: Emit = ignore,
) -> Lock:
    """A lock of the project's dependencies as the indexes have them now.

    Extras and groups are resolved into it (`Lock.is_resolved`): select from it with `Choice()`.

    Args:
        root: The project; `pyproject.toml`, `requirements.in`, `setup.cfg` or `setup.py` in it is read.
        python: The oldest Python that it must hold for.
        choice: The extras and groups to include.
        uv: The program.
        no_build: Whether no sdist may be built, not even to read its metadata.
        emit: Hears that there is no lock.

    Raises:
        LockError: The project states no dependencies to resolve, or they have no solution.
        ToolError: uv is missing.
    """
    source = _input(root)
    if uv is None:
        raise ToolError(
            "The project has no lock, and uv, which could resolve its dependencies, is not installed",
            facts=[f"project: {root}"],
            hint=f"{lock_hint(root)}, or: {MISSING_HINT[0].lower()}{MISSING_HINT[1:]}",
        )
    emit(PhaseStarted(name="resolve"))
    emit(
        Warned(
            message="The project has no lock, so its dependencies are resolved now",
            facts=(f"from: {source.name}", "the same build may give another image tomorrow"),
            hint=lock_hint(root),
        )
    )
    arguments = [
        *(
            "pip",
            "compile",
            *([] if choice.only_groups else [source.name]),
            "--universal",
            "--format",
            "pylock.toml",
            "--generate-hashes",
        ),
        *("--python-version", python.feature, "--python", sys.executable, "--no-header", "--quiet"),
        *_chosen(choice, root, source),
        *(["--no-build"] if no_build else []),
    ]
    done = uv.run(arguments, cwd=root)
    if done.status != 0:
        raise LockError(
            f"The dependencies of `{root.name}` cannot be resolved for Python {python.feature}",
            facts=uv.shown(done.errors),
        )
    # The file never exists, but what it names by relative paths is relative to where it would be.
    lock = PyLock.read(root / "pylock.toml", done.output.encode())
    lock.is_resolved = True
    return lock


def _input(root: Path) -> Path:
    """What states the dependencies."""
    tables = read_toml(root / "pyproject.toml") or {}
    if "project" in tables or table(tables, "tool", "poetry"):
        return root / "pyproject.toml"
    for name in ("requirements.in", *_SETUP_FILES):
        if (root / name).is_file():
            return root / name
    raise LockError(
        "The project states no dependencies and has no lock",
        facts=[f"project: {root}", "looked for: `[project]` in pyproject.toml, requirements.in, setup.cfg, setup.py"],
        hint="Add a `[project]` table to `pyproject.toml`, or a `requirements.txt`",
    )


def lock_hint(root: Path) -> str:
    """How a lock is made of a project: with the tool that it is written for, else with uv.

    Raises:
        LockError: Nothing in it states dependencies.
    """
    source = _input(root)
    if source.name != "pyproject.toml":
        return f"Run `uv pip compile {source.name} --generate-hashes -o requirements.txt` and commit the file"
    tool = _tool(read_toml(source) or {})
    return f"Run `{tool} lock` and commit `{tool}.lock`"


def _tool(tables: Mapping[str, Any]) -> str:
    """The tool whose table stands in `pyproject.toml`; where none does, the one whose build backend is used."""
    for tool in _BACKENDS:
        if table(tables, "tool", tool):
            return tool
    backend = str(table(tables, "build-system").get("build-backend"))
    return next((tool for tool, name in _BACKENDS.items() if backend.startswith(name)), "uv")


def _chosen(choice: Choice, root: Path, source: Path) -> Iterator[str]:
    if source.name != "pyproject.toml":
        return
    if not choice.only_groups:
        yield from ["--all-extras"] if choice.all_extras else []
        yield from (f"--extra={extra}" for extra in sorted(choice.extras))
    groups = set(choice.groups)
    if choice.all_groups:
        groups |= set(table(read_toml(source) or {}, "dependency-groups"))
    for group in sorted(groups):
        yield f"--group={root / 'pyproject.toml'}:{group}"
