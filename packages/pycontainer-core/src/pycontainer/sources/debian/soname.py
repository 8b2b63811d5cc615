"""The name that a shared library is known by, read from its ELF file.

read_shared_library("usr/lib/x86_64-linux-gnu/libpq.so.5.15", file)      # SharedLibrary(soname="libpq.so.5", …)
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, BinaryIO, Final

from pycontainer.sources.debian.summary import SharedLibrary
from pycontainer.sources.libraries import elf_tables
from pycontainer.sources.libraries.elf import MAGIC

if TYPE_CHECKING:
    from pycontainer.sources.libraries.elf_tables import Header

# What ldconfig looks at in the directories of the loader.
_LIBRARY: Final = re.compile(r"(?:lib|ld-).*\.so(?:\..*)?", re.DOTALL)
_NAME: Final = re.compile(rb"[!-.0-~]{1,255}\0")
_MAX_NAME: Final = 256


def is_library(path: str) -> bool:
    """Whether a file may be a shared library, by its name."""
    return _LIBRARY.fullmatch(path.rpartition("/")[2]) is not None


def read_shared_library(path: str, file: BinaryIO) -> SharedLibrary | None:
    """The library in a file that can seek, or none where it is no library that has a name."""
    head = _bytes(file, 0, elf_tables.HEADER_SIZE)
    if not head.startswith(MAGIC):
        return None
    try:
        header = elf_tables.read_header(head)
        soname = _soname(header, file) if header.is_shared else None
    except (elf_tables.BrokenError, struct.error, OverflowError, ValueError):
        return None
    if soname is None:
        return None
    return SharedLibrary(path=path, soname=soname, bits=header.bits, machine=header.machine, flags=header.flags)


def _soname(header: Header, file: BinaryIO) -> str | None:
    segments = elf_tables.read_segments(header, _bytes(file, header.segments_at, header.segments_size))
    dynamic = next((segment for segment in segments if segment.kind == elf_tables.PT_DYNAMIC), None)
    if dynamic is None:
        return None
    tags = elf_tables.read_tags(header, _bytes(file, dynamic.offset, elf_tables.dynamic_size(header, dynamic)))
    if elf_tables.DT_SONAME not in tags or elf_tables.DT_STRTAB not in tags:
        return None
    strings, _ = elf_tables.place(segments, tags[elf_tables.DT_STRTAB][0])
    name = _NAME.match(_bytes(file, strings + tags[elf_tables.DT_SONAME][0], _MAX_NAME))
    return name[0][:-1].decode("ascii") if name else None


def _bytes(file: BinaryIO, offset: int, size: int) -> bytes:
    file.seek(offset)
    return file.read(size)
