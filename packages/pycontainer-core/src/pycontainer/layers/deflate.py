"""Deflate and gzip by hand: the few blocks that join other compressors' streams (RFC 1951, RFC 1952).

    GZIP_HEADER + fixed_block(header) + stream_of_the_wheel + gzip_trailer(crc, size)

None of this asks a compressor, so none of it can differ from host to host: a decompressor only answers questions that
have one answer.
"""

from __future__ import annotations

import re
import struct
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING

import deflate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycontainer.blobs.hashing import BytesLike

# No name, no time, no flags, unknown system.
GZIP_HEADER = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
# An empty final block of fixed codes: ends a member that is still open.
FINAL_BLOCK = b"\x03\x00"

_STORED_MAX = 0xFFFF
# Length and inverted length of an empty stored block.
_STORED_LENGTH = b"\0\0\xff\xff"
# A final stored block of one byte.
_PROBE = b"\x01\x01\x00\xfe\xff!"
_MATCH_MAX = 258
_ASCII_MAX = 0x7F
_ZEROS = re.compile(rb"(\0{4,})")
# Bits that are gathered in one number: a header has some 1,200, and adding to a long number copies it.
_SPILL = 2048


def gzip_trailer(crc: int, size: int) -> bytes:
    """The end of a member: CRC-32 and size of all that it unpacks to, the size modulo 2³²."""
    return struct.pack("<II", crc, size & 0xFFFFFFFF)


def stored_blocks(data: BytesLike) -> Iterator[BytesLike]:
    """`data` in non-final stored blocks; they must begin at a byte boundary, and end at one."""
    for start in range(0, len(data), _STORED_MAX):
        piece = data[start : start + _STORED_MAX]
        yield b"\0" + struct.pack("<HH", len(piece), len(piece) ^ _STORED_MAX)
        yield piece


def fixed_block(data: bytes) -> bytes:
    """`data` in a non-final block of fixed codes, and an empty stored block after it that fills the last byte.

    Made for tar headers: ASCII with long runs of zeros. Anything else goes to stored blocks.
    """
    if not data.isascii():
        return b"".join(stored_blocks(data))
    out = []
    bits, count = 0b010, 3  # BFINAL 0, BTYPE 01
    for index, part in enumerate(_ZEROS.split(data)):
        # Splitting by a group gives text and separator in turn.
        code, length = _zeros(len(part)) if index % 2 else _literals(part)
        bits |= code << count
        count += length
        if count > _SPILL:
            whole = count >> 3
            out.append((bits & ((1 << (8 * whole)) - 1)).to_bytes(whole, "little"))
            bits, count = bits >> (8 * whole), count & 7
    # End of block is seven zero bits, the header of the stored block three more; then the byte is filled.
    count += 7 + 3
    out += bits.to_bytes((count + 7) // 8, "little"), _STORED_LENGTH
    return b"".join(out)


def open_end(stream: bytes, size: int) -> bytes | None:
    """A deflate stream of one block so that another block can follow it, at a byte boundary; none where it cannot be.

    Bit 0 of the first byte says that the block is the final one: it is cleared. An empty stored block then fills the
    last byte. Its header is three zero bits: where the last byte has as many to spare they are there already, else
    one byte more is needed. Only decoding tells which, and only the right form decodes.

    Args:
        stream: The whole stream, known to be sound and to end where its bytes end.
        size: Bytes that it unpacks to; they are held in memory.
    """
    if not stream[0] & 1:
        return None
    opened = bytes((stream[0] & 0xFE,)) + stream[1:]
    for closing in (_STORED_LENGTH, b"\0" + _STORED_LENGTH):
        with suppress(deflate.DeflateError):
            unpacked = deflate.deflate_decompress(opened + closing + _PROBE, size + 1)
            # The block gives `size` bytes, and the probe one: both were reached exactly if there are no more or fewer.
            if len(unpacked) == size + 1 and unpacked[-1:] == _PROBE[-1:]:
                return opened + closing
    return None


def _literals(data: bytes) -> tuple[int, int]:
    """Literals below 144 have codes of eight bits, so that a string of them is a string of bytes."""
    return int.from_bytes(data.translate(_LITERAL_CODES), "little"), 8 * len(data)


@cache
def _zeros(size: int) -> tuple[int, int]:
    """A run of zeros: one literal, then copies of what stands one byte before."""
    bits, count = _LITERAL_CODES[0], 8
    left = size - 1
    while left:
        length = min(left, _MATCH_MAX)
        if 0 < left - length < 3:  # noqa: PLR2004 - a match copies at least three
            length -= 3
        code, width = _match(length)
        bits |= code << count
        count += width
        left -= length
    return bits, count


def _match(length: int) -> tuple[int, int]:
    """Copy `length` bytes from distance one: the length's code and extra bits, then five zero bits."""
    symbol, extra, extra_width = _length_symbol(length)
    # Symbols 256 to 279 have codes of seven bits from 0, 280 to 287 of eight bits from 192.
    code, width = (symbol - 256, 7) if symbol < 280 else (192 + symbol - 280, 8)  # noqa: PLR2004
    return _reversed(code, width) | extra << width, width + extra_width + 5


def _length_symbol(length: int) -> tuple[int, int, int]:
    """The symbol of a match's length, its extra bits and their number (RFC 1951, 3.2.5)."""
    if length == _MATCH_MAX:
        return 285, 0, 0
    offset = length - 3
    if offset < 8:  # noqa: PLR2004 - the first eight symbols have no extra bits
        return 257 + offset, 0, 0
    width = offset.bit_length() - 3
    return 257 + 4 * width + (offset >> width), offset & ((1 << width) - 1), width


def _reversed(code: int, width: int) -> int:
    """Huffman codes are packed from their most significant bit on, everything else from the least."""
    return int(f"{code:0{width}b}"[::-1], 2)


_LITERAL_CODES = bytes(_reversed(0x30 + literal, 8) if literal <= _ASCII_MAX else 0 for literal in range(256))
