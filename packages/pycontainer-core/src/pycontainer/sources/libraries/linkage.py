"""What the files of one package bring and need, found without the image that they go into.

    linkage = link({"cv2/cv2.abi3.so": elf, "opencv_python.libs/libavcodec-402e4b05.so.59": elf})
    linkage[0].needs        # libGL.so.1, for which cv2/cv2.abi3.so is the example; libc.so.6; …

Where a file of the package has the name that another one needs, that is taken as found, wherever it is: the loader
would find it by a `$ORIGIN` of the run path, or the package's own code loads it beforehand, and both work.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pycontainer.layers.linkage import LinkedLibraries, NeededLibrary

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from pycontainer.layers.linkage import Scope
    from pycontainer.sources.libraries.elf import Elf

# What the import system takes for a module: `x.cpython-312-x86_64-linux-gnu.so`, `x.abi3.so`, `x.so`. The last may be
# any library, too, so it is a module only where its name does not begin like one, and no file has one of the others.
_OF_ONE_PYTHON = re.compile(r".*\.(?:cpython|pypy|graalpy)[\w-]*\.so")
_TAGGED = re.compile(r"(?!lib)\w+\.abi3(?:t|-[\w-]+)?\.so")
_PLAIN = re.compile(r"(?!lib)[A-Za-z_]\w*\.so")
_NUMBERED = re.compile(r"(.*?)(\d+(?:[._]\d+)*)")
# Hostile packages: what is beyond is not looked at. The largest known have a twentieth.
_MAX_FILES: Final = 10_000
_MAX_LINKS: Final = 100_000
_MAX_LIBRARIES: Final = 512

_SCOPES: Final[tuple[Scope, ...]] = ("plugin", "module", "package")


def link(files: Mapping[str, Elf], *, versions: bool = False) -> tuple[LinkedLibraries, ...]:
    """What the files bring and need, one value an architecture.

    Args:
        files: By path, as people should read it.
        versions: Whether the symbol versions that they define are told: of what stands where the loader looks, such as
            packages of the operating system. Of two packages of Python nobody knows whose library is loaded.
    """
    architectures = sorted({elf.architecture for elf in files.values()})
    return tuple(
        _Files({path: elf for path, elf in files.items() if elf.architecture == architecture}).linked(
            architecture, versions=versions
        )
        for architecture in architectures
    )


def version_order(version: str) -> tuple[str, tuple[int, ...]]:
    """The kind of a symbol version and its place among those: `GLIBC_2.34` is `GLIBC_` and (2, 34)."""
    match = _NUMBERED.fullmatch(version)
    if match is None:
        return version, ()
    return match[1], tuple(int(number[:9]) for number in re.split(r"[._]", match[2]))


class _Files:
    """Files of one architecture and how they hang together."""

    def __init__(self, files: Mapping[str, Elf]) -> None:
        self._files = dict(sorted(files.items())[:_MAX_FILES])
        self._names: dict[str, list[str]] = {}
        for path, elf in self._files.items():
            for name in {path.rpartition("/")[2], elf.soname} - {""}:
                self._names.setdefault(name, []).append(path)
        # A file → the files that need it.
        self._users: dict[str, list[str]] = {}
        links = 0
        for path, elf in self._files.items():
            for found in (found for name in elf.needed for found in self._names.get(_base(name), ())):
                links += 1
                if found != path and links <= _MAX_LINKS:
                    self._users.setdefault(found, []).append(path)
        modules = _modules(self._files)
        # A package without modules is loaded by what nothing else of it needs: through ctypes, or as a program. Which
        # of several, nobody knows.
        self._entries = modules or self._files.keys() - self._users.keys()
        self._partly: Scope = "module" if modules else "plugin"
        self._loaded = self._below(self._entries)

    def linked(self, architecture: str, *, versions: bool) -> LinkedLibraries:
        return LinkedLibraries(
            architecture=architecture,
            provides={
                name: self._files[paths[0]].defines if versions else ()
                for name, paths in sorted(self._names.items())
                if not _OF_ONE_PYTHON.fullmatch(name)
            },
            needs=tuple(self._needs()),
        )

    def _needs(self) -> Iterator[NeededLibrary]:
        direct: dict[str, list[str]] = {}
        for path, elf in self._files.items():
            for name in elf.needed:
                if _base(name) not in self._names and (name in direct or len(direct) < _MAX_LIBRARIES):
                    direct.setdefault(name, []).append(path)
        for library, users in sorted(direct.items()):
            yield self._need(library, "", users)
            yield from self._versions(library, users)

    def _versions(self, library: str, users: Iterable[str]) -> Iterator[NeededLibrary]:
        """Of each kind of versions the highest, and a lower one where that matters to more of the package."""
        wanted: dict[str, dict[tuple[int, ...], dict[str, list[str]]]] = {}
        for path in users:
            for version in self._files[path].versions.get(library, ()):
                kind, order = version_order(version)
                wanted.setdefault(kind, {}).setdefault(order, {}).setdefault(version, []).append(path)
        for _, orders in sorted(wanted.items()):
            above: list[str] = []
            known = -1
            for _, versions in sorted(orders.items(), reverse=True):
                version = min(versions)
                above += (path for paths in versions.values() for path in paths)
                need = self._need(library, version, above)
                if _SCOPES.index(need.scope) > known:
                    known = _SCOPES.index(need.scope)
                    yield need
                if need.scope == "package":
                    break

    def _need(self, library: str, version: str, users: Collection[str]) -> NeededLibrary:
        reached = self._reaching(users)
        entries = self._entries & reached
        scope: Scope = "plugin" if not entries else "package" if len(entries) == len(self._entries) else self._partly
        example = min(users, key=lambda path: (path not in entries, path not in self._loaded, path))
        directories = tuple(path for path in self._files[example].runpath if path.startswith("/"))
        return NeededLibrary(library=library, version=version, file=example, scope=scope, directories=directories)

    def _below(self, files: Iterable[str]) -> set[str]:
        """These files and all that they need, in any number of steps."""
        needs: dict[str, list[str]] = {}
        for found, users in self._users.items():
            for user in users:
                needs.setdefault(user, []).append(found)
        return _closure(files, needs)

    def _reaching(self, files: Iterable[str]) -> set[str]:
        """These files and all that need them, in any number of steps."""
        return _closure(files, self._users)


def _closure(files: Iterable[str], steps: Mapping[str, Iterable[str]]) -> set[str]:
    reached = set(files)
    todo = list(reached)
    while todo:
        for path in steps.get(todo.pop(), ()):
            if path not in reached:
                reached.add(path)
                todo.append(path)
    return reached


def _modules(paths: Iterable[str]) -> set[str]:
    """The files that Python imports."""
    names = {path: path.rpartition("/")[2] for path in paths}
    tagged = {path for path, name in names.items() if _OF_ONE_PYTHON.fullmatch(name) or _TAGGED.fullmatch(name)}
    return tagged or {path for path, name in names.items() if _PLAIN.fullmatch(name)}


def _base(name: str) -> str:
    """The name of a needed library, which may be a path."""
    return name.rpartition("/")[2]
