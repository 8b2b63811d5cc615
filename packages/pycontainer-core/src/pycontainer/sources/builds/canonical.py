"""The same wheel in the same bytes: whatever host, zlib, umask or file system a backend packed it on.

    with store.writer() as sink:
        canonical_wheel(built, sink)
        sink.commit()

Backends that keep to SOURCE_DATE_EPOCH still leave three things of the host in a wheel: the modes of its members
(umask; Windows has none), their order, and above all the deflated bytes, which differ between zlib and zlib-ng. The
content of the members, `RECORD` included, is left as it is; only the archive around it is written anew (APPNOTE.TXT,
4.3), with the compressor that also writes layers.
"""

from __future__ import annotations

import struct
import zipfile
from typing import TYPE_CHECKING

import deflate

from pycontainer.errors import WheelBuildError

if TYPE_CHECKING:
    from pathlib import Path

    from pycontainer.blobs.hashing import HashingWriter

_LEVEL = 9
_LIMIT = 0xFFFFFFFF
_MAX_ENTRIES = 0xFFFE
# 1980-01-01, the first day of MS-DOS, as date and time words.
_DATE, _TIME = (1 << 5) | 1, 0
_UTF8 = 0x0800
_VERSION = 20
_UNIX = 3 << 8
_STORED, _DEFLATED = 0, 8
_REGULAR, _TYPE, _EXECUTABLE = 0o100000, 0o170000, 0o111
# The compressor needs a member whole.
_COMPRESSIBLE = 512 << 20


def canonical_wheel(built: Path, sink: HashingWriter) -> None:
    """Write the wheel at `built` to `sink`: members sorted, `.dist-info` last, modes 644 or 755, no times.

    Raises:
        WheelBuildError: It is no zip, or one of more than 4 GiB or 65,534 members.
    """
    try:
        with zipfile.ZipFile(built) as archive:
            members = sorted((info for info in archive.infolist() if not info.is_dir()), key=_order)
            if len(members) > _MAX_ENTRIES or sum(info.file_size for info in members) >= _LIMIT:
                raise WheelBuildError(f"The wheel `{built.name}` is too large to be built here", facts=["limit: 4 GiB"])
            directory = b"".join(_write_member(archive, info, sink) for info in members)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise WheelBuildError(f"The backend made a wheel that cannot be read: `{built.name}`") from error
    start = sink.size
    sink.write(directory)
    count = len(members)
    sink.write(struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(directory), start, 0))


def _order(info: zipfile.ZipInfo) -> tuple[bool, bool, str]:
    """`.dist-info` at the end and `RECORD` last, as the format recommends (*Binary distribution format*)."""
    folder, _, name = info.filename.partition("/")
    in_info = folder.endswith(".dist-info")
    return in_info, in_info and name == "RECORD", info.filename


def _write_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, sink: HashingWriter) -> bytes:
    """Write one member, and return its entry in the central directory."""
    content = archive.read(info)
    packed, method = content, _STORED
    if 0 < len(content) <= _COMPRESSIBLE:
        squeezed = bytes(deflate.deflate_compress(content, _LEVEL))
        if len(squeezed) < len(content):
            packed, method = squeezed, _DEFLATED
    name = info.filename.encode()
    flags = 0 if info.filename.isascii() else _UTF8
    common = struct.pack("<4H3L2H", flags, method, _TIME, _DATE, info.CRC, len(packed), len(content), len(name), 0)
    offset = sink.size
    sink.write(struct.pack("<4sH", b"PK\3\4", _VERSION) + common + name)
    sink.write(packed)
    head = struct.pack("<4s2H", b"PK\1\2", _UNIX | _VERSION, _VERSION)
    return head + common + struct.pack("<3H2L", 0, 0, 0, _mode(info) << 16, offset) + name


def _mode(info: zipfile.ZipInfo) -> int:
    mode = info.external_attr >> 16
    # What is neither a file nor unknown stays as it is, for the checks of the wheel to refuse it.
    kind = mode & _TYPE or _REGULAR
    return kind | (0o755 if mode & _EXECUTABLE else 0o644)
