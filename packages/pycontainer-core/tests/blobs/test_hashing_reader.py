"""What is read through a hashing reader is hashed, and nothing else."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest

from pycontainer.blobs.hashing import HashingReader, hash_file
from pycontainer.oci import Digest


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_only_what_was_read_is_hashed(algorithm: str) -> None:
    reader = HashingReader(io.BytesIO(b"content and more"), algorithm)
    assert reader.read(7) == b"content"
    assert reader.digest == Digest.of(b"content", algorithm)
    assert reader.size == 7


def test_a_file_has_its_size_and_digest(tmp_path: Path) -> None:
    content = bytes(3_000_000) + b"x"
    (tmp_path / "file").write_bytes(content)
    assert hash_file(tmp_path / "file") == (len(content), hashlib.sha256(content).hexdigest())
