"""The new `/etc/ld.so.cache` of an image: the base's libraries, those of the packages, and links that scripts made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pycontainer.layers.entries import Kind
from pycontainer.sources.debian.effects.ld_cache import read_ld_cache, write_ld_cache
from pycontainer.sources.debian.effects.libraries import (
    LibraryFile,
    byte_order,
    cache_flags,
    is_searched,
    library_folders,
    merged,
    soname_links,
)
from pycontainer.sources.debian.filters import is_left_out

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pycontainer.sources.debian.effects.installed import InstalledSystem
    from pycontainer.sources.debian.effects.ld_cache import CachedLibrary
    from pycontainer.sources.debian.summary import DebSummary, SharedLibrary

_CACHE: Final = "etc/ld.so.cache"
_CONF: Final = "etc/ld.so.conf"


@dataclass(frozen=True, kw_only=True, slots=True)
class LibraryCache:
    """The file, and the links that `ldconfig` would have made beside the libraries, by canonical path."""

    content: bytes
    links: Mapping[str, str] = field(default_factory=dict)


def updated_library_cache(
    system: InstalledSystem, summaries: Sequence[DebSummary], links: Mapping[str, str]
) -> LibraryCache | None:
    """The cache with all that is new; none where there is nothing new, or the image has no such cache.

    Args:
        system: The base and the packages.
        summaries: Of the packages.
        links: That scripts made: canonical path → target.
    """
    state = system.state
    old = state.files.get(_CACHE)
    if old is None and not any(summary.package.name == "libc-bin" for summary in summaries):
        return None
    configuration = {path: content for path, content in state.files.items() if path.startswith(_CONF)}
    for summary in summaries:
        configuration |= {path: content for path, content in summary.kept.items() if path.startswith(_CONF)}
    folders = library_folders(configuration, state.architecture)
    searched = {system.canonical(f"{folder}/x").rpartition("/")[0] for folder in folders}
    libraries = {system.canonical(library.path): library for summary in summaries for library in summary.libraries}
    before = read_ld_cache(old) if old is not None else ()
    added = [
        *_files(libraries, searched),
        *_links(system, summaries, links, libraries, searched=searched, before=before),
    ]
    gone = _gone(system, summaries)
    if not added and not gone and old is not None:
        return None
    made = soname_links(added, lambda path: path in links or system.find(f"/{path}", follow=False) is not None)
    entries = merged(
        before,
        added,
        folders,
        canonical=system.canonical,
        exists=lambda path: path in made or path in links or system.find(f"/{path}") is not None,
    )
    return LibraryCache(content=write_ld_cache(entries, order=byte_order(state.architecture)), links=made)


def _files(libraries: Mapping[str, SharedLibrary], searched: set[str]) -> Iterator[LibraryFile]:
    for path, library in libraries.items():
        flags = cache_flags(library.machine, library.bits, library.flags)
        if flags is not None and is_searched(path, searched):
            folder, _, name = path.rpartition("/")
            yield LibraryFile(folder=folder, name=name, soname=library.soname, flags=flags)


def _links(
    system: InstalledSystem,
    summaries: Sequence[DebSummary],
    made: Mapping[str, str],
    libraries: Mapping[str, SharedLibrary],
    *,
    searched: set[str],
    before: Sequence[CachedLibrary],
) -> Iterator[LibraryFile]:
    """Links among the searched files that lead to libraries."""
    packed = {
        system.canonical(each.path): each.target
        for summary in summaries
        for each in summary.paths
        if each.kind is Kind.SYMLINK and not is_left_out(each)
    }
    native = next((each.flags for each in before), None)
    everything = {**packed, **made}
    for path in everything:
        if not is_searched(path, searched):
            continue
        end = _end(system, path, everything)
        library = libraries.get(end)
        there = system.find(f"/{end}")
        if library is None and (there is None or not there.of_base or native is None):
            continue
        flags = native if library is None else cache_flags(library.machine, library.bits, library.flags)
        if flags is None:
            continue
        folder, _, name = path.rpartition("/")
        soname = library.soname if library is not None else ""
        yield LibraryFile(folder=folder, name=name, soname=soname, flags=flags, is_link=True)


def _end(system: InstalledSystem, path: str, links: Mapping[str, str]) -> str:
    """Where links of packages and of scripts end."""
    for _ in range(10):
        target = links.get(path)
        if target is None:
            return path
        start = target if target.startswith("/") else f"{path.rpartition('/')[0]}/{target}"
        path = system.canonical(system.normal(start))
    return path


def _gone(system: InstalledSystem, summaries: Sequence[DebSummary]) -> bool:
    """Whether packages of the base are replaced, whose libraries may be gone."""
    old = {package.name for package in system.state.packages}
    return any(summary.package.name in old for summary in summaries)
