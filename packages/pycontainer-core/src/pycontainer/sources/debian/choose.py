"""Which operating system packages a base image gets: those of `pycontainer.lock`, or those the archive has now.

choice = choose_packages(wishes, state, platform="linux/amd64", locked=lock.system, archive=archive)
choice.packages                # dependencies first, each known by its hash
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pycontainer.errors import LockError
from pycontainer.events import Warned, ignore
from pycontainer.oci import Platform
from pycontainer.sources.debian.image_lock import FILENAME, LockedDeb
from pycontainer.sources.debian.solve import solve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycontainer.events import Emit
    from pycontainer.sources.debian.image_lock import LockedPlatform, LockedSystem
    from pycontainer.sources.debian.index import PackageIndex
    from pycontainer.sources.debian.package import BinaryPackage
    from pycontainer.sources.debian.state import DebianState


@dataclass(frozen=True, kw_only=True, slots=True)
class Wishes:
    """What the options say of operating system packages.

    Attributes:
        packages: To add: `name` or `name=version`.
        exclude: To leave out, by name.
        upgrades: Packages of the base that may be upgraded, by name.
        unconfigured: Packages whose scripts need not be run, by name.
    """

    packages: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    upgrades: tuple[str, ...] = ()
    unconfigured: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class PackageChoice:
    """The packages of one platform.

    Attributes:
        wishes: What they were chosen by.
        state: What they are added to.
        debs: Dependencies first; with those that take the place of older ones of the base.
        locked: Whether they come from the lock.
    """

    wishes: Wishes
    state: DebianState
    debs: tuple[LockedDeb, ...]
    locked: bool

    @property
    def packages(self) -> tuple[BinaryPackage, ...]:
        """The packages, as far as layers depend on them."""
        return tuple(deb.package for deb in self.debs)

    @property
    def upgraded(self) -> frozenset[str]:
        """The names of those that the base has in an older version."""
        return frozenset(package.name for package in self.state.packages) & {deb.name for deb in self.debs}


def installed_digest(packages: Sequence[BinaryPackage]) -> str:
    """A digest of what a base has: of name, version and architecture of each package, whatever their order."""
    lines = sorted(f"{package.name} {package.version} {package.architecture}\n" for package in packages)
    return f"sha256:{hashlib.sha256(''.join(lines).encode()).hexdigest()}"


def choose_from_lock(
    wishes: Wishes,
    state: DebianState,
    locked: LockedSystem | None,
    *,
    platform: str,
    required: bool,
    emit: Emit = ignore,
) -> PackageChoice | None:
    """What the lock holds for a platform, or none where there is no lock or it no longer fits.

    Args:
        wishes: What the options say.
        state: What the base has.
        locked: The lock's part, or none.
        platform: Of the image.
        required: Whether only the lock will do.
        emit: Told why a lock is passed over.

    Raises:
        LockError: Nothing fits, and it is required.
    """
    reason = _unfit(wishes, state, locked, platform)
    if locked is not None and reason is None and (found := _locked_for(platform, locked)):
        return PackageChoice(wishes=wishes, state=state, debs=found.packages, locked=True)
    if required:
        raise LockError(
            f"`{FILENAME}` does not hold the operating system packages of this build",
            facts=[reason or "there is no such file"],
            hint="Run `pycontainer lock`",
        )
    if reason is not None:
        emit(Warned(message=f"`{FILENAME}` is passed over: {reason}", hint="Run `pycontainer lock`"))
    return None


def choose_from_archive(wishes: Wishes, state: DebianState, index: PackageIndex) -> PackageChoice:
    """What an archive has now.

    Raises:
        PackageError: A package is unknown, or what it needs cannot be had.
    """
    solution = solve(
        wishes.packages,
        index,
        state.packages,
        architecture=state.architecture,
        exclude=wishes.exclude,
        allow_upgrades=wishes.upgrades,
    )
    chosen = (*solution.added, *(new for _, new in solution.upgraded))
    debs = tuple(LockedDeb.of(package, (*chosen, *state.packages)) for package in chosen)
    return PackageChoice(wishes=wishes, state=state, debs=debs, locked=False)


def _unfit(wishes: Wishes, state: DebianState, locked: LockedSystem | None, platform: str) -> str | None:
    """Why a lock does not hold what is wanted; none where it does, and where there is none."""
    if locked is None:
        return None
    if (locked.distribution, locked.suite) != (state.distribution, state.codename):
        return f"it is for {locked.distribution} {locked.suite}, the base is {state.distribution} {state.codename}"
    for name, ours, theirs in (
        ("os-packages", wishes.packages, locked.packages),
        ("os-exclude", wishes.exclude, locked.exclude),
        ("os-allow-upgrades", wishes.upgrades, locked.upgrades),
    ):
        if set(ours) != set(theirs):
            return f"{name} has changed since it was written"
    known = _locked_for(platform, locked)
    if known is None:
        return f"it has nothing for {platform}"
    if known.installed != installed_digest(state.packages):
        return "the base image has other packages than when it was written"
    return None


def _locked_for(platform: str, locked: LockedSystem) -> LockedPlatform | None:
    """What the lock has for a platform, however it spells it: `linux/arm64` is `linux/arm64/v8`."""
    wanted = Platform.parse(platform).normalized
    return next((found for name, found in locked.platforms.items() if Platform.parse(name).normalized == wanted), None)
