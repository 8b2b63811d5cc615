"""The last layer of operating system packages: what their maintainer scripts would have done, and dpkg's database.

    check_scripts(summaries, state, unconfigured=frozenset({"libgvc6"}))     # PackageError names all that are refused
    recipe = SystemRecipe(packages=packages, state=state, summaries=lambda: summaries)

No script is run. Each is followed on paper, or was read by people; what nobody can explain is refused.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

import msgspec

from pycontainer.errors import PackageError
from pycontainer.layers.recipe import recipe_key
from pycontainer.sources.debian.database import database_files
from pycontainer.sources.debian.effects.changes import SystemChanges
from pycontainer.sources.debian.effects.file_triggers import judge_triggers
from pycontainer.sources.debian.effects.installed import InstalledSystem
from pycontainer.sources.debian.effects.overlay import Overlay
from pycontainer.sources.debian.effects.pixbuf_loaders import unknown_loader
from pycontainer.sources.debian.effects.scripts import Judgement, Verdict, judge_scripts

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from pycontainer.layers.record import LayerContents
    from pycontainer.layers.writer import LayerWriter
    from pycontainer.sources.debian.package import BinaryPackage
    from pycontainer.sources.debian.state import DebianState
    from pycontainer.sources.debian.summary import DebSummary

# Part of every key: raised whenever other effects come of the same scripts.
EFFECTS_VERSION: Final = 2


def judge_packages(summaries: Sequence[DebSummary], state: DebianState) -> tuple[Verdict, ...]:
    """The verdict on each package, in the order of the solution, in which later scripts see what earlier ones did."""
    return _judged(summaries, InstalledSystem(state, summaries))[0]


def check_scripts(
    summaries: Sequence[DebSummary], state: DebianState, *, unconfigured: Collection[str] = ()
) -> tuple[Verdict, ...]:
    """The verdicts, where no package is refused but those that the user lets through without their scripts.

    Raises:
        PackageError: Packages need a script to be run; all of them are named, each with its first unexplained line.
    """
    verdicts = judge_packages(summaries, state)
    _check(verdicts, unconfigured)
    return verdicts


@dataclass(frozen=True, kw_only=True)
class SystemRecipe:
    """The layer above those of the packages.

    Attributes:
        packages: All of the request, in the order of the solution.
        state: Of the base.
        summaries: Gives the summaries of the packages, in their order; asked for only when the layer is written.
        unconfigured: Names of packages that are let through although their scripts are not understood.
        after: The keys of the recipes that leave the summaries.
    """

    packages: tuple[BinaryPackage, ...]
    state: DebianState = field(repr=False)
    summaries: Callable[[], Sequence[DebSummary]] = field(compare=False, repr=False)
    unconfigured: frozenset[str] = frozenset()
    after: tuple[str, ...] = field(default=(), compare=False)

    @cached_property
    def key(self) -> str:
        """The key over the packages, all that is known of the base, and what is let through."""
        return recipe_key(
            "debian-system",
            {
                "debs": [[str(package), package.architecture, package.sha256] for package in self.packages],
                "state": _digest(self.state),
                "unconfigured": sorted(self.unconfigured),
                "effects": EFFECTS_VERSION,
            },
        )

    @property
    def title(self) -> str:
        """What it is for people."""
        return f"configuration of {len(self.packages)} Debian package{'s' if len(self.packages) != 1 else ''}"

    def write(self, writer: LayerWriter) -> LayerContents:
        """Write the database of packages, then what the scripts would have written.

        Raises:
            PackageError: A script is not understood and its package is not let through.
            DocumentError: A file of the base that is changed is malformed.
        """
        summaries = self.summaries()
        system = InstalledSystem(self.state, summaries)
        verdicts, overlay = _judged(summaries, system)
        _check(verdicts, self.unconfigured)
        changes = SystemChanges(system, summaries, overlay.actions)
        left = {verdict.package.name for verdict in verdicts if verdict.is_refused}
        database = database_files(self.state, summaries, unconfigured=left)
        for path, file in database.files.items():
            changes.file(path, file.content, mode=file.mode)
        for path in database.removed:
            changes.remove(path)
        return changes.write(writer)


def _judged(summaries: Sequence[DebSummary], system: InstalledSystem) -> tuple[tuple[Verdict, ...], Overlay]:
    overlay = Overlay(system, architecture=system.state.architecture)
    return tuple(_verdict(summary, system.state, overlay) for summary in summaries), overlay


def _verdict(summary: DebSummary, state: DebianState, overlay: Overlay) -> Verdict:
    verdict = judge_scripts(summary, overlay)
    if verdict.is_refused:
        return verdict
    actions, reason = judge_triggers(summary, state)
    reason = reason or unknown_loader(summary)
    if reason:
        return Verdict(package=summary.package, judgement=Judgement.REFUSED, reason=reason)
    for action in actions:
        overlay.add(action)
    return verdict


def _check(verdicts: Sequence[Verdict], unconfigured: Collection[str]) -> None:
    refused = [each for each in verdicts if each.is_refused and each.package.name not in unconfigured]
    if not refused:
        return
    one = len(refused) == 1
    subject = "1 package needs a script of its own" if one else f"{len(refused)} packages need scripts of their own"
    raise PackageError(
        f"{subject} to be run, which pycontainer does not do",
        facts=[f"`{each.package.name}` {each.package.version}: {each.reason}" for each in refused],
        hint=f"Add {'it' if one else 'them'} to {{os_unconfigured}} if your application can do without that step, "
        f"or set {{base_image}} to an image that has {'it' if one else 'them'}",
    )


def _digest(state: DebianState) -> str:

    rest = msgspec.structs.replace(state, tree=type(state.tree)(directories={}))
    text = msgspec.json.encode([rest, state.tree.digest], order="deterministic")
    return hashlib.sha256(text).hexdigest()
