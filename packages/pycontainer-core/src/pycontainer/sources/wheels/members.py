"""Members of a wheel's zip: what the directory says of one, and what names and modes it may have."""

from __future__ import annotations

import re
import stat
import unicodedata
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from pycontainer.sources.wheels.defects import WheelDefect, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_MAX_COMPONENT = 255  # NAME_MAX of every file system that images are unpacked to
_MAX_PATH = 4096  # PATH_MAX
_FILES = (0, stat.S_IFREG >> 12)
# A drive, a backslash, a control character, and every component that is empty, `.`, `..` or the name of a whiteout
# (image-spec, *layer.md*).
_UNSAFE = re.compile(r"[A-Za-z]:|.*(?:\\|[\x00-\x1f\x7f])|(?:.*/)?(?:\.{0,2}(?:/|\Z)|\.wh\.)", re.DOTALL)
# The same for many names at once, a line each: what none of these finds is safe. Searching is fastest for plain text.
_SUSPICIOUS = ("\\", ":", "//", "\n/", "/\n", "\n\n", "/.", "\n.")
_HARMLESS_DOT = re.compile(r"(?<=[/\n])\.(?![./\n]|wh\.)")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")


class Member(NamedTuple):
    """A file or directory in the zip.

    Attributes:
        name: As in the archive; a directory's ends with a slash.
        method: 0 stored, 8 deflated.
        start: Where its compressed bytes begin in the archive.
        attributes: The external attributes of the directory entry: the Unix mode in their upper half.
    """

    name: str
    method: int
    crc32: int
    compressed_size: int
    size: int
    start: int
    attributes: int

    @property
    def is_directory(self) -> bool:
        """Whether it holds no content."""
        return self.name.endswith("/")

    @property
    def mode(self) -> int:
        """0755 where anybody may execute it, else 0644: set-user-ID, sticky and the like never leave the archive."""
        return 0o755 if self.attributes >> 16 & 0o111 else 0o644


def check_members(members: Sequence[Member]) -> tuple[str, ...]:
    """Check the names and kinds of all members against each other.

    Returns:
        Warnings: names that are one on file systems which ignore case.

    Raises:
        WheelDefect: A name that leaves the archive or that file systems read differently, one that stands twice, a
            file where a directory must be, a link or a device.
    """
    directories = {member.name for member in members if member.name.endswith("/")}
    names = [member.name.removesuffix("/") for member in members]
    _check_names(names)
    _check_unique(names)
    _check_parents(names, {name for name, member in zip(names, members, strict=True) if member.name not in directories})
    for member in members:
        if directories or member.attributes >> 28 not in _FILES:
            _check_kind(member)
    return _case_twins(names)


def is_contained(path: str) -> bool:
    """Whether a path is relative, has no empty, `.` or `..` part, and no characters that mean something elsewhere."""
    return len(path) <= _MAX_PATH and _UNSAFE.match(path) is None


def _check_names(names: Sequence[str]) -> None:
    """Checks for all names at once are many times faster than a check for each."""
    text = "\n".join(["", *names, ""])
    plain = text.isascii() and text.count("\n") == len(names) + 1 and max(map(len, names), default=0) <= _MAX_COMPONENT
    if plain and _CONTROL.search(text) is None:
        text = _HARMLESS_DOT.sub("", text) if "/." in text or "\n." in text else text
        if not any(part in text for part in _SUSPICIOUS):
            return
    for name in names:
        if not is_contained(name):
            raise WheelDefect(f"the name of the member `{shown(name)}` is not a plain relative path")
        if any(len(part.encode()) > _MAX_COMPONENT for part in name.split("/")):
            raise WheelDefect(f"a part of the name `{shown(name)}` is longer than {_MAX_COMPONENT} bytes")


def _check_unique(names: Sequence[str]) -> None:
    if len(set(names)) != len(names):
        twice = next(name for name, count in Counter(names).items() if count > 1)
        raise WheelDefect(f"the member `{shown(twice)}` stands in it twice")
    composed = {unicodedata.normalize("NFC", name): name for name in names if not name.isascii()}
    others = [name for name in names if not name.isascii() and composed[unicodedata.normalize("NFC", name)] != name]
    if others:
        raise WheelDefect(f"the member `{shown(others[0])}` stands in it twice, in two Unicode forms")


def _check_parents(names: Iterable[str], files: set[str]) -> None:
    for parent in dict.fromkeys(name.rpartition("/")[0] for name in names):  # in their order: the first is told
        above = parent
        while above:
            if above in files:
                raise WheelDefect(f"the member `{shown(above)}` is a file, and other members lie below it")
            above = above.rpartition("/")[0]


def _check_kind(member: Member) -> None:
    kind = stat.S_IFMT(member.attributes >> 16)
    if member.is_directory and member.size:
        raise WheelDefect(f"the directory `{shown(member.name)}` has content")
    # Some archivers call a directory a file; the slash decides everywhere.
    if kind in (0, stat.S_IFREG) or (kind == stat.S_IFDIR and member.is_directory):
        return
    what = "a symbolic link" if kind == stat.S_IFLNK else f"of the kind {kind:#o}, neither a file nor a directory"
    raise WheelDefect(f"the member `{shown(member.name)}` is {what}")


def _case_twins(names: Sequence[str]) -> tuple[str, ...]:
    folded = [name.casefold() for name in names]
    if len(set(folded)) == len(folded):
        return ()
    counts = Counter(folded)
    twins = [shown(name) for name, fold in zip(names, folded, strict=True) if counts[fold] > 1]
    return (f"names that differ in case only: {', '.join(f'`{name}`' for name in twins[:4])}",)
