"""The system that scripts would find: the base image, and the files of all packages that are being installed.

    system = InstalledSystem(state, summaries)
    system.find("/usr/bin/less"), system.account("passwd", "www-data")

All packages are unpacked before the first is configured, as apt does it with a request of this kind.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Final

from pycontainer.layers.entries import Kind
from pycontainer.sources.debian.effects.shell.surroundings import There
from pycontainer.sources.debian.filters import is_left_out

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycontainer.sources.debian.state import DebianState
    from pycontainer.sources.debian.summary import DebSummary, PackedPath

_MAX_LINKS: Final = 40
_UPSTREAM: Final = re.compile(r"(?:\d+:)?([0-9][0-9.]*[0-9]|[0-9])")


class InstalledSystem:
    """Surroundings of scripts.

    Args:
        state: Of the base image.
        summaries: Of the packages that are being installed.
    """

    def __init__(self, state: DebianState, summaries: Sequence[DebSummary]) -> None:
        self.state = state
        self._tree = state.tree
        self._packed: dict[str, PackedPath] = {}
        for summary in summaries:
            for packed in summary.paths:
                if not is_left_out(packed):
                    self._packed.setdefault(self._tree.canonical(packed.path), packed)
        self._contents = {
            self._tree.canonical(path): content for summary in summaries for path, content in summary.kept.items()
        }
        self._packages = {package.name: package.version for package in state.packages}
        self._packages |= {summary.package.name: summary.package.version for summary in summaries}

    def canonical(self, path: str) -> str:
        """A path with the links on its way to the last part resolved, relative to the root."""
        folder, _, name = path.strip("/").rpartition("/")
        resolved = self._resolve(folder)
        return f"{resolved}/{name}" if resolved else name

    @staticmethod
    def normal(path: str) -> str:
        """A path relative to the root, without `.` and `..`."""
        parts: list[str] = []
        for part in path.split("/"):
            if part == "..":
                del parts[-1:]
            elif part not in {"", "."}:
                parts.append(part)
        return "/".join(parts)

    def find(self, path: str, *, follow: bool = True) -> There | None:
        """What is at an absolute path."""
        canonical = self.canonical(path)
        return self._at(self._resolve(canonical) if follow else canonical)

    def packed(self, path: str) -> PackedPath | None:
        """A package's entry, by its canonical path."""
        return self._packed.get(path)

    def content(self, path: str) -> bytes | None:
        """The content of a packaged file, where it was kept."""
        return self._contents.get(self._resolve(self.canonical(path)))

    def known_content(self, path: str) -> bytes | None:
        """The content of a file that was kept, of a package or of the base."""
        content = self.content(path)
        return self.state.files.get(self._resolve(self.canonical(path))) if content is None else content

    def names(self, folder: str) -> tuple[str, ...]:
        """The names of the files in a folder, sorted."""
        path = self._resolve(folder.strip("/"))
        packed = {each.rpartition("/")[2] for each in self._packed if each.rpartition("/")[0] == path}
        there = {name: self._at(f"{path}/{name}") for name in packed.union(self._tree.names(path))}
        return tuple(sorted(name for name, each in there.items() if each is not None and each.kind is Kind.FILE))

    def version(self, package: str) -> str:
        """The upstream version of a package, without what distributions add; empty where it is not installed."""
        match = _UPSTREAM.match(self._packages.get(package, ""))
        return match[1] if match else ""

    def is_empty(self, folder: str) -> bool:
        """Whether nothing is in a folder, or no folder is there."""
        path = self._resolve(folder.strip("/"))
        start = f"{path}/"
        names = (self._packed, self._tree.directories, self._tree.links, self._tree.others)
        return not self._tree.names(path) and not any(each.startswith(start) for paths in names for each in paths)

    def account(self, database: str, name: str) -> bool:
        """Whether the base's `passwd` or `group` has the name."""
        return name in self._accounts.get(database, frozenset())

    def is_installed(self, package: str) -> bool:
        """Whether the base has the package, or it is being installed."""
        return package in self._packages

    def is_diverted(self, path: str) -> bool:
        """Whether the base's `diversions` have the path."""
        return path in self._diversions

    def _at(self, path: str) -> There | None:
        packed = self._packed.get(path)
        if packed is not None:
            kind = Kind.FILE if packed.kind is Kind.HARD_LINK else packed.kind
            return There(
                kind=kind, mode=packed.mode, size=packed.size, target=packed.target, owner=(packed.uid, packed.gid)
            )
        kind_there = self._tree.kind(path)
        if kind_there is None:
            return None
        return There(kind=kind_there, target=self._tree.links.get(path, ""), of_base=True)

    def _resolve(self, path: str) -> str:
        """The path with every link resolved, as far as something is there."""
        for _ in range(_MAX_LINKS):
            path = self._tree.directory(path)
            link = self._first_link(path)
            if link is None:
                return path
            target = self._packed[link].target
            rest = path[len(link) :]
            start = target if target.startswith("/") else f"{link.rpartition('/')[0]}/{target}"
            path = self.normal(start + rest)
        return path

    def _first_link(self, path: str) -> str | None:
        """The shortest beginning of a path that is a packaged link."""
        parts = path.split("/")
        for count in range(1, len(parts) + 1):
            beginning = "/".join(parts[:count])
            packed = self._packed.get(beginning)
            if packed is not None and packed.kind is Kind.SYMLINK:
                return beginning
        return None

    @cached_property
    def _accounts(self) -> dict[str, frozenset[str]]:
        texts = {name: self.state.files.get(f"etc/{name}", b"") for name in ("passwd", "group")}
        return {
            database: frozenset(line.partition(b":")[0].decode("utf-8", "replace") for line in text.splitlines())
            for database, text in texts.items()
        }

    @cached_property
    def _diversions(self) -> frozenset[str]:
        lines = self.state.files.get("var/lib/dpkg/diversions", b"").decode("utf-8", "replace").splitlines()
        return frozenset(lines[::3])
