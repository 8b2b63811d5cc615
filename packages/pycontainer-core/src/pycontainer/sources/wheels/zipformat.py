"""The zip format, read so strictly that no two programs can read the archive differently (APPNOTE.TXT 6.3.10).

    members = list(read_members(data, max_entries=1000))

Every byte of the archive must have exactly one meaning: the members lie one after the other from the first byte on,
then the central directory, then its end records, and nothing stands before, between or after them. Every local header
says what the directory says. A program that streams the archive from its beginning therefore sees the same files as
one that reads the directory, and as one that looks for it in another way.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from pycontainer.sources.wheels.defects import WheelDefect, shown
from pycontainer.sources.wheels.members import Member

if TYPE_CHECKING:
    import mmap
    from collections.abc import Iterator

_LOCAL = struct.Struct("<4sHHHLLLLHH")  # 4.3.7; time and date in one field
_CENTRAL = struct.Struct("<4sHHHHLLLLHHHHHLL")  # 4.3.12; time and date in one field
_END = struct.Struct("<4sHHHHLLH")  # 4.3.16
_LOCATOR = struct.Struct("<4sLQL")  # 4.3.15
_END64 = struct.Struct("<4sQHHLLQQQQ")  # 4.3.14

_LOCAL_MAGIC = b"PK\3\4"
_CENTRAL_MAGIC = b"PK\1\2"
_END_MAGIC = b"PK\5\6"
_LOCATOR_MAGIC = b"PK\6\7"
_END64_MAGIC = b"PK\6\6"
_DESCRIPTOR_MAGIC = b"PK\7\x08"

_DESCRIPTOR_FLAG = 1 << 3
_UTF8_FLAG = 1 << 11
_ENCRYPTED_FLAGS = 1 | 1 << 6 | 1 << 13
# Bits 1 and 2 tell how hard the compressor tried.
_KNOWN_FLAGS = 0b110 | _DESCRIPTOR_FLAG | _UTF8_FLAG
_METHODS = (0, 8)
_NEWEST = 63  # version 6.3 of the format; its upper byte is the system that wrote the archive
_ELSEWHERE16 = 0xFFFF
_ELSEWHERE = 0xFFFFFFFF
_MAX_COMMENT = 0xFFFF

_ZIP64 = 0x0001
_UNICODE_PATH = 0x7075
_ENCODER = {False: "ascii", True: "utf-8"}


class _Directory(NamedTuple):
    offset: int
    size: int
    entries: int


class _Entry(NamedTuple):
    """What the central directory says of a member."""

    offset: int
    raw_name: bytes
    name: str
    flags: int
    method: int
    crc32: int
    compressed_size: int
    size: int
    attributes: int


def read_members(data: mmap.mmap | bytes, *, max_entries: int) -> Iterator[Member]:
    """The members of a zip, in the order in which they lie there. All is well only when the last one was given.

    Raises:
        WheelDefect: The archive is damaged, is no zip, or could be read in more than one way.
    """
    directory = _find_directory(data)
    if directory.entries > max_entries:
        raise WheelDefect(f"it has {directory.entries} members, more than the {max_entries} allowed")
    entries = _read_directory(data, directory)
    entries.sort()
    at = 0
    for entry, following in zip(entries, [*(entry.offset for entry in entries[1:]), directory.offset], strict=True):
        if entry.offset != at:
            raise _misplaced(entry.name, at, entry.offset)
        yield _locate(data, entry, following)
        at = following
    if at != directory.offset:
        raise WheelDefect(f"{directory.offset - at} bytes stand before its directory and belong to nothing")


def _find_directory(data: mmap.mmap | bytes) -> _Directory:
    size = len(data)
    if size < _END.size:
        raise WheelDefect("it is empty" if not size else f"it is cut off: it has {size} bytes")
    at = data.rfind(_END_MAGIC, max(0, size - _END.size - _MAX_COMMENT))
    if at < 0 or at + _END.size > size:
        raise WheelDefect("it is cut off, or no zip archive: its end record is missing")
    _, disk, first_disk, here, count, length, offset, comment = _END.unpack_from(data, at)
    if at + _END.size + comment != size:
        raise WheelDefect("its end record and comment do not end where the file ends")
    end = at
    if at >= _LOCATOR.size and data[at - _LOCATOR.size : at - _LOCATOR.size + 4] == _LOCATOR_MAGIC:
        end, found = _read_end64(data, at - _LOCATOR.size)
        for short, long in ((count, found.entries), (length, found.size), (offset, found.offset)):
            if short != long and short not in (_ELSEWHERE16, _ELSEWHERE):
                raise WheelDefect("its two end records say different things")
        directory = found
    else:
        directory = _Directory(offset, length, count)
    if disk not in (0, _ELSEWHERE16) or first_disk not in (0, _ELSEWHERE16) or here != count:
        raise WheelDefect("it is one of several parts of an archive")
    if directory.offset + directory.size != end:
        raise WheelDefect("its directory does not end where its end record begins")
    return directory


def _read_end64(data: mmap.mmap | bytes, at: int) -> tuple[int, _Directory]:
    """Where the zip64 end record begins, and what it says; `at` is the place of its locator."""
    _, disk, offset, disks = _LOCATOR.unpack_from(data, at)
    if disk or disks > 1 or offset + _END64.size != at or data[offset : offset + 4] != _END64_MAGIC:
        raise WheelDefect("its zip64 locator does not point to the zip64 end record before it")
    _, size, _, _, disk, first_disk, here, count, length, start = _END64.unpack_from(data, offset)
    if size != _END64.size - 12 or disk or first_disk or here != count:
        raise WheelDefect("its zip64 end record is malformed")
    return offset, _Directory(start, length, count)


def _read_directory(data: mmap.mmap | bytes, directory: _Directory) -> list[_Entry]:
    if directory.entries * _CENTRAL.size > directory.size:
        raise WheelDefect(f"its directory is too short for {directory.entries} members")
    block = data[directory.offset : directory.offset + directory.size]
    entries = []
    at = 0
    for _ in range(directory.entries):
        try:
            entry, at = _read_entry(block, at)
        except struct.error:
            raise WheelDefect("its directory is cut off") from None
        entries.append(entry)
    if at != len(block):
        raise WheelDefect(f"{len(block) - at} bytes stand after the last entry of its directory")
    return entries


def _read_entry(block: bytes, at: int) -> tuple[_Entry, int]:
    (
        magic, _, needed, flags, method, _, crc32, compressed_size, size,
        name_length, extra_length, comment_length, disk, _, attributes, offset,
    ) = _CENTRAL.unpack_from(block, at)  # fmt: skip
    begin = at + _CENTRAL.size
    end = begin + name_length + extra_length + comment_length
    raw_name = block[begin : begin + name_length]
    if magic != _CENTRAL_MAGIC or end > len(block):
        raise WheelDefect("its directory is damaged")
    if flags & ~_KNOWN_FLAGS or method not in _METHODS or disk or needed & 0xFF > _NEWEST:
        raise _unsupported(raw_name, flags, method)
    try:
        name = raw_name.decode(_ENCODER[bool(flags & _UTF8_FLAG)])
    except UnicodeDecodeError:
        raise WheelDefect(f"the name of the member {raw_name[:80]!r} is not marked as UTF-8, or is not UTF-8") from None
    if extra_length:
        extra = _read_extra(block[begin + name_length : end - comment_length], raw_name)
        if (wide := extra.get(_ZIP64)) is not None:
            size, compressed_size, offset = _widened(wide, name, size, compressed_size, offset)
    if method == 0 and size != compressed_size:
        raise WheelDefect(f"the stored member `{shown(name)}` has two sizes")
    entry = _Entry(offset, raw_name, name, flags, method, crc32, compressed_size, size, attributes)
    return entry, end


def _locate(data: mmap.mmap | bytes, entry: _Entry, following: int) -> Member:
    """Compare a member's local header with the directory, and find its content; `following` is what comes next."""
    try:
        magic, _, flags, method, _, crc32, compressed_size, size, name_length, extra_length = _LOCAL.unpack_from(
            data, entry.offset
        )
    except struct.error:
        raise WheelDefect(f"the member `{shown(entry.name)}` is cut off") from None
    begin = entry.offset + _LOCAL.size
    start = begin + name_length + extra_length
    if magic != _LOCAL_MAGIC or data[begin : begin + name_length] != entry.raw_name:
        raise _differs(entry.name, "name")
    if flags != entry.flags or method != entry.method:
        raise _differs(entry.name, "flags or method")
    zip64 = False
    if extra_length:
        wide = _read_extra(data[begin + name_length : start], entry.raw_name).get(_ZIP64)
        if wide is not None:
            size, compressed_size = _local_sizes(wide, entry, size, compressed_size)
            zip64 = True
    found = (crc32, compressed_size, size)
    expected = (entry.crc32, entry.compressed_size, entry.size)
    late = flags & _DESCRIPTOR_FLAG and all(value in (0, right) for value, right in zip(found, expected, strict=True))
    if found != expected and not late:
        raise _differs(entry.name, "CRC or size")
    _check_end(data, entry, start + entry.compressed_size, following, zip64=zip64)
    return Member(entry.name, method, entry.crc32, entry.compressed_size, entry.size, start, entry.attributes)


def _check_end(data: mmap.mmap | bytes, entry: _Entry, end: int, following: int, *, zip64: bool) -> None:
    """Check that what comes next begins where a member, or the data descriptor after it, ends."""
    if end > following:
        raise WheelDefect(f"the member `{shown(entry.name)}` overlaps with what comes after it")
    if entry.flags & _DESCRIPTOR_FLAG:
        _check_descriptor(data[end:following], entry, zip64=zip64)
    elif end != following:
        raise WheelDefect(f"{following - end} bytes after the member `{shown(entry.name)}` belong to nothing")


def _check_descriptor(found: bytes, entry: _Entry, *, zip64: bool) -> None:
    """A data descriptor (4.3.9): four or eight bytes a size, with or without its magic number."""
    # Eight bytes where the local header has a zip64 field; a writer that learns too late that a member is large has
    # none there, and no other way either.
    large = max(entry.compressed_size, entry.size) >= _ELSEWHERE
    form = "<LQQ" if zip64 or large else "<LLL"
    right = struct.pack(form, entry.crc32, entry.compressed_size, entry.size)
    if found not in (right, _DESCRIPTOR_MAGIC + right):
        raise WheelDefect(f"the data descriptor of the member `{shown(entry.name)}` differs from the directory")


def _read_extra(extra: bytes, raw_name: bytes) -> dict[int, bytes]:
    """Extra fields by their number (4.5); up to three bytes of padding may follow them."""
    fields: dict[int, bytes] = {}
    at = 0
    while at + 4 <= len(extra):
        number, length = struct.unpack_from("<HH", extra, at)
        end = at + 4 + length
        if end > len(extra) or (number in fields and number in (_ZIP64, _UNICODE_PATH)):
            raise WheelDefect(f"the extra fields of the member `{shown(raw_name.decode('latin-1'))}` are malformed")
        fields[number] = extra[at + 4 : end]
        at = end
    if (path := fields.get(_UNICODE_PATH)) is not None and path[5:] != raw_name:
        raise WheelDefect(f"the member `{shown(raw_name.decode('latin-1'))}` has a second, other name")
    return fields


def _widened(wide: bytes, name: str, *values: int) -> tuple[int, ...]:
    """The values of a directory entry, with those from its zip64 field (4.5.3) that do not fit into it."""
    waiting = sum(value == _ELSEWHERE for value in values)
    if len(wide) != 8 * waiting:
        raise WheelDefect(f"the zip64 field of the member `{shown(name)}` does not fit its entry in the directory")
    found = iter(struct.unpack(f"<{waiting}Q", wide))
    return tuple(next(found) if value == _ELSEWHERE else value for value in values)


def _local_sizes(wide: bytes, entry: _Entry, size: int, compressed_size: int) -> tuple[int, int]:
    """Both sizes of a local header that has a zip64 field: there it must hold both, and may repeat small ones."""
    if len(wide) != 16:  # noqa: PLR2004 - two numbers of eight bytes
        raise WheelDefect(f"the zip64 field of the member `{shown(entry.name)}` does not fit its header")
    wide_size, wide_compressed_size = struct.unpack("<QQ", wide)
    if wide_size not in (0, entry.size) or wide_compressed_size not in (0, entry.compressed_size):
        raise _differs(entry.name, "size")
    return (
        wide_size if size == _ELSEWHERE else size,
        wide_compressed_size if compressed_size == _ELSEWHERE else compressed_size,
    )


def _misplaced(name: str, expected: int, offset: int) -> WheelDefect:
    if offset < expected:
        return WheelDefect(f"the member `{shown(name)}` overlaps with another one")
    return WheelDefect(f"{offset - expected} bytes before the member `{shown(name)}` belong to nothing")


def _differs(name: str, what: str) -> WheelDefect:
    return WheelDefect(f"the member `{shown(name)}` has another {what} in its header than in the directory")


def _unsupported(raw_name: bytes, flags: int, method: int) -> WheelDefect:
    name = shown(raw_name.decode("utf-8", "replace"))
    if flags & _ENCRYPTED_FLAGS:
        return WheelDefect(f"the member `{name}` is encrypted")
    if method not in _METHODS:
        return WheelDefect(f"the member `{name}` is compressed with the method {method}; only 0 and 8 are supported")
    return WheelDefect(
        f"the member `{name}` uses parts of the zip format that wheels have no use for (flags {flags:#06x})"
    )
