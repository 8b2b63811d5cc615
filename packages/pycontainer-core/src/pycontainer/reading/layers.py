"""Layers read as streams: every entry, and of few files what they say; their bytes do not reach this host's disk.

contents = read_layer(layer)                # hashed and checked against its diff_id while it passes
root = overlay([contents, None, other])     # the files of the image; none stands for a layer that nobody read
measure(root.find("/etc/passwd").node)      # its bytes, and their sha256 where somebody asked for it
"""

from __future__ import annotations

import hashlib
import io
import re
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple

from pycontainer.blobs.compression import open_decompressed
from pycontainer.blobs.hashing import HashingReader
from pycontainer.errors import DocumentError, IntegrityError
from pycontainer.layers.entries import Entry, Kind
from pycontainer.layers.tar_reader import read_entries
from pycontainer.sources.base.rootfs import RootFS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pycontainer.layers.layer import Layer
    from pycontainer.sources.base.rootfs import Node

MAX_ENTRIES: Final = 1_000_000
_MAX_WHOLE: Final = 64 << 20
_MAX_WHOLES: Final = 256 << 20
_SLICE: Final = 1 << 20
_SIZE: Final = 8
# The databases of packages: Python's (*Recording installed projects*), dpkg's, apk's; and os-release(5).
_READ_WHOLE: Final = re.compile(
    r"""(?x)
      (?:^|/)[^/]+\.dist-info/(?:METADATA|RECORD)$
    | (?:^|/)[^/]+\.egg-info(?:/PKG-INFO)?$
    | ^var/lib/dpkg/(?:status|status\.d/[^/]+|info/[^/]+\.list)$
    | ^(?:usr/)?lib/apk/db/installed$
    | ^(?:etc|usr/lib)/os-release$"""
)


class ReadEntry(NamedTuple):
    """An entry of a layer; `whole` is its content where it is a database, `sha256` of it where that was asked for."""

    entry: Entry
    whole: bytes | None
    sha256: bytes


class LayerReading(NamedTuple):
    """All entries of a layer, in order; `hashed` where the sha256 of every file was asked for."""

    entries: tuple[ReadEntry, ...]
    hashed: bool

    @property
    def files(self) -> int:
        """How many files and links it has."""
        return sum(item.entry.kind is not Kind.DIRECTORY for item in self.entries)

    @property
    def size(self) -> int:
        """The bytes of its files."""
        return sum(item.entry.size for item in self.entries)


class Measured(NamedTuple):
    """A file's bytes, and their sha256; empty where nobody asked for it."""

    size: int
    sha256: bytes


def read_layer(layer: Layer, *, hashed: bool = False, max_entries: int = MAX_ENTRIES) -> LayerReading:
    """Read a layer to its end.

    Args:
        layer: Its bytes are checked against its descriptor and its diff_id.
        hashed: Whether to hash every file.
        max_entries: More are refused.

    Raises:
        DocumentError: It is damaged or hostile.
        IntegrityError: It is not what its descriptor or its diff_id says.
        PyContainerError: Its bytes cannot be had.
    """
    with open_decompressed(layer.open(), layer.descriptor.media_type) as tar:
        reader = HashingReader(tar, layer.diff_id.algorithm)
        try:
            entries = tuple(_read(reader, hashed=hashed, max_entries=max_entries))
        except DocumentError as error:
            where = f"layer: `{layer.descriptor.digest}`"
            raise DocumentError(error.message, facts=[*error.facts, where], hint=error.hint) from error
    if reader.digest != layer.diff_id:
        raise IntegrityError(
            "A layer is not what the image's config says",
            facts=[f"diff_id: `{layer.diff_id}`", f"its uncompressed bytes: `{reader.digest}`"],
        )
    return LayerReading(entries, hashed)


def overlay(readings: Sequence[LayerReading | None]) -> RootFS:
    """The files that layers give, the base first; a layer that nobody read counts, and changes nothing.

    Raises:
        DocumentError: A whiteout of nothing, or links that go in circles where a directory is needed.
    """
    current: list[ReadEntry] = []

    def entries(reading: LayerReading | None) -> Iterator[tuple[Entry, BinaryIO]]:
        for item in reading.entries if reading else ():
            current[:] = [item]
            yield item.entry, io.BytesIO(item.whole or b"")

    def keep(entry: Entry, content: BinaryIO) -> bytes:
        del content
        return entry.size.to_bytes(_SIZE, "big") + current[0].sha256

    root = RootFS(keep_whole=lambda _: current[0].whole is not None)
    for reading in readings:
        root.apply(entries(reading), keep=keep)
    return root


def measure(node: Node) -> Measured:
    """What is known of a file in an `overlay`; links and directories have no bytes."""
    if node.content is None:
        return Measured(0, b"")
    return Measured(int.from_bytes(node.content[:_SIZE], "big"), node.content[_SIZE:])


def _read(reader: HashingReader, *, hashed: bool, max_entries: int) -> Iterator[ReadEntry]:
    room = _MAX_WHOLES
    for entry, content in read_entries(reader, max_entries=max_entries):
        whole = None
        if entry.kind is Kind.FILE and entry.size <= _MAX_WHOLE and _READ_WHOLE.search(entry.path):
            room -= entry.size
            if room < 0:
                raise DocumentError(f"More than {_MAX_WHOLES >> 20} MiB of databases of packages are in it")
            whole = content.read()
        sha256 = _sha256(content if whole is None else io.BytesIO(whole)) if hashed and entry.kind is Kind.FILE else b""
        yield ReadEntry(entry, whole, sha256)


def _sha256(content: BinaryIO) -> bytes:
    found = hashlib.sha256(usedforsecurity=False)
    while data := content.read(_SLICE):
        found.update(data)
    return found.digest()
