"""What readers of bodies have in common that go on elsewhere when a connection breaks."""

from __future__ import annotations

import io
from abc import abstractmethod
from typing import TYPE_CHECKING, BinaryIO, cast

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_SLICE = 1 << 20


class BodyReader(io.RawIOBase):
    """A raw stream made of one method, `_read`."""

    @property
    def stream(self) -> BinaryIO:
        """This reader, for what takes a `BinaryIO`."""
        return cast("BinaryIO", self)

    def readable(self) -> bool:
        """Always."""
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """At most `size` bytes; all that there are where it is negative.

        Raises:
            NetworkError: There is nowhere left to go on.
        """
        if size is None or size < 0:
            return b"".join(iter(lambda: self._read(_SLICE), b""))
        return self._read(size)

    def readinto(self, buffer: WriteableBuffer) -> int:
        """As `read`, into a buffer."""
        view = memoryview(buffer).cast("B")
        data = self._read(len(view))
        view[: len(data)] = data
        return len(data)

    @abstractmethod
    def _read(self, size: int) -> bytes:
        """At most `size` bytes; none only at the end."""
