"""Files that two packages bring: the later one wins, as with every installer, and somebody should know.

find_collisions([("a 1.0", installation_a.claims), ("b 2.0", installation_b.claims)])

A footprint is what a layer's packages write, small enough to be kept, so that nobody opens wheels to find no collision:

may_collide([footprint(claims_a), footprint(claims_b)])
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from pycontainer.errors import WheelError
from pycontainer.sources.wheels.defects import shortened, shown
from pycontainer.value import Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pycontainer.sources.wheels.install import Claim


# Of a footprint, for each file: so much of the hash of its path, then of what is known of its content.
_PATH: Final = 8
_CONTENT: Final = 16
_ENTRY: Final = _PATH + _CONTENT
_UNKNOWN: Final = bytes(_CONTENT)


class Collision(Value, frozen=True, kw_only=True):
    """A path that two packages write.

    Attributes:
        path: Relative to the image's root.
        loser: Name and version of the package whose file is replaced.
        winner: Of the package whose file stays.
        differs: Whether it matters: the two files are not known to be equal.
    """

    path: str
    loser: str
    winner: str
    differs: bool

    def __str__(self) -> str:
        return f"`/{shown(self.path)}` of {self.loser} is replaced by that of {self.winner}"


def find_collisions(packages: Iterable[tuple[str, Mapping[str, Claim]]]) -> tuple[Collision, ...]:
    """The paths that more than one package writes.

    Args:
        packages: Label and claims of each, in the order in which they are written: within a layer and, since upper
            layers hide lower ones, across layers.
    """
    owners: dict[str, tuple[str, Claim]] = {}
    collisions = []
    for label, claims in packages:
        for path in owners.keys() & claims.keys():
            loser, before = owners[path]
            collisions.append(Collision(path=path, loser=loser, winner=label, differs=not _equal(before, claims[path])))
        owners.update((path, (label, claim)) for path, claim in claims.items())
    return tuple(sorted(collisions, key=lambda collision: (collision.path, collision.loser)))


def collision_warnings(collisions: Sequence[Collision], *, strict: bool = False) -> tuple[str, ...]:
    """A warning for each pair of packages that have different files of one path.

    Raises:
        WheelError: There are such files, and they are to be an error.
    """
    pairs: dict[tuple[str, str], list[Collision]] = {}
    for collision in collisions:
        if collision.differs:
            pairs.setdefault((collision.loser, collision.winner), []).append(collision)
    if pairs and strict:
        facts = shortened([str(collision) for found in pairs.values() for collision in found])
        raise WheelError(
            "Two packages bring different files of the same path",
            facts=facts,
            hint="Remove one of the packages, or turn {strict} off to let the later one win",
        )
    return tuple(
        f"{found[0]}" + (f", and {len(found) - 1} more of its files" if len(found) > 1 else "")
        for found in pairs.values()
    )


def footprint(packages: Iterable[tuple[str, Mapping[str, Claim]]]) -> bytes:
    """What the packages of one layer write: 24 bytes a file, in an order of its own."""
    files = {path: claim for _, claims in packages for path, claim in claims.items()}
    return b"".join(sorted(_short(path)[:_PATH] + _content(claim) for path, claim in files.items()))


def may_collide(footprints: Iterable[bytes]) -> bool:
    """Whether two layers may have different files of one path; where not, `find_collisions` finds none that differ.

    Args:
        footprints: Of each layer, lowest first.
    """
    owners: dict[bytes, bytes] = {}
    for each in footprints:
        for start in range(0, len(each), _ENTRY):
            path, content = each[start : start + _PATH], each[start + _PATH : start + _ENTRY]
            before = owners.setdefault(path, content)
            if before is not content and (before != content or content == _UNKNOWN):
                return True
    return False


def _content(claim: Claim) -> bytes:
    return _short(f"{claim.algorithm} {claim.digest}")[:_CONTENT] if claim.algorithm else _UNKNOWN


def _short(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape"), usedforsecurity=False).digest()


def _equal(first: Claim, second: Claim) -> bool:
    """Whether both are known to be the same; equal sizes and a hash of one algorithm prove it."""
    return bool(first.algorithm) and (first.algorithm, first.digest) == (second.algorithm, second.digest)
