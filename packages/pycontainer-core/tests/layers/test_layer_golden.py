"""The bytes of a layer, for ever: the same on every Python, system and processor, whatever compressors it has."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import zlib
from importlib import import_module
from typing import NoReturn

import deflate
import pytest

from pycontainer.blobs import compression
from pycontainer.layers.member import DeflatedMember
from pycontainer.layers.writer import LayerWriter

# A change of either is a change of every image: it needs another RECIPE_VERSION.
BLOB = "sha256:90fb5ff7dd0c29209acf7fb5a1e98361044eb3417d9cfa9ae140edf41bf4a8e7"
DIFF_ID = "sha256:e43fea0c8f2db944b8b84481ff4f3373d725c6152de0c570b9d56536b5fafc95"


def content(name: str, size: int, *, dense: bool = False) -> bytes:
    """Content that depends on nothing but these arguments."""
    if dense:
        return hashlib.shake_256(name.encode()).digest(size)
    lines = (f"{name} {hashlib.sha256(str(number).encode()).hexdigest()[:6]}\n" for number in range(size // 8))
    return "".join(lines).encode()[:size]


def member(data: bytes, level: int) -> DeflatedMember:
    return DeflatedMember(
        data=bytes(deflate.deflate_compress(data, level)), method=8, size=len(data), crc32=zlib.crc32(data)
    )


def write() -> tuple[str, str]:
    sink = io.BytesIO()
    with LayerWriter(sink) as writer:
        writer.directory("app", mode=0o755)
        writer.directory("app/.venv", mode=0o700, uid=65532, gid=65532)
        writer.symlink("app/.venv/bin", "/usr/local/bin")
        writer.file("app/main.py", content("main", 5000))
        writer.file("app/größe", b"x", mode=0o755, uid=3_000_000)
        writer.file("app/" + "long/" * 60 + "name", b"y")
        writer.stream("app/data", io.BytesIO(content("data", 5 << 20)), 5 << 20)
        writer.stream("app/picture", io.BytesIO(content("p", 5 << 20, dense=True)), 5 << 20)
        writer.deflated("app/small.py", member(content("small", 3000), 6))
        writer.deflated("app/small.png", member(content("small", 3000, dense=True), 6))
        for number in range(12):
            data = content(f"one block {number}", 40_000 + number)
            writer.deflated(f"app/one{number}.py", member(data, 1))
        writer.deflated("app/several.py", member(content("several", 900_000), 6), mode=0o755)
        writer.deflated("app/large.so", member(content("large", 3 << 20), 6), mode=0o755)
        stored = content("stored", 100_000)
        writer.deflated("app/stored", DeflatedMember(data=stored, method=0, size=len(stored), crc32=zlib.crc32(stored)))
        descriptor, diff_id = writer.finish()
    return str(descriptor.digest), str(diff_id)


def test_the_bytes_of_a_layer_never_change() -> None:
    assert write() == (BLOB, DIFF_ID)


@pytest.mark.once
@pytest.mark.parametrize("inflate_with", ["zlib", "isal.isal_zlib"])
def test_no_compressor_of_this_host_takes_part(inflate_with: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise AssertionError("a compressor of the host was asked")

    isal = import_module("isal.isal_zlib")
    igzip = import_module("isal.igzip_lib")
    for module, names in {
        zlib: ["compress", "compressobj"],
        gzip: ["compress", "GzipFile"],
        bz2: ["compress", "BZ2Compressor"],
        isal: ["compress", "compressobj"],
        igzip: ["compress"],
    }.items():
        for name in names:
            monkeypatch.setattr(module, name, refuse)
    monkeypatch.setattr(compression, "_inflating_module", lambda: import_module(inflate_with))
    assert write() == (BLOB, DIFF_ID)


@pytest.mark.once
def test_a_guard_that_cannot_fail_guards_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    original = deflate.deflate_compress
    monkeypatch.setattr(deflate, "deflate_compress", lambda data, level: original(data, 9 if level == 1 else level))
    assert write()[0] != BLOB
