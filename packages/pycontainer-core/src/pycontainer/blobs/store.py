"""A content-addressed store: `root/blobs/sha256/<hex>`, the same folders as an OCI layout's.

    store = BlobStore(root)
    digest = store.add(response, descriptor)
    with store.blob(descriptor).open() as stream: ...

An entry appears whole or not at all: bytes go to a temporary file beside it, which is flushed to the disk before it is
renamed, and the folder after. Any number of writers, in any number of processes, may add the same content at once.
What is read is hashed again; an entry that was damaged is discarded, so that the next look finds it absent. A cache can
therefore do without the flushing: what a loss of power took from it is fetched or made again.
"""

from __future__ import annotations

import hashlib
import io
import os
import secrets
import shutil
import stat
import tempfile
import time
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import TYPE_CHECKING, BinaryIO

from pycontainer.blobs.hashing import HashingWriter, VerifyingReader, hash_raw
from pycontainer.errors import DocumentError, IntegrityError, StoreError
from pycontainer.oci import Digest
from pycontainer.unfinished import unfinished
from pycontainer.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

    from pycontainer.blobs.hashing import BytesLike
    from pycontainer.oci import Descriptor

_SLICE = 1 << 20
_TEMPORARY = ".incoming-"
# A writer touches its file with every megabyte; one that was quiet for this many seconds was killed.
_STALE_AFTER = 3600.0
_NOT_THROUGH_LINKS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class BlobStore:
    """Blobs in a folder, by digest. Folders are made when something is written.

    Args:
        root: The folder.
        durable: Whether an entry must survive a loss of power. Waiting for the disk takes from a millisecond to some
            hundred, each time.
    """

    def __init__(self, root: Path, *, durable: bool = True) -> None:
        self.root = root
        self.durable = durable

    def __contains__(self, digest: Digest) -> bool:
        """Whether a regular file stands where the blob would be; its bytes are checked when they are read."""
        return self.size(digest) is not None

    def path(self, digest: Digest) -> Path:
        """Where the blob is, or would be."""
        return self.root / "blobs" / digest.algorithm / digest.hex

    def size(self, digest: Digest) -> int | None:
        """The bytes of the entry, or none where there is no regular file."""
        try:
            status = self.path(digest).lstat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _failed("read", self.path(digest), error) from error
        return status.st_size if stat.S_ISREG(status.st_mode) else None

    def blob(self, descriptor: Descriptor) -> StoredBlob:
        """The blob of this descriptor, present or not yet."""
        return StoredBlob(descriptor, self)

    def add(
        self,
        source: BinaryIO,
        expected: Descriptor | None = None,
        *,
        advance: Callable[[int], None] | None = None,
    ) -> Digest:
        """Take a stream to its end.

        Args:
            source: Read in slices of one megabyte; stays open.
            expected: The size and digest it must have.
            advance: Told the number of bytes after each slice.

        Raises:
            IntegrityError: The bytes are not the expected ones; nothing was stored.
            StoreError: They cannot be written.
        """
        reader = source if expected is None else VerifyingReader(source, expected)
        with self.writer(expected.digest.algorithm if expected else "sha256") as writer:
            while data := reader.read(_SLICE) or b"":
                writer.write(data)
                if advance is not None:
                    advance(len(data))
            return writer.commit()

    def writer(self, algorithm: str = "sha256") -> AbstractContextManager[BlobWriter]:
        """A new blob, written piece by piece; what is not committed when the context ends is discarded."""
        return BlobWriter(self, algorithm)

    def discard(self, digest: Digest, *, seen: os.stat_result | None = None) -> None:
        """Remove an entry, whatever stands there; one that is gone already is no error.

        Args:
            digest: Its name.
            seen: The file that was found to be damaged: a whole one that somebody has put in its place since stays.

        Raises:
            StoreError: It cannot be removed.
        """
        path = self.path(digest)
        try:
            if seen is None or os.path.samestat(path.lstat(), seen):
                _remove(path)
        except FileNotFoundError:
            return
        except OSError as error:
            raise _failed("remove", path, error) from error

    def entries(self) -> Iterator[tuple[Digest, os.stat_result]]:
        """Every entry and its status, in no order; a store that does not exist is empty."""
        folder = self.root / "blobs" / "sha256"
        try:
            found = list(os.scandir(folder))
        except FileNotFoundError:
            return
        except OSError as error:
            raise _failed("read", folder, error) from error
        for entry in found:
            # Temporary files, and what desktops leave in folders, are no entries.
            with suppress(FileNotFoundError, DocumentError):
                yield Digest("sha256", entry.name), entry.stat(follow_symlinks=False)

    def sweep(self, *, older_than: float = _STALE_AFTER) -> int:
        """Remove temporary files that killed writers left, quiet for `older_than` seconds; how many they were."""
        count = 0
        now = _file_system_time(self.root) if self.root.is_dir() else time.time()
        for path in (*self.root.glob(f"blobs/*/{_TEMPORARY}*"), *self.root.glob(f"*/{_TEMPORARY}*")):
            with suppress(OSError):
                if now - path.lstat().st_mtime > older_than:
                    _remove(path)
                    count += 1
        return count


def _file_system_time(folder: Path) -> float:
    """The time that a new file gets: on a shared file system, this host's clock does not tell how old files are."""
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            return os.fstat(probe.fileno()).st_mtime
    except OSError:  # read-only: nothing will be removed, either
        return time.time()


class BlobWriter(HashingWriter):
    """A blob being written. Made by `BlobStore.writer`.

    Raises:
        StoreError: From every method, where the disk does not take the bytes.
    """

    def __init__(self, store: BlobStore, algorithm: str) -> None:
        self._store = store
        self._algorithm = algorithm
        self._folder = store.root / "blobs" / algorithm
        self._path = self._folder / f"{_TEMPORARY}{secrets.token_hex(12)}"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("xb", buffering=0)
        except OSError as error:
            raise _failed("write", self._path, error) from error
        super().__init__(self._file)
        self._hash = hashlib.new(algorithm, usedforsecurity=False)

    def write(self, data: BytesLike, /) -> int:
        """Append bytes."""
        try:
            self._hash.update(data)
            view = memoryview(data)
            while view:
                view = view[self._file.write(view) :]
        except OSError as error:
            raise _failed("write", self._path, error) from error
        self.size += len(data)
        return len(data)

    @property
    def digest(self) -> Digest:
        """The digest of what was written until now."""
        return Digest(self._algorithm, self._hash.hexdigest())

    def commit(self) -> Digest:
        """Publish the blob under its digest; nothing can be written after."""
        digest = self.digest
        target = self._store.path(digest)
        try:
            if self._store.durable:
                os.fsync(self._file.fileno())
            self._file.close()
            if target.is_symlink() or target.is_dir():
                _remove(target)
            self._publish(target, digest)
            if self._store.durable:
                flush(self._folder)
        except OSError as error:
            raise _failed("write", target, error) from error
        return digest

    def _publish(self, target: Path, digest: Digest) -> None:
        try:
            self._path.replace(target)
        except PermissionError:
            # Windows does not replace what somebody reads; the same content is there already then.
            if self._store.size(digest) != self.size:
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Discard what was not committed."""
        self._file.close()
        with suppress(OSError):
            self._path.unlink()


class StoredBlob(Value, frozen=True):
    """A blob in a store."""

    descriptor: Descriptor
    store: BlobStore

    def open(self) -> BinaryIO:
        """The bytes, hashed while they are read.

        Raises:
            IntegrityError: At once where the entry is absent, not a regular file or of the wrong size; from the stream
                where its bytes are not the digest's. The entry is then discarded: whoever can, fetches it again.
            StoreError: The entry cannot be read.
        """
        raw = self._open()
        digest, seen = self.descriptor.digest, os.fstat(raw.fileno())
        reader = VerifyingReader(raw, self.descriptor, on_mismatch=lambda: self.store.discard(digest, seen=seen))
        return io.BufferedReader(reader, _SLICE)

    def use(self) -> bool:
        """As `is_intact`, for who goes on to use it by its path: it counts as used before a byte of it is read.

        Else a build that ends meanwhile, and makes the cache smaller, might take it for one that nobody uses.

        Raises:
            StoreError: The entry cannot be read.
        """
        mark_used(self.store.path(self.descriptor.digest))
        return self.is_intact()

    def is_intact(self) -> bool:
        """Whether the store has the right bytes: all of them are read. A damaged entry is discarded.

        Raises:
            StoreError: The entry cannot be read.
        """
        digest = self.descriptor.digest
        if self.store.size(digest) is None:
            return False
        try:
            with self._open() as raw:
                seen = os.fstat(raw.fileno())
                _, found = hash_raw(raw, digest.algorithm)
        except IntegrityError:
            return False
        if found != digest.hex:
            self.store.discard(digest, seen=seen)
        return found == digest.hex

    def _open(self) -> io.FileIO:
        """The file, of the right kind and size, its bytes unchecked.

        Raises:
            IntegrityError: It is absent, or discarded now because it is not such a file.
            StoreError: It cannot be read.
        """
        digest = self.descriptor.digest
        path = self.store.path(digest)
        try:
            number = os.open(path, os.O_RDONLY | _NOT_THROUGH_LINKS)
        except OSError as error:
            if path.is_symlink() or path.is_dir():
                self._reject("something that is not a file stands in its place")
            if isinstance(error, FileNotFoundError):
                raise IntegrityError(f"The blob `{digest}` is not in the store", facts=[f"store: {path}"]) from error
            raise _failed("read", path, error) from error
        status = os.fstat(number)
        if not stat.S_ISREG(status.st_mode) or status.st_size != self.descriptor.size:
            os.close(number)
            self._reject(f"it is not a file of {self.descriptor.size} bytes", seen=status)
        return io.FileIO(number)

    def _reject(self, fact: str, *, seen: os.stat_result | None = None) -> None:
        self.store.discard(self.descriptor.digest, seen=seen)
        path = self.store.path(self.descriptor.digest)
        raise IntegrityError(f"The stored blob `{self.descriptor.digest}` is damaged", facts=[fact, f"store: {path}"])


@contextmanager
def atomic_file(path: Path, *, durable: bool = True) -> Iterator[BinaryIO]:
    """A file that replaces `path` when the context ends well, and leaves it as it was when not.

    Args:
        path: The file.
        durable: Whether it must survive a loss of power; what is checked when it is read, and easily made again, need
            not wait for the disk.

    Raises:
        StoreError: The disk does not take it.
    """
    temporary = path.with_name(f"{_TEMPORARY}{secrets.token_hex(12)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with unfinished(temporary):
            with temporary.open("xb") as file:
                yield file
                file.flush()
                if durable:
                    os.fsync(file.fileno())
            temporary.replace(path)
        if durable:
            flush(path.parent)
    except OSError as error:
        raise _failed("write", path, error) from error


def mark_used(path: Path) -> None:
    """Make an entry recent: what was used least recently leaves a cache first. Where it cannot be, it is not."""
    with suppress(OSError):
        os.utime(path)


def flush(path: Path) -> None:
    """Make what was written to a file, or renamed in a folder, survive a loss of power.

    Windows has no way to ask for it of a folder, or of a file that is only read.

    Raises:
        OSError: The disk does not take it.
    """
    if os.name == "posix":
        number = os.open(path, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _failed(what: str, path: Path, error: OSError) -> StoreError:
    return StoreError(f"Cannot {what} `{path}`", facts=[error.strerror or str(error)])
