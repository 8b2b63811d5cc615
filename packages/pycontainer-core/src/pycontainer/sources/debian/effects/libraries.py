"""Which shared libraries `ldconfig` would list, and in which order: the base's, and those that packages add.

    folders = library_folders(files, machine_folders("amd64"))
    libraries = merged(read_ld_cache(data), added, folders, exists)

The folders are those of `/etc/ld.so.conf`, then the loader's own. In each, files and links named `lib*` or `ld-*` with
`.so` in the name count; a library is listed under its `DT_SONAME`, and under the name of the link that the linker uses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from pycontainer.sources.debian.effects.ld_cache import ByteOrder, CachedLibrary, sorted_libraries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

_CONF: Final = "etc/ld.so.conf"
_MAX_DEPTH: Final = 8
_LIBRARY: Final = re.compile(r"(?:lib|ld-)[^/]*\.so[^/]*")
_HWCAPS: Final = "glibc-hwcaps"
# ELF machine and class → what glibc adds to 3, "needs glibc 2", for the architecture (its sysdeps/generic/ldconfig.h).
_LIBC6: Final = 3
_FLAGS: Final = {
    (62, 64): 0x0300, (62, 32): 0x0800, (3, 32): 0, (183, 64): 0x0A00, (40, 32): 0x0900, (21, 64): 0x0500,
    (22, 64): 0x0400, (243, 64): 0x1000, (258, 64): 0x1200,
}  # fmt: skip
# EF_ARM_ABI_FLOAT_SOFT
_ARM, _SOFT_FLOAT, _ARM_SOFT = 40, 0x200, 0x0B00
TRIPLETS: Final = {
    "amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu", "armel": "arm-linux-gnueabi",
    "armhf": "arm-linux-gnueabihf", "i386": "i386-linux-gnu", "loong64": "loongarch64-linux-gnu",
    "ppc64el": "powerpc64le-linux-gnu", "riscv64": "riscv64-linux-gnu", "s390x": "s390x-linux-gnu",
}  # fmt: skip
_BIG_ENDIAN: Final = frozenset({"s390x"})


@dataclass(frozen=True, kw_only=True, slots=True)
class LibraryFile:
    """A shared library, or a link to one, in a folder of libraries.

    Attributes:
        folder: Canonical and relative to the root: `usr/lib/x86_64-linux-gnu`.
        name: Of the file.
        soname: Its `DT_SONAME`; empty where it has none, or where nobody knows.
        flags: As in the cache.
        is_link: Whether it is a symbolic link.
    """

    folder: str
    name: str
    soname: str
    flags: int
    is_link: bool = False


def byte_order(architecture: str) -> ByteOrder:
    """Of an architecture, by Debian's name."""
    return "big" if architecture in _BIG_ENDIAN else "little"


def cache_flags(machine: int, bits: int, flags: int = 0) -> int | None:
    """What the cache says of a library's architecture; none for one that is not known."""
    if machine == _ARM and flags & _SOFT_FLOAT:
        return _LIBC6 | _ARM_SOFT
    found = _FLAGS.get((machine, bits))
    return None if found is None else _LIBC6 | found


def library_folders(files: Mapping[str, bytes], architecture: str) -> tuple[str, ...]:
    """The folders that are searched, absolute and as they are written, the loader's own ones last.

    Args:
        files: `etc/ld.so.conf` and what it includes, by path relative to the root.
        architecture: Debian's name.
    """
    folders = list(_configured(files, _CONF, 0))
    triplet = TRIPLETS.get(architecture)
    if triplet:
        folders += [f"/lib/{triplet}", f"/usr/lib/{triplet}"]
    return tuple(dict.fromkeys([*folders, "/lib", "/usr/lib"]))


def merged(
    base: Sequence[CachedLibrary],
    added: Iterable[LibraryFile],
    folders: Sequence[str],
    *,
    canonical: Callable[[str], str],
    exists: Callable[[str], bool],
) -> list[CachedLibrary]:
    """The libraries of the new cache, in its order.

    Args:
        base: Those of the base's cache.
        added: What packages and scripts bring.
        folders: See `library_folders`.
        canonical: A path relative to the root → the same with the links on its way resolved.
        exists: Whether a path, relative to the root, is still there.
    """
    spelled: dict[str, str] = {}
    for folder in folders:
        spelled.setdefault(canonical(folder.strip("/") + "/x").rpartition("/")[0], folder)
    new = _listed(added, spelled)
    paths = {library.path for library in new}
    kept = [each for each in base if each.path not in paths and exists(_text(each.path).strip("/"))]
    rank = {folder: place for place, folder in enumerate(spelled.values())}

    def place(library: CachedLibrary) -> int:
        folder = _text(library.path).rpartition("/")[0].partition(f"/{_HWCAPS}/")[0]
        return rank.get(folder, -1)

    return sorted_libraries(sorted([*kept, *new], key=place))


def soname_links(added: Iterable[LibraryFile], exists: Callable[[str], bool]) -> dict[str, str]:
    """The links that `ldconfig` makes itself: from the `DT_SONAME` to a file with another name, where none is."""
    links = {}
    for library in sorted(added, key=lambda library: _number_key(library.name)):
        path = f"{library.folder}/{library.soname}"
        if f"/{_HWCAPS}/" in path:
            continue  # there, the cache names the files themselves
        if library.soname and library.soname != library.name and not library.is_link and not exists(path):
            links[path] = library.name
    return links


def is_searched(path: str, folders: Iterable[str]) -> bool:
    """Whether `ldconfig` looks at a file, by its canonical path and the canonical folders."""
    folder, _, name = path.rpartition("/")
    above, hwcaps, deeper = folder.partition(f"/{_HWCAPS}/")
    return bool(_LIBRARY.fullmatch(name)) and above in folders and (not hwcaps or "/" not in deeper)


def _listed(added: Iterable[LibraryFile], spelled: Mapping[str, str]) -> list[CachedLibrary]:
    """The entries of files: in each folder, one for each name that is looked for."""
    chosen: dict[tuple[str, str], LibraryFile] = {}
    for library in added:
        name = _looked_for(library)
        before = chosen.get((library.folder, name))
        if before is None or _preferred(library, before):
            chosen[library.folder, name] = library
    result = []
    for (folder, name), library in sorted(chosen.items()):
        above, hwcaps, deeper = folder.partition(f"/{_HWCAPS}/")
        if above not in spelled:
            continue
        where = spelled[above] + hwcaps + deeper
        # In folders of glibc-hwcaps, the file itself is named, not the link.
        path = f"{where}/{library.name if deeper else name}"
        result.append(
            CachedLibrary(name=name.encode(), path=path.encode(), flags=library.flags, folder=deeper.encode())
        )
    return result


def _looked_for(library: LibraryFile) -> str:
    """The name of an entry: links that the linker uses (`libpq.so` for `libpq.so.5`) are listed as they are."""
    if not library.soname or (
        library.is_link
        and (
            library.name == library.soname or (library.name.endswith(".so") and library.soname.startswith(library.name))
        )
    ):
        return library.name
    return library.soname


def _preferred(library: LibraryFile, before: LibraryFile) -> bool:
    """Of two files with one `DT_SONAME` in one folder, a file before a link, then the higher number."""
    if library.is_link != before.is_link:
        return before.is_link
    return _number_key(library.name) > _number_key(before.name)


def _number_key(name: str) -> tuple[tuple[int, int | str], ...]:
    parts = re.findall(r"\d+|\D", name)
    return tuple((1, int(part)) if part.isdigit() else (0, part) for part in parts)


def _configured(files: Mapping[str, bytes], path: str, depth: int) -> Iterable[str]:
    for raw in files.get(path, b"").decode("utf-8", "replace").splitlines():
        line = raw.partition("#")[0].strip()
        word, _, rest = line.partition(" ")
        if word == "include" and depth < _MAX_DEPTH:
            for pattern in rest.split():
                glob = pattern.lstrip("/") if pattern.startswith("/") else f"{path.rpartition('/')[0]}/{pattern}"
                for each in sorted(files):
                    if fnmatchcase(each, glob) and each.count("/") == glob.count("/"):
                        yield from _configured(files, each, depth + 1)
        elif line.startswith("/"):
            yield line.partition("=")[0].rstrip("/") or "/"


def _text(path: bytes) -> str:
    return path.decode("utf-8", "surrogateescape")
