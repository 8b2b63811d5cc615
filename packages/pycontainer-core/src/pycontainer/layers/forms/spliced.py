"""gzip, put together rather than compressed: the form that every engine and every tool reads.

    form = SplicedForm(sink)

Large members of wheels are *spliced*: their deflate streams go into the layer as they are, between blocks that are
written by hand. Small files are *gathered* and compressed together by libdeflate, whose pinned version gives the same
bytes on every host. Entries therefore stand in the tar in another order than they were added in, but always in the
same one, and a directory always before what is in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pycontainer.layers.background import Background
from pycontainer.layers.entries import Kind
from pycontainer.layers.member import STORED
from pycontainer.layers.splice import JOIN_MAX, SplicedGzip
from pycontainer.layers.tar import BLOCK, END, padding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pycontainer.blobs.hashing import BytesLike, Sink
    from pycontainer.layers.member import DeflatedMember
    from pycontainer.layers.tar import Head
    from pycontainer.oci import Descriptor, Digest

# Bytes of tar that are compressed together: the memory it takes, and one gzip member each, of which few are good for
# `unpigz`. On a busy machine, seven wheels: 1.00 to 1.48 times the time of one stream with one megabyte, 0.81 to 1.17
# with four, where one measurement of 2.08 stands apart. `benchmarks/layers.py --pull` measures it.
CHUNK = 4 << 20
_PADDINGS = tuple(bytes(count) for count in range(BLOCK))


class SplicedForm:
    """A spliced and gathered gzip layer; see `LayerForm`."""

    def __init__(self, sink: Sink) -> None:
        self._out = SplicedGzip(sink)
        self._background = Background()
        self._directories = bytearray()
        self._gathered: list[BytesLike] = []
        self._size = 0
        self._owed = 0

    def add(self, head: Head, content: Iterable[BytesLike]) -> None:
        """Gather an entry; what is too large for one chunk becomes chunks of its own."""
        if head.kind is Kind.DIRECTORY:
            self._directories += head.encode()
            return
        encoded = head.encode()
        total = len(encoded) + head.size + padding(head.size)
        if self._owed + len(self._directories) + self._size + total > CHUNK:
            self._flush()
        self._gather(encoded)
        for piece in content:
            self._gather(piece)
            if self._size > CHUNK:
                self._compress(CHUNK)
        self._gather(_PADDINGS[padding(head.size)])
        if total > CHUNK:
            self._flush()  # what was begun must end before anything is spliced

    def add_member(
        self, head: Head, member: DeflatedMember, content: Iterable[BytesLike], sha256: Callable[[], bytes]
    ) -> None:
        """Splice what is large, store what cannot be compressed, gather the rest."""
        del sha256  # nothing in this form tells it
        if member.is_small and member.is_dense:
            self._store(head, content)
        elif member.is_small or member.method == STORED:
            self.add(head, content)
        else:
            self._splice(head, member, content)

    def finish(self) -> tuple[Descriptor, Digest]:
        """The descriptor of the gzip file, and the digest of the tar in it."""
        self._gather(END)
        self._flush()
        self._background.wait()
        return self._out.finish()

    def close(self) -> None:
        """End the other thread."""
        self._background.close()

    def _store(self, head: Head, content: Iterable[BytesLike]) -> None:
        """A small file: the gzip member goes on after it."""
        self._begin(head)
        for piece in content:
            self._background.run(self._out.store, piece, weight=len(piece))
        self._owed = padding(head.size)

    def _splice(self, head: Head, member: DeflatedMember, content: Iterable[BytesLike]) -> None:
        self._begin(head)
        for piece in content:
            self._background.run(self._out.content, piece, weight=len(piece))
        if member.size <= JOIN_MAX:
            stream = bytes(member.data)
            self._background.run(self._out.small_stream, stream, member.size, weight=len(stream))
        else:
            for stream in member.slices():
                self._background.run(self._out.stream, stream, weight=len(stream))
            self._background.run(self._out.end)
        self._owed = padding(head.size)

    def _begin(self, head: Head) -> None:
        """An entry that is not gathered: what comes before its content."""
        before = bytes(self._owed) + self._directories + head.encode()
        self._directories.clear()
        self._background.run(self._out.header, before)

    def _flush(self) -> None:
        """Compress all that was gathered, and the directories before it."""
        before = bytes(self._owed) + self._directories
        self._gathered.insert(0, before)
        self._size += len(before)
        self._owed = 0
        self._directories.clear()
        self._compress(1)

    def _gather(self, piece: BytesLike) -> None:
        self._gathered.append(piece)
        self._size += len(piece)

    def _compress(self, least: int) -> None:
        """Compress what was gathered, chunk by chunk, while there is so much of it."""
        tar = b"".join(self._gathered)
        self._gathered.clear()
        self._size = 0
        while len(tar) >= least:
            chunk, tar = tar[:CHUNK], tar[CHUNK:]
            self._background.run(self._out.compress, chunk, weight=len(chunk))
        self._gather(tar)
