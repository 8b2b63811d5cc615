from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from pycontainer.blobs.hashing import hash_raw
from pycontainer.blobs.store import BlobStore
from pycontainer.builder import cache_check
from pycontainer.builder.cache_check import check_cache

if TYPE_CHECKING:
    import pytest


def test_what_a_build_puts_in_the_place_of_a_damaged_entry_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, content = BlobStore(tmp_path / "wheels"), b"wheel" * 100
    digest = store.add(io.BytesIO(content))
    store.path(digest).write_bytes(bytes(len(content)))
    found: list[str] = []

    def hash_while_a_build_fetches_it(raw: io.RawIOBase, algorithm: str) -> tuple[int, str]:
        size, sha256 = hash_raw(raw, algorithm)
        raw.close()  # Windows replaces nothing that is open
        found.append(sha256)
        store.add(io.BytesIO(content))
        return size, sha256

    monkeypatch.setattr(cache_check, "hash_raw", hash_while_a_build_fetches_it)
    check_cache(tmp_path)
    assert found[0] != digest.hex
    assert store.path(digest).read_bytes() == content
