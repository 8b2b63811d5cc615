"""Streams that hash what passes through them.

with VerifyingReader(response, descriptor) as stream:      # raises IntegrityError where the bytes are not the digest's
    shutil.copyfileobj(stream, sink)

size, sha256 = hash_file(path)

out = HashingWriter(sink)
out.write(b"content")
out.digest, out.size
"""

from __future__ import annotations

import hashlib
import io
import os
from typing import TYPE_CHECKING, Protocol, TypeAlias

from pycontainer.errors import IntegrityError
from pycontainer.oci import Digest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import BinaryIO

    from typing_extensions import Buffer

    from pycontainer.oci import Descriptor


_BUFFER = 1 << 18
_SLICE = 1 << 16  # what memory is used again for; a greater one is had from the system every time
_READ = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)

BytesLike: TypeAlias = "bytes | bytearray | memoryview"


class Sink(Protocol):
    """Anything that bytes can be written to."""

    def write(self, data: BytesLike, /) -> object:
        """Take all of `data`."""
        ...


class Source(Protocol):
    """Anything that bytes can be read from, in slices; an empty one is the end."""

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes."""
        ...


class HashingReader:
    """Passes bytes on from a source and knows the digest of all that passed; the source stays the caller's."""

    def __init__(self, source: Source, algorithm: str = "sha256") -> None:
        self._source = source
        self._hash = hashlib.new(algorithm, usedforsecurity=False)
        self._algorithm = algorithm
        self.size = 0

    def read(self, size: int = -1, /) -> bytes:
        """Read and hash."""
        data = self._source.read(size)
        self._hash.update(data)
        self.size += len(data)
        return data

    @property
    def digest(self) -> Digest:
        """The digest of what was read until now."""
        return Digest(self._algorithm, self._hash.hexdigest())


def hash_file(path: Path | str) -> tuple[int, str]:
    """The size of a file in bytes and its sha256, hexadecimal.

    Raises:
        OSError: It cannot be read.
    """
    found, size = hashlib.sha256(usedforsecurity=False), 0
    file = os.open(path, _READ)  # of a hundred thousand files, an object for each takes as long as to hash it
    try:
        while data := os.read(file, _SLICE):
            found.update(data)
            size += len(data)
    finally:
        os.close(file)
    return size, found.hexdigest()


def hash_raw(file: io.RawIOBase, algorithm: str = "sha256") -> tuple[int, str]:
    """The size of what is left in an unbuffered file, in bytes, and its hash, hexadecimal.

    All of it passes through the same memory: with new memory for every slice it takes more than twice the time.

    Raises:
        OSError: It cannot be read.
    """
    found, size = hashlib.new(algorithm, usedforsecurity=False), 0
    buffer = memoryview(bytearray(_BUFFER))
    while count := file.readinto(buffer) or 0:
        found.update(buffer[:count])
        size += count
    return size, found.hexdigest()


class VerifyingReader(io.RawIOBase):
    """Reads exactly the bytes that a descriptor names.

    The last bytes are handed out only when the digest of all of them is right, so that a consumer which stops at the
    announced size is as safe as one that reads on to the end.

    Args:
        raw: Where the bytes come from; closed together with this stream.
        descriptor: Their size and digest.
        on_mismatch: Called before `IntegrityError` is raised: the store uses it to discard a damaged entry.
    """

    def __init__(
        self, raw: BinaryIO, descriptor: Descriptor, *, on_mismatch: Callable[[], object] | None = None
    ) -> None:
        super().__init__()
        self._raw = raw
        self._descriptor = descriptor
        self._on_mismatch = on_mismatch
        self._hash = hashlib.new(descriptor.digest.algorithm, usedforsecurity=False)
        self._left = descriptor.size
        self._verified = False

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        """Fill the buffer as far as the source gives bytes at once.

        Raises:
            IntegrityError: Fewer or more bytes than announced, or others than the digest's.
        """
        view = memoryview(buffer).cast("B")
        if not len(view):
            return 0
        data = self._raw.read(min(len(view), self._left)) if self._left else b""
        view[: len(data)] = data
        self._hash.update(data)
        self._left -= len(data)
        if self._left and not data:
            self._fail(f"the bytes end {self._left} short of the {self._descriptor.size} announced")
        if not self._left and not self._verified:
            self._verify()
        return len(data)

    def close(self) -> None:
        """Close the source too."""
        if not self.closed:
            self._raw.close()
        super().close()

    def _verify(self) -> None:
        if self._raw.read(1):
            self._fail(f"there are more bytes than the {self._descriptor.size} announced")
        if self._hash.hexdigest() != self._descriptor.digest.hex:
            self._fail(f"the digest of the bytes is `{self._descriptor.digest.algorithm}:{self._hash.hexdigest()}`")
        self._verified = True

    def _fail(self, fact: str) -> None:
        if self._on_mismatch is not None:
            self._on_mismatch()
        raise IntegrityError(f"The content is not that of `{self._descriptor.digest}`", facts=[fact])


class HashingWriter:
    """Passes bytes on to a sink and knows the digest (sha256) and size of all that passed."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._hash = hashlib.sha256(usedforsecurity=False)
        self.size = 0

    def write(self, data: BytesLike, /) -> int:
        """Hash `data` and pass it on."""
        self._hash.update(data)
        self._sink.write(data)
        self.size += len(data)
        return len(data)

    @property
    def digest(self) -> Digest:
        """The digest of what was written until now."""
        return Digest("sha256", self._hash.hexdigest())
