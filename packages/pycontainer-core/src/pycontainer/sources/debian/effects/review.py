"""What people found out about a maintainer script."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pycontainer.sources.debian.effects.actions import Action


@dataclass(frozen=True, kw_only=True, slots=True)
class ReviewedScript:
    """What people found.

    Attributes:
        package: The package's name.
        script: `preinst` or `postinst`.
        fingerprints: Of the texts that were read: several where releases differ in what does not matter.
        reason: What the script does, and why a container misses nothing of it but the actions.
        actions: What is done in its place.
    """

    package: str
    script: str
    fingerprints: frozenset[str]
    reason: str
    actions: tuple[Action, ...] = ()
