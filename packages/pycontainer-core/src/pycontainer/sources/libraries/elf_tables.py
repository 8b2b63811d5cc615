"""The structures of an ELF file that the loader reads, unpacked and held to their bounds.

System V ABI, *ELF Header*, *Program Header*, *Dynamic Section*; symbol versions as in the LSB, *Symbol Versioning*; in
both sizes of words and both orders of bytes.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

PT_LOAD: Final = 1
PT_DYNAMIC: Final = 2
DT_NEEDED: Final = 1
DT_STRTAB: Final = 5
DT_STRSZ: Final = 10
DT_SONAME: Final = 14
DT_RPATH: Final = 15
DT_RUNPATH: Final = 29
DT_VERDEF: Final = 0x6FFFFFFC
DT_VERNEED: Final = 0x6FFFFFFE

_ET_EXEC: Final = 2
_ET_DYN: Final = 3
_VER_FLG_BASE: Final = 1
_VER_FLG_WEAK: Final = 2
_MAX_SEGMENTS: Final = 128
_MAX_DYNAMIC: Final = 4096
_MAX_CHAIN: Final = 1024
_WORD: Final = 64
HEADER_SIZE: Final = 64  # of the longer form


class BrokenError(Exception):
    """No file that a loader would load."""


class Header(NamedTuple):
    """The ELF header, as far as the loader needs it."""

    bits: int
    order: str
    machine: int
    flags: int
    is_shared: bool
    segments_at: int
    segments: int

    @property
    def segments_size(self) -> int:
        """Bytes of all program headers."""
        return self.segments * _segment_row(self).size


class Segment(NamedTuple):
    """A program header: what the loader maps from where to which address."""

    kind: int
    offset: int
    address: int
    size: int


def read_header(head: bytes) -> Header:
    """The header of a program or a library that is loaded dynamically, from the first bytes of a file.

    Raises:
        BrokenError: It is neither, or not one that can be.
    """
    bits = {b"\1": 32, b"\2": 64}.get(head[4:5])
    order = {b"\1": "<", b"\2": ">"}.get(head[5:6])
    if bits is None or order is None:
        raise BrokenError
    form = "HHIQQQIHHHHHH" if bits == _WORD else "HHIIIIIHHHHHH"
    kind, machine, _, _, at, _, flags, _, each, count, *_ = _unpack(struct.Struct(order + form), head, 16)
    header = Header(bits, order, machine, flags, kind == _ET_DYN, at, count)
    if kind not in {_ET_EXEC, _ET_DYN} or each != _segment_row(header).size or not 0 < count <= _MAX_SEGMENTS:
        raise BrokenError
    return header


def read_segments(header: Header, table: bytes) -> list[Segment]:
    """The program headers."""
    rows = _segment_row(header).iter_unpack(table)
    if header.bits == _WORD:
        return [Segment(kind, offset, address, size) for kind, _, offset, address, _, size, *_ in rows]
    return [Segment(kind, offset, address, size) for kind, offset, address, _, size, *_ in rows]


def dynamic_size(header: Header, segment: Segment) -> int:
    """Bytes of the dynamic section that are looked at: whole rows."""
    row = _dynamic_row(header).size
    return min(segment.size // row, _MAX_DYNAMIC) * row


def read_tags(header: Header, table: bytes) -> dict[int, list[int]]:
    """The dynamic section: each tag's values, in order."""
    found: dict[int, list[int]] = {}
    for tag, value in _dynamic_row(header).iter_unpack(table):
        if tag == 0:
            break
        found.setdefault(tag, []).append(value)
    return found


def place(segments: list[Segment], address: int) -> tuple[int, int]:
    """Where in the file an address is, and how many bytes its segment has from there.

    Raises:
        BrokenError: No segment has it.
    """
    for segment in segments:
        inside = address - segment.address
        if segment.kind == PT_LOAD and 0 <= inside < segment.size:
            return segment.offset + inside, segment.size - inside
    raise BrokenError


def needed_versions(order: str, table: bytes) -> Iterator[tuple[int, list[int]]]:
    """Where among the strings a library's name is, and the versions that it must have (*Version Requirements*).

    Raises:
        BrokenError: It leaves the table, or does not end.
    """
    for at, (_, count, file, first, _) in _chain(order + "HHIII", table, 0, _MAX_CHAIN):
        rows = _chain(order + "IHHII", table, at + first, min(count, _MAX_CHAIN))
        yield file, [name for _, (_, flags, _, name, _) in rows if not flags & _VER_FLG_WEAK]


def defined_versions(order: str, table: bytes) -> Iterator[int]:
    """Where among the strings the names of versions are that a library defines (*Version Definitions*).

    Raises:
        BrokenError: It leaves the table, or does not end.
    """
    for at, (_, flags, _, _, _, first, _) in _chain(order + "HHHHIII", table, 0, _MAX_CHAIN):
        if not flags & _VER_FLG_BASE:
            yield _unpack(struct.Struct(order + "II"), table, at + first)[0]


def _chain(form: str, table: bytes, at: int, most: int) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Structures that each say, at their end, how far behind them the next one is: only forward, so that they end."""
    row = struct.Struct(form)
    for _ in range(most):
        values = _unpack(row, table, at)
        yield at, values
        if values[-1] == 0:
            return
        at += values[-1]


def _unpack(row: struct.Struct, table: bytes, at: int) -> tuple[int, ...]:
    if at + row.size > len(table):
        raise BrokenError
    return row.unpack_from(table, at)


def _segment_row(header: Header) -> struct.Struct:
    return struct.Struct(header.order + ("IIQQQQQQ" if header.bits == _WORD else "IIIIIIII"))


def _dynamic_row(header: Header) -> struct.Struct:
    return struct.Struct(header.order + ("QQ" if header.bits == _WORD else "II"))
