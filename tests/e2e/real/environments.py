"""Compare an environment in an image with the one that uv makes at the same place, file by file.

    differences(theirs=Path(".../uv/.venv"), ours=Path(".../rootfs/app/.venv"))      # [] when they are the same

Paths, kinds, modes, link targets and contents must be equal. Every difference that may be is in `ONLY_UV` or `DIFFERS`.
"""

from __future__ import annotations

import ast
import csv
import os
import re
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

# Files that only uv writes: a pattern for the path in the environment → the reason.
ONLY_UV: Final = {
    r"\.lock": "guards the environment against a second uv; an image does not change",
    r"\.gitignore": "keeps the environment out of a repository",
    r"CACHEDIR\.TAG": "keeps it out of backups",
    r"bin/(de)?activate[^/]*": "for interactive shells; an image has `PATH`",
    r"bin/pydoc\.bat": "for interactive shells",
    r"lib/.*\.dist-info/uv_(cache|build)\.json": "uv's own memory of how it built",
    r"lib/.*\.dist-info/REQUESTED": "uv writes it for every package of a lock; PEP 376 means what a user asked for",
    r"lib/.*\.dist-info/direct_url\.json": "a directory of the host that built, which an image has no part of",
}
# Files whose content differs: a pattern → the reason. How far they may differ, `_same_in_meaning` says.
DIFFERS: Final = {
    r"lib/.*\.dist-info/INSTALLER": "says who installed",
    r"lib/.*\.dist-info/RECORD": "has the rows of the files named here",
    r"pyvenv\.cfg": "names uv and the prompt of interactive shells",
    r"bin/[^/]+": "scripts for entry points: uv's also serve Windows",
}
_ONLY_UV_FIELDS: Final = ("uv = ", "prompt = ")


def differences(*, theirs: Path, ours: Path) -> list[str]:
    """What tells our environment from uv's and is not explained, a line each."""
    trees = tree(theirs), tree(ours)
    found = []
    for path in sorted(trees[0].keys() | trees[1].keys()):
        their, our = (each.get(path) for each in trees)
        if their == our:
            continue
        if explained(path, DIFFERS if our else ONLY_UV) and (not our or _same_in_meaning(path, theirs, ours)):
            continue
        found.append(f"{path}: uv has {their}, the image has {our}")
    return found


def tree(root: Path) -> dict[str, tuple[str, str, str]]:
    """Every path below `root`: kind, mode, and content's hash or link's target; bytecode left out."""
    found = {}
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name != "__pycache__"]
        for name in (*folders, *files):
            path = Path(folder, name)
            mode = oct(path.lstat().st_mode & 0o7777)
            if path.is_symlink():
                entry = ("link", mode, str(path.readlink()))
            elif path.is_dir():
                entry = ("directory", mode, "")
            else:
                entry = ("file", mode, sha256(path.read_bytes()).hexdigest())
            found[path.relative_to(root).as_posix()] = entry
    return found


def explained(path: str, reasons: Mapping[str, str]) -> str | None:
    """Why a path may differ, if it may."""
    return next((reason for pattern, reason in reasons.items() if re.fullmatch(pattern, path)), None)


def _same_in_meaning(path: str, their_root: Path, our_root: Path) -> bool:
    theirs, ours = their_root / path, our_root / path
    if not theirs.is_file() or theirs.lstat().st_mode != ours.lstat().st_mode:
        return False
    if path.endswith("INSTALLER"):
        return (theirs.read_text().strip(), ours.read_text().strip()) == ("uv", "pycontainer")
    if path.endswith("RECORD"):
        return _record(theirs, their_root) == _record(ours, our_root)
    if path == "pyvenv.cfg":
        kept = [line for line in theirs.read_text().splitlines() if not line.startswith(_ONLY_UV_FIELDS)]
        return kept == ours.read_text().splitlines()
    return entry_point(theirs) is not None and entry_point(theirs) == entry_point(ours)


def _record(path: Path, root: Path) -> dict[str, list[str]]:
    """The rows, without those of files that are explained."""
    rows = {}
    for row in csv.reader(path.read_text(encoding="utf-8").splitlines()):
        file = Path(os.path.normpath(path.parent.parent / row[0]))
        relative = file.relative_to(root).as_posix()
        assert file.exists(), f"{path} names {row[0]}, which is not there"
        if not explained(relative, {**ONLY_UV, **DIFFERS}) or (relative.startswith("bin/") and not entry_point(file)):
            rows[relative] = row[1:]
    return rows


def entry_point(path: Path) -> list[str] | None:
    """What a script for an entry point does: its first line, what it imports, what it calls; none for other files."""
    content = path.read_bytes()
    if not content.startswith(b"#!"):
        return None
    try:
        nodes = list(ast.walk(ast.parse(content)))
    except (SyntaxError, ValueError):
        return None
    calls = [ast.unparse(node) for node in nodes if isinstance(node, ast.Call) and "sys.exit" in ast.unparse(node.func)]
    imports = [ast.unparse(node) for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    if len(calls) != 1 or len(imports) != 2:  # `sys` and the entry point
        return None
    return [content.splitlines()[0].decode(), *imports, *calls]
