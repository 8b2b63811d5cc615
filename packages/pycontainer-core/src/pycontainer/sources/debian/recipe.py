"""Layers made of Debian packages.

recipe = DebsRecipe(debs=(deb,), base=state, keep=summaries.append)
recipe.key                      # known before a package is fetched
cache.make(recipe)              # now they are

The files go into the layer while the packages are read: nothing is unpacked on this host, and no script is run.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from pycontainer.layers.entries import Kind
from pycontainer.layers.linkage import LinkedLibraries
from pycontainer.layers.recipe import RecipeInput, recipe_key
from pycontainer.layers.record import LayerContents
from pycontainer.sources.debian.architecture import oci_architecture
from pycontainer.sources.debian.deb import open_deb
from pycontainer.sources.debian.examination import Examination, summarize
from pycontainer.sources.debian.filters import FILTER_VERSION, is_left_out
from pycontainer.sources.debian.placement import Placement
from pycontainer.sources.debian.replacing import replacing_first

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import BinaryIO

    from pycontainer.layers.writer import LayerWriter
    from pycontainer.sources.debian.package import BinaryPackage
    from pycontainer.sources.debian.placement import PackageFiles
    from pycontainer.sources.debian.state import DebianState
    from pycontainer.sources.debian.summary import DebSummary, PackedPath

_DIRECTORY: Final = 0o755
_DIGITS: Final = 10  # numbers of owners have 32 bits


@dataclass(frozen=True, kw_only=True, slots=True)
class DebInput:
    """A package to install.

    Attributes:
        package: As an index or a lock announced it, with `size` and `sha256`.
        open_path: Gives the `.deb`, and fetches it first where it is not there. It is hashed again while it is read.
    """

    package: BinaryPackage
    open_path: Callable[[], Path] = field(compare=False, repr=False)


@dataclass(frozen=True, kw_only=True)
class DebsRecipe:
    """A layer of one or several packages.

    Attributes:
        debs: In the order of the solution.
        base: What they are installed upon.
        upgraded: Names of packages of the base that any layer of the request brings anew.
        keep: Given the summary of each package once it is written; not where the layer comes from a cache.
    """

    debs: tuple[DebInput, ...]
    base: DebianState = field(repr=False)
    upgraded: frozenset[str] = frozenset()
    keep: Callable[[DebSummary], object] | None = field(default=None, compare=False, repr=False)

    @cached_property
    def key(self) -> str:
        """The key over the packages and all of the base that decides where their files go and whose they are."""
        return recipe_key(
            "debs",
            {
                "debs": [[str(deb.package), deb.package.architecture, deb.package.sha256] for deb in self.debs],
                "base": self.base.ground,
                "upgraded": sorted(self.upgraded),
                "filter": FILTER_VERSION,
            },
        )

    @property
    def title(self) -> str:
        """`libpq5 15.14-0+deb12u1`, or `14 Debian packages`."""
        return str(self.debs[0].package) if len(self.debs) == 1 else f"{len(self.debs)} Debian packages"

    @property
    def inputs(self) -> tuple[RecipeInput, ...]:
        """The packages' files."""
        return tuple(
            RecipeInput(sha256=deb.package.sha256, size=deb.package.size, fetch=deb.open_path) for deb in self.debs
        )

    def write(self, writer: LayerWriter) -> LayerContents:
        """Write the packages one after the other.

        Raises:
            IntegrityError: A file is not the package that was announced.
            DocumentError: It is no package, or a hostile one.
            PackageError: It is another package, or has files that another package or the base has.
            ToolError: It is compressed with zstd, which this Python cannot read.
        """
        placement = Placement(self.base, upgraded=self.upgraded)
        writing = _Writing(writer, self.base)
        provides: dict[str, tuple[str, ...]] = {}
        for place in replacing_first([deb.package for deb in self.debs]):
            deb = self.debs[place]
            with open_deb(deb.open_path(), deb.package) as opened:
                examination = Examination(opened)
                files = placement.package(deb.package, opened.members)
                writing.package(files, examination)
                summary = examination.summary()
                provides |= dict.fromkeys(_libraries(summary), ())
                if self.keep is not None:
                    self.keep(summary)
        libraries = LinkedLibraries(architecture=oci_architecture(self.base.architecture), provides=provides)
        return LayerContents(files=writing.files, size=writing.size, libraries=(libraries,))

    def summaries(self) -> list[DebSummary]:
        """The summaries of a layer that came from a cache; reads the packages.

        Raises:
            PyContainerError: As from `write`.
        """
        return [summarize(deb.open_path(), deb.package) for deb in self.debs]


class _Writing:
    """The state of one layer in the making."""

    def __init__(self, writer: LayerWriter, base: DebianState) -> None:
        self._writer = writer
        self._tree = base.tree
        self._users = _numbers(base.files.get("etc/passwd", b""))
        self._groups = _numbers(base.files.get("etc/group", b""))
        self._made: set[str] = {""}
        self.files = 0
        self.size = 0

    def package(self, files: PackageFiles, examination: Examination) -> None:
        left_out: dict[str, PackedPath] = {}
        for packed, content in examination.entries():
            if is_left_out(packed):
                if packed.kind is Kind.DIRECTORY:
                    left_out[packed.path] = packed
                continue
            for folder in _parents(packed.path) if left_out else ():
                if back := left_out.pop(folder, None):
                    self._entry(files, back, None)
            self._entry(files, packed, content)

    def _entry(self, files: PackageFiles, packed: PackedPath, content: BinaryIO | None) -> None:
        path = files.place(packed)
        if path is None:
            return
        # dpkg takes the number that the system has for the name, and the packed one where it has none.
        uid = self._users.get(packed.user, packed.uid)
        gid = self._groups.get(packed.group, packed.gid)
        for folder in _parents(path):
            if folder not in self._made and folder not in self._tree.directories:
                self._directory(folder, _DIRECTORY, 0, 0)
        if packed.kind is Kind.DIRECTORY:
            self._directory(path, packed.mode, uid, gid)
            return
        self.files += 1
        if packed.kind is Kind.SYMLINK:
            self._writer.symlink(path, packed.target, uid=uid, gid=gid)
        elif packed.kind is Kind.HARD_LINK:
            self._writer.hard_link(path, files.link_target(packed), mode=packed.mode, uid=uid, gid=gid)
        elif content is not None:
            self.size += packed.size
            self._writer.stream(path, content, packed.size, mode=packed.mode, uid=uid, gid=gid)

    def _directory(self, path: str, mode: int, uid: int, gid: int) -> None:
        if path not in self._made:
            self._made.add(path)
            self._writer.directory(path, mode=mode, uid=uid, gid=gid)


def _libraries(summary: DebSummary) -> Iterator[str]:
    """The names that the loader finds a package's shared libraries by."""
    for library in summary.libraries:
        yield library.soname
        yield library.path.rpartition("/")[2]


def _parents(path: str) -> list[str]:
    """The directories above a path, the root left out, from the highest on."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[: count + 1]) for count in range(len(parts))]


def _numbers(accounts: bytes) -> dict[str, int]:
    """Name → number of passwd(5) or group(5); the first of a name counts."""
    numbers: dict[str, int] = {}
    for line in accounts.decode("utf-8", "replace").splitlines():
        name, _, number, *_ = [*line.split(":"), "", ""]
        if name and number.isascii() and number.isdigit() and len(number) <= _DIGITS:
            numbers.setdefault(name, int(number))
    return numbers
