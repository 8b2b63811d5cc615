"""Tar entries as values: what stands in a layer under one path.

Entry(path="app/main.py", kind=Kind.FILE, mode=0o644, size=120)
"""

from __future__ import annotations

import re
from enum import Enum

from pycontainer.errors import DocumentError
from pycontainer.value import Value

# Nothing in a reproducible image has a time of its own, so all get one. Zero, and Jib's one second, are before 1980,
# which is as early as a zip archive can say: a program in the container that zips its own files would fail. Midnight
# of 2 January 1980, UTC, is late enough in every time zone. (Cloud Native Buildpacks chose 1980 for the same reason.)
MTIME = 315_619_200

_MAX_COMPONENT = 255  # NAME_MAX of every file system that images are unpacked to
_MAX_PATH = 4096  # PATH_MAX
# An empty component (leading, trailing or double slash), `.`, `..`, a whiteout, a NUL.
_FORBIDDEN = re.compile(r"(?:^|/)(?:\.{0,2}(?:/|\Z)|\.wh\.)|\0")


class Kind(Enum):
    """The kinds of entries, by the type flag that they have in a tar header."""

    FILE = "0"
    HARD_LINK = "1"
    SYMLINK = "2"
    CHARACTER_DEVICE = "3"
    BLOCK_DEVICE = "4"
    DIRECTORY = "5"
    FIFO = "6"


class Entry(Value, frozen=True, kw_only=True):
    """One entry of a layer.

    Attributes:
        path: Relative to the image's root, without leading or trailing slash; the root itself is empty.
        kind: What it is.
        mode: Permission bits, with set-user-ID, set-group-ID and sticky.
        uid: The owner's number.
        gid: The group's number.
        size: Bytes of content; 0 for all but files.
        mtime: Seconds since the epoch.
        target: Of a symbolic link, as it is stored; of a hard link, a path like `path`.
        user: The owner's name, where the archive tells it; what counts in a layer is the number.
        group: The group's name.
    """

    path: str
    kind: Kind
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    size: int = 0
    mtime: int = MTIME
    target: str = ""
    user: str = ""
    group: str = ""


def checked_path(path: str) -> str:
    """The path, when it may stand in a layer that we write.

    Raises:
        DocumentError: It is empty, absolute, leaves the root, is too long, has a NUL or a character that has no UTF-8
            form, or would be read as a whiteout (image-spec, *layer.md*, Whiteouts).
    """
    try:
        encoded = path.encode()
    except UnicodeEncodeError as error:
        raise _unusable(path, "it is not valid Unicode") from error
    if _FORBIDDEN.search(path):
        raise _unusable(path, "it must be relative, without empty, `.`, `..` or `.wh.*` parts, and without NUL")
    if len(encoded) > _MAX_COMPONENT and (
        len(encoded) > _MAX_PATH or any(len(part) > _MAX_COMPONENT for part in encoded.split(b"/"))
    ):
        raise _unusable(path, f"it is longer than {_MAX_PATH} bytes, or a part of it than {_MAX_COMPONENT}")
    return path


def contained_path(path: str) -> str:
    """A path as an archive has it, resolved as if the image's root were all there is.

    Leading slashes, `.` and what would climb above the root are dropped, which is what the container engines do; no
    file system is looked at.
    """
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in {"", "."}:
            parts.append(part)
    return "/".join(parts)


def _unusable(path: str, why: str) -> DocumentError:
    shown = ascii(path[:_MAX_COMPONENT])[1:-1]
    return DocumentError(f"`{shown}` cannot be a path in a layer", facts=[why])
