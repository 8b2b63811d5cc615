"""Why a request for packages has no answer, told so that the reader can act: who wants what, and what there is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pycontainer.errors import PackageError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pycontainer.sources.debian.index import PackageIndex
    from pycontainer.sources.debian.package import BinaryPackage
    from pycontainer.sources.debian.relations import Relation
    from pycontainer.sources.debian.selection import Candidates, Selection

_SHOWN: Final = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Reason:
    """Why a package was taken.

    Attributes:
        by: The package that brought it; none where somebody asked for it.
        relation: How that package says so.
        only: Whether nothing else would have done.
    """

    by: str | None = None
    relation: str = ""
    only: bool = True


def unknown(name: str, index: PackageIndex) -> PackageError:
    """Nothing has this name."""
    near = _near(name, index.names())
    return PackageError(
        f"There is no package `{name[:100]}`",
        facts=_looked_in(index),
        hint=f"Did you mean {_either([f'`{other}`' for other in near])}?" if near else None,
    )


def several_provide(name: str, providers: Sequence[BinaryPackage]) -> PackageError:
    """A name that is no package, and no single package provides."""
    return PackageError(
        f"`{name}` is not a package but what several packages provide",
        facts=[f"provided by: {_some(sorted(f'`{package.name}`' for package in providers))}"],
        hint="Name one of them in {os_packages}",
    )


def no_version(
    name: str, version: str, offered: Sequence[BinaryPackage], present: BinaryPackage | None, index: PackageIndex
) -> PackageError:
    """The wanted version of a package that exists cannot come."""
    facts = [f"the archive has: {_some([package.version for package in offered])}"] if offered else []
    if present is not None:
        facts.append(f"installed: {present.version}, which is never replaced by an older one")
    return PackageError(f"`{name}` cannot be had in version `{version[:100]}`", facts=[*facts, *_looked_in(index)])


def unsatisfiable(
    package: BinaryPackage,
    group: Sequence[Relation],
    selection: Selection,
    candidates: Candidates,
    reasons: Mapping[str, Reason],
) -> PackageError:
    """A dependency that nothing can satisfy."""
    facts = []
    for relation in group[:_SHOWN]:
        offered = candidates.offered(relation.name)
        present = selection.get(relation.name)
        there = [f"the archive has {_some([other.version for other in offered])}"] if offered else []
        there += [f"{present.version} is chosen or installed"] if present else []
        facts.append(f"`{relation.name}`: {'; '.join(there) or 'not in the archive'}")
    return PackageError(
        f"`{package.name}` {package.version} depends on `{_group(group)}`, which cannot be had",
        facts=[*facts, *_chain(package.name, reasons)],
    )


def conflict(
    one: BinaryPackage, other: BinaryPackage, relation: Relation, reasons: Mapping[str, Reason]
) -> PackageError:
    """Two packages, of which one excludes the other."""
    return PackageError(
        f"`{one.name}` {one.version} excludes `{other.name}` {other.version}",
        facts=[
            f"`{one.name}` conflicts with or breaks: `{relation}`",
            *(line for package in (one, other) for line in _chain(package.name, reasons)),
        ],
    )


def breaks(
    package: BinaryPackage, group: Sequence[Relation], cause: BinaryPackage, reasons: Mapping[str, Reason]
) -> PackageError:
    """An installed package that an upgrade would leave without its dependency."""
    return PackageError(
        f"`{package.name}` {package.version} of the base image does not work with `{cause.name}` {cause.version}",
        facts=[f"it depends on `{_group(group)}`, and no newer one can be had", *_chain(cause.name, reasons)],
    )


def not_upgradable(
    upgrades: Sequence[tuple[BinaryPackage, BinaryPackage]], reasons: Mapping[str, Reason]
) -> PackageError:
    """Installed packages that would have to become newer, and may not."""
    old, new = upgrades[0]
    by = reasons[new.name].by
    wanter = f"`{by}` needs" if by else "The request needs"
    names = _some([f"`{name}`" for name in sorted(package.name for _, package in upgrades)])
    return PackageError(
        f"{wanter} `{new.name}` {new.version}, and the base image has {old.version}",
        facts=[_upgrade(before, after, reasons[after.name]) for before, after in upgrades],
        hint=f"Allow it to become newer: add {names} to {{os_allow_upgrades}}; or use a newer base image",
    )


def _upgrade(old: BinaryPackage, new: BinaryPackage, reason: Reason) -> str:
    because = f", for `{reason.by}`: {reason.relation}" if reason.by else ""
    return f"`{new.name}`: {old.version} → {new.version}{because}"


def _chain(name: str, reasons: Mapping[str, Reason]) -> list[str]:
    """Who wants a package: the packages from it back to what was asked for."""
    names = [f"`{name}`"]
    at = reasons.get(name)
    if at is None:
        return [f"{names[0]} is installed"]
    while at is not None and at.by is not None:
        names.append(f"`{at.by}`")
        at = reasons.get(at.by)
    if len(names) == 1:
        return [f"{names[0]} was asked for"]
    kept = names if len(names) <= 2 * _SHOWN else [*names[:_SHOWN], "…", *names[-_SHOWN:]]
    return [f"{kept[0]} is wanted by {' ← '.join(kept[1:])}"]


def _near(name: str, names: Collection[str]) -> list[str]:
    import difflib  # noqa: PLC0415 - 10 ms, and only for errors

    # Two passes, for a comparison with 63,000 names takes seconds: most slips keep the beginning.
    alike = [other for other in names if other[:2] == name[:2]]
    return difflib.get_close_matches(name[:100], sorted(alike), n=3, cutoff=0.75) or difflib.get_close_matches(
        name[:100], sorted(other for other in names if abs(len(other) - len(name)) <= 1), n=3, cutoff=0.8
    )


def _looked_in(index: PackageIndex) -> list[str]:
    return [f"looked in: {', '.join(index.sources)}"] if index.sources else []


def _group(group: Sequence[Relation]) -> str:
    shown = " | ".join(map(str, group[:_SHOWN]))
    return f"{shown} | …" if len(group) > _SHOWN else shown


def _some(texts: Sequence[str]) -> str:
    return ", ".join([*texts[:_SHOWN], *(["…"] if len(texts) > _SHOWN else [])])


def _either(texts: Sequence[str]) -> str:
    return " or ".join(filter(None, [", ".join(texts[:-1]), texts[-1]]))
