"""Where a package's file can be: at each address of its archive, then at the snapshot service.

    places = Places(sources, snapshots=(), dates=dates)
    for url in places.of(package): ...
    places.learn(package, url)

A lock does not tell which of several archives has a package; the pool's folders do (`pool/updates/main` is the
security archive's), and the first file of each says which archive has them.
"""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from pycontainer.errors import DocumentError, PackageError
from pycontainer.oci import Descriptor, Digest
from pycontainer.sources.debian.archive.snapshot import snapshot_urls

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from pycontainer.sources.debian.archive.apt_sources import AptSource
    from pycontainer.sources.debian.package import BinaryPackage

_FILENAME: Final = re.compile(r"[A-Za-z0-9+._~%:=@,-]+(?:/[A-Za-z0-9+._~%:=@,-]+)*")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_MEDIA_TYPE: Final = "application/vnd.debian.binary-package"
# The largest of Debian has 1.4 GB.
_MAX_SIZE: Final = 8 << 30


class Places:
    """The addresses of packages; safe to share between threads.

    Args:
        sources: The archives.
        snapshots: Addresses of snapshot services besides those that the sources name, with `{time}` in them.
    """

    def __init__(self, sources: Sequence[AptSource], *, snapshots: Sequence[str] = ()) -> None:
        self._uris = tuple(dict.fromkeys(uri for source in sources for uri in (source.uri, *source.mirrors)))
        named = [source.snapshot for source in sources if source.snapshot]
        self._snapshots = tuple(dict.fromkeys([*snapshots, *named]))
        self._lock = threading.Lock()
        self._learned: dict[str, str] = {}

    def of(self, package: BinaryPackage, likely: str | None = None) -> Iterator[str]:
        """The addresses in the archives: first in the one that is likely to have it, if that is known."""
        path = _path(package)
        with self._lock:
            likely = likely or self._learned.get(_folder(package))
        for uri in dict.fromkeys([*([likely] if likely else []), *self._uris]):
            yield f"{uri}/{path}"

    def of_past(self, package: BinaryPackage, dates: Sequence[datetime], *, now: datetime) -> Iterator[str]:
        """The addresses at the snapshot services, at the times of these releases."""
        for template in self._snapshots:
            yield from snapshot_urls(template, _path(package), dates, now=now)

    def learn(self, package: BinaryPackage, url: str | None) -> None:
        """Remember which archive had a package."""
        uri = next((uri for uri in self._uris if url == f"{uri}/{_path(package)}"), None)
        if uri is not None:
            with self._lock:
                self._learned[_folder(package)] = uri


def _folder(package: BinaryPackage) -> str:
    """What of the path is the archive's and not the package's: `pool/updates/main`, `pool/main`."""
    parts = package.filename.split("/")
    return "/".join(parts[: parts.index("main") + 1] if "main" in parts else parts[:2])


def _path(package: BinaryPackage) -> str:
    # Some stores take a plus sign for a space.
    return quote(package.filename.removeprefix("./"), safe="/~")


def deb_descriptor(package: BinaryPackage) -> Descriptor:
    """What the file of a package must be.

    Raises:
        PackageError: The index does not say where it is, or has no sha256 of it.
        DocumentError: What it says is malformed.
    """
    if not package.filename or not package.sha256:
        raise PackageError(
            f"The index does not tell where `{package}` is, or has no sha256 of it",
            hint="It is not a package that can be fetched: take it from an archive that has it",
        )
    name = package.filename.removeprefix("./")
    if not _FILENAME.fullmatch(name) or ".." in name.split("/") or not _SHA256.fullmatch(package.sha256):
        raise DocumentError(
            f"The index's entry of `{package}` is malformed", facts=[f"file: {package.filename[:200]!r}"]
        )
    if not 0 < package.size <= _MAX_SIZE:
        raise DocumentError(f"The index gives `{package}` an impossible size", facts=[f"bytes: {package.size}"])
    return Descriptor(media_type=_MEDIA_TYPE, digest=Digest("sha256", package.sha256), size=package.size)
