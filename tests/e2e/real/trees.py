"""Every path of a root file system with all that an application can see of it, and where two of them differ.

entries = tree(root)                        # {"usr/bin/git": Entry(...), ...}
for difference in compare(theirs, ours): ...
"""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Not part of an image: the kernel's.
_MOUNTED: Final = frozenset({"dev", "proc", "sys"})
_CAPABILITY: Final = "security.capability"
_KINDS: Final = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "link"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One path.

    Attributes:
        kind: `file`, `directory`, `link` or `other`.
        detail: A file's SHA-256, or a link's target.
        capability: What the program may do although its user may not (capabilities(7)), in hex.
    """

    kind: str
    mode: str
    owner: str
    detail: str = ""
    capability: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """One path that is not the same in two trees; an entry that is missing is none."""

    path: str
    theirs: Entry | None
    ours: Entry | None

    @property
    def what(self) -> tuple[str, ...]:
        """`missing`, `added`, or the names of the attributes that differ."""
        if self.theirs is None or self.ours is None:
            return ("added",) if self.theirs is None else ("missing",)
        return tuple(
            field.name for field in fields(Entry) if getattr(self.theirs, field.name) != getattr(self.ours, field.name)
        )

    def __str__(self) -> str:
        return f"/{self.path} {', '.join(self.what)}: apt has {self.theirs}, the image has {self.ours}"


def tree(root: Path) -> dict[str, Entry]:
    """Every path below `root`."""
    return {path.relative_to(root).as_posix(): _entry(path) for path in _walk(root)}


def compare(theirs: Mapping[str, Entry], ours: Mapping[str, Entry]) -> list[Difference]:
    """All differences, by path."""
    return [
        Difference(path=path, theirs=theirs.get(path), ours=ours.get(path))
        for path in sorted(theirs.keys() | ours.keys())
        if theirs.get(path) != ours.get(path)
    ]


def _walk(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        if Path(folder) == root:
            folders[:] = [name for name in folders if name not in _MOUNTED]
        yield from (Path(folder, name) for name in (*folders, *files))


def _entry(path: Path) -> Entry:
    status = path.lstat()
    kind = _KINDS.get(stat.S_IFMT(status.st_mode), "other")
    detail = capability = ""
    if kind == "link":
        detail = str(path.readlink())
    elif kind == "file":
        detail = hashlib.sha256(path.read_bytes()).hexdigest()
        if _CAPABILITY in os.listxattr(path):
            capability = os.getxattr(path, _CAPABILITY).hex()
    mode = oct(stat.S_IMODE(status.st_mode))
    return Entry(kind=kind, mode=mode, owner=f"{status.st_uid}:{status.st_gid}", detail=detail, capability=capability)
