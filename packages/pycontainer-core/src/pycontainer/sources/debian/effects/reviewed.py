"""Scripts that people have read, and whose effect was compared with a real installation: what to do in their place.

    reviewed = reviewed_script(package, "postinst", text)
    reviewed.reason, reviewed.actions

A review holds for the very text that was read. Only what a new build of the same package changes is left out of its
fingerprint: comments, the package's version, the architecture. Any other change is a new script, to be judged again.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache
from typing import TYPE_CHECKING, Final

from pycontainer.sources.debian.effects.libraries import TRIPLETS
from pycontainer.sources.debian.effects.reviews import REVIEWS

if TYPE_CHECKING:
    from pycontainer.sources.debian.effects.review import ReviewedScript
    from pycontainer.sources.debian.package import BinaryPackage

_TRIPLET: Final = re.compile("|".join(map(re.escape, TRIPLETS.values())))
_ARCHITECTURE: Final = re.compile(rf":(?:{'|'.join(map(re.escape, TRIPLETS))})\b")


def reviewed_script(package: BinaryPackage, script: str, text: str) -> ReviewedScript | None:
    """The review of a script; none where nobody has read this one."""
    found = _reviews().get((package.name, script), ())
    if not found:
        return None
    mine = fingerprint(package, text)
    return next((review for review in found if mine in review.fingerprints), None)


def fingerprint(package: BinaryPackage, text: str) -> str:
    """The first 32 hexadecimal digits of the SHA-256 of a script without what does not change its meaning."""
    lines = [line.rstrip() for line in text.splitlines()]
    kept = [line for index, line in enumerate(lines) if line and (index == 0 or not line.lstrip().startswith("#"))]
    plain = "\n".join(kept).replace(package.version, "@version@")
    plain = _ARCHITECTURE.sub(":@architecture@", _TRIPLET.sub("@triplet@", plain))
    return hashlib.sha256(plain.encode()).hexdigest()[:32]


@cache
def _reviews() -> dict[tuple[str, str], tuple[ReviewedScript, ...]]:
    table: dict[tuple[str, str], tuple[ReviewedScript, ...]] = {}
    for review in REVIEWS:
        key = review.package, review.script
        table[key] = (*table.get(key, ()), review)
    return table
