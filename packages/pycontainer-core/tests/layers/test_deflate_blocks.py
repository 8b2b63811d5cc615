from __future__ import annotations

import hashlib
import struct
import zlib

import deflate
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycontainer.layers.deflate import FINAL_BLOCK, fixed_block, gzip_trailer, open_end, stored_blocks
from pycontainer.layers.entries import Kind
from pycontainer.layers.tar import header


def inflate(blocks: bytes) -> bytes:
    """What non-final blocks unpack to, which must end at a byte boundary: a final block follows them."""
    stream = zlib.decompressobj(-15)
    content = stream.decompress(blocks + b"\x01\x03\x00\xfc\xffend")
    assert stream.eof
    assert not stream.unused_data
    assert content.endswith(b"end")
    return content[:-3]


def raw(content: bytes, *, level: int = 6, strategy: int = zlib.Z_DEFAULT_STRATEGY) -> bytes:
    packer = zlib.compressobj(level, zlib.DEFLATED, -15, 9, strategy)
    return packer.compress(content) + packer.flush()


@given(content=st.binary(max_size=600))
def test_any_bytes_survive_a_block_by_hand(content: bytes) -> None:
    assert inflate(fixed_block(content)) == content


@given(content=st.text(alphabet="\0\0\0ab/", max_size=600))
def test_text_with_zeros_survives_a_block_by_hand(content: str) -> None:
    assert inflate(fixed_block(content.encode())) == content.encode()


def test_every_length_of_a_run_of_zeros_is_right() -> None:
    for count in range(1500):
        assert inflate(fixed_block(b"a" + bytes(count) + b"b")) == b"a" + bytes(count) + b"b"


def test_a_tar_header_becomes_a_third_of_itself() -> None:
    block = header("app/.venv/lib/python3.12/site-packages/numpy/core/_multiarray.so", Kind.FILE, size=12345)
    assert len(fixed_block(block)) < len(block) // 3


@pytest.mark.parametrize("size", [0, 1, 65534, 65535, 65536, 200_000])
def test_stored_blocks_of_every_size(size: int) -> None:
    content = bytes(range(256)) * (size // 256 + 1)
    assert inflate(b"".join(stored_blocks(content[:size]))) == content[:size]


def padding_bits(stream: bytes) -> int:
    """The bits to spare in the last byte, by decoding with each of them flipped, from the top."""
    for count in range(8):
        flipped = stream[:-1] + bytes([stream[-1] ^ (0x80 >> count)])
        reader = zlib.decompressobj(-15)
        try:
            same = reader.decompress(flipped) == zlib.decompressobj(-15).decompress(stream)
        except zlib.error:
            return count
        if not same or not reader.eof:
            return count
    raise AssertionError


def test_every_number_of_padding_bits_gets_its_form() -> None:
    """Three or more bits to spare: the stored block's header is there already, four bytes are added; else five."""
    seen = {}
    for length in range(1, 400):
        content = b"".join(b"%d," % (number * number) for number in range(length))
        for strategy in (zlib.Z_DEFAULT_STRATEGY, zlib.Z_FIXED, zlib.Z_HUFFMAN_ONLY):
            stream = raw(content, strategy=strategy)
            opened = open_end(stream, len(content))
            assert opened is not None
            assert inflate(opened) == content
            bits = padding_bits(stream)
            assert len(opened) - len(stream) == (4 if bits >= 3 else 5), bits
            seen[bits] = True
    assert sorted(seen) == list(range(8))


@given(content=st.binary(min_size=1, max_size=4000), level=st.integers(0, 9))
def test_an_opened_stream_unpacks_to_the_same(content: bytes, level: int) -> None:
    opened = open_end(raw(content, level=level), len(content))
    assert opened is not None
    assert inflate(opened) == content


def test_a_stream_of_several_blocks_is_left_alone() -> None:
    content = b"".join(b"%d " % (number * number) for number in range(100_000))
    assert open_end(raw(content), len(content)) is None


def test_bits_to_spare_that_are_not_zero_are_left_alone() -> None:
    """They would be read as a block's header; no compressor writes them, somebody else may."""
    refused = 0
    for length in range(1, 60):
        content = b"x%d" % length * length
        stream = raw(content)
        for bit in range(padding_bits(stream)):
            odd = stream[:-1] + bytes([stream[-1] | 0x80 >> bit])
            assert zlib.decompressobj(-15).decompress(odd) == content
            opened = open_end(odd, len(content))
            assert opened is None or inflate(opened) == content
            refused += opened is None
    assert refused


def test_a_wrong_size_is_never_joined() -> None:
    stream = raw(b"content " * 100)
    assert open_end(stream, 800) is not None
    assert open_end(stream, 799) is None
    assert open_end(stream, 801) is None


def test_a_trailer_counts_modulo_four_gigabytes() -> None:
    assert gzip_trailer(7, (1 << 32) + 5) == struct.pack("<II", 7, 5)


def test_the_final_block_is_empty() -> None:
    reader = zlib.decompressobj(-15)
    assert reader.decompress(FINAL_BLOCK) == b""
    assert reader.eof


def test_libdeflate_gives_the_bytes_that_the_recipe_version_stands_for() -> None:
    """Another version of the pinned dependency would change layers under the same keys."""
    text = b"".join(b"def f_%d(x):\n    return x + %d\n" % (number, number * 7) for number in range(3000))
    assert hashlib.sha256(deflate.deflate_compress(text, 1)).hexdigest() == (
        "d0bc7a203e7d83c1b4de8d63aad8a6d7ee8a66e03db778c874f8f56ca972e260"
    )
