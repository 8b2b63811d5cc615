r"""`ar` archives, the outermost form of a Debian package, read as a stream (deb(5), Format).

    for name, size, content in read_ar(stream):
        if name == "debian-binary":
            content.read(100)           # b"2.0\n"

Only the form that packages have: names of up to sixteen bytes in the header, a slash after them or not.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, BinaryIO, Final

from pycontainer.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typing_extensions import Buffer

    from pycontainer.blobs.hashing import Source

_MAGIC: Final = b"!<arch>\n"
# Name, time, owner, group, mode and size, padded with spaces; the size counts the content without its padding.
_HEADER: Final = re.compile(rb"([!-~ ]{16})[ -~]{32}(\d[\d ]{9})`\n")
_HEADER_SIZE: Final = 60
_NAME: Final = re.compile(r"[!-.0-~]+")
_SLICE: Final = 1 << 20


def read_ar(stream: Source) -> Iterator[tuple[str, int, BinaryIO]]:
    """Name, size and content of every member; the content is good until the next one is asked for.

    After the last member the stream is at its end.

    Raises:
        DocumentError: The archive is damaged, cut off or followed by something else.
    """
    if _read(stream, len(_MAGIC)) != _MAGIC:
        raise _broken("it is no `ar` archive")
    while header := _read(stream, _HEADER_SIZE):
        name, size = _parsed(header)
        content = _Window(stream, size)
        yield name, size, io.BufferedReader(content, _SLICE)
        content.finish()
        if size % 2 and _read(stream, 1) not in {b"\n", b""}:
            raise _broken(f"the padding after `{name}` is no newline")


def _parsed(header: bytes) -> tuple[str, int]:
    match = _HEADER.fullmatch(header)
    name = match[1].decode("ascii").rstrip(" ").removesuffix("/") if match else ""
    digits = match[2].rstrip(b" ") if match else b""
    if not _NAME.fullmatch(name) or not digits.isdigit():
        raise _broken("the header of a member is malformed" if len(header) == _HEADER_SIZE else "it is cut off")
    return name, int(digits)


class _Window(io.RawIOBase):
    """The content of one member."""

    def __init__(self, stream: Source, size: int) -> None:
        super().__init__()
        self._stream = stream
        self._left = size
        self._expired = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        if self._expired:
            raise ValueError("the content of a member can be read only until the next one is asked for")
        view = memoryview(buffer).cast("B")
        data = self._stream.read(min(len(view), self._left)) if self._left else b""
        if self._left and len(view) and not data:
            raise _broken("it is cut off")
        view[: len(data)] = data
        self._left -= len(data)
        return len(data)

    def finish(self) -> None:
        """Go to the end of the member."""
        self._expired = True
        while self._left:
            data = self._stream.read(min(self._left, _SLICE))
            if not data:
                raise _broken("it is cut off")
            self._left -= len(data)


def _read(stream: Source, size: int) -> bytes:
    data = stream.read(size)
    while len(data) < size and (more := stream.read(size - len(data))):
        data += more
    return data


def _broken(fact: str) -> DocumentError:
    return DocumentError("The archive cannot be read", facts=[fact])
