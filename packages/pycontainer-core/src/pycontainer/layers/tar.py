"""The one writer of tar headers.

header("app/main.py", Kind.FILE, size=120, mode=0o644)     # 512 bytes, or more where PAX records are needed

POSIX ustar (IEEE Std 1003.1, *pax*, ustar Interchange Format), numeric owners only, and extended headers where a
value does not fit: every reader of layers knows them. The same entry gives the same bytes, always.
"""

from __future__ import annotations

import zlib
from functools import lru_cache
from typing import NamedTuple

from pycontainer.layers.entries import MTIME, Kind
from pycontainer.layers.tar_reader import read_entries

__all__ = ["BLOCK", "END", "Head", "header", "padding", "read_entries"]

BLOCK = 512
# Two blocks of zeros end an archive.
END = bytes(2 * BLOCK)

_NAME = 100
_PREFIX = 155
_MAX_SIZE = 8**11 - 1
_MAX_OWNER = 8**7 - 1
_MAX_MTIME = 8**11 - 1
_ZEROS = tuple(bytes(count) for count in range(_PREFIX + 12 + 1))
_MAGIC = b"ustar\x0000".ljust(8 + 32 + 32 + 8 + 8, b"\0")


def padding(size: int) -> int:
    """The zeros that fill the last block of a content of `size` bytes."""
    return -size % BLOCK


class Head(NamedTuple):
    """What stands before the content of an entry: an `Entry` of ours, which takes a seventh of the time to make."""

    path: str
    kind: Kind
    size: int = 0
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    mtime: int = MTIME
    target: str = ""

    def encode(self) -> bytes:
        """Its header; see `header`."""
        path, kind, size, mode, uid, gid, mtime, target = self
        return header(path, kind, size=size, mode=mode, uid=uid, gid=gid, mtime=mtime, target=target)


def header(
    path: str,
    kind: Kind,
    *,
    size: int = 0,
    mode: int = 0o644,
    uid: int = 0,
    gid: int = 0,
    mtime: int = MTIME,
    target: str = "",
) -> bytes:
    """The header of an entry: one block, after two or more with the PAX records that it needs.

    The arguments are the fields of an `Entry`, which is not asked for because making one costs more than the header.

    Raises:
        ValueError: A number is negative, or a time lies after the year 2242.
    """
    if kind is Kind.DIRECTORY:
        path += "/"
    name, prefix = (path, "") if len(path) <= _NAME and path.isascii() else _split(path)
    records = {}
    if not name:
        records["path"] = path
        name = _fallback(path)
    if len(target) > _NAME or not target.isascii():
        records["linkpath"] = target
        target = _fallback(target)
    if size > _MAX_SIZE:
        records["size"] = str(size)
        size = 0
    if uid > _MAX_OWNER:
        records["uid"] = str(uid)
        uid = 0
    if gid > _MAX_OWNER:
        records["gid"] = str(gid)
        gid = 0
    # Not `kind.value`, which takes a third of the time of a header.
    block = _block(name, prefix, size, target, _fixed(mode, uid, gid, mtime, kind._value_))
    return _extended(path, records, mtime) + block if records else block


def _split(path: str) -> tuple[str, str]:
    """The path as name and prefix, or two empty strings where it has no such form."""
    if path.isascii():
        slash = path.rfind("/", 0, min(_PREFIX + 1, len(path) - 1))
        if slash > 0 and len(path) - slash - 1 <= _NAME:
            return path[slash + 1 :], path[:slash]
    return "", ""


def _fallback(text: str) -> str:
    """What a reader that knows no PAX records sees."""
    return text.encode("ascii", "replace").decode("ascii")[:_NAME]


def _extended(path: str, records: dict[str, str], mtime: int) -> bytes:
    """A PAX extended header (*pax*, pax Extended Header)."""
    body = b"".join(_record(f"{key}={value}\n".encode()) for key, value in sorted(records.items()))
    name = _fallback(f"PaxHeaders/{path.rstrip('/').rpartition('/')[2]}")
    return _block(name, "", len(body), "", _fixed(0o644, 0, 0, mtime, "x")) + body + bytes(padding(len(body)))


def _record(text: bytes) -> bytes:
    """`text` after its length, which counts its own digits."""
    size = len(text) + 1
    length = size + len(str(size))
    length = size + len(str(length))
    return b"%d %b" % (length, text)


def _block(name: str, prefix: str, size: int, target: str, fixed: tuple[bytes, bytes, bytes, int]) -> bytes:
    """A ustar header. All of it is ASCII."""
    owners, mtime, flag, checksum = fixed
    raw_name = name.encode()
    raw_size = b"%011o" % size
    raw_target = target.encode()
    raw_prefix = prefix.encode()
    # The sum of so few bytes of ASCII is less than 65,521, so that the low half of Adler-32 is the sum itself.
    checksum += zlib.adler32(b"".join((raw_name, raw_size, raw_target, raw_prefix)), 0) & 0xFFFF
    return b"".join(
        (
            raw_name,
            _ZEROS[_NAME - len(raw_name)],
            owners,
            raw_size,
            mtime,
            b"%06o\0 " % checksum,
            flag,
            raw_target,
            _ZEROS[_NAME - len(raw_target)],
            _MAGIC,
            raw_prefix,
            _ZEROS[_PREFIX + 12 - len(raw_prefix)],
        )
    )


@lru_cache(maxsize=64)
def _fixed(mode: int, uid: int, gid: int, mtime: int, flag: str) -> tuple[bytes, bytes, bytes, int]:
    """The fields that most entries of a layer share, and the sum of their bytes.

    They are those before the size, those between size and checksum, and the type; the checksum counts its own field as
    eight spaces.
    """
    if min(mode, uid, gid, mtime) < 0 or mtime > _MAX_MTIME:
        raise ValueError("modes, owners and times are not negative, and times end in the year 2242")
    owners, time = b"%07o\0%07o\0%07o\0" % (mode, uid, gid), b"\0%011o\0" % mtime
    return owners, time, flag.encode(), sum(owners) + sum(time) + ord(flag) + sum(_MAGIC) + 8 * ord(" ")
