"""eStargz: gzip that a snapshotter can mount before it is pulled (stargz-snapshotter, *docs/estargz.md*).

    form = EStargzForm(sink)

Every engine unpacks it as the gzip that it is. In it each file's content begins a gzip member, so that it can be read
alone; a table of contents is the last entry of the tar, and the last bytes of the layer say where that is. Content that
is compressed here comes in chunks of four megabytes. A spliced stream cannot be cut, so that a large library of a
wheel is one chunk.

Gathering several files in one member needs `innerOffset`, which snapshotters before 0.13 do not know; every file has a
member of its own instead. What stands between two contents, and cannot be read alone, goes with the content before it.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import msgspec

from pycontainer.errors import DocumentError
from pycontainer.layers.background import Background
from pycontainer.layers.entries import Kind
from pycontainer.layers.forms.toc import TOC_PATH, TableOfContents, TocEntry, footer
from pycontainer.layers.member import STORED
from pycontainer.layers.splice import JOIN_MAX, SplicedGzip
from pycontainer.layers.tar import END, Head, padding
from pycontainer.oci import Digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pycontainer.blobs.hashing import BytesLike, Sink
    from pycontainer.layers.member import DeflatedMember
    from pycontainer.oci import Descriptor

# By the specification an image that asks for nothing to be fetched in advance says so in a file of one byte.
LANDMARK: Final = ".no.prefetch.landmark"
_LANDMARK_CONTENT: Final = b"\x0f"
TOC_DIGEST: Final = "containerd.io/snapshot/stargz/toc.digest"
UNCOMPRESSED_SIZE: Final = "io.containers.estargz.uncompressed-size"

CHUNK: Final = 4 << 20
# Headers that are gathered where no content comes between them: two megabytes and more.
_MOST_HEADERS: Final = 4096


class EStargzForm:
    """A gzip layer with a table of contents; see `LayerForm`."""

    def __init__(self, sink: Sink) -> None:
        self._out = SplicedGzip(sink)
        self._background = Background()
        self._entries: list[TocEntry] = []
        # Where the members of contents begin; known only once those before them are compressed.
        self._offsets: list[int] = []
        # Bytes of tar of the member that is written next, or of what follows a spliced stream.
        self._gathered: list[BytesLike] = []
        self._spliced = False
        self._write(Head(LANDMARK, Kind.FILE, len(_LANDMARK_CONTENT)), (_LANDMARK_CONTENT,))

    def add(self, head: Head, content: Iterable[BytesLike]) -> None:
        """An entry in its turn.

        Raises:
            DocumentError: A path that this form has for itself.
        """
        _check_path(head.path)
        self._write(head, content)

    def add_member(
        self, head: Head, member: DeflatedMember, content: Iterable[BytesLike], sha256: Callable[[], bytes]
    ) -> None:
        """Splice what is large; the rest is compressed here, each file alone.

        Raises:
            DocumentError: A path that this form has for itself.
        """
        _check_path(head.path)
        if member.is_small or member.method == STORED:
            self._write(head, content)
            return
        self._gathered.append(head.encode())
        self._begin()
        for piece in content:
            self._background.run(self._out.content, piece, weight=len(piece))
        self._splice(member)
        self._entries.append(TocEntry.of(head, content=sha256()))
        self._gathered.append(bytes(padding(head.size)))

    def finish(self) -> tuple[Descriptor, Digest]:
        """The descriptor of the gzip file, with its annotations, and the digest of the tar in it."""
        self._end_member()
        self._background.wait()
        offset = self._out.blob_size
        toc = TableOfContents.of(self._entries, self._offsets).to_bytes()
        head = Head(TOC_PATH, Kind.FILE, len(toc))
        self._out.compress(b"".join((head.encode(), toc, bytes(padding(len(toc))), END)))
        self._out.append(footer(offset))
        descriptor, diff_id = self._out.finish()
        annotations = {TOC_DIGEST: str(Digest.of(toc)), UNCOMPRESSED_SIZE: str(self._out.tar_size)}
        return msgspec.structs.replace(descriptor, annotations=annotations), diff_id

    def close(self) -> None:
        """End the other thread."""
        self._background.close()

    def _write(self, head: Head, content: Iterable[BytesLike]) -> None:
        """An entry whose content is compressed here."""
        if len(self._gathered) > _MOST_HEADERS:
            self._end_member()
        self._gathered.append(head.encode())
        whole, chunks = hashlib.sha256(usedforsecurity=False), []
        for chunk in _chunks(content):
            self._begin()
            self._gathered.append(chunk)
            whole.update(chunk)
            several = head.size > len(chunk)
            chunks.append(hashlib.sha256(chunk, usedforsecurity=False).digest() if several else whole.digest())
        self._entries += TocEntry.chunks_of(head, whole.digest(), chunks, CHUNK) if chunks else [TocEntry.of(head)]
        self._gathered.append(bytes(padding(head.size)))

    def _begin(self) -> None:
        """What comes next is content, which begins a member."""
        self._end_member()
        self._background.run(self._note_offset)

    def _note_offset(self) -> None:
        self._offsets.append(self._out.blob_size)

    def _splice(self, member: DeflatedMember) -> None:
        if member.size <= JOIN_MAX:
            stream = bytes(member.data)
            self._background.run(self._out.small_stream, stream, member.size, weight=len(stream))
        else:
            for stream in member.slices():
                self._background.run(self._out.stream, stream, weight=len(stream))
            self._background.run(self._out.end)
        self._spliced = True

    def _end_member(self) -> None:
        tar = b"".join(self._gathered)
        self._gathered.clear()
        # After a stream there are headers alone, which go on in its member where it is open.
        self._background.run(self._out.header if self._spliced else self._out.compress, tar, weight=len(tar))
        self._background.run(self._out.close_member)
        self._spliced = False


def _check_path(path: str) -> None:
    if path in {LANDMARK, TOC_PATH}:
        raise DocumentError(
            f"`{path}` cannot be a file of a layer in eStargz, which has one of its own there",
            hint="Name it otherwise, or set {compression} to `gzip`",
        )


def _chunks(pieces: Iterable[BytesLike]) -> Iterator[BytesLike]:
    """The content in pieces of `CHUNK` bytes, the last of them smaller."""
    gathered: list[BytesLike] = []
    size = 0
    for piece in pieces:
        gathered.append(piece)
        size += len(piece)
        while size >= CHUNK:
            content = b"".join(gathered)
            yield content[:CHUNK]
            gathered, size = [content[CHUNK:]], size - CHUNK
    if size:
        yield b"".join(gathered)
