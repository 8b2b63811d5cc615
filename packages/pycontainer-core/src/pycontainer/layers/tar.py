"""The one writer of tar headers.

header(Entry(path="app/main.py", kind=Kind.FILE, size=120))     # 512 bytes, or more where PAX records are needed

POSIX ustar (IEEE Std 1003.1, *pax*, ustar Interchange Format), numeric owners only, and extended headers where a
value does not fit: every reader of layers knows them. The same entry gives the same bytes, always.
"""

from __future__ import annotations

import zlib
from functools import lru_cache

from pycontainer.layers.entries import Entry, Kind
from pycontainer.layers.tar_reader import read_entries

__all__ = ["BLOCK", "END", "header", "padding", "read_entries"]

BLOCK = 512
# Two blocks of zeros end an archive.
END = bytes(2 * BLOCK)

_NAME = 100
_PREFIX = 155
_MAX_SIZE = 8**11 - 1
_MAX_OWNER = 8**7 - 1
_MAX_MTIME = 8**11 - 1


def padding(size: int) -> int:
    """The zeros that fill the last block of a content of `size` bytes."""
    return -size % BLOCK


def header(entry: Entry) -> bytes:
    """The header of an entry: one block, after two or more with the PAX records that it needs."""
    path = f"{entry.path}/" if entry.kind is Kind.DIRECTORY else entry.path
    if path.isascii() and len(path) <= _NAME:
        name, prefix = path, ""
    else:
        name, prefix = _split(path)
    extended = _extended(entry, path, fits=bool(name))
    if extended:
        return extended + _block(entry, name or _fallback(path), prefix)
    return _block(entry, name, prefix)


def _split(path: str) -> tuple[str, str]:
    """The path as name and prefix, or two empty strings where it has no such form."""
    if path.isascii() and len(path) <= _PREFIX + 1 + _NAME:
        slash = path.rfind("/", 0, min(_PREFIX + 1, len(path) - 1))
        if slash > 0 and len(path) - slash - 1 <= _NAME:
            return path[slash + 1 :], path[:slash]
    return "", ""


def _fallback(text: str) -> str:
    """What a reader that knows no PAX records sees."""
    return text.encode("ascii", "replace").decode("ascii")[:_NAME]


def _extended(entry: Entry, path: str, *, fits: bool) -> bytes:
    """The PAX extended header of an entry, empty where it needs none (*pax*, pax Extended Header)."""
    records = {}
    if not fits:
        records["path"] = path
    if len(entry.target) > _NAME or not entry.target.isascii():
        records["linkpath"] = entry.target
    if entry.size > _MAX_SIZE:
        records["size"] = str(entry.size)
    if entry.uid > _MAX_OWNER:
        records["uid"] = str(entry.uid)
    if entry.gid > _MAX_OWNER:
        records["gid"] = str(entry.gid)
    if not records:
        return b""
    body = b"".join(_record(f"{key}={value}\n".encode()) for key, value in sorted(records.items()))
    name = _fallback(f"PaxHeaders/{path.rstrip('/').rpartition('/')[2]}")
    block = _ustar(name, "", size=len(body), fixed=_fixed(0o644, 0, 0, entry.mtime, "x"), target="")
    return block + body + bytes(padding(len(body)))


def _record(text: bytes) -> bytes:
    """`text` after its length, which counts its own digits."""
    size = len(text) + 1
    length = size + len(str(size))
    length = size + len(str(length))
    return b"%d %b" % (length, text)


def _block(entry: Entry, name: str, prefix: str) -> bytes:
    fixed = _fixed(entry.mode, entry.uid, entry.gid, entry.mtime, entry.kind.value)
    return _ustar(name, prefix, size=entry.size, fixed=fixed, target=entry.target)


@lru_cache(maxsize=64)
def _fixed(mode: int, uid: int, gid: int, mtime: int, flag: str) -> tuple[bytes, bytes, bytes]:
    """The fields that most entries of a layer share: those before the size, between size and checksum, the type."""
    uid, gid = (owner if owner <= _MAX_OWNER else 0 for owner in (uid, gid))
    if not 0 <= mtime <= _MAX_MTIME or min(mode, uid, gid) < 0:
        raise ValueError("modes, owners and times are not negative, and times end in the year 2242")
    return b"%07o\0%07o\0%07o\0" % (mode, uid, gid), b"%011o\0" % mtime, flag.encode()


_REST = b"ustar\x0000".ljust(8 + 32 + 32 + 8 + 8, b"\0")


def _ustar(name: str, prefix: str, *, size: int, fixed: tuple[bytes, bytes, bytes], target: str) -> bytes:
    owners, mtime, flag = fixed
    before = b"".join(
        (
            name.encode().ljust(_NAME, b"\0"),
            owners,
            b"%011o\0" % (size if size <= _MAX_SIZE else 0),
            mtime,
        )
    )
    after = b"".join(
        (
            flag,
            _fallback(target).encode().ljust(_NAME, b"\0"),
            _REST,
            prefix.encode().ljust(_PREFIX + 12, b"\0"),
        )
    )
    # The sum of 512 bytes of ASCII is less than 65,521, so that the low half of Adler-32 is the sum itself. The
    # checksum counts its own field as eight spaces.
    checksum = zlib.adler32(after, zlib.adler32(before, 8 * ord(" "))) & 0xFFFF
    return b"".join((before, b"%06o\0 " % checksum, after))
