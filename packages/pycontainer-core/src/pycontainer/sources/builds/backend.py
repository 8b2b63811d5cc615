"""What a source tree says about how it is built (*pyproject.toml specification*, `[build-system]`)."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pycontainer.sources.tables import read_text, read_toml, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pycontainer.blobs.fingerprints import Fingerprints, KnownFiles

_SETUPTOOLS = "setuptools.build_meta"
_DECLARATIVE = frozenset(
    {"hatchling.build", "poetry.core.masonry.api", "flit_core.buildapi", "uv_build", "pdm.backend", _SETUPTOOLS}
)
# Never part of a wheel, and changed by other programs all the time.
_SKIPPED = frozenset(
    {".git", ".hg", ".svn", "__pycache__", ".venv", "venv", ".tox", ".nox", "node_modules", ".mypy_cache"}
    | {".ruff_cache", ".pytest_cache", ".hypothesis", ".idea", ".vscode", ".eggs", ".DS_Store", ".coverage"}
)
_OUTPUTS = ("build", "dist", "target")
_VARIABLES = ("HATCH_", "SETUPTOOLS_SCM_", "VCS_VERSIONING_", "POETRY_", "PDM_", "FLIT_", "PBR_")
# A tree beyond these takes as long to hash as to build.
_MAX_FILES = 20_000
_MAX_BYTES = 256 << 20
_GIT_TIMEOUT = 10.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Backend:
    """The backend of a tree.

    Attributes:
        name: Its import path; setuptools where none is named (PEP 517, *Source trees*).
        tables: The whole parsed `pyproject.toml`.
    """

    name: str
    tables: Mapping[str, Any]

    @classmethod
    def of(cls, tree: Path) -> Backend:
        """Read the `pyproject.toml` of a tree.

        Raises:
            ConfigError: It cannot be read.
        """
        tables = read_toml(tree / "pyproject.toml") or {}
        name = table(tables, "build-system").get("build-backend")
        return cls(name=name if isinstance(name, str) else f"{_SETUPTOOLS}:__legacy__", tables=tables)

    @property
    def is_setuptools(self) -> bool:
        """Whether it packs what lies in `build/`, however old it is."""
        return self.name.startswith("setuptools.")

    def is_declarative(self, tree: Path) -> bool:
        """Whether the wheel is a function of the tree alone: no code of the project's runs to build it."""
        hatch = table(self.tables, "tool", "hatch", "build")
        hooks = {*table(hatch, "hooks"), *table(hatch, "targets", "wheel", "hooks")} - {"vcs"}
        scripted = (
            hooks
            or (tree / "setup.py").exists()
            or "backend-path" in table(self.tables, "build-system")
            or "build" in table(self.tables, "tool", "poetry")
            or "build" in table(self.tables, "tool", "pdm")
            or "ext-modules" in table(self.tables, "tool", "setuptools")
        )
        outside = ".." in json.dumps(hatch, default=str) or ".." in json.dumps(
            table(self.tables, "tool", "poetry"), default=str
        )
        return self.name in _DECLARATIVE and not scripted and not outside

    @property
    def asks_git(self) -> bool:
        """Whether the version may come from version control."""
        dynamic = table(self.tables, "project").get("dynamic", ())
        return (isinstance(dynamic, list) and "version" in dynamic) or "project" not in self.tables


def tree_key(
    tree: Path, backend: Backend, *, variables: Mapping[str, str], python: str, fingerprints: Fingerprints
) -> str | None:
    """A name for everything that a wheel of this tree is made from; none where nobody can know what that is.

    Paths, executable bits and content of all files but caches and environments count, and so do the variables that
    backends read and, where the version may come from it, what git says.
    """
    if not backend.is_declarative(tree):
        return None
    with fingerprints.below(tree, "wheel") as known:
        files = list(_hashed_files(tree, read_text(tree / "pyproject.toml") or "", known))
    described = _describe(tree) if backend.asks_git else ""
    if described is None or (files and files[-1] is None):
        return None
    inputs = {
        "v": 1,
        "files": files,
        "python": python,
        "variables": {name: value for name, value in sorted(variables.items()) if _counts(name)},
        "git": described,
    }
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()


def _counts(name: str) -> bool:
    return name == "SOURCE_DATE_EPOCH" or (name.startswith(_VARIABLES) and not name.startswith("POETRY_HTTP_"))


def _hashed_files(tree: Path, pyproject: str, known: KnownFiles) -> Iterator[tuple[str, bool, str] | None]:
    """Path, executable bit and sha256 of every file; ends with none where the tree is too large or unreadable."""
    skipped_above = {name for name in _OUTPUTS if not re.search(rf"""["'/]{name}\b""", pyproject)}
    count = size = 0
    try:
        for relative, path, status in _walk(tree, "", skipped_above):
            count, size = count + 1, size + status.st_size
            if count > _MAX_FILES or size > _MAX_BYTES:
                yield None
                return
            if stat.S_ISLNK(status.st_mode):
                sha256 = hashlib.sha256(os.fsencode(os.readlink(path))).hexdigest()  # noqa: PTH115 - as it is written
            else:
                sha256 = known.sha256(relative, path, status)
            yield relative, bool(status.st_mode & 0o100), sha256
    except OSError:
        yield None


def _walk(folder: Path, relative: str, skipped: set[str]) -> Iterator[tuple[str, str, os.stat_result]]:
    """Path relative to the tree, path and status of every file and link."""
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if entry.name in _SKIPPED or entry.name in skipped or entry.name.endswith((".pyc", ".egg-info")):
            continue
        if entry.is_dir(follow_symlinks=False):
            path = folder / entry.name
            if not (path / "pyvenv.cfg").exists():
                yield from _walk(path, f"{relative}{entry.name}/", set())
        elif entry.is_file(follow_symlinks=False) or entry.is_symlink():
            yield f"{relative}{entry.name}", entry.path, entry.stat(follow_symlinks=False)


def _describe(tree: Path) -> str | None:
    """The commit, the nearest tag, and whether files were changed since; none where git does not answer in time."""
    command = ["git", "-C", str(tree), "describe", "--tags", "--long", "--always", "--dirty", "--abbrev=40"]
    try:
        done = subprocess.run(  # noqa: S603 - fixed arguments, no shell
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_GIT_TIMEOUT, check=False
        )
        head = subprocess.run(  # noqa: S603 - as above
            ["git", "-C", str(tree), "symbolic-ref", "--quiet", "--short", "HEAD"],  # noqa: S607 - the user's own git
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_GIT_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None
    except OSError:
        return ""
    return f"{done.stdout.strip()} {head.stdout.strip()}"
