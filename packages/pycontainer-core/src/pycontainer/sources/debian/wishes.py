"""What was asked for, `name` or `name=version`, and the package that is meant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pycontainer.errors import DocumentError, PackageError
from pycontainer.sources.debian import refusals
from pycontainer.sources.debian.relations import NAME, Relation
from pycontainer.sources.debian.version import version_key

if TYPE_CHECKING:
    from pycontainer.sources.debian.index import PackageIndex
    from pycontainer.sources.debian.package import BinaryPackage
    from pycontainer.sources.debian.selection import Candidates, Selection


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Wish:
    """A package that somebody asks for.

    Attributes:
        name: A package, or what a single package provides.
        version: The version it must have; empty where the highest is wanted.
    """

    name: str
    version: str = ""

    def __str__(self) -> str:
        return f"{self.name}={self.version}" if self.version else self.name

    @classmethod
    def parse(cls, text: str) -> Wish:
        """Read `name` or `name=version`.

        Raises:
            PackageError: It is neither.
        """
        name, equals, version = text.strip().partition("=")
        try:
            if NAME.fullmatch(name) is None:
                raise PackageError(f"`{text[:100]}` is not the name of a Debian package")
            if equals:
                version_key(version)
        except DocumentError as error:
            raise PackageError(f"`{text[:100]}` does not name a version of a Debian package") from error
        return cls(name=name, version=version)


def find_wish(wish: Wish, candidates: Candidates, selection: Selection, index: PackageIndex) -> BinaryPackage | None:
    """The package that must come for a wish; none where it is there already.

    Raises:
        PackageError: There is no such package or version, several provide it, or what is installed is newer.
    """
    present = selection.get(wish.name)
    if candidate := candidates.of(wish.name):
        return candidate
    if present is not None and wish.version in {"", present.version}:
        return None
    if present is not None or (wish.version and index.versions(wish.name)):
        raise refusals.no_version(wish.name, wish.version, index.versions(wish.name), present, index)
    relation = Relation(name=wish.name, operator="=" if wish.version else "", version=wish.version)
    if selection.satisfying([relation]):
        return None
    providers = candidates.satisfying(relation)
    if len(providers) > 1:
        raise refusals.several_provide(wish.name, providers)
    if not providers:
        raise refusals.unknown(wish.name, index)
    return providers[0]
