"""What choosing from a lock means in every format: known extras and groups, a Python it is for, one version a package.

extras = chosen_names("extra", choice.extras, available, everything=choice.all_extras)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pycontainer.errors import LockError
from pycontainer.sources.locks.filenames import normalize
from pycontainer.sources.locks.specifiers import supports_python

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from pycontainer.sources.locks.model import LockedPackage
    from pycontainer.sources.target import Target


def chosen_names(
    kind: str, wanted: Collection[str], available: Collection[str], *, everything: bool, where: str
) -> frozenset[str]:
    """The chosen extras or groups, normalised; `kind` is `extra` or `group`.

    Raises:
        LockError: One that the lock does not know; it lists those that it does.
    """
    known = frozenset(normalize(name) for name in available)
    if everything:
        return known
    names = frozenset(normalize(name) for name in wanted)
    unknown = sorted(names - known)
    if unknown:
        listed = ", ".join(f"`{name}`" for name in unknown)
        word = kind if len(unknown) == 1 else f"{kind}s"
        have = ", ".join(f"`{name}`" for name in sorted(known)) or "none"
        raise LockError(f"The lock has no {word} {listed}", facts=[f"{where} has the {kind}s: {have}"])
    return names


def check_python(specifier: str | None, target: Target, where: str) -> None:
    """Refuse a target whose Python the lock is not for.

    Raises:
        LockError: It is not in `requires-python`.
    """
    # A release candidate is taken for its final version, as uv does.
    release = f"{target.python.feature}.{target.python.micro or 0}"
    if specifier and not supports_python(specifier, release, f"`{where}`"):
        raise LockError(
            f"The lock is for Python {specifier} but the base image has {target.python}",
            facts=[f"lock file: `requires-python` in {where}"],
            hint="Set {base_image} to one with a Python of this range",
        )


def single_versions(packages: Iterable[LockedPackage], target: Target, where: str) -> tuple[LockedPackage, ...]:
    """The packages sorted by name, each of them once.

    Raises:
        LockError: A package is left in two versions or from two sources.
    """
    by_name: dict[str, LockedPackage] = {}
    for package in packages:
        other = by_name.setdefault(package.name, package)
        if other != package:
            raise LockError(
                f"The lock has two candidates of `{package.name}` for {target}",
                facts=[f"{where}: {other}", f"{where}: {package}"],
                hint="Choose extras and groups that go together, or lock again",
            )
    return tuple(by_name[name] for name in sorted(by_name))
