"""zstd: smaller and quicker to unpack, for registries and engines that know it (RFC 8878).

    form = ZstdForm(sink)

Everything is compressed here, so that the compressor decides what the bytes are. It is one version of one library, as
its own packages bring it, in one thread, and it is fed pieces of one size: then they are the same on every host.
"""

from __future__ import annotations

import hashlib
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from pycontainer.blobs.hashing import HashingWriter
from pycontainer.errors import ToolError
from pycontainer.layers.background import Background
from pycontainer.layers.forms.compression import ZSTD_VERSION
from pycontainer.layers.tar import END, padding
from pycontainer.oci import Descriptor, Digest, media_types

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pycontainer.blobs.hashing import BytesLike, Sink
    from pycontainer.layers.member import DeflatedMember
    from pycontainer.layers.tar import Head

# What zstd(1) and the engines' own builders do.
LEVEL: Final = 3
_CHUNK: Final = 1 << 20


class ZstdForm:
    """A layer that is one zstd frame; see `LayerForm`.

    Raises:
        ToolError: zstd is missing, or another version than the one that every host has to use.
    """

    def __init__(self, sink: Sink) -> None:
        self._blob = HashingWriter(sink)
        self._tar = hashlib.sha256(usedforsecurity=False)
        self._compressor = _compressor()
        self._background = Background()
        self._gathered: list[BytesLike] = []
        self._size = 0

    def add(self, head: Head, content: Iterable[BytesLike]) -> None:
        """Compress an entry, in its turn."""
        self._gather(head.encode())
        for piece in content:
            self._gather(piece)
        self._gather(bytes(padding(head.size)))

    def add_member(
        self, head: Head, member: DeflatedMember, content: Iterable[BytesLike], sha256: Callable[[], bytes]
    ) -> None:
        """Compress what it unpacks to: its own stream is of no use here."""
        del member, sha256
        self.add(head, content)

    def finish(self) -> tuple[Descriptor, Digest]:
        """The descriptor of the frame, and the digest of the tar in it."""
        self._gather(END)
        self._hand_over(1)
        self._background.wait()
        self._blob.write(self._compressor.flush())
        descriptor = Descriptor(media_type=media_types.LAYER_ZSTD, digest=self._blob.digest, size=self._blob.size)
        return descriptor, Digest("sha256", self._tar.hexdigest())

    def close(self) -> None:
        """End the other thread."""
        self._background.close()

    def _gather(self, piece: BytesLike) -> None:
        self._gathered.append(piece)
        self._size += len(piece)
        if self._size >= _CHUNK:
            self._hand_over(_CHUNK)

    def _hand_over(self, least: int) -> None:
        tar = memoryview(b"".join(self._gathered))
        while len(tar) >= least:
            self._background.run(self._compress, tar[:_CHUNK], weight=_CHUNK)
            tar = tar[_CHUNK:]
        self._gathered = [tar]
        self._size = len(tar)

    def _compress(self, data: BytesLike) -> None:
        self._tar.update(data)
        self._blob.write(self._compressor.compress(data))


def _compressor() -> Any:
    hint = "Install `pycontainer-core[zstd]`, or set {compression} to `gzip`"
    try:
        zstandard: Any = import_module("zstandard")
    except ImportError as error:
        raise ToolError("Layers cannot be compressed with zstd: `zstandard` is not installed", hint=hint) from error
    found = ".".join(map(str, zstandard.ZSTD_VERSION))
    if found != ZSTD_VERSION:
        raise ToolError(
            f"Layers cannot be compressed with zstd {found}",
            facts=[f"another version than {ZSTD_VERSION} gives other bytes, and the image another digest"],
            hint=hint,
        )
    return zstandard.ZstdCompressor(level=LEVEL, write_checksum=False, write_content_size=False).compressobj()
