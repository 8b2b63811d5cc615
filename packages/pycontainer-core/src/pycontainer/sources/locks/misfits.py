"""Packages that a target cannot use, and the one error that tells all of them and what would help.

raise misfit_error([Misfit(package=package, reason="it needs Python >=3.13")], target)
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pycontainer.errors import LockError
from pycontainer.value import Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pycontainer.sources.locks.filenames import WheelName
    from pycontainer.sources.locks.model import LockedPackage
    from pycontainer.sources.target import Target

_PERENNIAL = re.compile(r"(many|musl)linux_(\d{1,3})_(\d{1,3})_(\w+)", re.ASCII)
_FEATURE = re.compile(r"cp(\d)(\d{1,2})", re.ASCII)
_SHOWN = 8  # more tags than that say nothing to a reader
_HINTS = {
    "allow_outside": "Set {allow_outside} if you trust what lies outside of the project",
    "no_build": "Unset {no_build}, or lock versions that have wheels",
    "allow_http": "Use https, or name the host in {allow_http}",
}


class Misfit(Value, frozen=True, kw_only=True):
    """A package that cannot be used, and why.

    Attributes:
        reason: A clause: `it needs Python >=3.13`.
        locked: What wheels the lock has, where the reason is that none of them fits.
        hint: What to do, where that is known.
    """

    package: LockedPackage
    reason: str
    locked: str | None = None
    hint: str | None = None


def setting_misfit(package: LockedPackage, reason: str, setting: str) -> Misfit:
    """A package that an option keeps out."""
    return Misfit(package=package, reason=reason, hint=_HINTS[setting])


def wheels_misfit(package: LockedPackage, wheels: Sequence[WheelName], target: Target) -> Misfit:
    """A package whose wheels are all for something else."""
    if not wheels and package.sdist is None:
        return Misfit(package=package, reason="the lock lists no file of it")
    hint = _hint(wheels, target)
    if hint is None and package.sdist is not None:
        hint = f"Name `{package.name}` in {{build_sdists}} to build it from its source"
    return Misfit(package=package, reason="no wheel fits", locked=_summary(wheels, target), hint=hint)


def misfit_error(misfits: Sequence[Misfit], target: Target) -> LockError:
    """All of them in one error."""
    hint = "; ".join(dict.fromkeys(misfit.hint for misfit in misfits if misfit.hint)) or None
    base = f"base image: {target.libc}"
    if len(misfits) == 1:
        (misfit,) = misfits
        if misfit.locked is None:
            message = f"{_name(misfit)} cannot be used: {misfit.reason}"
            return LockError(message, facts=[f"target: {target}"], hint=hint)
        message = f"No wheel of {_name(misfit)} fits {target}"
        return LockError(message, facts=[f"locked wheels: {misfit.locked}", base], hint=hint)
    facts = [
        f"{_name(misfit)}: {f'locked wheels: {misfit.locked}' if misfit.locked else misfit.reason}"
        for misfit in misfits
    ]
    if all(misfit.locked for misfit in misfits):
        return LockError(f"No wheels of {len(misfits)} packages fit {target}", facts=[*facts, base], hint=hint)
    return LockError(f"{len(misfits)} packages of the lock cannot be used for {target}", facts=facts, hint=hint)


def _name(misfit: Misfit) -> str:
    package = misfit.package
    return f"`{package.name}` {package.version}" if package.version else f"`{package.name}`"


def _summary(wheels: Sequence[WheelName], target: Target) -> str:
    """The platform tags of the wheels for this Python, or else all wheels by Python and platform."""
    suited = [wheel for wheel in wheels if _suits_python(wheel, target)]
    if suited:
        shown = sorted({_plainest(wheel.platforms) for wheel in suited})
    else:
        shown = sorted({f"{'.'.join(wheel.pythons)}-{_plainest(wheel.platforms)}" for wheel in wheels})
    more = [f"and {len(shown) - _SHOWN} more"] if len(shown) > _SHOWN else []
    return ", ".join([*shown[:_SHOWN], *more]) or "none, only a source archive"


def _plainest(platforms: Iterable[str]) -> str:
    return next((platform for platform in platforms if _PERENNIAL.fullmatch(platform)), next(iter(platforms)))


def _suits_python(wheel: WheelName, target: Target) -> bool:
    pairs = {(tag.interpreter, tag.abi) for tag in target.tags}
    return any((python, abi) in pairs for python in wheel.pythons for abi in wheel.abis)


def _hint(wheels: Sequence[WheelName], target: Target) -> str | None:
    """The nearest base image that one of the wheels fits: same Python with another libc, then another Python."""
    same_python = [wheel for wheel in wheels if _suits_python(wheel, target)]
    libcs = list(_libcs(same_python, target))
    ours = [version for kind, version in libcs if kind == target.libc.kind]
    if ours:
        major, minor = min(ours)
        return f"Set {{base_image}} to one with {target.libc.kind} {major}.{minor} or newer"
    if any(kind == "glibc" for kind, _ in libcs):
        return f"Set {{base_image}} to a glibc image such as `python:{target.python.feature}-slim`"
    if libcs:
        return f"Set {{base_image}} to a musl image such as `python:{target.python.feature}-alpine`"
    others = sorted({python for wheel in wheels if list(_libcs([wheel], target)) for python in _features(wheel)})
    if others and not same_python:
        listed = ", ".join(f"{major}.{minor}" for major, minor in others)
        return (
            f"Set {{base_image}} to one with Python {listed}, or lock a version with wheels for {target.python.feature}"
        )
    return None


def _libcs(wheels: Iterable[WheelName], target: Target) -> Iterator[tuple[str, tuple[int, int]]]:
    for wheel in wheels:
        for platform in wheel.platforms:
            match = _PERENNIAL.fullmatch(platform)
            if match and match[4] == target.machine:
                yield "musl" if match[1] == "musl" else "glibc", (int(match[2]), int(match[3]))


def _features(wheel: WheelName) -> Iterator[tuple[int, int]]:
    for python in wheel.pythons:
        if match := _FEATURE.fullmatch(python):
            yield int(match[1]), int(match[2])
