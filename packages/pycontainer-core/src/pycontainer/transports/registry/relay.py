"""One content from several servers: where one breaks for good, the next goes on.

reader = RelayReader([open_mirror, open_registry], size)
reader.begin()
reader.read(1 << 20)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from pycontainer.errors import IntegrityError, NetworkError
from pycontainer.transports.http.body_reader import BodyReader

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class RelayReader(BodyReader):
    """Reads from the first of its sources that works, from where the one before it stopped.

    That the parts belong together is for the reader's digest to prove, as with one server.

    Args:
        sources: Each opens the content at an offset in bytes; asked in this order, each at most once.
        size: The bytes of the whole content; a source that ends before has broken.
    """

    def __init__(self, sources: Sequence[Callable[[int], BinaryIO]], size: int) -> None:
        self._sources = list(sources)
        self._size = size
        self._position = 0
        self._current: BinaryIO | None = None

    def begin(self) -> None:
        """Open the content now, so that a missing one is known before anyone reads.

        Raises:
            NetworkError: Of the last source.
            IntegrityError: As above.
        """
        if self._current is None:
            self._current = self._next(NetworkError("There is no server to read from"))

    def _read(self, size: int) -> bytes:
        """As of any stream.

        Raises:
            NetworkError: The last source has broken.
        """
        while True:
            self.begin()
            assert self._current is not None  # noqa: S101 - `begin` opens it or raises
            try:
                data = self._current.read(size)
            except NetworkError as error:
                self._current = self._next(error)
                continue
            if not data and size and self._position < self._size and self._sources:
                self._current = self._next(NetworkError("The content ended early"))
                continue
            self._position += len(data)
            return data

    def close(self) -> None:
        """Close the source that is open."""
        if self._current is not None:
            self._current.close()
        super().close()

    def _next(self, failure: NetworkError | IntegrityError) -> BinaryIO:
        if self._current is not None:
            self._current.close()
            self._current = None
        while self._sources:
            try:
                return self._sources.pop(0)(self._position)
            except (NetworkError, IntegrityError) as error:  # noqa: PERF203 - one turn a server
                failure = error
        raise failure
