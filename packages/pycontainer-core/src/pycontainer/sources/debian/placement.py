"""Where the files of packages go, and which do not go anywhere, as dpkg decides it.

    placement = Placement(base)
    files = placement.package(package, members)
    files.place(packed)             # "usr/lib/x86_64-linux-gnu/libpq.so.5", or none: not written

Paths lead through the base's links to directories, as dpkg unpacks through them. What the base has stays as it is:
directories always, files unless dpkg would replace them. Two packages with one path are an error, unless one of them
says that it replaces the other, or the two files are the same.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from pycontainer.errors import PackageError
from pycontainer.layers.entries import Kind
from pycontainer.sources.debian.replacing import replaces
from pycontainer.sources.debian.state import owners
from pycontainer.sources.debian.summary import conffile_paths

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pycontainer.sources.debian.package import BinaryPackage
    from pycontainer.sources.debian.state import DebianState
    from pycontainer.sources.debian.summary import PackedPath

_LINKS = frozenset({Kind.SYMLINK, Kind.HARD_LINK})


class _Placed(NamedTuple):
    """What stands at a destination, and whose it is."""

    files: PackageFiles
    packed: PackedPath


class Placement:
    """Of the packages of a request, those first whose files take the place of others'.

    Args:
        base: What they are installed upon.
        upgraded: Names of packages of the base that the request brings anew.
    """

    def __init__(self, base: DebianState, *, upgraded: Collection[str] = ()) -> None:
        self.tree = base.tree
        self._base = base
        self._upgraded = frozenset(upgraded)
        self.placed: dict[str, _Placed] = {}

    def package(self, package: BinaryPackage, members: Mapping[str, str]) -> PackageFiles:
        """The files of one package; `members` are those of its control.tar."""
        return PackageFiles(self, package, members)

    def is_owned_by_another(self, path: str, package: BinaryPackage) -> tuple[BinaryPackage, ...] | None:
        """The packages of the base that a file of the base stays with; none where a package may replace it."""
        found = self._owners.get(path, ())
        if any(
            owner.name == package.name or owner.name in self._upgraded or replaces(package, owner) for owner in found
        ):
            return None
        return found

    def diverted(self, path: str, package: BinaryPackage) -> str:
        """Where a file goes that another package has told dpkg to put aside (dpkg-divert(1)); else the path itself."""
        target, diverter = self._diversions.get(path, (path, package.name))
        return path if diverter == package.name else target

    @cached_property
    def _diversions(self) -> dict[str, tuple[str, str]]:
        """Three lines each: the path, where it goes, and the package whose own file stays; `:` is no package."""
        lines = self._base.files.get("var/lib/dpkg/diversions", b"").decode("utf-8", "replace").splitlines()
        triples = zip(lines[0::3], lines[1::3], lines[2::3], strict=False)
        canonical = self.tree.canonical
        return {canonical(path.strip("/")): (canonical(target.strip("/")), name) for path, target, name in triples}

    @cached_property
    def _owners(self) -> dict[str, tuple[BinaryPackage, ...]]:
        return owners(self._base)


class PackageFiles:
    """The files of one package, on their way to their places."""

    def __init__(self, placement: Placement, package: BinaryPackage, members: Mapping[str, str]) -> None:
        self.package = package
        self._placement = placement
        self._members = members
        self._destinations: dict[str, str] = {}

    def place(self, packed: PackedPath) -> str | None:
        """Where an entry goes; none where nothing is to be written.

        Raises:
            PackageError: Something of another package, or of the base, stands there and must not be replaced.
            DocumentError: The links of the base go in circles.
        """
        if packed.kind is Kind.DIRECTORY:
            return self._directory(packed)
        destination = self._placement.diverted(self._placement.tree.canonical(packed.path), self.package)
        if not self._is_free(destination, packed):
            return None
        self._placement.placed[destination] = _Placed(self, packed)
        self._destinations[packed.path] = destination
        return destination

    def link_target(self, packed: PackedPath) -> str:
        """Where the file went that a hard link names.

        Raises:
            PackageError: It went nowhere.
        """
        destination = self._destinations.get(packed.target)
        if destination is None:
            raise PackageError(
                f"The package `{self.package}` has a hard link to a file that is not installed",
                facts=[f"link: `/{packed.path}`", f"file: `/{packed.target}`"],
            )
        return destination

    @cached_property
    def sums(self) -> dict[str, str]:
        """MD5 by path, as the package has it."""
        lines = (line.split(maxsplit=1) for line in self._members.get("md5sums", "").splitlines())
        return {path: digest for digest, path in (line for line in lines if len(line) == 2)}  # noqa: PLR2004 - pairs

    @cached_property
    def _conffiles(self) -> frozenset[str]:
        return frozenset(conffile_paths(self._members.get("conffiles", "")))

    def _directory(self, packed: PackedPath) -> str | None:
        tree, placed = self._placement.tree, self._placement.placed
        destination = tree.directory(packed.path)
        kind = tree.kind(destination)
        if kind is Kind.DIRECTORY:
            return None
        if kind is not None:
            raise self._clash(destination, "a directory", "the base image has a file there")
        there = placed.get(destination)
        if there is not None:
            if there.packed.kind is not Kind.DIRECTORY:
                raise self._clash(destination, "a directory", f"`{there.files.package}` has a file or link there")
            return None
        self._check_parents(destination)
        placed[destination] = _Placed(self, packed)
        return destination

    def _is_free(self, path: str, packed: PackedPath) -> bool:
        there = self._placement.placed.get(path)
        if there is not None:
            return self._takes_over(there, path, packed)
        self._check_parents(path)
        tree = self._placement.tree
        kind = tree.kind(path)
        if kind is None:
            return True
        if packed.kind is Kind.SYMLINK:
            # dpkg leaves a directory, or a link to the same one, where a package has a link.
            folder, _, _ = path.rpartition("/")
            target = packed.target if packed.target.startswith("/") else f"{folder}/{packed.target}"
            if kind is Kind.DIRECTORY or tree.links.get(path) == packed.target:
                return False
            if kind is Kind.SYMLINK and tree.directory(path) == tree.directory(target):
                return False
        if kind is Kind.DIRECTORY:
            raise self._clash(path, "a file", "the base image has a directory there")
        return self._replaces_file(path, packed)

    def _takes_over(self, there: _Placed, path: str, packed: PackedPath) -> bool:
        """Whether a file replaces what another package of the request has under its path."""
        other = there.files
        if other.package is not self.package and there.packed.kind is not Kind.DIRECTORY:
            if replaces(other.package, self.package):
                return False
            if replaces(self.package, other.package):
                return True
            if self._same(there, packed):
                return False
        raise self._clash(path, _title(packed), f"`{other.package}` has {_title(there.packed)} there")

    def _same(self, there: _Placed, packed: PackedPath) -> bool:
        before = there.packed
        same = (before.kind, before.mode, before.target) == (packed.kind, packed.mode, packed.target)
        if packed.kind is not Kind.FILE:
            return same and packed.kind is Kind.SYMLINK
        digest = self.sums.get(packed.path)
        return (
            same and before.size == packed.size and digest is not None and digest == there.files.sums.get(before.path)
        )

    def _replaces_file(self, path: str, packed: PackedPath) -> bool:
        stays_with = self._placement.is_owned_by_another(path, self.package)
        if stays_with:
            raise self._clash(path, _title(packed), f"`{stays_with[0]}` of the base image has it")
        # dpkg asks about a configuration file that is there and nobody's, and keeps it where nobody answers.
        return stays_with is None or packed.path not in self._conffiles

    def _check_parents(self, path: str) -> None:
        while path := path.rpartition("/")[0]:
            there = self._placement.placed.get(path)
            if there is not None:
                if there.packed.kind is Kind.DIRECTORY:
                    return
                raise self._clash(path, "a directory", f"`{there.files.package}` has {_title(there.packed)} there")

    def _clash(self, path: str, mine: str, theirs: str) -> PackageError:
        return PackageError(f"The package `{self.package}` cannot have {mine} at `/{path[:300]}`", facts=[theirs])


def _title(packed: PackedPath) -> str:
    return "a directory" if packed.kind is Kind.DIRECTORY else "a link" if packed.kind in _LINKS else "a file"
