"""The shared libraries that a base image has: those that its loader finds, and where others are.

libraries = find_libraries(root, config, ["/lib", "/usr/lib"], musl=False)
libraries.names["libc.so.6"]        # ("GLIBC_2.2.5", …, "GLIBC_2.36")

The cache of ldconfig(8) is not read: it is made of these folders. `/etc/ld.so.conf` says which ones there are besides
the loader's own, or for musl `/etc/ld-musl-ARCH.path`.
"""

from __future__ import annotations

import fnmatch
import re
from typing import TYPE_CHECKING, Final

from pycontainer.layers.entries import Kind
from pycontainer.sources.base.kept import library
from pycontainer.sources.libraries.preflight import AvailableLibraries

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pycontainer.oci import ImageConfig
    from pycontainer.sources.base.rootfs import RootFS

_LIBRARY = re.compile(r"(?:lib|ld)[^/]*\.so(?:\.\d[\w.]*)?")
_LIBC = re.compile(r"libc\.so\.6(?:\.1)?|(?:ld-|libc\.)musl-\w+\.so\.1")
_MAX_FOLDERS: Final = 1000


def find_libraries(
    root: RootFS, config: ImageConfig, folders: Iterable[str], *, musl: bool
) -> AvailableLibraries | None:
    """The libraries of an image; none where its C library is not among them, so that it is unlike any known one.

    Args:
        root: Its files.
        config: Its `LD_LIBRARY_PATH` counts.
        folders: Where the loader looks without being told.
        musl: Whether the loader is musl's.
    """
    besides = config.config.environment.get("LD_LIBRARY_PATH", "").split(":")
    looked = list(dict.fromkeys([*folders, *_configured(root, musl=musl), *filter(None, besides)]))[:_MAX_FOLDERS]
    names: dict[str, tuple[str, ...]] = {}
    for folder in looked:
        for name, versions in _in_folder(root, folder, config.architecture):
            names.setdefault(name, versions)
    if not any(map(_LIBC.fullmatch, names)):
        return None
    known = {found.path for folder in looked if (found := root.find(folder))}
    elsewhere = {
        path: libraries
        for path, node in root.directories()
        if path not in known
        and "-packages" not in path  # of Pythons: no other package looks there
        and (libraries := tuple(sorted(filter(_LIBRARY.fullmatch, node.children))))
    }
    return AvailableLibraries(
        architecture=config.architecture,
        names=dict(sorted(names.items())),
        elsewhere=dict(sorted(elsewhere.items())),
        musl=musl,
    )


def _in_folder(root: RootFS, folder: str, architecture: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """File names and sonames with the versions they define, but for those of another architecture."""
    for name in filter(_LIBRARY.fullmatch, root.names(folder)):
        found = root.find(f"{folder}/{name}")
        if found is None or found.node.kind is not Kind.FILE:
            continue
        elf = library(found.node.content).elf
        if elf is None:
            yield name, ()
        elif elf.architecture == architecture:
            yield name, elf.defines
            if elf.soname:
                yield elf.soname, elf.defines


def _configured(root: RootFS, *, musl: bool) -> Iterator[str]:
    """The folders that the image's own configuration adds."""
    if musl:
        for name in root.names("/etc"):
            if name.startswith("ld-musl-") and name.endswith(".path"):
                yield from filter(None, re.split(r"[:\n]", _text(root, f"/etc/{name}")))
        return
    for line in _text(root, "/etc/ld.so.conf").splitlines():
        words = line.partition("#")[0].split()
        if words[:1] != ["include"]:
            yield from words[:1]
            continue
        for pattern in words[1:]:
            folder, _, names = pattern.rpartition("/")
            for name in fnmatch.filter(root.names(folder or "/etc"), names):
                yield from (text for text in _text(root, f"{folder or '/etc'}/{name}").split("\n") if text[:1] == "/")


def _text(root: RootFS, path: str) -> str:
    return (root.content(path) or b"").decode("utf-8", "replace")
