"""A reader of eStargz layers that believes nothing, written from the specification alone.

    contents = read_estargz(blob, descriptor.annotations)       # path to content, or AssertionError

stargz-snapshotter, *docs/estargz.md*. It reads as a snapshotter does: footer, table of contents, then each chunk by its
offset; and then as every other engine does, as the gzip that it is.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import zlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_SLICE = 1 << 16
_TYPES = {"reg": tarfile.REGTYPE, "dir": tarfile.DIRTYPE, "symlink": tarfile.SYMTYPE, "hardlink": tarfile.LNKTYPE}


def read_estargz(blob: bytes, annotations: Mapping[str, str]) -> dict[str, bytes]:
    """The content of every file, found through the table of contents and checked against it and against the tar."""
    table, tar = _table(blob), _unpacked(blob)
    assert annotations["containerd.io/snapshot/stargz/toc.digest"] == _digest(table)
    assert annotations["io.containers.estargz.uncompressed-size"] == str(len(tar))
    toc = json.loads(table)
    assert toc["version"] == 1
    contents: dict[str, bytes] = {}
    for entry in toc["entries"]:
        if entry["type"] == "chunk":
            assert len(contents[entry["name"]]) == entry["chunkOffset"]
        if entry["type"] in {"reg", "chunk"}:
            contents[entry["name"]] = contents.get(entry["name"], b"") + _chunk(blob, entry, toc["entries"])
    _check_tar(tar, toc["entries"], contents, table)
    return contents


def _table(blob: bytes) -> bytes:
    end = blob[-51:]
    assert end[:16] == b"\x1f\x8b\x08\x04" + end[4:10] + b"\x1a\0SG\x16\0"
    assert end[32:] == b"STARGZ" + b"\x01\0\0\xff\xff" + bytes(8)
    table = _member(blob, int(end[16:32], 16))
    with tarfile.open(fileobj=io.BytesIO(table)) as archive:
        (member,) = archive.getmembers()
        assert member.name == "stargz.index.json"
        file = archive.extractfile(member)
        assert file is not None
        return file.read()


def _chunk(blob: bytes, entry: dict[str, Any], entries: list[dict[str, Any]]) -> bytes:
    if entry["type"] == "reg" and not entry.get("size"):
        assert "offset" not in entry
        return b""
    whole = next(each["size"] for each in entries if each["name"] == entry["name"] and each["type"] == "reg")
    size = entry.get("chunkSize") or whole - entry.get("chunkOffset", 0)
    content = _member(blob, entry["offset"])[:size]
    assert len(content) == size
    assert entry["chunkDigest"] == _digest(content)
    return content


def _check_tar(tar: bytes, entries: list[dict[str, Any]], contents: dict[str, bytes], table: bytes) -> None:
    """The table says of each entry what the tar does, in its order, and is its last entry."""
    listed = [entry for entry in entries if entry["type"] != "chunk"]
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        *members, last = archive.getmembers()
        assert last.name == "stargz.index.json"
        assert [entry["name"].rstrip("/") for entry in listed] == [member.name for member in members]
        for entry, member in zip(listed, members, strict=True):
            assert (entry["name"][-1] == "/") == member.isdir()
            assert (_TYPES[entry["type"]], entry.get("size", 0)) == (member.type, member.size)
            assert (entry["mode"], entry["uid"], entry["gid"]) == (member.mode, member.uid, member.gid)
            assert entry.get("linkName", "") == member.linkname
            file = archive.extractfile(member) if entry["type"] == "reg" else None
            if file is not None:
                assert contents[entry["name"]] == file.read()
                assert not member.size or entry["digest"] == _digest(contents[entry["name"]])
        file = archive.extractfile(last)
        assert file is not None
        assert file.read() == table
    assert contents[".no.prefetch.landmark"] == b"\x0f"


def _member(blob: bytes, offset: int) -> bytes:
    """What the gzip member that begins there unpacks to."""
    return _member_and_end(blob, offset)[0]


def _member_and_end(blob: bytes, offset: int) -> tuple[bytes, int]:
    reader, parts, view = zlib.decompressobj(31), [], memoryview(blob)
    while not reader.eof:
        assert offset < len(blob)
        parts.append(reader.decompress(view[offset : offset + _SLICE]))
        offset += _SLICE
    return b"".join(parts), min(offset, len(blob)) - len(reader.unused_data)


def _unpacked(blob: bytes) -> bytes:
    parts, offset = [], 0
    while offset < len(blob):
        content, offset = _member_and_end(blob, offset)
        parts.append(content)
    return b"".join(parts)


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
