"""Archives of image files: an index of a tar for reading without extraction, and a deterministic writer.

files = TarFiles(Path("image.tar"))
stream, size = files.open("index.json")

write_members(sink, [Member.of("index.json", raw), Member("blobs/sha256/…", blob)])
"""

from __future__ import annotations

import io
import os
import stat
import tempfile
import threading
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from pycontainer.blobs.blob import BytesBlob
from pycontainer.blobs.compression import open_decompressed
from pycontainer.errors import DocumentError, IntegrityError, StoreError
from pycontainer.layers.entries import Kind, contained_path
from pycontainer.layers.tar import BLOCK, END, header, padding, read_entries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from typing_extensions import Buffer

    from pycontainer.blobs.blob import Blob
    from pycontainer.blobs.hashing import Sink

_SLICE = 1 << 20
_MAX_MEMBERS = 100_000
# The old `docker save` writes a layer that is there twice as a link to the first.
_MAX_LINKS = 4
# Two files of such a name would let two readers see two images in one archive.
_UNIQUE = frozenset({"oci-layout", "index.json", "manifest.json"})
_ZEROS = bytes(_SLICE)


class TarFiles:
    """The regular files of a tar on this host, read where they lie.

    An archive that is compressed as a whole is unpacked to an unnamed temporary file first.

    Args:
        path: The archive.

    Raises:
        StoreError: It cannot be read.
        DocumentError: It is no tar, or a damaged or hostile one.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._file = _uncompressed(path)
        # Blobs that read from the archive may outlive it.
        weakref.finalize(self, self._file.close)
        self._places: dict[str, tuple[int, int]] = {}
        self._links: dict[str, str] = {}
        try:
            self._scan()
        except DocumentError as error:
            raise DocumentError(f"`{path}` is not an image archive", facts=error.facts) from error

    @property
    def where(self) -> str:
        """The archive."""
        return f"archive: {self._path}"

    def __contains__(self, name: str) -> bool:
        return self._followed(name) in self._places

    def open(self, name: str) -> tuple[BinaryIO, int] | None:
        """The content of a file of the archive and its size, or none where there is no such file."""
        place = self._places.get(self._followed(name))
        if place is None:
            return None
        start, size = place
        return io.BufferedReader(_Section(self, start, size), _SLICE), size

    def read_at(self, position: int, size: int) -> bytes:
        """Bytes of the archive; any number of threads may ask."""
        with self._lock:
            self._file.seek(position)
            return self._file.read(size)

    def _followed(self, name: str) -> str:
        for _ in range(_MAX_LINKS):
            if name not in self._links:
                break
            name = self._links[name]
        return name

    def _scan(self) -> None:
        scanner = _Scanner(self._file)
        for entry, _ in read_entries(scanner, max_entries=_MAX_MEMBERS):  # type: ignore[arg-type]  # it only reads
            if entry.path in _UNIQUE and entry.path in self._places:
                raise DocumentError("", facts=[f"`{entry.path}` is in it twice"])
            if entry.kind is Kind.FILE:
                self._places[entry.path] = (self._file.tell(), entry.size)
                scanner.pass_over(entry.size + padding(entry.size))
            elif entry.kind is Kind.SYMLINK:
                self._links[entry.path] = contained_path(f"{entry.path.rpartition('/')[0]}/{entry.target}")
            elif entry.kind is Kind.HARD_LINK:
                self._links[entry.path] = entry.target


class _Scanner:
    """The archive as the tar reader wants it, where contents are passed over without being read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._passing = 0
        file.seek(0, os.SEEK_END)
        self._end = file.tell()
        file.seek(0)

    def pass_over(self, size: int) -> None:
        """The next `size` bytes are of no interest: give as many zeros."""
        self._passing = size

    def read(self, size: int) -> bytes:
        if not self._passing:
            return self._file.read(size)
        position = self._file.tell()
        count = min(size, self._passing, self._end - position, len(_ZEROS))
        self._file.seek(position + count)
        self._passing -= count
        return _ZEROS[:count]


class _Section(io.RawIOBase):
    """A window on the archive with a position of its own."""

    def __init__(self, files: TarFiles, start: int, size: int) -> None:
        super().__init__()
        self._files = files
        self._position = start
        self._end = start + size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        view = memoryview(buffer).cast("B")
        data = self._files.read_at(self._position, min(len(view), self._end - self._position))
        view[: len(data)] = data
        self._position += len(data)
        return len(data)


def _uncompressed(path: Path) -> BinaryIO:
    try:
        file = path.open("rb")
    except OSError as error:
        raise StoreError(f"Cannot read `{path}`", facts=[error.strerror or str(error)]) from error
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise StoreError(f"Cannot read `{path}`", facts=["it is not a regular file"])
    if file.read(2) not in {b"\x1f\x8b", b"\x28\xb5"}:
        file.seek(0)
        return file
    file.seek(0)
    with open_decompressed(file) as source:
        spool: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
        try:
            while data := source.read(_SLICE):
                spool.write(data)
            spool.flush()
        except BaseException:
            spool.close()
            raise
    return spool


@dataclass(frozen=True, slots=True)
class Member:
    """A file of an archive to be written."""

    name: str
    blob: Blob

    @classmethod
    def of(cls, name: str, content: bytes) -> Member:
        """A file that is in memory."""
        return cls(name, BytesBlob.of(content, "application/octet-stream"))


class HungUpError(ConnectionError):
    """The reader of an archive hung up; told apart from any other pipe that breaks while the archive is written."""


def write_members(sink: Sink, members: Iterable[Member], *, advance: Callable[[int], None] | None = None) -> int:
    """Write a tar: a directory before the first of its files, then the files in the order given.

    Args:
        sink: Where to.
        members: The files; the same ones always give the same bytes.
        advance: Told the number of bytes of content after each slice.

    Returns:
        The size of the archive.

    Raises:
        IntegrityError: A blob is not what its descriptor says.
        HungUpError: Whoever reads what is written takes no more.
    """
    directories: set[str] = set()
    written = 0

    def put(data: bytes) -> None:
        nonlocal written
        try:
            sink.write(data)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise HungUpError from error
        written += len(data)

    for member in members:
        parts = member.name.split("/")[:-1]
        for folder in ("/".join(parts[: depth + 1]) for depth in range(len(parts))):
            if folder not in directories:
                directories.add(folder)
                put(header(folder, Kind.DIRECTORY, mode=0o755))
        size = member.blob.descriptor.size
        put(header(member.name, Kind.FILE, size=size))
        left = size
        with member.blob.open() as stream:
            while data := stream.read(_SLICE):
                left -= len(data)
                if left < 0:
                    break
                put(data)
                if advance is not None:
                    advance(len(data))
        if left:  # the next header would not stand where readers look for it
            raise IntegrityError(f"`{member.name}` has not the {size} bytes that its descriptor says")
        put(bytes(padding(size)))
    put(END)
    # As tar(1) does: whole records of 20 blocks, which some readers still want.
    put(bytes(-written % (20 * BLOCK)))
    return written
