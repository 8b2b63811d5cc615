"""Which file is a project's lock, and which reader it needs.

path = find_lock(root)
lock = read_lock(path) if path else None
"""

from __future__ import annotations

import fnmatch
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pycontainer import events
from pycontainer.errors import LockError
from pycontainer.sources.locks.document import read_content

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Callable

    from pycontainer.events import Emit
    from pycontainer.sources.locks.model import Lock
    from pycontainer.sources.locks.remembered import LockMemory

SUPPORTED = ("uv.lock", "pylock.toml", "poetry.lock", "pdm.lock", "requirements.txt")
_BESIDE_PROJECT = SUPPORTED[1:]
_PYLOCK = ("pylock.toml", "pylock.*.toml")


def find_lock(root: Path, explicit: str | Path | None = None) -> Path | None:
    """The lock file of the project in `root`, or none.

    In this order: the one that the user named, relative to `root`; `uv.lock` of the workspace that the project is in,
    or its own; then `pylock.toml`, `poetry.lock`, `pdm.lock` and `requirements.txt` beside `pyproject.toml`.

    Raises:
        LockError: The named file does not exist.
    """
    root = Path(root).resolve()
    if explicit is not None:
        path = root / explicit
        if not path.is_file():
            raise LockError(f"The lock file `{explicit}` does not exist", facts=[f"looked for: {path}"])
        return path
    lock = _workspace_root(root) / "uv.lock"
    if lock.is_file():
        return lock
    return next((path for name in _BESIDE_PROJECT if (path := root / name).is_file()), None)


def read_lock(path: Path, *, memory: LockMemory | None = None, emit: Emit = events.ignore) -> Lock:
    """Read a lock file of any supported format, which its name says; what is odd about it is emitted as warnings.

    Args:
        path: The file.
        memory: Where locks that were found fresh before are known, and not parsed again.
        emit: Takes warnings.

    Raises:
        LockError: The format is unknown or not supported, or the file is malformed.
    """
    path = Path(path).resolve()
    content = read_content(path)
    # The reader is imported only where the lock is parsed.
    known = memory.find(path, content, lambda path, content: _reader(path)(path, content)) if memory else None
    if known is not None:
        return known
    lock = _reader(path)(path, content)
    for warning in lock.warnings:
        emit(events.Warned(message=warning))
    return lock


def _reader(path: Path) -> Callable[[Path, bytes], Lock]:
    """The reader for a file name; readers are imported only where they are needed."""
    name = path.name
    if name == "Pipfile.lock":
        raise LockError(
            "`Pipfile.lock` is not supported, since it is made for one machine and names no files",
            facts=[str(path)],
            hint="Run `pipenv requirements --hash > requirements.txt`, or lock with uv, Poetry or PDM",
        )
    if name == "uv.lock":
        from pycontainer.sources.locks.uv import UvLock  # noqa: PLC0415

        return UvLock.read
    if any(fnmatch.fnmatchcase(name, pattern) for pattern in _PYLOCK):
        from pycontainer.sources.locks.pylock import PyLock  # noqa: PLC0415

        return PyLock.read
    if name == "poetry.lock":
        from pycontainer.sources.locks.poetry import PoetryLock  # noqa: PLC0415

        return PoetryLock.read
    if name == "pdm.lock":
        from pycontainer.sources.locks.pdm import PdmLock  # noqa: PLC0415

        return PdmLock.read
    if path.suffix in {".txt", ".in"}:
        from pycontainer.sources.locks.requirements import RequirementsLock  # noqa: PLC0415

        return RequirementsLock.read
    raise LockError(
        f"`{name}` is not a lock file of a known format",
        facts=[str(path), "supported: " + ", ".join(f"`{each}`" for each in (*SUPPORTED, "pylock.<name>.toml"))],
    )


def _workspace_root(root: Path) -> Path:
    """The directory whose `uv.lock` counts: the workspace's, where the project is a member of one.

    uv looks upwards for a `pyproject.toml` with `[tool.uv.workspace]` and stops at the first (uv documentation,
    *Workspaces*); a `uv.lock` inside a member is left over from before, and ignored.
    """
    if _workspace(root) is not None:
        return root
    for parent in root.parents:
        workspace = _workspace(parent)
        if workspace is not None:
            place = root.relative_to(parent)
            member = _matches(place, workspace.get("members")) and not _matches(place, workspace.get("exclude"))
            return parent if member else root
    return root


def _workspace(directory: Path) -> dict[str, Any] | None:
    try:
        document = tomllib.loads((directory / "pyproject.toml").read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return None  # whoever reads the project itself tells what is wrong with it
    for key in ("tool", "uv", "workspace"):
        document = document.get(key, {})
        if not isinstance(document, dict):
            return None
    return document or None


def _matches(place: Path, patterns: Any) -> bool:
    """Whether a relative path matches one of the globs, part by part (`*` does not cross a `/`, `**` does)."""
    parts = place.parts
    if not isinstance(patterns, list):
        return False
    return any(isinstance(pattern, str) and _matches_parts(parts, Path(pattern).parts) for pattern in patterns)


def _matches_parts(parts: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return any(_matches_parts(parts[start:], pattern[1:]) for start in range(len(parts) + 1))
    return bool(parts) and fnmatch.fnmatchcase(parts[0], pattern[0]) and _matches_parts(parts[1:], pattern[1:])
