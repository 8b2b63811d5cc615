"""Which packages may take over files of which others (Debian Policy, 7.6.1).

replaces(package, other)            # `Replaces: other (<< 2)` of `package`, and `other` is older
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pycontainer.sources.debian.relations import parse_relations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycontainer.sources.debian.package import BinaryPackage


def replaces(package: BinaryPackage, other: BinaryPackage) -> bool:
    """Whether files of a package take the place of those of another one; what is only provided does not count."""
    if not package.replaces:
        return False
    return any(
        relation.name == other.name and relation.allows(other.version)
        for group in parse_relations(package.replaces)
        for relation in group
    )


def replacing_first(packages: Sequence[BinaryPackage]) -> list[int]:
    """The places of the packages, reordered so that whoever replaces files of another one comes before it.

    Nothing else moves; where two replace each other, the first stays the first.
    """
    order: list[int] = []
    open_places: set[int] = set()

    def visit(place: int) -> None:
        if place in open_places or place in order:
            return
        open_places.add(place)
        for other, package in enumerate(packages):
            if other != place and replaces(package, packages[place]) and not replaces(packages[place], package):
                visit(other)
        order.append(place)

    for place in range(len(packages)):
        visit(place)
    return order
