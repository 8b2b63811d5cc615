"""How far an upload is, and that what is sent has the size that was announced."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, BinaryIO

from pycontainer.errors import IntegrityError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pycontainer.oci import Descriptor


class HighWater:
    """Tells of each byte once, however often an upload begins again."""

    def __init__(self, advance: Callable[[int], None]) -> None:
        self._advance = advance
        self._position = 0
        self._reported = 0

    def restart(self, position: int = 0) -> None:
        """Bytes from this position on are sent again."""
        self._position = position

    def move(self, count: int) -> None:
        """So many more bytes have left; whoever listens may raise to stop the upload."""
        self._position += count
        new = self._position - self._reported
        if new > 0:
            self._reported = self._position
        self._advance(max(new, 0))


class CountedReader(io.RawIOBase):
    """A blob's bytes as an HTTP client reads them."""

    def __init__(self, raw: BinaryIO, descriptor: Descriptor, progress: HighWater) -> None:
        super().__init__()
        self._raw = raw
        self._descriptor = descriptor
        self._left = descriptor.size
        self._progress = progress

    def readable(self) -> bool:
        """Always."""
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """The next bytes.

        Raises:
            IntegrityError: More or fewer than the descriptor says.
            StoreError: The source cannot be read.
        """
        try:
            data = self._raw.read(-1 if size is None else size)
        except OSError as error:
            reason = error.strerror or str(error)
            raise StoreError(f"The blob `{self._descriptor.digest}` cannot be read", facts=[reason]) from error
        self._left -= len(data)
        if self._left < 0 or (self._left and not data and size):
            raise IntegrityError(
                f"The content is not that of `{self._descriptor.digest}`",
                facts=[f"announced: {self._descriptor.size} bytes", f"found: {self._descriptor.size - self._left}"],
            )
        self._progress.move(len(data))
        return data

    def close(self) -> None:
        """Close the source too."""
        if not self.closed:
            self._raw.close()
        super().close()
