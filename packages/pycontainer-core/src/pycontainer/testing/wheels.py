r"""Forged wheels: good ones in a line, and bad ones with a lie in any field.

path = WheelForge(files={"demo/__init__.py": b""}, entry_points="[console_scripts]\ndemo = demo:main\n").write(tmp_path)

members = WheelForge().members()
members[0] = replace(members[0], central={"crc32": 1})      # the directory lies
(tmp_path / "demo-1.0-py3-none-any.whl").write_bytes(forge_zip(members))
"""

from __future__ import annotations

import hashlib
import stat
import struct
import zlib
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

REGULAR = stat.S_IFREG | 0o644
EXECUTABLE = stat.S_IFREG | 0o755
_UTF8 = 1 << 11
_DEFLATED = 8
_ELSEWHERE = 0xFFFFFFFF


@dataclass(frozen=True, kw_only=True)
class ForgedMember:
    """A member of a zip, truthful unless told otherwise.

    Attributes:
        name: As text, or as the bytes that stand in the archive.
        content: Uncompressed.
        mode: Unix mode; none writes no external attributes, as on Windows.
        method: 8 deflates, 0 stores, anything else stores and lies.
        local: Fields of the local header to change: `flags`, `method`, `crc32`, `compressed_size`, `size`, `name`,
            `extra`.
        central: The same of the entry in the directory, and `offset`, `needed`, `comment`.
        compressed: Instead of the content compressed.
        after: Bytes behind the content, such as a data descriptor.
    """

    name: str | bytes
    content: bytes = b""
    mode: int | None = REGULAR
    method: int = _DEFLATED
    flags: int = 0
    local: Mapping[str, int | bytes] = field(default_factory=dict)
    central: Mapping[str, int | bytes] = field(default_factory=dict)
    compressed: bytes | None = None
    after: bytes = b""

    @cached_property
    def stored(self) -> bytes:
        """The bytes that stand in the archive."""
        if self.compressed is not None:
            return self.compressed
        if self.method != _DEFLATED:
            return self.content
        deflater = zlib.compressobj(wbits=-15)
        return deflater.compress(self.content) + deflater.flush()

    def fields(self) -> dict[str, int | bytes]:
        """What both headers say, when nobody lies."""
        name = self.name.encode() if isinstance(self.name, str) else self.name
        return {
            "flags": self.flags | (0 if name.isascii() else _UTF8),
            "method": self.method,
            "crc32": zlib.crc32(self.content),
            "compressed_size": len(self.stored),
            "size": len(self.content),
            "name": name,
            "extra": b"",
            "comment": b"",
        }

    def descriptor(self, *, magic: bool = True, wide: bool = False) -> bytes:
        """A truthful data descriptor (APPNOTE.TXT, 4.3.9)."""
        values = (zlib.crc32(self.content), len(self.stored), len(self.content))
        return (b"PK\7\x08" if magic else b"") + struct.pack("<LQQ" if wide else "<LLL", *values)


def forge_zip(
    members: Sequence[ForgedMember],
    *,
    before: bytes = b"",
    between: bytes = b"",
    comment: bytes = b"",
    after: bytes = b"",
    end: Mapping[str, int] | None = None,
    zip64: Mapping[str, int] | None = None,
) -> bytes:
    """A zip archive.

    Args:
        members: In the order in which they lie there.
        before: Bytes in front of the first member.
        between: Bytes in front of the directory.
        comment: Of the archive.
        after: Bytes behind its end.
        end: Fields of the end record to change: `count`, `size`, `offset`, `comment_length`.
        zip64: Writes zip64 end records, with these fields changed: `count`, `size`, `offset`, `locator`, `disks`.
    """
    body, directory = bytearray(before), bytearray()
    for member in members:
        offset = len(body)
        body += _local_header(member) + member.stored + member.after
        directory += _central_header(member, offset)
    body += between
    truth = {"count": len(members), "size": len(directory), "offset": len(body)}
    body += directory
    if zip64 is not None:
        body += _end64({**truth, "locator": len(body), "disks": 1, **zip64})
        truth = {"count": 0xFFFF, "size": _ELSEWHERE, "offset": _ELSEWHERE}
    said = {**truth, "comment_length": len(comment), **(end or {})}
    body += struct.pack(
        "<4sHHHHLLH",
        b"PK\5\6",
        0,
        0,
        said["count"],
        said["count"],
        said["size"],
        said["offset"],
        said["comment_length"],
    )
    return bytes(body + comment + after)


@dataclass(frozen=True, kw_only=True)
class WheelForge:
    """A wheel, right in every respect unless told otherwise.

    Attributes:
        files: Content of its files by name, or members.
        entry_points: `entry_points.txt`.
        stem: What its directories begin with; by default name and version.
        metadata: Instead of a right `METADATA`; so for `wheel` and `record`.
        rows: Rows of `RECORD` to change, by path; none leaves one out.
        extra_rows: Rows to add to it, as they are.
    """

    name: str = "demo"
    version: str = "1.0"
    tag: str = "py3-none-any"
    files: Mapping[str, bytes | ForgedMember] = field(default_factory=lambda: {"demo/__init__.py": b"x = 1\n"})
    entry_points: str | None = None
    stem: str | None = None
    metadata: bytes | None = None
    wheel: bytes | None = None
    record: bytes | None = None
    rows: Mapping[str, str | None] = field(default_factory=dict)
    extra_rows: Sequence[str] = ()

    @property
    def filename(self) -> str:
        """What a wheel like this is called."""
        return f"{self.name.replace('-', '_')}-{self.version}-{self.tag}.whl"

    @property
    def dist_info(self) -> str:
        """The directory of its metadata."""
        return f"{self.stem or self.name.replace('-', '_') + '-' + self.version}.dist-info"

    def members(self) -> list[ForgedMember]:
        """Its members, `RECORD` last."""
        metadata = f"Metadata-Version: 2.1\nName: {self.name}\nVersion: {self.version}\n"
        wheel = f"Wheel-Version: 1.0\nGenerator: forge\nRoot-Is-Purelib: true\nTag: {self.tag}\n"
        files: dict[str, bytes | ForgedMember] = {
            **self.files,
            f"{self.dist_info}/METADATA": metadata.encode() if self.metadata is None else self.metadata,
            f"{self.dist_info}/WHEEL": wheel.encode() if self.wheel is None else self.wheel,
        }
        if self.entry_points is not None:
            files[f"{self.dist_info}/entry_points.txt"] = self.entry_points.encode()
        members = [
            content if isinstance(content, ForgedMember) else ForgedMember(name=name, content=content)
            for name, content in files.items()
        ]
        record = self._record(members) if self.record is None else self.record
        return [*members, ForgedMember(name=f"{self.dist_info}/RECORD", content=record)]

    def build(self) -> bytes:
        """Its bytes."""
        return forge_zip(self.members())

    def write(self, folder: Path) -> Path:
        """Write it into a folder, under its name."""
        path = folder / self.filename
        path.write_bytes(self.build())
        return path

    def _record(self, members: Sequence[ForgedMember]) -> bytes:
        rows = {}
        for member in members:
            name = member.name if isinstance(member.name, str) else member.name.decode("utf-8", "replace")
            if not name.endswith("/"):
                rows[name] = record_row(name, member.content)
        changed = {**rows, **self.rows}
        lines = [row for row in changed.values() if row is not None]
        return "\n".join([*lines, *self.extra_rows, f"{self.dist_info}/RECORD,,", ""]).encode()


def record_row(name: str, content: bytes, *, algorithm: str = "sha256") -> str:
    """A row of `RECORD`."""
    digest = urlsafe_b64encode(hashlib.new(algorithm, content).digest()).rstrip(b"=").decode()
    quoted = '"' + name.replace('"', '""') + '"' if any(character in name for character in ',"\n') else name
    return f"{quoted},{algorithm}={digest},{len(content)}"


def _local_header(member: ForgedMember) -> bytes:
    said = {**member.fields(), **member.local}
    name, extra = _bytes(said["name"]), _bytes(said["extra"])
    fixed = (said["flags"], said["method"], 0, 0x21, said["crc32"], said["compressed_size"], said["size"])
    return struct.pack("<4sHHHHHLLLHH", b"PK\3\4", 20, *fixed, len(name), len(extra)) + name + extra


def _central_header(member: ForgedMember, offset: int) -> bytes:
    said = {**member.fields(), "offset": offset, "needed": 20, **member.central}
    name, extra, comment = _bytes(said["name"]), _bytes(said["extra"]), _bytes(said["comment"])
    system, attributes = (0, 0) if member.mode is None else (3, member.mode << 16)
    fixed = (said["flags"], said["method"], 0, 0x21, said["crc32"], said["compressed_size"], said["size"])
    lengths = (len(name), len(extra), len(comment))
    return (
        struct.pack("<4sBBHHHHHLLLHHH", b"PK\1\2", 20, system, said["needed"], *fixed, *lengths)
        + struct.pack("<HHLL", 0, 0, attributes, said["offset"])
        + name
        + extra
        + comment
    )


def _end64(said: Mapping[str, int]) -> bytes:
    return struct.pack(
        "<4sQHHLLQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, said["count"], said["count"], said["size"], said["offset"]
    ) + struct.pack("<4sLQL", b"PK\6\7", 0, said["locator"], said["disks"])


def _bytes(value: int | bytes) -> bytes:
    assert isinstance(value, bytes)
    return value
