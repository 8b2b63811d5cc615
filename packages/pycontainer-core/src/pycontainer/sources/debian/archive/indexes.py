"""The indexes of packages that a release lists: brought here, checked before a byte of them is read, unpacked once.

for file in Indexes(downloads, folder).of(release, source, "amd64"): ...      # `file.path` uncompressed, in the store

A file is asked for by its hash where the archive offers that, so that an archive that is being updated cannot give a
release and an index that do not belong together.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, Final

import msgspec

from pycontainer.blobs.compression import open_decompressed
from pycontainer.blobs.lock import KeyedLocks
from pycontainer.blobs.records import load_record, save_record
from pycontainer.errors import DocumentError, HTTPStatusError, IntegrityError, PackageError
from pycontainer.oci import Descriptor, Digest
from pycontainer.sources.debian.archive.downloads import is_absent
from pycontainer.sources.debian.archive.in_release import release_url

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pycontainer.sources.debian.archive.apt_sources import AptSource
    from pycontainer.sources.debian.archive.downloads import Downloads
    from pycontainer.sources.debian.archive.release import ListedFile, Release

# The smallest first: main of Debian has 8.8 MB as xz, 11.4 as gzip, 45 as it is.
_SUFFIXES: Final = (".xz", ".gz", ".zst", "")
_MEDIA_TYPE: Final = "application/octet-stream"
# Ten times what the largest archive has today; none of a release may be larger, packed or not.
_MAX_SIZE: Final = 1 << 30
_OUTPUT: Final = 1 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class IndexFile:
    """An index in the store.

    Attributes:
        path: Uncompressed.
        title: What it is to a person: `bookworm/main`.
        uri: The archive that it is of, which has the packages too.
    """

    path: Path
    title: str
    uri: str


class _Unpacked(msgspec.Struct, frozen=True, kw_only=True):
    """What a compressed index is once it is unpacked."""

    sha256: str
    size: int


# Made once, by the thread that imports: msgspec looks at a type when it first decodes it, and two at once crash.
_DECODER: Final = msgspec.json.Decoder(_Unpacked)


class Indexes:
    """The indexes of packages, kept uncompressed by their digest.

    Args:
        downloads: Brings files.
        folder: Remembers which compressed file gave which index.
    """

    def __init__(self, downloads: Downloads, folder: Path) -> None:
        self._downloads = downloads
        self._store = downloads.store
        self._folder = folder
        # Mirrors of one archive have the same index, which is fetched and unpacked once.
        self._locks = KeyedLocks()

    def of(self, release: Release, source: AptSource, architecture: str) -> list[IndexFile]:
        """The indexes of a source's components for an architecture, and those for `all` where they are apart.

        Raises:
            PackageError: The release has no such architecture or component.
            IntegrityError: What the archive gives is not what the release lists.
            NetworkError: It gives nothing.
            DocumentError: It cannot be unpacked.
        """
        if release.architectures and architecture not in release.architectures:
            raise PackageError(
                f"The archive of `{release.asked}` has no packages for `{architecture}`",
                facts=[f"archive: {release.uri}", f"it has: {', '.join(release.architectures)}"],
                hint="Set {os_archive} to one that has; distributions keep some architectures apart",
            )
        if source.is_flat:
            path = self._index(release, source, "Packages")
            return [IndexFile(path=path, title=release.asked, uri=release.uri)]
        wanted = [architecture, *(["all"] if release.all_apart else [])]
        found = []
        for component in source.components:
            names = [f"{component}/binary-{item}/Packages" for item in wanted]
            listed = [name for name in names if any(f"{name}{suffix}" in release.files for suffix in _SUFFIXES)]
            if names[0] not in listed:
                raise PackageError(
                    f"The archive of `{release.asked}` has no component `{component}` for `{architecture}`",
                    facts=[f"archive: {release.uri}", f"it has: {', '.join(_components(release.files, architecture))}"],
                )
            for name in listed:
                path = self._index(release, source, name)
                found.append(IndexFile(path=path, title=f"{release.asked}/{component}", uri=release.uri))
        return found

    def _index(self, release: Release, source: AptSource, name: str) -> Path:
        plain = release.files.get(name)
        suffix = next((item for item in _SUFFIXES if f"{name}{item}" in release.files), None)
        if suffix is None:
            raise PackageError(f"The archive of `{release.asked}` has no index", facts=[f"archive: {release.uri}"])
        listed = release.files[f"{name}{suffix}"]
        for file in (listed, plain):
            if file is not None and file.size > _MAX_SIZE:
                raise DocumentError(
                    f"The index `{name}` of `{release.asked}` is larger than {_MAX_SIZE >> 20} MB",
                    facts=[f"archive: {release.uri}", f"bytes: {file.size}"],
                )
        with self._locks.of(listed.sha256):
            if (known := self._known(listed if suffix else None, plain)) is not None:
                return known
            return self._fetch(release, source, f"{name}{suffix}")

    def _fetch(self, release: Release, source: AptSource, name: str) -> Path:
        listed = release.files[name]
        title = f"{release.asked}/{name}"
        try:
            path, _ = self._downloads.fetch(_descriptor(listed), title=title, urls=_urls(release, source, name, listed))
        except HTTPStatusError as error:
            if not is_absent(error):
                raise
            # Ubuntu's release lists all architectures, though its main archive has two of them.
            raise PackageError(
                f"The archive of `{release.asked}` lists `{name}` but does not have it",
                facts=error.facts,
                hint="Set {os_archive} to one that has; distributions keep some architectures apart",
            ) from error
        plain_name = name.removesuffix(PurePosixPath(name).suffix)
        return path if name == plain_name else self._unpack(path, listed, release.files.get(plain_name), title)

    def _known(self, packed: ListedFile | None, plain: ListedFile | None) -> Path | None:
        """The index where it is in the store already: all of it is hashed."""
        descriptor = _descriptor(plain) if plain is not None else None
        if descriptor is None and packed is not None:
            content = load_record(self._record(packed))
            with suppress(msgspec.MsgspecError):
                known = _DECODER.decode(content or b"")
                digest = Digest("sha256", known.sha256)
                descriptor = Descriptor(media_type=_MEDIA_TYPE, digest=digest, size=known.size)
        if descriptor is None or not self._store.blob(descriptor).use():
            return None
        return self._store.path(descriptor.digest)

    def _record(self, packed: ListedFile) -> Path:
        return self._folder / "indexes" / f"{packed.sha256}.json"

    def _unpack(self, path: Path, packed: ListedFile, plain: ListedFile | None, title: str) -> Path:
        """Unpack an index that is in the store, into the store.

        The packed one stays until the cache is pruned: another build may be about to read it.
        """
        limit = plain.size if plain is not None else _MAX_SIZE
        with self._store.writer() as writer, path.open("rb") as file:
            for data in _unpacked(file, title, limit):
                writer.write(data)
            if plain is not None and (writer.size, writer.digest.hex) != (plain.size, plain.sha256):
                raise IntegrityError(
                    f"`{title}` is not, once unpacked, the index that the release lists",
                    facts=[f"listed: {plain.size} bytes, {plain.sha256}", f"found: {writer.size}, {writer.digest.hex}"],
                )
            size = writer.size
            digest = writer.commit()
        if plain is None:
            save_record(self._record(packed), msgspec.json.encode(_Unpacked(sha256=digest.hex, size=size)))
        return self._store.path(digest)


def _descriptor(file: ListedFile) -> Descriptor:
    return Descriptor(media_type=_MEDIA_TYPE, digest=Digest("sha256", file.sha256), size=file.size)


def _urls(release: Release, source: AptSource, name: str, file: ListedFile) -> Iterator[str]:
    """By hash first: an archive that is updated this moment still has that one."""
    for uri in dict.fromkeys((release.uri, source.uri, *source.mirrors)):
        if release.by_hash:
            folder = name.rpartition("/")[0]
            by_hash = f"by-hash/SHA256/{file.sha256}"
            yield release_url(uri, source, f"{folder}/{by_hash}" if folder else by_hash)
        yield release_url(uri, source, name)


def _components(files: Mapping[str, object], architecture: str) -> list[str]:
    middle = f"/binary-{architecture}/Packages"
    return sorted({name.partition(middle)[0] for name in files if middle in name})


def _unpacked(file: BinaryIO, title: str, limit: int) -> Iterator[bytes]:
    """The content, in pieces, never more than `limit` bytes."""
    count = 0
    # The bytes are those that somebody trusted has signed: an index of many equal lines is no bomb.
    stream = open_decompressed(file, max_size=_MAX_SIZE + _OUTPUT, max_ratio=_MAX_SIZE, xz=True)
    for data in iter(lambda: stream.read(_OUTPUT), b""):
        count += len(data)
        if count > limit:
            raise IntegrityError(f"`{title}` unpacks to more than the {limit} bytes that it may have")
        yield data
