"""Reads and writes `/etc/ld.so.cache` as glibc's `ldconfig` does: the same bytes but for the name of the generator.

    entries = read_ld_cache(data)
    data = write_ld_cache(sorted_libraries(entries))

The format is `glibc-ld.so.cache1.1`: a header, entries of 24 bytes, a table of strings that share their ends, and
extensions: who wrote it, and the names of the `glibc-hwcaps` folders. glibc before 2.32 wrote the older format first
and this one behind it; both are read. Numbers have the byte order of the image's architecture.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from pycontainer.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

ByteOrder = Literal["little", "big"]

_OLD: Final = b"ld.so-1.7.0\0"
_OLD_ENTRY: Final = 12
_NEW: Final = b"glibc-ld.so.cache1.1"
# Magic and version; entries, bytes of strings; byte order, padding; where the extensions are; unused.
_HEADER: Final = "20sIIB3xI12x"
# Flags, where the name and the path are, version of the kernel, hardware.
_ENTRY: Final = "iIIIQ"
_EXTENSIONS: Final = "II"
_SECTION: Final = "IIII"
_MAGIC: Final = 0xEAA42174
_GENERATOR, _HWCAPS = 0, 1
# In the upper half of `hwcap`: the lower half counts names of `glibc-hwcaps` folders.
_NAMED: Final = 1 << 62
_LOWER: Final = 0xFFFFFFFF
_ORDERS: Final[dict[ByteOrder, tuple[str, int]]] = {"little": ("<", 2), "big": (">", 3)}
# A cache of every library of Debian stays far below both.
_MAX_BYTES: Final = 32 << 20
_MAX_ENTRIES: Final = 1 << 18
_ALIGNMENT: Final = 4
OURS: Final = b"pycontainer"


@dataclass(frozen=True, kw_only=True, slots=True)
class CachedLibrary:
    """One line of `ldconfig -p`.

    Attributes:
        name: What is looked for, the `DT_SONAME` as a rule: `libpq.so.5`.
        path: Where it is, absolute.
        flags: The kind of library and its architecture: 0x0303 for x86-64.
        kernel: The least version of Linux that it needs, as older glibc wrote it; 0 for none.
        hwcap: What it needs of the processor, without the folder that is counted in it.
        folder: Of `glibc-hwcaps`: `x86-64-v3`; empty for a library that lies elsewhere.
    """

    name: bytes
    path: bytes
    flags: int
    kernel: int = 0
    hwcap: int = 0
    folder: bytes = b""


def read_ld_cache(data: bytes) -> tuple[CachedLibrary, ...]:
    """The libraries of a cache, in its order.

    Raises:
        DocumentError: It is too large, cut off, or no such cache.
    """
    if len(data) > _MAX_BYTES:
        raise _malformed(f"{len(data)} bytes, at most {_MAX_BYTES}")
    data = data[_start(data) :]
    if not data.startswith(_NEW):
        raise _malformed(f"it begins with {ascii(data[: len(_NEW)])[1:]}")
    try:
        return _entries(data)
    except (struct.error, IndexError, ValueError) as error:
        raise _malformed("it is cut off, or points outside of itself") from error


def write_ld_cache(
    libraries: Sequence[CachedLibrary], *, order: ByteOrder = "little", generator: bytes = OURS
) -> bytes:
    """A cache of the libraries, in their order: see `sorted_libraries`."""
    prefix, mark = _ORDERS[order]
    header, entry = struct.Struct(prefix + _HEADER), struct.Struct(prefix + _ENTRY)
    folders = sorted({library.folder for library in libraries if library.folder})
    table, places = _strings(
        [*(library.name for library in libraries), *(library.path for library in libraries), *folders]
    )
    start = header.size + entry.size * len(libraries)
    extensions = -(-(start + len(table)) // _ALIGNMENT) * _ALIGNMENT
    out = bytearray(header.pack(_NEW, len(libraries), len(table), mark, extensions))
    for library in libraries:
        hwcap = library.hwcap
        if library.folder:
            hwcap |= _NAMED | folders.index(library.folder)
        out += entry.pack(
            library.flags, start + places[library.name], start + places[library.path], library.kernel, hwcap
        )
    out += table.ljust(extensions - start, b"\0")
    return bytes(out + _extensions(prefix, extensions, [start + places[folder] for folder in folders], generator))


def sorted_libraries(libraries: Iterable[CachedLibrary]) -> list[CachedLibrary]:
    """In the order of a cache: names descending, numbers in them as numbers; equal ones stay as they are."""
    result = sorted(libraries, key=lambda library: (not library.folder, library.folder, -library.hwcap))
    result.sort(key=lambda library: (_name_key(library.name), library.flags), reverse=True)
    return result


def _start(data: bytes) -> int:
    """Where the newer format begins: behind the entries of the older one, aligned for it."""
    if not data.startswith(_OLD):
        return 0
    counts = {order: int.from_bytes(data[12:16], order) for order in _ORDERS}
    for count in counts.values():
        start = -(-(len(_OLD) + 4 + _OLD_ENTRY * count) // 8) * 8
        if data[start : start + len(_NEW)] == _NEW:
            return start
    raise _malformed("it has the format of glibc before 2.2 only")


def _entries(data: bytes) -> tuple[CachedLibrary, ...]:
    # Before glibc 2.33 the byte order was not told: the count that the file has room for tells it.
    for prefix, mark in _ORDERS.values():
        _, count, _, told, extensions = struct.unpack_from(prefix + _HEADER, data)
        if told in {0, mark} and count <= min(_MAX_ENTRIES, len(data) // struct.calcsize(prefix + _ENTRY)):
            break
    else:
        raise ValueError(count)
    folders = _folders(data, prefix, extensions) if told else ()
    size = struct.calcsize(prefix + _HEADER)
    entries = struct.iter_unpack(prefix + _ENTRY, data[size : size + count * struct.calcsize(prefix + _ENTRY)])
    result = tuple(_library(data, fields, folders) for fields in entries)
    if len(result) != count:
        raise ValueError(count)
    return result


def _library(data: bytes, fields: tuple[int, ...], folders: Sequence[bytes]) -> CachedLibrary:
    flags, name, path, kernel, hwcap = fields
    folder = b""
    if hwcap & _NAMED:
        folder = folders[hwcap & _LOWER]
        hwcap &= ~(_NAMED | _LOWER)
    return CachedLibrary(
        name=_string(data, name), path=_string(data, path), flags=flags, kernel=kernel, hwcap=hwcap, folder=folder
    )


def _string(data: bytes, place: int) -> bytes:
    return data[place : data.index(b"\0", place, place + (1 << 13))]


def _folders(data: bytes, prefix: str, extensions: int) -> tuple[bytes, ...]:
    if not extensions:
        return ()
    magic, count = struct.unpack_from(prefix + _EXTENSIONS, data, extensions)
    if magic != _MAGIC or count > len(data) // struct.calcsize(_SECTION):
        raise ValueError(magic)
    first = extensions + struct.calcsize(_EXTENSIONS)
    for index in range(count):
        tag, _, place, size = struct.unpack_from(prefix + _SECTION, data, first + index * struct.calcsize(_SECTION))
        if tag == _HWCAPS:
            return tuple(_string(data, at) for (at,) in struct.iter_unpack(prefix + "I", data[place : place + size]))
    return ()


def _extensions(prefix: str, start: int, folders: Sequence[int], generator: bytes) -> bytes:
    count = 2 if folders else 1
    names = start + struct.calcsize(_EXTENSIONS) + count * struct.calcsize(_SECTION)
    out = struct.pack(prefix + _EXTENSIONS, _MAGIC, count)
    out += struct.pack(prefix + _SECTION, _GENERATOR, 0, names + 4 * len(folders), len(generator))
    if folders:
        out += struct.pack(prefix + _SECTION, _HWCAPS, 0, names, 4 * len(folders))
    return out + struct.pack(f"{prefix}{len(folders)}I", *folders) + generator


def _strings(strings: Collection[bytes]) -> tuple[bytes, dict[bytes, int]]:
    """A table of strings, each ended by NUL, and their places; one that ends another lies inside of it."""
    ordered = sorted(set(strings), key=lambda string: string[::-1], reverse=True)
    places: dict[bytes, int] = {}
    table = bytearray()
    before = b""
    for string in ordered:
        if table and before.endswith(string):
            places[string] = places[before] + len(before) - len(string)
        else:
            places[string] = len(table)
            table += string + b"\0"
        before = string
    return bytes(table), places


def _name_key(name: bytes) -> tuple[tuple[int, int], ...]:
    """Orders names as the loader's search does: a number is more than any character, the shorter name is less."""
    key: list[tuple[int, int]] = []
    digits = b""
    for character in name:
        if chr(character).isdigit():
            digits += bytes([character])
            continue
        if digits:
            key.append((1, int(digits)))
            digits = b""
        key.append((0, character))
    if digits:
        key.append((1, int(digits)))
    return tuple(key)


def _malformed(why: str) -> DocumentError:
    return DocumentError("`/etc/ld.so.cache` of the base image cannot be read", facts=[why])
