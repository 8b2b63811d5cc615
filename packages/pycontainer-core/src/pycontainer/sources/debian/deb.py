"""A Debian package as a file: read from its first byte to its last, once, with nothing unpacked on this host.

    with open_deb(path, package) as deb:
        deb.control, deb.scripts["postinst"]
        for packed, content in deb.entries(): ...       # to the end, where the hash is checked

Its form is deb(5). Archives hold what their makers put there, so what dpkg would follow out of the package's own files
is refused here: absolute paths, `..`, devices, hard links to anything but a file of the same package.
"""

from __future__ import annotations

import io
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, Final

from pycontainer.blobs.compression import open_decompressed
from pycontainer.blobs.hashing import HashingReader
from pycontainer.errors import DocumentError, IntegrityError, PyContainerError, StoreError, ToolError
from pycontainer.layers.entries import Entry, Kind, checked_path
from pycontainer.layers.tar_reader import read_entries
from pycontainer.sources.debian.ar import read_ar
from pycontainer.sources.debian.summary import PackedPath

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from typing_extensions import Buffer

    from pycontainer.blobs.hashing import Source
    from pycontainer.sources.debian.package import BinaryPackage

SCRIPTS: Final = ("preinst", "postinst", "prerm", "postrm", "config")
# dpkg reads 2.x, and whatever the lines after the first say.
_FORMAT: Final = re.compile(rb"2\.\d{1,5}\n")
_MAX_FORMAT: Final = 1 << 10
_TAR: Final = r"\.tar(?:\.gz|\.xz|\.zst)?"
_CONTROL: Final = re.compile(f"control{_TAR}")
_DATA: Final = re.compile(f"data{_TAR}")
# texlive's list of checksums has some 5 MB, the largest known.
_MAX_MEMBER: Final = 16 << 20
_MAX_CONTROL: Final = 32 << 20
_MAX_MEMBERS: Final = 200
# The largest packages have some 100,000 files, and paths of some 100 bytes.
_MAX_ENTRIES: Final = 500_000
_MAX_PATHS: Final = 64 << 20
_MAX_DATA: Final = 32 << 30
_SLICE: Final = 1 << 20


@contextmanager
def open_deb(path: Path, package: BinaryPackage) -> Iterator[Deb]:
    """A package whose bytes an index or a lock announced.

    Args:
        path: Of the file, which nobody changes while it is used.
        package: `size` and `sha256` are checked where they are told; its name stands in errors.

    Raises:
        IntegrityError: From here or from `entries`: the file is not the announced one.
        DocumentError: It is no package, or a hostile one.
        StoreError: The file cannot be read.
        ToolError: It is compressed with zstd, which this Python cannot read.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise StoreError(f"The package `{package}` cannot be read", facts=[f"{path}: {error.strerror}"]) from error
    with file:
        yield Deb(file, package)


class Deb:
    """A package whose control part has been read.

    Attributes:
        package: As it was announced.
        control: The control paragraph's text.
        scripts: Maintainer scripts by name.
        members: All other members of `control.tar` by name.
    """

    def __init__(self, stream: BinaryIO, package: BinaryPackage) -> None:
        self.package = package
        self.control = ""
        self.scripts: dict[str, str] = {}
        self.members: dict[str, str] = {}
        self._reader = HashingReader(stream)
        with self._reported():
            self._archive = read_ar(self._reader)
            self._read_format()
            self._read_control()

    def entries(self) -> Iterator[tuple[PackedPath, BinaryIO]]:
        """Every path and its content, good until the next one is asked for. They can be read once.

        Raises:
            IntegrityError: After the last of them: the file is not the announced one.
            DocumentError: What stands there must not be installed.
        """
        entries = self._entries()
        while True:
            # A generator that yields inside `with` would take the caller's errors for the package's.
            with self._reported():
                found = next(entries, None)
            if found is None:
                return
            packed, content = found
            yield packed, io.BufferedReader(_Content(content, self._translated))

    def _entries(self) -> Iterator[tuple[PackedPath, BinaryIO]]:
        content = self._member(_DATA, "data.tar")
        check = _Checker()
        with open_decompressed(content, max_size=_MAX_DATA, xz=True) as tar:
            for entry, file in read_entries(tar, max_entries=_MAX_ENTRIES, contain=_packed_path):
                check.entry(entry)
                if entry.path:
                    yield _packed(entry), file
        for name, _, _ in self._archive:
            if _CONTROL.fullmatch(name) or _DATA.fullmatch(name) or name == "debian-binary":
                raise _broken(f"It has the member `{name}` a second time")
        self._check_hash()

    def _read_format(self) -> None:
        name, size, content = next(self._archive, ("", 0, None))
        if name != "debian-binary" or content is None or size > _MAX_FORMAT:
            raise _broken("Its first member is not `debian-binary`")
        if not _FORMAT.match(content.read(size)):
            raise _broken("Its format is not 2.0")

    def _read_control(self) -> None:
        texts: dict[str, str] = {}
        total = 0
        with open_decompressed(self._member(_CONTROL, "control.tar"), max_size=2 * _MAX_CONTROL, xz=True) as tar:
            for entry, content in read_entries(tar, max_entries=_MAX_MEMBERS, contain=_packed_path):
                if entry.kind is Kind.DIRECTORY and not entry.path:
                    continue
                total += entry.size
                if entry.kind is not Kind.FILE or "/" in entry.path or entry.path in texts:
                    raise _broken(f"`{entry.path[:200]}` in its control.tar is no plain file, or there twice")
                if entry.size > _MAX_MEMBER or total > _MAX_CONTROL:
                    raise _broken("Its control.tar is too large")
                texts[entry.path] = _text(content.read())
        if "control" not in texts:
            raise _broken("Its control.tar has no `control`")
        self.control = texts.pop("control").strip("\n") + "\n"
        self.scripts = {name: texts.pop(name) for name in SCRIPTS if name in texts}
        self.members = texts

    def _member(self, wanted: re.Pattern[str], title: str) -> BinaryIO:
        for name, _, content in self._archive:
            if wanted.fullmatch(name):
                return content
            if not name.startswith("_"):
                raise _broken(f"The member `{name}` stands where `{title}` must be")
        raise _broken(f"It has no `{title}` that can be read: gzip, xz and zstd can")

    def _check_hash(self) -> None:
        announced = self.package
        found = self._reader.digest.hex
        if (announced.sha256 and found != announced.sha256.lower()) or self._reader.size != (
            announced.size or self._reader.size
        ):
            raise IntegrityError(
                f"The package `{announced}` is not the one that was announced",
                facts=[
                    f"announced: {announced.size} bytes, sha256 `{announced.sha256}`",
                    f"found: {self._reader.size} bytes, sha256 `{found}`",
                ],
            )

    @contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except (DocumentError, ToolError) as error:
            raise self._translated(error) from error

    def _translated(self, error: DocumentError | ToolError) -> PyContainerError:
        """The error that names the package, and says so where its bytes are not those that were announced."""
        if isinstance(error, ToolError):
            return ToolError(
                f"The package `{self.package}` is compressed with zstd, which this Python cannot read", hint=error.hint
            )
        _drain(self._reader)
        self._check_hash()
        return DocumentError(f"The package `{self.package}` cannot be used", facts=[error.message, *error.facts])


class _Content(io.RawIOBase):
    """The content of one file, whose errors name the package."""

    def __init__(self, content: BinaryIO, translated: Callable[[DocumentError | ToolError], PyContainerError]) -> None:
        super().__init__()
        self._content = content
        self._translated = translated

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        view = memoryview(buffer).cast("B")
        try:
            data = self._content.read(len(view))
        except (DocumentError, ToolError) as error:
            raise self._translated(error) from error
        view[: len(data)] = data
        return len(data)


class _Checker:
    """What has to hold among the entries of one package."""

    def __init__(self) -> None:
        self._kinds: dict[str, Kind] = {}
        self._length = 0

    def entry(self, entry: Entry) -> None:
        """Check the next one."""
        path, kind = entry.path, entry.kind
        if kind not in {Kind.FILE, Kind.DIRECTORY, Kind.SYMLINK, Kind.HARD_LINK}:
            raise _broken(f"`{path[:200]}` is a device or a pipe")
        if not path:
            if kind is not Kind.DIRECTORY:
                raise _broken("Its root is no directory")
            return
        if path in self._kinds and (kind, self._kinds[path]) != (Kind.DIRECTORY, Kind.DIRECTORY):
            raise _broken(f"It has `{path[:200]}` twice")
        if kind is Kind.HARD_LINK and self._kinds.get(entry.target) not in {Kind.FILE, Kind.HARD_LINK}:
            raise _broken(f"The hard link `{path[:200]}` names no file of the package before it")
        self._length += len(path) + len(entry.target)
        if self._length > _MAX_PATHS:
            raise _broken("Its paths are too long together")
        self._kinds[path] = kind


def _packed(entry: Entry) -> PackedPath:
    return PackedPath(
        path=entry.path,
        kind=entry.kind,
        target=entry.target,
        mode=entry.mode,
        user=entry.user,
        group=entry.group,
        uid=entry.uid,
        gid=entry.gid,
        size=entry.size,
    )


def _packed_path(path: str) -> str:
    """A path below `./`, as dpkg-deb packs them; the root itself is empty."""
    plain = path.removeprefix("./").removesuffix("/")
    return "" if plain in {"", "."} and not path.startswith("/") else checked_path(plain if path != "/" else path)


def _text(content: bytes) -> str:
    """Old packages have comments in other encodings (Policy, 5.1: they must be UTF-8)."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _drain(stream: Source) -> None:
    while stream.read(_SLICE):
        pass


def _broken(fact: str) -> DocumentError:
    return DocumentError(fact)
