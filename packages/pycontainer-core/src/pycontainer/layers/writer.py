"""Writes one layer: what may stand in it, and where.

    with store.writer() as blob, LayerWriter(blob) as writer:
        writer.directory("app")
        writer.file("app/main.py", b"print()")
        writer.deflated("app/numpy/core.so", member)
        descriptor, diff_id = writer.finish()
        blob.commit()

How the entries become bytes is for the layer's form to know; see `forms`.
"""

from __future__ import annotations

import hashlib
import io
import re
from typing import TYPE_CHECKING

from pycontainer.errors import DocumentError, ProjectError
from pycontainer.layers.entries import MTIME, Kind, checked_path
from pycontainer.layers.forms import Compression, open_form
from pycontainer.layers.member import DeflatedMember, Inflated
from pycontainer.layers.tar import Head

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import TracebackType

    from typing_extensions import Self

    from pycontainer.blobs.hashing import BytesLike, Sink, Source
    from pycontainer.oci import Descriptor, Digest

__all__ = ["DeflatedMember", "Inflated", "LayerWriter"]

# Members up to this size are inflated in one piece, which is quicker.
_WHOLE = 1 << 20
# Bytes of a file that are read at once.
_SLICE = 4 << 20
# A path below a known directory needs no closer look when it is short and its last part looks like this.
_PLAIN = 255
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+@-]*").fullmatch
_MAX_TARGET = 4095  # PATH_MAX without its NUL


class LayerWriter:
    """One layer. Paths are relative to the image's root: `app/.venv/bin/python`.

    Args:
        sink: Where the bytes go: the writer of a store, or anything with `write`.
        compression: Which form it has.
        mtime: The time of every entry, in seconds since the epoch.
        advance: Told the bytes of content after each entry.

    Raises:
        DocumentError: From every method that takes a path: the path cannot stand in a layer, stands in it already as
            something else, or lies below something that is not a directory.
        ToolError: What compresses so is not installed.
    """

    def __init__(
        self,
        sink: Sink,
        *,
        compression: Compression = Compression.GZIP,
        mtime: int = MTIME,
        advance: Callable[[int], None] | None = None,
    ) -> None:
        self._form = open_form(compression, sink)
        self._mtime = mtime
        self._advance = advance
        # What stands in the layer: directories with their attributes, anything else with none.
        self._taken: dict[str, tuple[int, int, int] | None] = {}
        self._parents: set[str] = {""}
        self._finished: tuple[Descriptor, Digest] | None = None

    def directory(self, path: str, *, mode: int = 0o755, uid: int = 0, gid: int = 0) -> None:
        """A directory; the same one again is nothing new. Its parents are not implied."""
        attributes = mode, uid, gid
        if self._taken.get(path) == attributes:
            return
        self._take(path, attributes)
        self._form.add(Head(path, Kind.DIRECTORY, 0, mode, uid, gid, self._mtime), ())

    def symlink(self, path: str, target: str, *, uid: int = 0, gid: int = 0) -> None:
        """A symbolic link; `target` is stored as it is."""
        if not target or "\0" in target or len(target.encode("utf-8", "replace")) > _MAX_TARGET:
            raise DocumentError(f"The link `{path}` has an impossible target")
        self._take(path)
        self._form.add(Head(path, Kind.SYMLINK, 0, 0o777, uid, gid, self._mtime, target), ())

    def hard_link(self, path: str, target: str, *, mode: int = 0o644, uid: int = 0, gid: int = 0) -> None:
        """Another name of a file that was written before; the attributes are that file's.

        Raises:
            DocumentError: Nothing that a hard link can name has been written there.
        """
        if self._taken.get(target, ()) is not None:
            raise DocumentError(f"The hard link `{path}` names `{target}`, which the layer does not have")
        self._take(path)
        self._form.add(Head(path, Kind.HARD_LINK, 0, mode, uid, gid, self._mtime, target), ())

    def whiteout(self, path: str) -> None:
        """Remove what lower layers have under a path (image-spec, *layer.md*, Whiteouts)."""
        parent, _, name = checked_path(path).rpartition("/")
        self._take(path)
        hidden = f"{parent}/.wh.{name}" if parent else f".wh.{name}"
        self._form.add(Head(hidden, Kind.FILE, mtime=self._mtime), ())

    def file(self, path: str, content: bytes, *, mode: int = 0o644, uid: int = 0, gid: int = 0) -> None:
        """A file whose content is at hand."""
        self.stream(path, io.BytesIO(content), len(content), mode=mode, uid=uid, gid=gid)

    def stream(self, path: str, source: Source, size: int, *, mode: int = 0o644, uid: int = 0, gid: int = 0) -> None:
        """A file of any size, read in slices of four megabytes.

        Raises:
            ProjectError: The stream has fewer or more than `size` bytes: the file changed while it was read.
        """
        self._take(path)
        head = Head(path, Kind.FILE, size, mode, uid, gid, self._mtime)
        self._form.add(head, self._told(_exactly(source, size, path)))

    def deflated(
        self,
        path: str,
        member: DeflatedMember,
        *,
        mode: int = 0o644,
        watch: Callable[[BytesLike], None] | None = None,
    ) -> Inflated:
        """A member of a wheel: inflated once, to check and to hash it, and spliced where its form can do so.

        Args:
            path: Where it goes.
            member: What is written.
            mode: Its permissions.
            watch: Shown the uncompressed content, piece by piece, in order.

        Raises:
            WheelError: The member is damaged. Nothing of the layer can be used then.
        """
        self._take(path)
        head = Head(path, Kind.FILE, member.size, mode, mtime=self._mtime)
        if member.size <= _WHOLE:
            content = member.content(path)
            found = hashlib.sha256(content, usedforsecurity=False)
            if watch is not None:
                watch(content)
            self._form.add_member(head, member, (content,), found.digest)
            if self._advance is not None and member.size:
                self._advance(member.size)
        else:
            found = hashlib.sha256(usedforsecurity=False)
            pieces = _hashed(member.chunks(path), found, watch)
            self._form.add_member(head, member, self._told(pieces), found.digest)
        return Inflated(size=member.size, sha256=found.digest())

    def finish(self) -> tuple[Descriptor, Digest]:
        """End the layer: its descriptor, and the digest of the uncompressed tar."""
        if self._finished is None:
            self._finished = self._form.finish()
        return self._finished

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of threads; the sink belongs to whoever opened it."""
        self._form.close()

    def _take(self, path: str, attributes: tuple[int, int, int] | None = None) -> None:
        """Check that the path may stand in this layer, and remember it."""
        parent, _, name = path.rpartition("/")
        if parent not in self._parents or len(path) > _PLAIN or not _PLAIN_NAME(name):
            checked_path(path)
            self._take_parents(path, parent)
        if path in self._taken or (attributes is None and path in self._parents):
            raise DocumentError(f"The layer has `{path}` already, as something else or a second time")
        self._taken[path] = attributes

    def _take_parents(self, path: str, parent: str) -> None:
        while parent not in self._parents:
            if self._taken.get(parent, ()) is None:
                raise DocumentError(f"`{path}` lies below `{parent}`, which is not a directory")
            self._parents.add(parent)
            parent = parent.rpartition("/")[0]

    def _told(self, pieces: Iterable[BytesLike]) -> Iterable[BytesLike]:
        """The same, of which `advance` hears."""
        if self._advance is None:
            yield from pieces
            return
        for piece in pieces:
            yield piece
            if len(piece):
                self._advance(len(piece))


def _exactly(source: Source, size: int, path: str) -> Iterator[bytes]:
    left = size
    while left and (data := source.read(min(left, _SLICE))):
        left -= len(data)
        yield data
    if left or source.read(1):
        raise ProjectError(f"The file for `{path}` changed while it was read", facts=[f"size at first: {size} bytes"])


def _hashed(
    pieces: Iterable[BytesLike], content: hashlib._Hash, watch: Callable[[BytesLike], None] | None
) -> Iterator[BytesLike]:
    for piece in pieces:
        content.update(piece)
        if watch is not None:
            watch(piece)
        yield piece
