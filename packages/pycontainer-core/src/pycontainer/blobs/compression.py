"""Decompressing streams: what a layer's bytes are once gzip or zstd is taken off, and a Debian package's once xz is.

    with open_decompressed(blob.open(), descriptor.media_type) as tar: ...

The compression is found by its magic number, as the container engines do: media types are known to lie.
"""

from __future__ import annotations

import io
import zlib
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from pycontainer.errors import DocumentError, ToolError
from pycontainer.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from typing_extensions import Buffer

MAX_SIZE = 64 << 30
# The most a layer of text gives is about 20; a bomb gives up to 1,032 with deflate, far more with zstd. Short streams
# may well be all zeros (an empty layer is 1,024 of them), so the ratio counts only once this much came out.
MAX_RATIO = 250
RATIO_FREE = 256 << 20
# zstd(1) itself needs `--long` or `--memory` to read more; it bounds the memory of whoever reads.
_MAX_WINDOW = 1 << 27
# What is fed at once bounds what comes out at once: 16 KiB of deflate give up to 16 MiB, 1 KiB of zstd up to 32 MiB.
_GZIP_SLICE = 1 << 14
_ZSTD_SLICE = 1 << 10
# What comes out of xz is bounded by itself, see `_bounded`.
_XZ_SLICE = 1 << 16
_OUTPUT = 1 << 20
_MAGIC_SIZE = 4
_SKIPPABLE = 0x5


class Decoder(Protocol):
    """One gzip member, deflate stream or zstd frame: the common part of all the libraries."""

    @property
    def eof(self) -> bool:
        """Whether the end was reached."""
        ...

    @property
    def unused_data(self) -> bytes:
        """What was given beyond the end."""
        ...

    def decompress(self, data: Buffer, /) -> bytes:
        """Everything that `data` adds to the output."""
        ...


class Inflater(Decoder, Protocol):
    """A decoder of deflate, which can be told to stop."""

    def decompress(self, data: Buffer, max_length: int = 0, /) -> bytes:
        """What `data` adds to the output; at most `max_length` bytes of it where that is not zero."""
        ...


def open_decompressed(
    stream: BinaryIO,
    media_type: str | None = None,
    *,
    max_size: int = MAX_SIZE,
    max_ratio: int = MAX_RATIO,
    xz: bool = False,
) -> BinaryIO:
    """A stream of the uncompressed bytes; closing it closes `stream`.

    Args:
        stream: gzip of any number of members (RFC 1952), zstd of any number of frames (RFC 8878), or neither.
        media_type: What the bytes were said to be; for the error's facts only.
        max_size: The most bytes that may come out.
        max_ratio: The most bytes that may come out for one that goes in.
        xz: Whether the bytes may be xz, too, which not every engine can read in a layer.

    Raises:
        DocumentError: From the stream: damaged, cut off, followed by garbage, or larger than allowed.
        ToolError: The bytes are zstd and no decoder is installed.
    """
    head = _read_fully(stream, _MAGIC_SIZE)
    source = _Source(head, stream)
    if _starts_gzip(head):
        chunks = _decoded(source, _gzip())
    elif _starts_zstd(head):
        chunks = _decoded(source, _zstd())
    elif xz and _starts_xz(head):
        chunks = _decoded(source, _xz())
    else:
        chunks = iter(lambda: source.read(_OUTPUT), b"")
    reader = _Decompressed(chunks, source, media_type=media_type, max_size=max_size, max_ratio=max_ratio)
    return io.BufferedReader(reader, _OUTPUT)


def inflater(window_bits: int) -> Inflater:
    """An object that inflates: isal's where it is installed, else zlib's. Both give the same bytes.

    Args:
        window_bits: As in zlib: -15 for a raw deflate stream, 31 for one gzip member.
    """
    made: Inflater = _inflating_module().decompressobj(window_bits)
    return made


@cache
def _inflating_module() -> Any:
    try:
        return import_module("isal.isal_zlib")
    except ImportError:
        return zlib


def inflate_errors() -> tuple[type[Exception], ...]:
    """What an `inflater` raises on damaged input."""
    return tuple({zlib.error, _inflating_module().error})


class _Source:
    """The compressed side: gives back the bytes looked at, and counts."""

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        self._head = head
        self._stream = stream
        self.count = 0

    def read(self, size: int = -1) -> bytes:
        data, self._head = (self._head, b"") if self._head else (self._stream.read(size), b"")
        self.count += len(data)
        return data

    def close(self) -> None:
        self._stream.close()


class _Decompressed(io.RawIOBase):
    """An iterator of chunks as a stream, under the caps."""

    def __init__(
        self, chunks: Iterator[bytes], source: _Source, *, media_type: str | None, max_size: int, max_ratio: int
    ) -> None:
        super().__init__()
        self._chunks = chunks
        self._source = source
        self._media_type = media_type
        self._max_size = max_size
        self._max_ratio = max_ratio
        self._rest = memoryview(b"")
        self._count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        view = memoryview(buffer).cast("B")
        while not len(self._rest):
            try:
                chunk = next(self._chunks, None)
            except _Damaged as error:
                raise self._error(str(error)) from error.__cause__
            if chunk is None:
                return 0
            self._rest = memoryview(chunk)
            self._count += len(chunk)
            self._check_caps()
        count = min(len(view), len(self._rest))
        view[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def close(self) -> None:
        if not self.closed:
            self._source.close()
        super().close()

    def _check_caps(self) -> None:
        if self._count > self._max_size:
            raise self._error(f"it unpacks to more than {self._max_size} bytes")
        if self._count > RATIO_FREE and self._count > self._source.count * self._max_ratio:
            raise self._error(f"it unpacks to more than {self._max_ratio} times its size")

    def _error(self, fact: str) -> DocumentError:
        facts = [fact, *([f"media type: `{self._media_type}`"] if self._media_type else [])]
        return DocumentError("The compressed bytes cannot be read", facts=facts)


class _Damaged(Exception):  # noqa: N818 - carries a fact to `_Decompressed`, never leaves this module
    pass


class _Format(Value, frozen=True, kw_only=True):
    """How one compression is read.

    `decoder` reads one member or frame, `slice_size` is what it is fed at once; where it is `bounded`, it keeps back
    what it was not asked for.
    """

    name: str
    slice_size: int
    starts: Callable[[bytes], bool]
    decoder: Callable[[], Decoder]
    errors: tuple[type[Exception], ...]
    bounded: bool = False


def _decoded(source: _Source, form: _Format) -> Iterator[bytes]:
    """Members or frames, one after the other, to the very end."""
    data = source.read(form.slice_size)
    while data:
        while len(data) < _MAGIC_SIZE and (more := source.read(form.slice_size)):
            data += more
        if not form.starts(data):
            raise _Damaged(f"there is garbage after the end of the {form.name} data")
        member, finished = form.decoder(), False
        while not finished:
            if not data:
                raise _Damaged(f"its {form.name} data is cut off")
            try:
                if form.bounded:
                    yield from _bounded(member, data)
                else:
                    yield member.decompress(data)
            except form.errors as error:
                raise _Damaged(f"its {form.name} data is damaged: {error}") from error
            finished = member.eof
            data = member.unused_data if finished else source.read(form.slice_size)
        data = data or source.read(form.slice_size)


def _bounded(member: Any, data: bytes) -> Iterator[bytes]:
    """What the data adds to the output, a megabyte at a time: xz makes up to 7,000 bytes of one."""
    yield member.decompress(data, _OUTPUT)
    while not member.eof and not member.needs_input:
        yield member.decompress(b"", _OUTPUT)


def _starts_gzip(data: bytes) -> bool:
    return data[:2] == b"\x1f\x8b"


def _starts_zstd(data: bytes) -> bool:
    return data[:4] == b"\x28\xb5\x2f\xfd" or (data[1:4] == b"\x2a\x4d\x18" and data[0] >> 4 == _SKIPPABLE)


def _starts_xz(data: bytes) -> bool:
    return data[:4] == b"\xfd7zX"


def _gzip() -> _Format:
    return _Format(
        name="gzip",
        slice_size=_GZIP_SLICE,
        starts=_starts_gzip,
        decoder=lambda: inflater(31),
        errors=inflate_errors(),
    )


def _zstd() -> _Format:
    decoder, error = _zstd_decoder()
    return _Format(name="zstd", slice_size=_ZSTD_SLICE, starts=_starts_zstd, decoder=decoder, errors=(error,))


def _xz() -> _Format:
    import lzma  # noqa: PLC0415 - no layer needs it, and not every Python has it

    # `xz -9` needs 65 MiB.
    limit = _MAX_WINDOW + (1 << 20)
    return _Format(
        name="xz",
        slice_size=_XZ_SLICE,
        starts=_starts_xz,
        decoder=lambda: lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=limit),
        errors=(lzma.LZMAError,),
        bounded=True,
    )


def _zstd_decoder() -> tuple[Callable[[], Decoder], type[Exception]]:
    """What makes a decoder of one frame, and what that raises: from Python 3.14 itself, or from `zstandard`."""
    try:
        zstd: Any = import_module("compression.zstd")
    except ImportError:
        pass
    else:
        options = {zstd.DecompressionParameter.window_log_max: _MAX_WINDOW.bit_length() - 1}
        return lambda: zstd.ZstdDecompressor(options=options), zstd.ZstdError
    try:
        zstandard: Any = import_module("zstandard")
    except ImportError as error:
        raise ToolError(
            "A layer is compressed with zstd, which this Python cannot read",
            hint="Install `pycontainer-core[zstd]`, or use Python 3.14",
        ) from error
    context = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW)
    return lambda: context.decompressobj(), zstandard.ZstdError  # noqa: PLW0108 - its own signature has options


def _read_fully(stream: BinaryIO, size: int) -> bytes:
    data = b""
    while len(data) < size and (more := stream.read(size - len(data))):
        data += more
    return data
