"""What an archive offers to one architecture: its `Packages` files, of which only what is asked for is read.

index = PackageIndex.of([path_of_main, path_of_security], sources=["bookworm main", "bookworm-security main"])
index.versions("libpq5")                               # newest first
index.providers("mail-transport-agent")

Debian's main has 63,000 packages in 50 MB. A scan notes where each begins (0.1 s); a paragraph is parsed at need.
"""

from __future__ import annotations

import io
import re
from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, BinaryIO, Final

from pycontainer.errors import DocumentError, StoreError
from pycontainer.sources.debian.control import Paragraph
from pycontainer.sources.debian.package import BinaryPackage
from pycontainer.sources.debian.relations import parse_relations
from pycontainer.sources.debian.version import version_key

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from gzip import GzipFile
    from lzma import LZMAFile
    from pathlib import Path

_MAX_FILE: Final = 512 << 20
_CHUNK: Final = 1 << 20
_XZ: Final = b"\xfd7zXZ\0"
_GZIP: Final = b"\x1f\x8b"
# All generators of indexes start a paragraph with its package; where one does not, this finds it.
_FIRST: Final = b"Package: "
_NAMED = re.compile(rb"^Package:[ \t]*(\S+)", re.MULTILINE | re.IGNORECASE)
_RELATIONS: Final = (b"Package", b"Pre-Depends", b"Depends", b"Conflicts", b"Breaks", b"Recommends", b"Suggests")
_MENTIONING: Final = frozenset({*_RELATIONS, b"Replaces", b"Enhances", b"Provides"})


class PackageIndex:
    """The packages of several `Packages` files; where two have the same version of a package, the first file's counts.

    Attributes:
        sources: What each file is to a person, such as `bookworm-updates main`.
    """

    def __init__(self, files: Iterable[PackagesFile], *, sources: Iterable[str] = ()) -> None:
        self._files = tuple(files)
        self.sources = tuple(sources)
        self._versions: dict[str, tuple[BinaryPackage, ...]] = {}

    @classmethod
    def of(cls, files: Iterable[bytes | Path], *, sources: Iterable[str] = ()) -> PackageIndex:
        """The index of files, or of their contents: plain, xz or gzip.

        Raises:
            DocumentError: One is damaged or too large.
            StoreError: One cannot be read.
        """
        return cls(map(PackagesFile, map(_content, files)), sources=sources)

    def versions(self, name: str) -> Sequence[BinaryPackage]:
        """Every version of a package, the newest first; equal ones in the order of the files.

        Raises:
            DocumentError: A paragraph of the package is malformed.
        """
        if name not in self._versions:
            found = [package for file in self._files for package in file.packages(name)]
            found.sort(key=lambda package: version_key(package.version), reverse=True)
            self._versions[name] = tuple(found)
        return self._versions[name]

    def providers(self, name: str) -> Sequence[BinaryPackage]:
        """Every package, in every version, whose `Provides` has the name, in the order of the files.

        Raises:
            DocumentError: A paragraph of one is malformed.
        """
        return [package for file in self._files for package in file.providers(name)]

    def names(self) -> Collection[str]:
        """The names of all packages, without what they provide."""
        return self._names

    def essential(self) -> Sequence[str]:
        """The names of the packages that are `Essential`, sorted."""
        return sorted({name for file in self._files for name in file.essential()})

    def origin(self, package: BinaryPackage) -> int:
        """The place, among the files, of the first that has the package: tells which archive to fetch it from.

        Raises:
            KeyError: None has.
        """
        for place, file in enumerate(self._files):
            if any(str(each) == str(package) and each.sha256 == package.sha256 for each in file.packages(package.name)):
                return place
        raise KeyError(str(package))

    def first_mention(self, name: str) -> tuple[int, int]:
        """Where a package is first named, be it in a relation: its place in the order in which apt meets names."""
        for place, file in enumerate(self._files):
            if (at := file.first_mention(name)) >= 0:
                return place, at
        return len(self._files), 0

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset().union(*(file.names() for file in self._files))


class PackagesFile:
    """One `Packages` file: its text, and where in it the paragraphs of each package begin."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._starts: dict[str, int] = {}
        self._further: defaultdict[str, list[int]] = defaultdict(list)
        self._packages: dict[int, BinaryPackage] = {}
        for name, start in self._scan():
            if self._starts.setdefault(name, start) != start:
                self._further[name].append(start)

    def names(self) -> Collection[str]:
        """The names of its packages."""
        return self._starts.keys()

    def packages(self, name: str) -> Iterator[BinaryPackage]:
        """The package in each of its versions, as they come."""
        if name in self._starts:
            yield from map(self._package, [self._starts[name], *self._further.get(name, ())])

    def providers(self, name: str) -> Iterator[BinaryPackage]:
        """The packages that provide the name, as they come."""
        return map(self._package, self._provided.get(name.encode(), ()))

    def essential(self) -> Iterator[str]:
        """The names of its essential packages."""
        for at in self._places(b"\nEssential: yes\n"):
            yield self._package(self._start(at)).name

    def first_mention(self, name: str) -> int:
        """Where a field of names has this one for the first time; -1 where none has."""
        for match in re.finditer(rb"(?<=[ ,|])" + re.escape(name.encode()) + rb"(?=[ ,|:(\n])", self._text):
            line = self._text.rfind(b"\n", 0, match.start()) + 1
            if self._text[line : match.start()].partition(b":")[0] in _MENTIONING:
                return match.start()
        return -1

    def _package(self, start: int) -> BinaryPackage:
        if start not in self._packages:
            end = self._text.find(b"\n\n", start)
            paragraph = Paragraph.parse(self._text[start : end if end >= 0 else None])
            self._packages[start] = BinaryPackage.of(paragraph)
        return self._packages[start]

    def _scan(self) -> Iterator[tuple[str, int]]:
        text, start = self._text, 0
        while start < len(text):
            end = text.find(b"\n\n", start)
            end = end if end >= 0 else len(text)
            if text.startswith(_FIRST, start):
                line = text.find(b"\n", start, end)
                yield text[start + len(_FIRST) : line if line >= 0 else end].decode("latin-1").strip(), start
            elif match := _NAMED.search(text, start, end):
                yield match[1].decode("latin-1"), start
            start = end + 2

    @cached_property
    def _provided(self) -> dict[bytes, list[int]]:
        """Of every name that is provided: where the paragraphs of its providers begin."""
        provided: defaultdict[bytes, list[int]] = defaultdict(list)
        for at in self._places(b"\nProvides:"):
            start = self._start(at)
            for name in self._provided_names(at, start):
                if not provided[name] or provided[name][-1] != start:
                    provided[name].append(start)
        return dict(provided)

    def _provided_names(self, at: int, start: int) -> Iterator[bytes]:
        end = self._text.find(b"\n", at + 1)
        if self._text[end + 1 : end + 2] in {b" ", b"\t"}:  # folded: rare enough to parse all of it
            groups = parse_relations(self._package(start).provides)
            yield from (relation.name.encode() for group in groups for relation in group)
            return
        for item in self._text[at + len(b"\nProvides:") : end if end >= 0 else None].split(b","):
            yield item.partition(b"(")[0].partition(b":")[0].strip()

    def _places(self, text: bytes) -> Iterator[int]:
        at = self._text.find(text)
        while at >= 0:
            yield at
            at = self._text.find(text, at + len(text) - 1)

    def _start(self, at: int) -> int:
        before = self._text.rfind(b"\n\n", 0, at)
        return before + 2 if before >= 0 else 0


def _content(file: bytes | Path) -> bytes:
    if isinstance(file, bytes):
        return _plain(io.BytesIO(file), "an index of packages")
    try:
        with file.open("rb") as stream:
            return _plain(stream, f"`{file}`")
    except OSError as error:
        raise StoreError(f"`{file}` cannot be read", facts=[str(error)]) from error


def _plain(stream: BinaryIO, name: str) -> bytes:
    magic = stream.read(len(_XZ))
    stream.seek(0)
    if magic.startswith(_XZ):
        import lzma  # noqa: PLC0415 - only for archives and caches that keep it so

        try:
            with lzma.open(stream) as packed:
                return _bounded(packed, name)
        except (lzma.LZMAError, EOFError) as error:
            raise DocumentError(f"The xz data of {name} is damaged", facts=[str(error)]) from error
    if magic.startswith(_GZIP):
        import gzip  # noqa: PLC0415 - as above
        import zlib  # noqa: PLC0415 - as above

        try:
            with gzip.open(stream) as packed:
                return _bounded(packed, name)
        except (gzip.BadGzipFile, zlib.error, EOFError) as error:
            raise DocumentError(f"The gzip data of {name} is damaged", facts=[str(error)]) from error
    return _bounded(stream, name)


def _bounded(stream: BinaryIO | LZMAFile | GzipFile, name: str) -> bytes:
    # A buffer that grows in place: to read all at once would hold everything twice.
    buffer = io.BytesIO()
    while chunk := stream.read(_CHUNK):
        buffer.write(chunk)
        if buffer.tell() > _MAX_FILE:
            raise DocumentError(f"{name[:1].upper()}{name[1:]} is larger than {_MAX_FILE >> 20} MiB")
    return buffer.getvalue()
