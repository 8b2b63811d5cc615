"""A reader of tars that others wrote, as layers of base images: streaming, strict, and blind to this host's disk.

    for entry, content in read_entries(open_decompressed(blob.open())):
        if entry.path == "etc/passwd":
            passwd = content.read(1 << 20)

Reads ustar, PAX and GNU headers (IEEE Std 1003.1, *pax*; GNU tar manual, *Basic Tar Format*) the way Go's archive/tar
does, since that is what the container engines unpack with, and refuses what is ambiguous. Nothing is extracted: paths
are contained in a virtual root.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, BinaryIO

from pycontainer.errors import DocumentError
from pycontainer.layers.entries import Entry, Kind, contained_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from typing_extensions import Buffer

    from pycontainer.blobs.hashing import Source

_BLOCK = 512
_SLICE = 1 << 20
# Go's limit for one extended header or long name; more than a few before one entry are an attack.
_MAX_EXTENSION = 1 << 20
_MAX_EXTENSIONS = 16
MAX_ENTRIES = 2_000_000
_MAX_USTAR_SIZE = 8**11 - 1
_MAX_NUMBER = 2**63 - 1

_FILES = frozenset(b"\x0007")
_KINDS = {ord(kind.value): kind for kind in Kind} | dict.fromkeys(_FILES, Kind.FILE)
_PAX, _PAX_GLOBAL, _LONG_NAME, _LONG_TARGET, _VOLUME = b"xgLKV"
_EXTENSIONS = frozenset({_PAX, _PAX_GLOBAL, _LONG_NAME, _LONG_TARGET})


def read_entries(
    stream: Source, *, max_entries: int = MAX_ENTRIES, contain: Callable[[str], str] = contained_path
) -> Iterator[tuple[Entry, BinaryIO]]:
    """Every entry of an uncompressed tar and a stream of its content, good until the next entry is asked for.

    After the last entry the stream is read to its end, so that a digest which is checked there is checked. An archive
    that ends between entries, without the two blocks of zeros, is whole, as it is to every engine.

    Args:
        stream: Read to its end, never closed.
        max_entries: How many entries are too many, less one.
        contain: Makes a path of the image of what an entry, or a hard link's target, is called in the archive.

    Raises:
        DocumentError: The archive is cut off, damaged, ambiguous, or made to exhaust its reader.
    """
    overrides = _Overrides()
    extensions = count = 0
    while (block := _read_block(stream)) is not None:
        flag = block[156]
        size = _size(block)
        if flag in _EXTENSIONS:
            extensions += 1
            if extensions > _MAX_EXTENSIONS or size > _MAX_EXTENSION:
                raise _broken("it has endless extended headers")
            overrides.read(flag, _read_body(stream, size))
            continue
        if flag == _VOLUME:
            _skip(stream, _padded(size))
            continue
        count += 1
        if count > max_entries:
            raise _broken(f"it has more than {max_entries} entries")
        entry = _entry(block, overrides, size, contain)
        content = _Content(stream, entry.size)
        yield entry, io.BufferedReader(content)
        content.finish()
        overrides.forget()
        extensions = 0
    if extensions:
        raise _broken("an extended header stands before nothing")
    while stream.read(_SLICE):
        pass


class _Overrides:
    """What extended headers say of the entry after them."""

    def __init__(self) -> None:
        self.always: dict[str, str] = {}
        self.once: dict[str, str] = {}

    def read(self, flag: int, body: bytes) -> None:
        if flag == _PAX:
            self.once.update(_pax_records(body))
        elif flag == _PAX_GLOBAL:
            self.always.update(_pax_records(body))
            if "path" in self.always or "linkpath" in self.always or "size" in self.always:
                raise _broken("a global header names a path, a link or a size")
        else:
            self.once["path" if flag == _LONG_NAME else "linkpath"] = _text(body)

    def forget(self) -> None:
        self.once = {}

    def get(self, key: str) -> str | None:
        # An empty value takes a record back (*pax*, pax Extended Header).
        return self.once.get(key, self.always.get(key)) or None

    def number(self, key: str) -> int | None:
        text = self.get(key)
        if text is None:
            return None
        whole = text.partition(".")[0] if key == "mtime" else text
        digits = whole.removeprefix("-") if key == "mtime" else whole
        if not digits.isascii() or not digits.isdigit() or len(digits) > len(str(_MAX_NUMBER)):
            raise _broken(f"the PAX record `{key}` is not a number")
        return _in_range(int(whole), key)


def _entry(block: bytes, overrides: _Overrides, ustar_size: int, contain: Callable[[str], str]) -> Entry:
    kind = _KINDS.get(block[156])
    if kind is None:
        raise _broken(f"it has an entry of the unknown type {bytes(block[156:157])!r}")
    if any(key.startswith("GNU.sparse.") for key in overrides.once):
        raise _broken("it has a sparse file")
    path = overrides.get("path") or _ustar_path(block)
    if kind is Kind.FILE and path.endswith("/"):
        kind = Kind.DIRECTORY  # as archives from before POSIX have it
    target = (overrides.get("linkpath") or _text(block[157:257])) if kind in {Kind.SYMLINK, Kind.HARD_LINK} else ""
    mtime = overrides.number("mtime")
    return Entry(
        path=contain(path),
        kind=kind,
        mode=_number(block[100:108], "mode") & 0o7777,
        uid=_owner(overrides.number("uid"), block[108:116]),
        gid=_owner(overrides.number("gid"), block[116:124]),
        size=_content_size(overrides.number("size"), ustar_size) if kind is Kind.FILE else 0,
        mtime=_number(block[136:148], "mtime", signed=True) if mtime is None else mtime,
        target=contain(target) if kind is Kind.HARD_LINK else target,
        user=overrides.get("uname") or _name(block, 265),
        group=overrides.get("gname") or _name(block, 297),
    )


def _content_size(pax: int | None, ustar: int) -> int:
    """Two sizes are one too many, unless the header's own field cannot hold the true one."""
    if pax is None:
        return ustar
    if pax <= _MAX_USTAR_SIZE and pax != ustar:
        raise _broken(f"an entry has two sizes, {ustar} and {pax}")
    return pax


def _owner(pax: int | None, raw: bytes) -> int:
    return _number(raw, "owner") if pax is None else pax


def _size(block: bytes) -> int:
    return _number(block[124:136], "size")


def _ustar_path(block: bytes) -> str:
    name = _text(block[:100])
    if block[257:265] != b"ustar\x0000":
        return name
    # star keeps two times behind a shorter prefix, and signs with its name.
    prefix = _text(block[345:476] if block[508:512] == b"tar\0" else block[345:500])
    return f"{prefix}/{name}" if prefix else name


def _name(block: bytes, start: int) -> str:
    """An owner's name, which archives from before POSIX do not have."""
    return _text(block[start : start + 32]) if block[257:262] == b"ustar" else ""


def _text(raw: bytes) -> str:
    return raw.partition(b"\0")[0].decode("utf-8", "surrogateescape")


def _number(raw: bytes, what: str, *, signed: bool = False) -> int:
    """An octal field, or a binary one with its first bit set (GNU)."""
    if raw[0] & 0x80:
        value = int.from_bytes(bytes([raw[0] & 0x7F]) + raw[1:], "big")
        if raw[0] & 0x40:
            value -= 1 << (8 * len(raw) - 1)
    else:
        digits = raw.strip(b" \0")
        if digits.strip(b"01234567"):
            raise _broken(f"the field `{what}` is not a number")
        value = int(digits or b"0", 8)
    if value < 0 and not signed:
        raise _broken(f"the field `{what}` is negative")
    return _in_range(value, what)


def _in_range(value: int, what: str) -> int:
    if abs(value) > _MAX_NUMBER:
        raise _broken(f"the field `{what}` is too large")
    return value


def _pax_records(body: bytes) -> dict[str, str]:
    """The records of an extended header: `length key=value` and a newline, where the length counts all of it."""
    records = {}
    position = 0
    while position < len(body):
        space = body.find(b" ", position, position + len(str(_MAX_EXTENSION)) + 1)
        digits = body[position:space] if space > 0 else b""
        end = position + int(digits) if digits.isdigit() else -1
        key, equals, value = body[space + 1 : end - 1].partition(b"=")
        if not space < end <= len(body) or body[end - 1 : end] != b"\n" or not equals or not key:
            raise _broken("a PAX record is malformed")
        if b"\0" in key or (b"\0" in value and key in {b"path", b"linkpath", b"size", b"uid", b"gid", b"mtime"}):
            raise _broken("a PAX record has a NUL")
        records[key.decode("utf-8", "surrogateescape")] = value.decode("utf-8", "surrogateescape")
        position = end
    return records


def _read_block(stream: Source) -> bytes | None:
    """The next header, or none at the end of the archive."""
    block = _read(stream, _BLOCK)
    if not block or (not any(block) and not any(_read(stream, _BLOCK))):
        return None
    if len(block) < _BLOCK:
        raise _cut_off()
    if not any(block):
        raise _broken("a lone block of zeros stands between its entries")
    expected = _number(block[148:156], "checksum")
    blanked = block[:148] + b" " * 8 + block[156:]
    if expected not in {sum(blanked), _signed_sum(blanked)}:
        raise _broken("the checksum of a header is wrong")
    return block


def _signed_sum(block: bytes) -> int:
    """The sum that tars of old made of signed bytes."""
    return sum(block) if block.isascii() else sum(byte - 256 if byte > 127 else byte for byte in block)  # noqa: PLR2004


def _read_body(stream: Source, size: int) -> bytes:
    body = _read(stream, _padded(size))
    if len(body) < _padded(size):
        raise _cut_off()
    return body[:size]


def _padded(size: int) -> int:
    return size + -size % _BLOCK


def _read(stream: Source, size: int) -> bytes:
    data = stream.read(size)
    while len(data) < size and (more := stream.read(size - len(data))):
        data += more
    return data


def _skip(stream: Source, size: int) -> None:
    while size:
        data = stream.read(min(size, _SLICE))
        if not data:
            raise _cut_off()
        size -= len(data)


class _Content(io.RawIOBase):
    """The content of one entry, a window on the archive's stream."""

    def __init__(self, stream: Source, size: int) -> None:
        super().__init__()
        self._stream = stream
        self._left = size
        self._padding = _padded(size) - size
        self._expired = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        if self._expired:
            raise ValueError("the content of an entry can be read only until the next one is asked for")
        view = memoryview(buffer).cast("B")
        data = self._stream.read(min(len(view), self._left)) if self._left else b""
        if self._left and len(view) and not data:
            raise _cut_off()
        view[: len(data)] = data
        self._left -= len(data)
        return len(data)

    def finish(self) -> None:
        """Go to the next header."""
        self._expired = True
        _skip(self._stream, self._left + self._padding)


def _cut_off() -> DocumentError:
    return _broken("it ends in the middle")


def _broken(fact: str) -> DocumentError:
    return DocumentError("The tar archive cannot be read", facts=[fact])
