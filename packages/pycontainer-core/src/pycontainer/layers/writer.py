"""Writes one layer: a gzipped tar, put together rather than compressed.

    with store.writer() as blob, LayerWriter(blob) as writer:
        writer.directory("app")
        writer.file("app/main.py", b"print()")
        writer.deflated("app/numpy/core.so", member)
        descriptor, diff_id = writer.finish()
        blob.commit()

Large members of wheels are *spliced*: their deflate streams go into the layer as they are, between blocks that are
written by hand. Small files are *gathered* and compressed together by libdeflate, whose pinned version gives the same
bytes on every host. Entries therefore stand in the tar in another order than they were written in, but always in the
same one, and a directory always before what is in it.
"""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING, BinaryIO

from pycontainer.errors import DocumentError, ProjectError
from pycontainer.layers.entries import MTIME, Entry, Kind, checked_path
from pycontainer.layers.member import STORED, DeflatedMember, Inflated
from pycontainer.layers.splice import SplicedGzip
from pycontainer.layers.tar import END, header, padding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from typing_extensions import Self

    from pycontainer.blobs.hashing import BytesLike, Sink
    from pycontainer.oci import Descriptor, Digest

__all__ = ["DeflatedMember", "Inflated", "LayerWriter"]

# Larger members are spliced, smaller ones gathered.
GATHER_MAX = 16 << 10
# Bytes of tar that are compressed together: the memory it takes, and one gzip member each.
CHUNK = 1 << 20
_MAX_TARGET = 4095  # PATH_MAX without its NUL


class LayerWriter:
    """One layer. Paths are relative to the image's root: `app/.venv/bin/python`.

    Args:
        sink: Where the bytes go: the writer of a store, or anything with `write`.
        mtime: The time of every entry, in seconds since the epoch.
        advance: Told the bytes of content after each entry.

    Raises:
        DocumentError: From every method that takes a path: the path cannot stand in a layer, stands in it already as
            something else, or lies below something that is not a directory.
    """

    def __init__(self, sink: Sink, *, mtime: int = MTIME, advance: Callable[[int], None] | None = None) -> None:
        self._out = SplicedGzip(sink)
        self._mtime = mtime
        self._advance = advance
        self._entries: dict[str, Entry] = {}
        self._parents: set[str] = {""}
        self._directories = bytearray()
        self._gathered = bytearray()
        self._owed = 0
        self._finished: tuple[Descriptor, Digest] | None = None

    def directory(self, path: str, *, mode: int = 0o755, uid: int = 0, gid: int = 0) -> None:
        """A directory; the same one again is nothing new. Its parents are not implied."""
        entry = Entry(path=path, kind=Kind.DIRECTORY, mode=mode, uid=uid, gid=gid, mtime=self._mtime)
        if self._entries.get(path) == entry:
            return
        self._take(entry)
        self._directories += header(entry)

    def symlink(self, path: str, target: str, *, uid: int = 0, gid: int = 0) -> None:
        """A symbolic link; `target` is stored as it is."""
        if not target or "\0" in target or len(target) > _MAX_TARGET:
            raise DocumentError(f"The link `{path}` has an impossible target")
        entry = Entry(path=path, kind=Kind.SYMLINK, mode=0o777, uid=uid, gid=gid, mtime=self._mtime, target=target)
        self._take(entry)
        self._append(header(entry), iter(()), 0)

    def file(self, path: str, content: bytes, *, mode: int = 0o644, uid: int = 0, gid: int = 0) -> None:
        """A file whose content is at hand."""
        self.stream(path, io.BytesIO(content), len(content), mode=mode, uid=uid, gid=gid)

    def stream(self, path: str, source: BinaryIO, size: int, *, mode: int = 0o644, uid: int = 0, gid: int = 0) -> None:
        """A file of any size, read in slices of one megabyte.

        Raises:
            ProjectError: The stream has fewer or more than `size` bytes: the file changed while it was read.
        """
        entry = Entry(path=path, kind=Kind.FILE, mode=mode, uid=uid, gid=gid, size=size, mtime=self._mtime)
        self._take(entry)
        self._append(header(entry), _exactly(source, size, path), size)

    def deflated(self, path: str, member: DeflatedMember, *, mode: int = 0o644) -> Inflated:
        """A member of a wheel: inflated once, to check and to hash it, and spliced where it is large.

        Raises:
            WheelError: The member is damaged. Nothing of the layer can be used then.
        """
        entry = Entry(path=path, kind=Kind.FILE, mode=mode, size=member.size, mtime=self._mtime)
        self._take(entry)
        content = hashlib.sha256(usedforsecurity=False)
        pieces = _hashed(member.chunks(path), content)
        if member.size <= GATHER_MAX or member.method == STORED:
            self._append(header(entry), pieces, member.size)
        else:
            before = bytes(self._owed) + self._directories + header(entry)
            self._directories.clear()
            self._out.splice(before, member.data, pieces)
            self._owed = padding(member.size)
            self._progress(member.size)
        return Inflated(size=member.size, sha256=content.digest())

    def finish(self) -> tuple[Descriptor, Digest]:
        """End the layer: its descriptor, and the digest of the uncompressed tar."""
        if self._finished is None:
            self._gathered += END
            self._flush()
            self._finished = self._out.finish()
        return self._finished

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to release; the sink belongs to whoever opened it."""

    def _take(self, entry: Entry) -> None:
        """Check that the entry may stand in this layer, and remember it."""
        path = checked_path(entry.path)
        if path in self._entries or (entry.kind is not Kind.DIRECTORY and path in self._parents):
            raise DocumentError(f"The layer has `{path}` already, as something else or a second time")
        parent = path.rpartition("/")[0]
        while parent not in self._parents:
            above = self._entries.get(parent)
            if above is not None and above.kind is not Kind.DIRECTORY:
                raise DocumentError(f"`{path}` lies below `{parent}`, which is not a directory")
            self._parents.add(parent)
            parent = parent.rpartition("/")[0]
        self._entries[path] = entry

    def _append(self, head: bytes, content: Iterator[BytesLike], size: int) -> None:
        """Gather an entry; what is too large for one chunk becomes chunks of its own."""
        total = len(head) + size + padding(size)
        if self._pending + total > CHUNK:
            self._flush()
        self._gathered += head
        for piece in content:
            self._gathered += piece
            self._progress(len(piece))
            while len(self._gathered) > CHUNK:
                self._compress(CHUNK)
        self._gathered += bytes(padding(size))
        if total > CHUNK:
            self._flush()  # what was begun must end before anything is spliced

    @property
    def _pending(self) -> int:
        return self._owed + len(self._directories) + len(self._gathered)

    def _flush(self) -> None:
        """Compress all that was gathered."""
        while self._pending:
            self._compress(CHUNK)

    def _compress(self, most: int) -> None:
        self._gathered[:0] = bytes(self._owed) + self._directories
        self._owed = 0
        self._directories.clear()
        self._out.compress(bytes(self._gathered[:most]))
        del self._gathered[:most]

    def _progress(self, count: int) -> None:
        if self._advance is not None and count:
            self._advance(count)


def _exactly(source: BinaryIO, size: int, path: str) -> Iterator[bytes]:
    left = size
    while left and (data := source.read(min(left, CHUNK))):
        left -= len(data)
        yield data
    if left or source.read(1):
        raise ProjectError(f"The file for `{path}` changed while it was read", facts=[f"size at first: {size} bytes"])


def _hashed(pieces: Iterator[BytesLike], content: hashlib._Hash) -> Iterator[BytesLike]:
    for piece in pieces:
        content.update(piece)
        yield piece
