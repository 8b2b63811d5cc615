"""What a program or library asks of the loader, read from its ELF file while that streams by.

    reading = ElfReading()
    for chunk in member.chunks(path):
        reading.feed(chunk)
    elf = reading.finish(lambda: member.chunks(path))      # Elf(needed=("libc.so.6",), …), or none

Only what the loader itself reads is believed: program headers, the dynamic section, and what that points to. Section
headers may lie or be stripped. Whatever is out of bounds makes a file that nobody can load, and so none of ours.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

from pycontainer.sources.libraries import elf_tables
from pycontainer.sources.libraries.elf_tables import BrokenError
from pycontainer.sources.libraries.windows import Lacking, Windows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pycontainer.blobs.hashing import BytesLike
    from pycontainer.sources.libraries.elf_tables import Header

MAGIC: Final = b"\x7fELF"
_HEAD: Final = 1 << 20
# Behind the head, the dynamic section and the beginnings of the last segments are kept: there `patchelf` puts strings.
_BEGINNING: Final = 512 << 10
_LAST: Final = 6
# What one more pass may keep, and how many there may be: headers, dynamic section, its tables, their strings.
_MAX_KEPT: Final = 8 << 20
_MAX_PASSES: Final = 4
_MAX_NEEDED: Final = 256
_MAX_VERSIONS: Final = 4096
_MAX_TABLE: Final = 64 << 10
_MAX_STRING: Final = 4096
_PRINTABLE = re.compile(rb"[\x20-\x7e]*")

# `e_machine`, bits and byte order by the name that OCI platforms have for the architecture.
_ARCHITECTURES: Final = {
    (62, 64, "<"): "amd64",
    (183, 64, "<"): "arm64",
    (40, 32, "<"): "arm",
    (3, 32, "<"): "386",
    (21, 64, "<"): "ppc64le",
    (22, 64, ">"): "s390x",
    (243, 64, "<"): "riscv64",
    (258, 64, "<"): "loong64",
}


class Elf(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A program or library that the loader loads.

    Attributes:
        architecture: As in OCI platforms; `MACHINE-BITS` where those have no name.
        soname: The name it is known by, where it has one.
        needed: The names of the libraries it needs (`DT_NEEDED`), in order.
        runpath: Directories to look in before the loader's own (`DT_RUNPATH`, else `DT_RPATH`).
        versions: Library → the symbol versions that it must define; those that may be missing (weak) are left out.
        defines: Symbol versions that this file defines.
    """

    architecture: str
    soname: str = ""
    needed: tuple[str, ...] = ()
    runpath: tuple[str, ...] = ()
    versions: dict[str, tuple[str, ...]] = {}
    defines: tuple[str, ...] = ()


class ElfReading:
    """A file on its way past.

    Args:
        head: Bytes of its beginning that are kept at most.
    """

    def __init__(self, *, head: int = _HEAD) -> None:
        self._limit = head
        self._head: list[bytes] = []
        self._size = 0
        self._tail: Windows | None = None
        self._ignored = False

    def feed(self, chunk: BytesLike) -> None:
        """The next bytes of the file."""
        if self._ignored:
            return
        if not self._size and bytes(chunk[: len(MAGIC)]) != MAGIC[: len(chunk)]:
            self._ignored = True
            return
        room = self._limit - self._size
        self._size += len(chunk)
        if self._tail is None:
            # Nothing is copied of what comes in pieces no longer than the room that is left.
            self._head.append(bytes(chunk) if len(chunk) <= room else bytes(chunk[:room]))
            if len(chunk) <= room:
                return
            self._head = [b"".join(self._head)]
            self._tail = Windows(_expected(self._head[0]), start=self._limit)
            chunk = memoryview(chunk)[room:]
        if not self._tail.is_full:
            self._tail.feed(chunk)

    def finish(self, reopen: Callable[[], Iterable[BytesLike]] | None = None) -> Elf | None:
        """What the file asks for, after its last byte; none for all that is no file for the loader.

        Args:
            reopen: Gives the content again, for the parts that nobody could know to be of interest. Without it, a file
                that has such parts is none.
        """
        head = b"".join(self._head)
        if not head.startswith(MAGIC):
            return None
        content = _Content([Windows.over(head), *([self._tail] if self._tail else [])], self._size)
        for _ in range(_MAX_PASSES):
            lacking = content.read()
            if not isinstance(lacking, Lacking):
                return lacking
            if reopen is None or sum(size for _, size in lacking.ranges) > _MAX_KEPT:
                return None
            content.add(_again(reopen(), lacking.ranges))
        return None


def _expected(head: bytes) -> list[tuple[int, int]]:
    """What is likely of interest behind the head."""
    try:
        header = elf_tables.read_header(head[: elf_tables.HEADER_SIZE])
    except BrokenError:
        return []
    table = head[header.segments_at : header.segments_at + header.segments_size]
    if len(table) < header.segments_size:
        return []
    segments = elf_tables.read_segments(header, table)
    dynamic = [(each.offset, _MAX_TABLE) for each in segments if each.kind == elf_tables.PT_DYNAMIC]
    loaded = [(each.offset, min(each.size, _BEGINNING)) for each in segments if each.kind == elf_tables.PT_LOAD]
    return [*dynamic[:1], *loaded[-_LAST:]]


def _again(chunks: Iterable[BytesLike], ranges: list[tuple[int, int]]) -> Windows:
    windows = Windows(ranges)
    for chunk in chunks:
        windows.feed(chunk)
        if windows.is_full:
            break
    return windows


class _Content:
    """A file of which parts are known."""

    def __init__(self, known: list[Windows], size: int) -> None:
        self._known = known
        self._size = size

    def add(self, windows: Windows) -> None:
        """More parts."""
        self._known.append(windows)

    def read(self) -> Elf | Lacking | None:
        """The file, or what must be known for that, or none where it is not one."""
        try:
            return self._read()
        except Lacking as lacking:
            return lacking
        except BrokenError:
            return None

    def at(self, start: int, size: int) -> bytes:
        """These bytes."""
        if start + size > self._size:
            raise BrokenError
        self.demand([(start, size)])
        return next(content for known in self._known if (content := known.at(start, size)) is not None)

    def demand(self, ranges: Iterable[tuple[int, int]]) -> None:
        """Ask for all that is not known at once, so that one more pass is enough."""
        inside = [(start, min(size, self._size - start)) for start, size in ranges if start < self._size]
        missing = [each for each in inside if all(known.at(*each) is None for known in self._known)]
        if missing:
            raise Lacking(missing)

    def _read(self) -> Elf | None:
        header = elf_tables.read_header(self.at(0, min(elf_tables.HEADER_SIZE, self._size)))
        segments = elf_tables.read_segments(header, self.at(header.segments_at, header.segments_size))
        dynamic = next((each for each in segments if each.kind == elf_tables.PT_DYNAMIC), None)
        if dynamic is None:
            return None  # a static program
        tags = elf_tables.read_tags(header, self.at(dynamic.offset, elf_tables.dynamic_size(header, dynamic)))
        tables: dict[int, tuple[int, int]] = {
            tag: elf_tables.place(segments, tags[tag][0])
            for tag in (elf_tables.DT_STRTAB, elf_tables.DT_VERNEED, elf_tables.DT_VERDEF)
            if tag in tags
        }
        if elf_tables.DT_STRTAB not in tables or elf_tables.DT_STRSZ not in tags:
            raise BrokenError
        start, room = tables.pop(elf_tables.DT_STRTAB)
        strings = _Strings(self, start, min(room, tags[elf_tables.DT_STRSZ][0]))
        return self._elf(header, tags, tables, strings)

    def _elf(
        self, header: Header, tags: dict[int, list[int]], tables: dict[int, tuple[int, int]], strings: _Strings
    ) -> Elf:
        needed = tags.get(elf_tables.DT_NEEDED, [])[:_MAX_NEEDED]
        soname = tags.get(elf_tables.DT_SONAME, [])[:1]
        runpath = (tags.get(elf_tables.DT_RUNPATH) or tags.get(elf_tables.DT_RPATH, []))[:1]
        versions = {tag: (at, min(room, _MAX_TABLE)) for tag, (at, room) in tables.items()}
        self.demand([*versions.values(), *strings.ranges([*needed, *soname, *runpath])])
        needs: list[tuple[int, list[int]]] = []
        defines: list[int] = []
        if elf_tables.DT_VERNEED in versions:
            for file, names in elf_tables.needed_versions(header.order, self.at(*versions[elf_tables.DT_VERNEED])):
                needs.append((file, names))
                if sum(len(names) for _, names in needs) > _MAX_VERSIONS:
                    raise BrokenError
        if elf_tables.DT_VERDEF in versions:
            defines = list(elf_tables.defined_versions(header.order, self.at(*versions[elf_tables.DT_VERDEF])))
        self.demand(strings.ranges([*defines, *(at for file, names in needs for at in (file, *names))]))
        return Elf(
            architecture=_ARCHITECTURES.get(
                (header.machine, header.bits, header.order), f"{header.machine}-{header.bits}"
            ),
            soname="".join(map(strings.at, soname)),
            needed=tuple(dict.fromkeys(map(strings.at, needed))),
            runpath=tuple(folder for folder in "".join(map(strings.at, runpath)).split(":") if folder),
            versions={strings.at(file): tuple(dict.fromkeys(map(strings.at, names))) for file, names in needs if names},
            defines=tuple(dict.fromkeys(map(strings.at, defines))),
        )


class _Strings:
    """The strings of the dynamic section: a table of texts that end with a NUL."""

    def __init__(self, content: _Content, start: int, size: int) -> None:
        self._content = content
        self._start = start
        self._size = size
        self._table = b""

    def ranges(self, places: Iterable[int]) -> list[tuple[int, int]]:
        """Where in the file the strings at these places are: the whole table, unless that is long."""
        if self._size <= _BEGINNING:
            return [(self._start, self._size)]
        return [self._range(place) for place in places]

    def at(self, place: int) -> str:
        """The string at a place."""
        start, size = self._range(place)
        if self._size <= _BEGINNING:
            self._table = self._table or self._content.at(self._start, self._size)
            table = self._table
        else:
            table, place = self._content.at(start, size), 0
        end = table.find(b"\0", place, place + size)
        name = table[place:end]
        if end < 0 or not _PRINTABLE.fullmatch(name):
            raise BrokenError
        return name.decode()

    def _range(self, place: int) -> tuple[int, int]:
        if not 0 <= place < self._size:
            raise BrokenError
        return self._start + place, min(self._size - place, _MAX_STRING)
