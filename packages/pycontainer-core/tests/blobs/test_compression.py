from __future__ import annotations

import gzip
import io
import lzma
import random
import zlib
from importlib import import_module
from itertools import pairwise
from typing import BinaryIO, cast

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from pycontainer.blobs import compression
from pycontainer.blobs.compression import open_decompressed
from pycontainer.errors import DocumentError, ToolError

DATA = b"".join(b"line %d of a text\n" % number for number in range(20_000))


class Dripping(io.RawIOBase):
    """Gives one byte at a time, as a slow connection may."""

    def __init__(self, content: bytes) -> None:
        self._content = io.BytesIO(content)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        return self._content.read(1 if size else 0)


@pytest.fixture(params=["isal", "zlib"])
def _either_inflater(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    module = import_module("isal.isal_zlib") if request.param == "isal" else zlib
    monkeypatch.setattr(compression, "_inflating_module", lambda: module)


def members(*parts: bytes) -> bytes:
    return b"".join(gzip.compress(part) for part in parts)


def frames(*parts: bytes) -> bytes:
    return b"".join(zstandard.ZstdCompressor().compress(part) for part in parts)


@pytest.mark.usefixtures("_either_inflater")
@pytest.mark.parametrize("pack", [members, frames, lambda *parts: b"".join(parts)], ids=["gzip", "zstd", "plain"])
@pytest.mark.parametrize("parts", [[DATA], [DATA, b"", b"x", DATA], [b"x"], [b""]], ids=["one", "many", "x", "empty"])
def test_every_compression_is_recognised_and_read_to_its_end(pack: object, parts: list[bytes]) -> None:
    packed = pack(*parts)  # type: ignore[operator]
    assert open_decompressed(io.BytesIO(packed)).read() == b"".join(parts)
    short = pack(*(part[:50] for part in parts))  # type: ignore[operator]
    assert open_decompressed(cast("BinaryIO", Dripping(short))).read() == b"".join(part[:50] for part in parts)


@pytest.mark.usefixtures("_either_inflater")
@pytest.mark.parametrize("packed", [members(DATA), frames(DATA)], ids=["gzip", "zstd"])
@pytest.mark.parametrize("tail", [b"\0", b"\0" * 512, b"garbage", b"\x1f", b"\x1f\x8b", b"\x28\xb5\x2f"])
def test_garbage_behind_the_end_is_refused(packed: bytes, tail: bytes) -> None:
    with pytest.raises(DocumentError):
        open_decompressed(io.BytesIO(packed + tail)).read()


@pytest.mark.usefixtures("_either_inflater")
@pytest.mark.parametrize("packed", [members(DATA), frames(DATA)], ids=["gzip", "zstd"])
def test_cut_off_data_is_refused(packed: bytes) -> None:
    for end in (*range(5, 30), len(packed) // 2, *range(len(packed) - 9, len(packed))):
        with pytest.raises(DocumentError):
            open_decompressed(io.BytesIO(packed[:end])).read()


@pytest.mark.usefixtures("_either_inflater")
def test_damaged_data_is_refused_or_harmless() -> None:
    packed = members(DATA[:3000])
    numbers = random.Random(1)  # noqa: S311 - not a secret
    for _ in range(500):
        damaged = bytearray(packed)
        damaged[numbers.randrange(4, len(packed))] ^= 1 << numbers.randrange(8)
        try:
            content = open_decompressed(io.BytesIO(damaged)).read()
        except DocumentError:
            continue
        assert content == DATA[:3000]  # a bit of gzip's header that means nothing


def test_a_skippable_zstd_frame_is_skipped() -> None:
    skippable = b"\x50\x2a\x4d\x18\x04\0\0\0skip"
    assert open_decompressed(io.BytesIO(skippable + frames(DATA))).read() == DATA


def test_a_huge_zstd_window_is_refused() -> None:
    parameters = zstandard.ZstdCompressionParameters.from_level(3, window_log=28, enable_ldm=True)
    packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    packed = packer.compress(DATA) + packer.flush()
    with pytest.raises(DocumentError, match="cannot be read"):
        open_decompressed(io.BytesIO(packed)).read()


@pytest.mark.usefixtures("_either_inflater")
@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_a_bomb_is_stopped_by_the_total_and_by_the_ratio(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compression, "RATIO_FREE", 1 << 20)
    zeros = bytes(40 << 20)
    packed = gzip.compress(zeros) if name == "gzip" else frames(zeros)
    with pytest.raises(DocumentError, match="250 times"):
        drain(io.BytesIO(packed))
    with pytest.raises(DocumentError, match="more than 1000 bytes"):
        drain(io.BytesIO(packed), max_size=1000)
    assert drain(io.BytesIO(packed), max_ratio=10**9) == len(zeros)


@pytest.mark.parametrize("content", [DATA, b"", b"x", bytes(9 << 20)], ids=["text", "empty", "x", "zeros"])
def test_xz_is_read_where_it_may_be(content: bytes) -> None:
    packed = lzma.compress(content)
    assert open_decompressed(io.BytesIO(packed), xz=True).read() == content
    assert open_decompressed(io.BytesIO(packed + packed), xz=True).read() == content * 2
    assert open_decompressed(io.BytesIO(packed)).read() == packed
    for damaged in (packed[:-1], packed[: len(packed) // 2], packed + b"x", packed + packed[:9], packed[:20] + b"!!"):
        with pytest.raises(DocumentError):
            open_decompressed(io.BytesIO(damaged), xz=True).read()


def test_a_bomb_of_xz_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compression, "RATIO_FREE", 1 << 20)
    with pytest.raises(DocumentError, match="250 times"):
        open_decompressed(io.BytesIO(lzma.compress(bytes(40 << 20))), xz=True).read()


def drain(stream: io.BytesIO, **caps: int) -> int:
    reader = open_decompressed(stream, **caps)  # type: ignore[arg-type]  # only caps
    return sum(len(piece) for piece in iter(lambda: reader.read(1 << 20), b""))


def test_a_missing_zstd_decoder_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> object:
        raise ImportError(name)

    monkeypatch.setattr(compression, "import_module", absent)
    with pytest.raises(ToolError) as caught:
        open_decompressed(io.BytesIO(frames(b"x")))
    assert caught.value.hint is not None
    assert "zstd" in caught.value.hint


def test_the_error_names_the_media_type() -> None:
    with pytest.raises(DocumentError, match="application/x") as caught:
        open_decompressed(io.BytesIO(b"\x1f\x8b junk"), "application/x").read()
    assert "media type: `application/x`" in caught.value.facts


@given(content=st.binary(max_size=2000), cuts=st.lists(st.integers(0, 2000), max_size=3))
def test_any_content_in_any_members_comes_back(content: bytes, cuts: list[int]) -> None:
    edges = [0, *sorted(min(cut, len(content)) for cut in cuts), len(content)]
    packed = members(*(content[start:end] for start, end in pairwise(edges)))
    assert open_decompressed(io.BytesIO(packed)).read() == content


def test_closing_closes_the_source() -> None:
    source = io.BytesIO(members(DATA))
    open_decompressed(source).close()
    assert source.closed
