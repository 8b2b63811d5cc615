"""Forged shared libraries: as much of an ELF file as a loader looks at before it maps one.

forge_library(soname="libdemo.so.1", needed=["libc.so.6"], versions={"libc.so.6": ["GLIBC_2.34"]})
forge_library(needed=["libc.so.6"], architecture="s390x")
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# `e_machine`, bits and byte order.
ARCHITECTURES: Final = {
    "amd64": (62, 64, "<"),
    "arm64": (183, 64, "<"),
    "arm": (40, 32, "<"),
    "386": (3, 32, "<"),
    "ppc64le": (21, 64, "<"),
    "s390x": (22, 64, ">"),
}
# Where the loader would map the first byte: so that addresses are not offsets.
_ADDRESS: Final = 0x10000


def forge_library(
    *,
    soname: str = "",
    needed: Sequence[str] = (),
    runpath: str = "",
    versions: Mapping[str, Sequence[str]] | None = None,
    weak: Sequence[str] = (),
    defines: Sequence[str] = (),
    architecture: str = "amd64",
    before: int = 0,
    tags: Mapping[int, int] | None = None,
) -> bytes:
    """A shared library without code.

    Args:
        soname: `DT_SONAME`.
        needed: `DT_NEEDED`, in order.
        runpath: `DT_RUNPATH`.
        versions: Symbol versions that it needs, by library.
        weak: Those of them that may be missing.
        defines: Symbol versions that it defines.
        architecture: As in OCI platforms.
        before: Bytes of nothing between the headers and all else.
        tags: Values of the dynamic section to change; a tag that is not there is added.
    """
    machine, bits, order = ARCHITECTURES[architecture]
    wide = bits == 64  # noqa: PLR2004
    strings = _Strings()
    rows = [(1, strings.place(name)) for name in needed]
    rows += [(14, strings.place(soname))] if soname else []
    rows += [(29, strings.place(runpath))] if runpath else []
    requirements = _requirements(order, versions or {}, weak, strings)
    definitions = _definitions(order, [soname, *defines] if defines else [], strings)
    header_size, segment_size, row = (64, 56, "QQ") if wide else (52, 32, "II")
    body = bytearray(before)
    start = header_size + 2 * segment_size

    def put(content: bytes) -> int:
        """Append, and the address."""
        body.extend(bytes(-len(body) % 8))
        address = _ADDRESS + start + len(body)
        body.extend(content)
        return address

    rows += [(5, put(bytes(strings.table))), (10, len(strings.table))]
    if versions:
        rows += [(0x6FFFFFFE, put(requirements)), (0x6FFFFFFF, len(versions))]
    if defines:
        rows += [(0x6FFFFFFC, put(definitions)), (0x6FFFFFFD, len(defines) + 1)]
    changed = [(tag, (tags or {}).get(tag, value)) for tag, value in rows]
    changed += [(tag, value) for tag, value in (tags or {}).items() if tag not in dict(rows)]
    dynamic = b"".join(struct.pack(order + row, *pair) for pair in [*changed, (0, 0)])
    dynamic_at = put(dynamic) - _ADDRESS
    size = start + len(body)
    segments = [(1, 0, _ADDRESS, size), (2, dynamic_at, _ADDRESS + dynamic_at, len(dynamic))]
    ident = b"\x7fELF" + bytes([2 if wide else 1, 1 if order == "<" else 2, 1]) + bytes(9)
    fixed = (3, machine, 1, 0, header_size, 0, 0, header_size, segment_size, len(segments), 0, 0, 0)
    header = ident + struct.pack(order + ("HHIQQQIHHHHHH" if wide else "HHIIIIIHHHHHH"), *fixed)
    return header + b"".join(_segment(order, wide=wide, values=each) for each in segments) + body


def _segment(order: str, *, wide: bool, values: tuple[int, int, int, int]) -> bytes:
    kind, offset, address, size = values
    if wide:
        return struct.pack(order + "IIQQQQQQ", kind, 4, offset, address, address, size, size, 8)
    return struct.pack(order + "IIIIIIII", kind, offset, address, address, size, size, 4, 4)


class _Strings:
    def __init__(self) -> None:
        self.table = bytearray(b"\0")

    def place(self, text: str) -> int:
        at = len(self.table)
        self.table += text.encode() + b"\0"
        return at


def _requirements(order: str, versions: Mapping[str, Sequence[str]], weak: Sequence[str], strings: _Strings) -> bytes:
    """`.gnu.version_r`."""
    table = b""
    for number, (library, names) in enumerate(versions.items(), 1):
        after = 0 if number == len(versions) else 16 + 16 * len(names)
        table += struct.pack(order + "HHIII", 1, len(names), strings.place(library), 16, after)
        for index, name in enumerate(names, 1):
            flags, behind = 2 * (name in weak), 0 if index == len(names) else 16
            table += struct.pack(order + "IHHII", 0, flags, index + 1, strings.place(name), behind)
    return table


def _definitions(order: str, names: Sequence[str], strings: _Strings) -> bytes:
    """`.gnu.version_d`; the first is the library's own name."""
    table = b""
    for index, name in enumerate(names, 1):
        after = 0 if index == len(names) else 28
        table += struct.pack(order + "HHHHIII", 1, int(index == 1), index, 1, 0, 20, after)
        table += struct.pack(order + "II", strings.place(name), 0)
    return table
