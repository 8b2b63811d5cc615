"""A package's files on their way into a layer, looked at once: what comes out is its summary.

with open_deb(path, package) as deb:
    examination = Examination(deb)
    for packed, content in examination.entries():
        writer.stream(packed.path, content, packed.size)
    summary = examination.summary()

summary = summarize(path, package)          # without a layer
"""

from __future__ import annotations

import hashlib
import tempfile
from typing import TYPE_CHECKING, BinaryIO, Final

import msgspec

from pycontainer.errors import DocumentError, PackageError
from pycontainer.layers.entries import Kind
from pycontainer.sources.debian.control import Paragraph
from pycontainer.sources.debian.deb import open_deb
from pycontainer.sources.debian.kept import MAX_KEPT, is_kept_of_deb
from pycontainer.sources.debian.package import BinaryPackage
from pycontainer.sources.debian.soname import is_library, read_shared_library
from pycontainer.sources.debian.summary import DebSummary, PackedPath, SharedLibrary, conffile_paths

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pycontainer.sources.debian.deb import Deb

# Larger files that must be looked at twice wait on the disk; the largest library of Debian has some 130 MB.
_IN_MEMORY: Final = 8 << 20
_SLICE: Final = 1 << 20
_MAX_LIBRARIES: Final = 100_000


class Examination:
    """Of one package.

    Raises:
        PackageError: Its control paragraph is not that of the package that was announced.
        DocumentError: Its control paragraph is malformed.
    """

    def __init__(self, deb: Deb) -> None:
        self._deb = deb
        self._package = _checked(deb)
        self._paths: list[PackedPath] = []
        self._libraries: list[SharedLibrary] = []
        self._kept: dict[str, bytes] = {}
        self._kept_size = 0
        self._sums: dict[str, str] = {}
        self._conffiles = frozenset(conffile_paths(deb.members.get("conffiles", "")))
        # dpkg sums up the files of a package that does not do it itself.
        self._sum_all = "md5sums" not in deb.members

    def entries(self) -> Iterator[tuple[PackedPath, BinaryIO]]:
        """What `Deb.entries` gives; all of it must be asked for."""
        for packed, content in self._deb.entries():
            self._paths.append(packed)
            if packed.kind is not Kind.FILE or not self._is_of_interest(packed):
                yield packed, content
                continue
            with tempfile.SpooledTemporaryFile(_IN_MEMORY) as spool:
                copy: BinaryIO = spool  # type: ignore[assignment]  # typeshed knows it as a stream since Python 3.11
                self._look(packed, content, copy)
                yield packed, copy

    def summary(self) -> DebSummary:
        """After the last entry."""
        return DebSummary(
            package=self._package,
            control=self._deb.control,
            scripts=self._deb.scripts,
            members=self._deb.members,
            paths=tuple(self._paths),
            libraries=tuple(self._libraries),
            kept=self._kept,
            sums=self._sums,
        )

    def _is_of_interest(self, packed: PackedPath) -> bool:
        path = packed.path
        return self._sum_all or path in self._conffiles or is_library(path) or is_kept_of_deb(path)

    def _look(self, packed: PackedPath, content: BinaryIO, copy: BinaryIO) -> None:
        path = packed.path
        md5 = hashlib.md5(usedforsecurity=False)
        while data := content.read(_SLICE):
            copy.write(data)
            md5.update(data)
        if self._sum_all or path in self._conffiles:
            self._sums[path] = md5.hexdigest()
        if is_library(path) and len(self._libraries) < _MAX_LIBRARIES:
            library = read_shared_library(path, copy)
            self._libraries += [library] if library else []
        if is_kept_of_deb(path):
            self._kept_size += packed.size
            if self._kept_size > MAX_KEPT:
                raise DocumentError(f"The package `{self._package}` has too much in files that are read as a whole")
            copy.seek(0)
            self._kept[path] = copy.read()
        copy.seek(0)


def summarize(path: Path, package: BinaryPackage) -> DebSummary:
    """The summary of a package, without making a layer of it.

    Raises:
        IntegrityError: The file is not the announced one.
        PackageError: It is another package than the announced one.
        DocumentError: It is no package, or a hostile one.
        StoreError: The file cannot be read.
        ToolError: It is compressed with zstd, which this Python cannot read.
    """
    with open_deb(path, package) as deb:
        examination = Examination(deb)
        for _ in examination.entries():
            pass
        return examination.summary()


def _checked(deb: Deb) -> BinaryPackage:
    """The package by its own paragraph, with what only the announcement knows."""
    announced = deb.package
    own = BinaryPackage.of(Paragraph.parse(deb.control.encode()))
    if (own.name, own.version, own.architecture) != (announced.name, announced.version, announced.architecture):
        raise PackageError(
            f"The file of the package `{announced}` holds another one",
            facts=[f"asked for: `{announced}` {announced.architecture}", f"found: `{own}` {own.architecture}"],
        )
    return msgspec.structs.replace(own, filename=announced.filename, size=announced.size, sha256=announced.sha256)
