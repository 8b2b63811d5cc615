"""Which lock counts in a project of Hatch, and what its users should know of locks that Hatch makes.

path = find_hatch_lock(root)
warn_of_one_platform(lock, targets, emit=emit)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pycontainer.events import Emit, Warned
from pycontainer.sources.locks.filenames import parse_wheel

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pycontainer.sources.locks import Choice, Lock, LockedPackage
    from pycontainer.sources.target import Target

# Of the environment `container`, then of `default`: `hatch env lock` names files so.
NAMES: Final = ("pylock.container.toml", "pylock.toml")


def find_hatch_lock(root: Path) -> Path | None:
    """The lock that Hatch made of an environment, which goes before those of other tools; none where there is none."""
    return next((path for name in NAMES if (path := root / name).is_file()), None)


def warn_of_one_platform(lock: Lock, choice: Choice, targets: Sequence[Target], *, emit: Emit) -> None:
    """Warn where a lock has one wheel of each package, as `hatch env lock` makes it, and a target needs others.

    The build itself fails then, and names the packages; this tells why they are missing.
    """
    packages = lock.select(targets[0], choice)
    if any(len(package.wheels) > 1 for package in packages):
        return
    missed = [target for target in targets if not all(_fits(package, target) for package in packages)]
    if missed:
        emit(
            Warned(
                message=f"`{lock.path.name}` is locked for one platform, and not for {missed[0]}",
                hint="Write `universal = true` into the table `[tool.uv.pip]` of pyproject.toml, "
                "and lock again: `hatch env lock`",
            )
        )


def _fits(package: LockedPackage, target: Target) -> bool:
    names = [name for wheel in package.wheels if (name := parse_wheel(wheel.filename))]
    if not names:
        return True  # only its source is locked, which is another matter
    return any(
        (tag.interpreter in name.pythons and tag.abi in name.abis and tag.platform in name.platforms)
        for name in names
        for tag in target.tags
    )
