from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycontainer.blobs.hashing import HashingWriter, VerifyingReader
from pycontainer.errors import IntegrityError
from pycontainer.oci import Descriptor, Digest


def describe(content: bytes, **changes: object) -> Descriptor:
    fields: dict[str, object] = {"media_type": "text/plain", "digest": Digest.of(content), "size": len(content)}
    return Descriptor(**{**fields, **changes})  # type: ignore[arg-type]  # a test may say anything


@given(content=st.binary(max_size=300), step=st.integers(1, 64))
def test_right_bytes_pass_whatever_the_reads(content: bytes, step: int) -> None:
    reader = VerifyingReader(io.BytesIO(content), describe(content))
    pieces = []
    while piece := reader.read(step):
        pieces.append(piece)
    assert b"".join(pieces) == content


@pytest.mark.parametrize("actual", [b"", b"conten", b"content!", b"CONTENT", b"content" * 1000])
def test_other_bytes_raise(actual: bytes) -> None:
    reader = VerifyingReader(io.BytesIO(actual), describe(b"content"))
    with pytest.raises(IntegrityError):
        reader.read()


def test_the_last_bytes_are_withheld_until_all_are_verified() -> None:
    reader = VerifyingReader(io.BytesIO(b"c0ntent"), describe(b"content"))
    assert reader.read(6) == b"c0nten"
    with pytest.raises(IntegrityError, match="not that of"):
        reader.read(1)


def test_a_reader_of_the_announced_size_learns_of_bytes_behind_it() -> None:
    reader = VerifyingReader(io.BytesIO(b"content and more"), describe(b"content"))
    with pytest.raises(IntegrityError, match="more bytes"):
        reader.read(7)


def test_an_empty_blob_is_verified_too() -> None:
    assert VerifyingReader(io.BytesIO(b""), describe(b"")).read() == b""
    with pytest.raises(IntegrityError):
        VerifyingReader(io.BytesIO(b""), describe(b"", digest=Digest.of(b"x"))).read()


def test_sha512_is_verified_as_sha512() -> None:
    digest = Digest("sha512", "0" * 128)
    with pytest.raises(IntegrityError, match="sha512"):
        VerifyingReader(io.BytesIO(b"x"), describe(b"x", digest=digest)).read()


def test_closing_closes_the_source() -> None:
    source = io.BytesIO(b"content")
    VerifyingReader(source, describe(b"content")).close()
    assert source.closed


def test_a_hashing_writer_passes_bytes_on_and_names_them() -> None:
    sink = io.BytesIO()
    writer = HashingWriter(sink)
    writer.write(b"con")
    writer.write(memoryview(b"tent"))
    assert (sink.getvalue(), writer.digest, writer.size) == (b"content", Digest.of(b"content"), 7)
