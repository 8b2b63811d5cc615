"""Compressed bytes that pass on, while what they unpack to is hashed.

stream = UnpackedDigestReader(blob.open(), diff_id)     # raises IntegrityError where they unpack to something else

A descriptor's digest tells that a layer is the one that was announced, its diff_id that an engine will find in it what
the image's config says (image-spec, *config.md*, Layer DiffID).
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, BinaryIO, cast

from pycontainer.blobs.compression import open_decompressed
from pycontainer.blobs.hashing import HashingReader
from pycontainer.errors import DocumentError, IntegrityError

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from pycontainer.oci import Digest

_SLICE = 1 << 20


class UnpackedDigestReader(io.RawIOBase):
    """Hands out the bytes of a stream; the last of them only when all of them unpack to the digest.

    Args:
        raw: Compressed with gzip or zstd, or not; closed together with this stream.
        diff_id: The digest of the uncompressed bytes.
    """

    def __init__(self, raw: BinaryIO, diff_id: Digest) -> None:
        super().__init__()
        self._passing = _Passing(raw)
        unpacked = open_decompressed(cast("BinaryIO", self._passing))
        self._unpacked = unpacked
        self._hashing = HashingReader(unpacked, diff_id.algorithm)
        self._diff_id = diff_id
        self._ready = b""
        self._held = b""
        self._ended = False

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        """Fill the buffer as far as bytes are ready.

        Raises:
            IntegrityError: The bytes are damaged, or unpack to something else.
        """
        view = memoryview(buffer).cast("B")
        while not self._ready and not self._ended:
            self._advance()
        count = min(len(view), len(self._ready))
        view[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def close(self) -> None:
        """Close the source too."""
        if not self.closed:
            self._unpacked.close()
        super().close()

    def _advance(self) -> None:
        """Unpack one more slice. What was taken for it is held back until something after it was taken, too."""
        try:
            more = self._hashing.read(_SLICE)
        except DocumentError as error:
            raise IntegrityError("A layer cannot be unpacked", facts=[error.message, *error.facts]) from error
        taken = self._passing.take()
        if more:
            if taken:
                self._ready, self._held = self._held, taken
            return
        if self._hashing.digest != self._diff_id:
            raise IntegrityError(
                "A layer unpacks to something else than it should",
                facts=[f"diff_id: `{self._diff_id}`", f"its uncompressed bytes: `{self._hashing.digest}`"],
            )
        self._ready, self._ended = self._held + taken, True


class _Passing:
    """A stream that remembers what was read of it."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self._taken = bytearray()

    def read(self, size: int = -1) -> bytes:
        data = self._raw.read(size)
        self._taken += data
        return data

    def take(self) -> bytes:
        """What was read since the last call."""
        taken = bytes(self._taken)
        self._taken.clear()
        return taken

    def close(self) -> None:
        self._raw.close()
