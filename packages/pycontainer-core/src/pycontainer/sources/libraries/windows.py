"""Parts of a stream that are kept while all of it passes by.

windows = Windows([(0, 64), (4096, 512)])
for chunk in chunks: windows.feed(chunk)
windows.at(4096, 16)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pycontainer.blobs.hashing import BytesLike


class Lacking(Exception):  # noqa: N818 - a question, no failure
    """Parts that were asked for and not kept: pairs of start and size."""

    def __init__(self, ranges: list[tuple[int, int]]) -> None:
        super().__init__(ranges)
        self.ranges = ranges


class Windows:
    """Parts of a stream of bytes.

    Args:
        ranges: What to keep: pairs of start and size; they may overlap.
        start: Where in the stream the first chunk begins.
    """

    def __init__(self, ranges: Iterable[tuple[int, int]] = (), *, start: int = 0) -> None:
        self._position = start
        self._parts: list[tuple[int, int, bytes | bytearray]] = []
        self._open = 0  # the first part that may still grow
        for begin, end in sorted((at, at + size) for at, size in ranges if at + size > start):
            if self._parts and begin <= self._parts[-1][1]:
                first, last, content = self._parts[-1]
                self._parts[-1] = first, max(last, end), content
            else:
                self._parts.append((max(begin, start), end, bytearray()))

    @classmethod
    def over(cls, beginning: bytes) -> Windows:
        """One part, the beginning of the stream, which is at hand."""
        windows = cls()
        windows._parts = [(0, len(beginning), beginning)]
        return windows

    @property
    def is_full(self) -> bool:
        """Whether nothing that follows matters."""
        return self._open >= len(self._parts)

    def feed(self, chunk: BytesLike) -> None:
        """The next bytes of the stream."""
        here, end = self._position, self._position + len(chunk)
        self._position = end
        while self._open < len(self._parts):
            first, last, content = self._parts[self._open]
            if first < end:
                content += memoryview(chunk)[max(first - here, 0) : last - here]
            if last > end:
                return
            self._open += 1

    def at(self, start: int, size: int) -> bytes | None:
        """These bytes, as far as the stream has them; none where they were not kept."""
        for first, last, content in self._parts:
            if first <= start and start + size <= last:
                return bytes(content[start - first : start - first + size])
        return None
