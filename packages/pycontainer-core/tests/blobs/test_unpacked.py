"""What passes on is what a digest names and what another one names once it is unpacked, or its end never comes."""

from __future__ import annotations

import gzip
import hashlib
import io
import shutil

import pytest

from pycontainer.blobs.unpacked import UnpackedDigestReader
from pycontainer.errors import IntegrityError
from pycontainer.oci import Digest

CONTENTS = [b"", b"x", b"text " * 1_000_000, hashlib.shake_128(b"noise").digest(3_000_000)]


def packed(content: bytes, *, members: int = 1) -> bytes:
    """As a layer is: of any number of gzip members."""
    step = len(content) // members + 1
    return b"".join(gzip.compress(content[at : at + step], mtime=0) for at in range(0, step * members, step))


@pytest.mark.parametrize("content", CONTENTS, ids=len)
@pytest.mark.parametrize("members", [1, 3])
@pytest.mark.parametrize("size", [100_000, 1 << 20])
def test_the_compressed_bytes_pass_unchanged(content: bytes, members: int, size: int) -> None:
    raw = packed(content, members=members)
    with UnpackedDigestReader(io.BytesIO(raw), Digest.of(content)) as stream:
        assert b"".join(iter(lambda: stream.read(size) or b"", b"")) == raw


@pytest.mark.parametrize("content", CONTENTS, ids=len)
def test_what_unpacks_to_something_else_never_ends(content: bytes) -> None:
    raw, passed = packed(content), io.BytesIO()
    stream = UnpackedDigestReader(io.BytesIO(raw), Digest.of(b"other"))
    with stream, pytest.raises(IntegrityError, match="unpacks to something else"):
        shutil.copyfileobj(stream, passed)
    assert len(passed.getvalue()) < len(raw)


@pytest.mark.parametrize("damage", ["cut", "flipped", "garbage"])
def test_what_cannot_be_unpacked_never_ends(damage: str) -> None:
    raw = packed(CONTENTS[-1])
    bad = {"cut": raw[:-100], "flipped": raw[:-8] + b"abcdefgh", "garbage": raw + b"more"}[damage]
    with UnpackedDigestReader(io.BytesIO(bad), Digest.of(CONTENTS[-1])) as stream, pytest.raises(IntegrityError):
        shutil.copyfileobj(stream, io.BytesIO())


def test_its_source_is_closed_with_it() -> None:
    source = io.BytesIO(packed(b"x"))
    UnpackedDigestReader(source, Digest.of(b"x")).close()
    assert source.closed
