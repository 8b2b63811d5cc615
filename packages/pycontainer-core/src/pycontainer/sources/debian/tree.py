"""The paths of a base image: what they are, and where a path that leads through links ends up.

    tree.kind("usr/lib")                              # Kind.DIRECTORY
    tree.canonical("lib/x86_64-linux-gnu/libc.so.6")  # "usr/lib/x86_64-linux-gnu/libc.so.6", where /lib is a link

dpkg unpacks through the symbolic links to directories that it finds. A layer has to be told where they lead: an entry
`lib/` in it would take the place of the base's link `lib`.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from typing import TYPE_CHECKING, Final

import msgspec

from pycontainer.errors import DocumentError
from pycontainer.layers.entries import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

# Linux gives up after as many (path_resolution(7)).
_MAX_LINKS: Final = 40


class BaseTree(msgspec.Struct, frozen=True, kw_only=True):
    """All paths, relative to the root and without slash at either end; the root is the empty path.

    Attributes:
        directories: Each directory, and the sorted names of the files in it.
        links: Each symbolic link, and its target as it is stored.
        others: Devices and pipes.
    """

    directories: dict[str, tuple[str, ...]]
    links: dict[str, str] = {}
    others: dict[str, Kind] = {}

    def kind(self, path: str) -> Kind | None:
        """What stands under a canonical path; none where nothing does."""
        if path in self.links:
            return Kind.SYMLINK
        if path in self.directories:
            return Kind.DIRECTORY
        folder, _, name = path.rpartition("/")
        names = self.directories.get(folder, ())
        place = bisect_left(names, name)
        return Kind.FILE if place < len(names) and names[place] == name else self.others.get(path)

    def canonical(self, path: str) -> str:
        """The path with every link on the way to its last part resolved; the last part stays as it is.

        `..` ends at the root and absolute targets begin there. Where nothing stands, the path goes on as it is.

        Raises:
            DocumentError: The links on the way go in circles.
        """
        folder, _, name = path.rpartition("/")
        resolved = self.directory(folder)
        return f"{resolved}/{name}" if resolved else name

    def directory(self, path: str) -> str:
        """The path with every link resolved, its last part included.

        Raises:
            DocumentError: The links go in circles.
        """
        if path in self.directories:
            return path
        parts: list[str] = []
        todo = list(_reversed_parts(path))
        links = 0
        while todo:
            part = todo.pop()
            if part == "..":
                del parts[-1:]
                continue
            parts.append(part)
            target = self.links.get("/".join(parts))
            if target is None:
                continue
            links += 1
            if links > _MAX_LINKS:
                raise DocumentError("Symbolic links of the base image go in circles", facts=[f"path: `{path[:200]}`"])
            if target.startswith("/"):
                parts.clear()
            else:
                parts.pop()
            todo.extend(_reversed_parts(target))
        return "/".join(parts)

    def names(self, path: str) -> tuple[str, ...]:
        """The names of the files, not of directories and links, in a canonical directory."""
        return self.directories.get(path, ())

    def links_in(self, path: str) -> dict[str, str]:
        """Name and target of the links in a canonical directory."""
        start = f"{path}/" if path else ""
        return {
            link.removeprefix(start): target
            for link, target in self.links.items()
            if link.startswith(start) and "/" not in link[len(start) :]
        }

    @property
    def digest(self) -> str:
        """Of all of it, in hexadecimal."""
        return hashlib.sha256(msgspec.json.encode(self, order="deterministic")).hexdigest()


def _reversed_parts(path: str) -> Iterator[str]:
    return (part for part in reversed(path.split("/")) if part not in {"", "."})
