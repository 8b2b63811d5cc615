"""The files of an image as its layers give them, one laid over the other, without any of them on this host's disk.

    root = RootFS()
    root.apply(read_entries(stream), keep=kept_content)
    root.find("/usr/bin/python3")        # Found(path="/usr/bin/python3.11", node=…)

Links are followed inside this tree alone: `..` ends at its root, an absolute target begins there. Whiteouts and opaque
directories remove what lower layers have, wherever in their layer they stand (image-spec, *layer.md*, Whiteouts).
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final

from pycontainer.errors import DocumentError
from pycontainer.layers.entries import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pycontainer.layers.entries import Entry

_WHITEOUT: Final = ".wh."
_OPAQUE: Final = ".wh..wh..opq"
# What aufs kept for itself; it has no meaning in a layer.
_RESERVED: Final = ".wh..wh."
# Linux gives up after as many (path_resolution(7)).
_MAX_LINKS: Final = 40
_EXECUTABLE: Final = 0o111
# Of files that are kept as a whole. A full Debian with a thousand packages has some 30 MB of them.
_MAX_WHOLE: Final = 256 << 20


class Node:
    """A file, link or directory.

    `layer` is the last layer that wrote it; `content` what was kept of a file, `whole` all of it where that was kept.
    """

    __slots__ = ("children", "content", "kind", "layer", "mode", "target", "whole")

    def __init__(self, kind: Kind, layer: int, *, mode: int = 0o755, target: str = "") -> None:
        self.kind = kind
        self.layer = layer
        self.mode = mode
        self.target = target
        self.content: bytes | None = None
        self.whole: bytes | None = None
        self.children: dict[str, Node] = {}


@dataclass(frozen=True, slots=True)
class Found:
    """What a path leads to: its own path with every link resolved, and the node."""

    path: str
    node: Node

    @property
    def is_program(self) -> bool:
        """Whether it is a file that may be executed."""
        return self.node.kind is Kind.FILE and bool(self.node.mode & _EXECUTABLE)


class RootFS:
    """A tree that layers are applied to, base first.

    Args:
        keep_whole: Asked of each file whether to keep all of its content, besides what `apply` keeps of it.
    """

    def __init__(self, *, keep_whole: Callable[[Entry], bool] | None = None) -> None:
        self._root = Node(Kind.DIRECTORY, 0)
        self._layer = 0
        self._keep_whole = keep_whole
        self._whole_size = 0

    def apply(
        self, entries: Iterable[tuple[Entry, BinaryIO]], *, keep: Callable[[Entry, BinaryIO], bytes | None]
    ) -> int:
        """Lay one layer over the tree; how many entries it had.

        Args:
            entries: Its entries, in order.
            keep: Asked of each file for what to keep of its content.

        Raises:
            DocumentError: A whiteout of nothing, or links that go in circles where a directory is needed.
        """
        self._layer += 1
        count = 0
        for entry, content in entries:
            count += 1
            self._add(entry, content, keep)
        return count

    def find(self, path: str) -> Found | None:
        """What a path leads to, links followed; none where nothing is, or links go in circles."""
        try:
            return self._walk(path)
        except DocumentError:
            return None

    def names(self, path: str) -> tuple[str, ...]:
        """The names in a directory, sorted; empty where there is none."""
        found = self.find(path)
        return tuple(sorted(found.node.children)) if found else ()

    def content(self, path: str) -> bytes | None:
        """What was kept of the file that a path leads to."""
        found = self.find(path)
        return found.node.content if found else None

    def directories(self) -> Iterator[tuple[str, Node]]:
        """Every directory, by its own path: links are not followed."""
        todo = [("", self._root)]
        while todo:
            path, node = todo.pop()
            yield path or "/", node
            for name, child in node.children.items():
                if child.kind is Kind.DIRECTORY:
                    todo.append((f"{path}/{name}", child))

    def whole(self, path: str) -> bytes | None:
        """All of the file that a path leads to, where it was kept."""
        found = self.find(path)
        return found.node.whole if found else None

    def _add(self, entry: Entry, content: BinaryIO, keep: Callable[[Entry, BinaryIO], bytes | None]) -> None:
        folder, _, name = entry.path.rpartition("/")
        if not name:
            return
        parent = self._directory(folder)
        if name.startswith(_WHITEOUT):
            self._white_out(parent, name, entry.path)
            return
        there = parent.children.get(name)
        if entry.kind is Kind.DIRECTORY and there is not None and there.kind is Kind.DIRECTORY:
            there.layer, there.mode = self._layer, entry.mode
        else:
            parent.children[name] = self._node(entry, content, keep)

    def _node(self, entry: Entry, content: BinaryIO, keep: Callable[[Entry, BinaryIO], bytes | None]) -> Node:
        node = Node(entry.kind, self._layer, mode=entry.mode, target=entry.target)
        if entry.kind is Kind.FILE:
            if self._keep_whole is not None and self._keep_whole(entry):
                self._whole_size += entry.size
                if self._whole_size > _MAX_WHOLE:
                    raise DocumentError(f"More than {_MAX_WHOLE >> 20} MiB of databases and settings are in its layers")
                node.whole = content.read()
                content = io.BytesIO(node.whole)
            node.content = keep(entry, content)
        elif entry.kind is Kind.HARD_LINK:
            found = self._walk(entry.target, follow_last=False)
            node.kind = Kind.FILE
            if found is not None and found.node.kind is not Kind.DIRECTORY:
                node.kind, node.mode = found.node.kind, found.node.mode
                node.content, node.target = found.node.content, found.node.target
                node.whole = found.node.whole
        return node

    def _white_out(self, parent: Node, name: str, path: str) -> None:
        if name == _OPAQUE:
            for child in list(parent.children):
                self._remove_lower(parent, child)
        elif name == _WHITEOUT:
            raise DocumentError("A layer has a whiteout of nothing", facts=[f"path: `{path[:200]}`"])
        elif not name.startswith(_RESERVED):
            self._remove_lower(parent, name.removeprefix(_WHITEOUT))

    def _remove_lower(self, parent: Node, name: str) -> None:
        """Remove what lower layers put below a name; what this layer has put there stays."""
        node = parent.children.get(name)
        if node is None:
            return
        branches = [(parent, name, node)]
        for _, _, branch in branches:  # grows while it is walked: depth may be that of a hostile path
            branches.extend((branch, key, child) for key, child in branch.children.items())
        for above, key, branch in reversed(branches):
            if branch.layer < self._layer and not branch.children:
                del above.children[key]

    def _directory(self, path: str) -> Node:
        """The directory of a path, made where it is missing, as unpacking would make it."""
        found = self._walk(path, make=True)
        assert found is not None  # noqa: S101 - it was made
        return found.node

    def _walk(self, path: str, *, make: bool = False, follow_last: bool = True) -> Found | None:
        nodes, names = [self._root], [""]
        todo = list(_reversed_parts(path))
        links = 0
        while todo:
            name = todo.pop()
            if name == "..":
                if len(nodes) > 1:
                    nodes.pop()
                    names.pop()
                continue
            child = nodes[-1].children.get(name)
            if child is not None and child.kind is Kind.SYMLINK and (todo or follow_last):
                links += 1
                if links > _MAX_LINKS:
                    raise DocumentError("Symbolic links in a layer go in circles", facts=[f"path: `{path[:200]}`"])
                if child.target.startswith("/"):
                    nodes, names = [self._root], [""]
                todo.extend(_reversed_parts(child.target))
                continue
            if child is None or (make and child.kind is not Kind.DIRECTORY):
                if not make:
                    return None
                child = nodes[-1].children[name] = Node(Kind.DIRECTORY, self._layer)
            nodes.append(child)
            names.append(name)
        return Found("/".join(names) or "/", nodes[-1])


def _reversed_parts(path: str) -> Iterator[str]:
    return (part for part in reversed(path.split("/")) if part not in {"", "."})
