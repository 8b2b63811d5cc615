r"""What is kept of the files of a base image while its layers stream by: a few facts each, never the files.

root.apply(read_entries(stream), keep=kept_content)
library(root.content("/usr/lib/x86_64-linux-gnu/libc.so.6"))     # KeptLibrary(libc="2.36", elf=Elf(…))
packages(root.content("/var/lib/dpkg/status"))                  # {"libc6": "2.36-9", "python3.11-minimal": "3.11.2-6"}
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, BinaryIO, Final

import msgspec

from pycontainer.errors import BaseImageError
from pycontainer.sources.libraries.elf import Elf, ElfReading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pycontainer.layers.entries import Entry

_MAX_ACCOUNTS: Final = 1 << 20
_MAX_TEXT: Final = 64 << 10
_MAX_DATABASE: Final = 64 << 20
_MAX_LIBC: Final = 32 << 20
# Of a library, what stands before the strings of its dynamic section is kept in memory while it is read.
_MAX_LIBRARY: Final = 16 << 20
_SLICE: Final = 1 << 20
# PT_INTERP stands in the first page of every ELF program.
_HEAD: Final = 4096

_GLIBC = re.compile(rb"GNU C Library [^\n]*? version (\d+\.\d+)")
_MUSL = re.compile(rb"\0(1\.\d+)\.\d+(?:-git[^\0]*)?\0")
_PY_VERSION = re.compile(rb'^#\s*define\s+PY_VERSION\s+"([^"]{1,30})"', re.MULTILINE)
_PACKAGES = re.compile(r"(?:libc6|glibc|musl|python3|python-?3\.\d+(?:-base)?|(?:lib)?python3\.\d+-minimal)")


class KeptLibrary(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is kept of a shared library: `libc` is the version of a C library, empty for all others."""

    libc: str = ""
    elf: Elf | None = None


# Made once, by the thread that imports: msgspec looks at a type when it first decodes it, and two at once crash.
_LIBRARY = msgspec.json.Decoder(KeptLibrary)


def kept_content(entry: Entry, content: BinaryIO) -> bytes | None:
    """What to keep of a file, by its path; none for nearly all of them.

    Raises:
        BaseImageError: `/etc/passwd` or `/etc/group` is too large.
    """
    for pattern, keep in _KEPT:
        if pattern.search(entry.path):
            return keep(entry, content)
    return None


def library(kept: bytes | None) -> KeptLibrary:
    """What was kept of a shared library."""
    return _LIBRARY.decode(kept) if kept else KeptLibrary()


def packages(kept: bytes | None) -> dict[str, str]:
    """Name → version of what was kept of a package database."""
    lines = (kept or b"").decode("utf-8", "replace").splitlines()
    return dict(line.split(" ", 1) for line in lines if " " in line)


def _accounts(entry: Entry, content: BinaryIO) -> bytes:
    if entry.size > _MAX_ACCOUNTS:
        raise BaseImageError(
            f"`/{entry.path}` of the base image is larger than {_MAX_ACCOUNTS >> 20} MiB",
            facts=[f"size: {entry.size} bytes"],
        )
    return content.read(_MAX_ACCOUNTS)


def _text(entry: Entry, content: BinaryIO) -> bytes:
    del entry
    return content.read(_MAX_TEXT)


def _head(entry: Entry, content: BinaryIO) -> bytes:
    del entry
    return content.read(_HEAD)


def _first(pattern: re.Pattern[bytes], limit: int) -> Callable[[Entry, BinaryIO], bytes | None]:
    def keep(entry: Entry, content: BinaryIO) -> bytes | None:
        del entry
        match = pattern.search(content.read(limit))
        return match[1] if match else None

    return keep


def _libc(pattern: re.Pattern[bytes]) -> Callable[[Entry, BinaryIO], bytes | None]:
    def keep(entry: Entry, content: BinaryIO) -> bytes | None:
        del entry
        whole = content.read(_MAX_LIBC)
        match = pattern.search(whole)
        return _kept_library([whole], libc=match[1].decode() if match else "")

    return keep


def _library(entry: Entry, content: BinaryIO) -> bytes | None:
    del entry
    return _kept_library(iter(lambda: content.read(_SLICE), b""))


def _kept_library(chunks: Iterable[bytes], *, libc: str = "") -> bytes | None:
    reading = ElfReading(head=_MAX_LIBRARY)
    for chunk in chunks:
        reading.feed(chunk)
    elf = reading.finish()
    if elf is not None:
        # What libraries of the base need, the base has.
        elf = Elf(architecture=elf.architecture, soname=elf.soname, defines=elf.defines)
    return msgspec.json.encode(KeptLibrary(libc=libc, elf=elf)) if libc or elf else None


def _database(name_field: bytes, version_field: bytes) -> Callable[[Entry, BinaryIO], bytes]:
    """Of a database in lines of `Field: value`: the packages of interest, one a line."""

    def keep(entry: Entry, content: BinaryIO) -> bytes:
        del entry
        return b"".join(b"%b %b\n" % pair for pair in _listed(content, name_field, version_field))

    return keep


def _listed(content: BinaryIO, name_field: bytes, version_field: bytes) -> Iterator[tuple[bytes, bytes]]:
    name = b""
    read = 0
    while read < _MAX_DATABASE and (line := content.readline(_MAX_TEXT)):
        read += len(line)
        if line.startswith(name_field):
            name = line.removeprefix(name_field).strip()
        elif line.startswith(version_field) and _PACKAGES.fullmatch(name.decode("utf-8", "replace")):
            yield name, line.removeprefix(version_field).strip()


_dpkg = _database(b"Package:", b"Version:")
_apk = _database(b"P:", b"V:")

_KEPT: Final[tuple[tuple[re.Pattern[str], Callable[[Entry, BinaryIO], bytes | None]], ...]] = (
    (re.compile(r"^(?:usr/)?etc/(?:passwd|group)$"), _accounts),
    (re.compile(r"(?:^|/)os-release$"), _text),
    (re.compile(r"(?:^|/)bin/python[0-9.]*t?$"), _head),
    (re.compile(r"(?:^|/)python3\.\d+t?/patchlevel\.h$"), _first(_PY_VERSION, _MAX_TEXT)),
    (re.compile(r"(?:^|/)(?:libc\.so\.6|libc-2\.\d+\.so)$"), _libc(_GLIBC)),
    (re.compile(r"(?:^|/)(?:ld-musl-[\w]+\.so\.1|libc\.so)$"), _libc(_MUSL)),
    (re.compile(r"^(?!.*/(?:site|dist)-packages/)(?:.*/)?(?:lib|ld)[^/]*\.so(?:\.\d[\w.]*)?$"), _library),
    (re.compile(r"^etc/(?:ld\.so\.conf(?:\.d/[^/]+)?|ld-musl-[\w]+\.path)$"), _text),
    (re.compile(r"(?:^|/)dpkg/(?:status|status\.d/[^/]+)$"), _dpkg),
    (re.compile(r"(?:^|/)apk/db/installed$"), _apk),
)
