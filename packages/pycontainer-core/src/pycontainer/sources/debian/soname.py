"""The name that a shared library is known by, read from its ELF file.

read_shared_library("usr/lib/x86_64-linux-gnu/libpq.so.5.15", file)      # SharedLibrary(soname="libpq.so.5", …)
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple

from pycontainer.sources.debian.summary import SharedLibrary

if TYPE_CHECKING:
    from collections.abc import Iterator

# What ldconfig looks at in the directories of the loader.
_LIBRARY: Final = re.compile(r"(?:lib|ld-).*\.so(?:\..*)?", re.DOTALL)
_MAGIC: Final = b"\x7fELF"
_SHARED: Final = 3  # ET_DYN
_LOAD, _DYNAMIC = 1, 2  # PT_LOAD, PT_DYNAMIC
_NULL, _STRTAB, _SONAME = 0, 5, 14  # DT_*
_MAX_SEGMENTS: Final = 128
_MAX_DYNAMIC: Final = 64 << 10
_MAX_NAME: Final = 256
_NAME: Final = re.compile(rb"[!-.0-~]{1,255}\0")


class _Form(NamedTuple):
    """How the numbers of a file lie: in 32 or 64 bits, in the order of its bytes."""

    bits: int
    header: str
    segment: str
    dynamic: str


_FORMS: Final = {
    (width, order): _Form(bits, mark + header, mark + segment, mark + dynamic)
    for width, bits, header, segment, dynamic in (
        (1, 32, "16xHHIIIIIHHH", "IIIIIIII", "iI"),
        (2, 64, "16xHHIQQQIHHH", "IIQQQQQQ", "qQ"),
    )
    for order, mark in ((1, "<"), (2, ">"))
}


class _Segment(NamedTuple):
    kind: int
    offset: int
    address: int
    size: int


def is_library(path: str) -> bool:
    """Whether a file may be a shared library, by its name."""
    return _LIBRARY.fullmatch(path.rpartition("/")[2]) is not None


def read_shared_library(path: str, file: BinaryIO) -> SharedLibrary | None:
    """The library in a file that can seek, or none where it is no library that has a name.

    Only what the loader reads is believed: program headers, dynamic section, string table (System V ABI, *Program
    Loading and Dynamic Linking*).
    """
    try:
        return _read(path, file)
    except (struct.error, OverflowError, ValueError):
        return None


def _read(path: str, file: BinaryIO) -> SharedLibrary | None:
    head = _bytes(file, 0, 64)
    if head[:4] != _MAGIC or len(head) < 6:  # noqa: PLR2004 - class and byte order follow the magic number
        return None
    form = _FORMS.get((head[4], head[5]))
    if form is None:
        return None
    kind, machine, _, _, table, _, flags, _, size, count = struct.unpack_from(form.header, head)
    if kind != _SHARED or size != struct.calcsize(form.segment) or count > _MAX_SEGMENTS:
        return None
    segments = list(_segments(form, _bytes(file, table, size * count)))
    soname = _soname(form, file, segments)
    if soname is None:
        return None
    return SharedLibrary(path=path, soname=soname, bits=form.bits, machine=machine, flags=flags)


def _segments(form: _Form, table: bytes) -> Iterator[_Segment]:
    for fields in struct.iter_unpack(form.segment, table):
        if form.bits == 64:  # noqa: PLR2004 - the flags stand at another place
            kind, _, offset, address, _, size, _, _ = fields
        else:
            kind, offset, address, _, size, _, _, _ = fields
        yield _Segment(kind, offset, address, size)


def _soname(form: _Form, file: BinaryIO, segments: list[_Segment]) -> str | None:
    tags: dict[int, int] = {}
    for segment in segments:
        if segment.kind == _DYNAMIC:
            size = min(segment.size, _MAX_DYNAMIC)
            width = struct.calcsize(form.dynamic)
            for tag, value in struct.iter_unpack(form.dynamic, _bytes(file, segment.offset, size - size % width)):
                if tag == _NULL:
                    break
                tags.setdefault(tag, value)
    if _SONAME not in tags or _STRTAB not in tags:
        return None
    for segment in segments:
        into = tags[_STRTAB] - segment.address
        if segment.kind == _LOAD and 0 <= into < segment.size:
            name = _NAME.match(_bytes(file, segment.offset + into + tags[_SONAME], _MAX_NAME))
            return name[0][:-1].decode("ascii") if name else None
    return None


def _bytes(file: BinaryIO, offset: int, size: int) -> bytes:
    file.seek(offset)
    return file.read(size)
