"""The table of contents of an eStargz layer, and the footer that tells where it is.

TableOfContents.of(entries, offsets).to_bytes()
footer(offset)                                  # 51 bytes

stargz-snapshotter, *docs/estargz.md*, TOC, TOCEntries and Footer.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import msgspec

from pycontainer.layers.deflate import gzip_trailer
from pycontainer.layers.entries import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pycontainer.layers.tar import Head

TOC_PATH: Final = "stargz.index.json"

_TYPES: Final = {Kind.DIRECTORY: "dir", Kind.FILE: "reg", Kind.SYMLINK: "symlink", Kind.HARD_LINK: "hardlink"}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)


class TocEntry(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What the table has of an entry of the tar, or of a chunk of a file; sizes and offsets are in bytes."""

    name: str
    type: str
    size: int = 0
    modtime: str = ""
    link_name: str = ""
    mode: int
    uid: int
    gid: int
    digest: str = ""
    offset: int = 0
    chunk_offset: int = 0
    chunk_size: int = 0
    chunk_digest: str = ""

    @property
    def has_content(self) -> bool:
        """Whether a member of the layer is its content."""
        return bool(self.chunk_digest)

    @classmethod
    def of(cls, head: Head, *, content: bytes | None = None) -> TocEntry:
        """Of an entry that is in one piece; `content` is its sha256, none where it has no content."""
        digest = "" if content is None else f"sha256:{content.hex()}"
        return cls(
            name=f"{head.path}/" if head.kind is Kind.DIRECTORY else head.path,
            type=_TYPES[head.kind],
            size=head.size,
            modtime=_rfc3339(head.mtime),
            link_name=head.target,
            mode=head.mode,
            uid=head.uid,
            gid=head.gid,
            digest=digest,
            chunk_digest=digest,
        )

    @classmethod
    def chunks_of(cls, head: Head, content: bytes, chunks: Sequence[bytes], size: int) -> list[TocEntry]:
        """Of a file in chunks of `size` bytes, the last of which has the rest.

        Args:
            head: The file's.
            content: The sha256 of all of it.
            chunks: The sha256 of each chunk.
            size: Of all chunks but the last.
        """
        first = cls.of(head, content=content)
        if len(chunks) == 1:
            return [first]
        *others, last = (
            cls(
                name=head.path,
                type="chunk" if number else "reg",
                size=0 if number else head.size,
                modtime="" if number else first.modtime,
                mode=head.mode,
                uid=head.uid,
                gid=head.gid,
                digest="" if number else first.digest,
                chunk_offset=number * size,
                chunk_size=size,
                chunk_digest=f"sha256:{digest.hex()}",
            )
            for number, digest in enumerate(chunks)
        )
        return [*others, msgspec.structs.replace(last, chunk_size=0)]


class TableOfContents(msgspec.Struct, frozen=True, kw_only=True):
    """The table; its entries are in the order of the tar."""

    version: int = 1
    entries: tuple[TocEntry, ...]

    @classmethod
    def of(cls, entries: Iterable[TocEntry], offsets: Iterable[int]) -> TableOfContents:
        """The entries, of which those that have content get the offsets of their members, one after the other."""
        places = iter(offsets)
        return cls(
            entries=tuple(
                msgspec.structs.replace(entry, offset=next(places)) if entry.has_content else entry for entry in entries
            )
        )

    def to_bytes(self) -> bytes:
        """As JSON."""
        return msgspec.json.encode(self)


def footer(offset: int) -> bytes:
    """The last 51 bytes: an empty gzip member whose extra field has the offset of the table's (RFC 1952, 2.3.1.1)."""
    subfield = b"%016xSTARGZ" % offset
    extra = b"SG" + len(subfield).to_bytes(2, "little") + subfield
    header = b"\x1f\x8b\x08\x04\0\0\0\0\0\xff" + len(extra).to_bytes(2, "little")
    return header + extra + b"\x01\0\0\xff\xff" + gzip_trailer(0, 0)


@lru_cache(maxsize=8)
def _rfc3339(mtime: int) -> str:
    return (_EPOCH + timedelta(seconds=mtime)).strftime("%Y-%m-%dT%H:%M:%SZ")
