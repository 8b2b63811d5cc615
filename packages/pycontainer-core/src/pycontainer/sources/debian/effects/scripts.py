"""Judges the maintainer scripts of a package: what they would do on a fresh installation, or why nobody can say.

    verdict = judge_scripts(summary, overlay)
    verdict.is_refused, verdict.reason

`preinst install` and `postinst configure ""` are followed (Debian Policy, 6.5): no other script runs when a package is
installed for the first time. What is refused is refused by its first line that is not explained.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from pycontainer.layers.entries import Kind
from pycontainer.sources.debian.effects.commands import KnownCommands
from pycontainer.sources.debian.effects.overlay import Overlay
from pycontainer.sources.debian.effects.reviewed import reviewed_script
from pycontainer.sources.debian.effects.shell.follow import Follower, UnexplainedError
from pycontainer.sources.debian.effects.shell.parse import parse
from pycontainer.sources.debian.effects.shell.words import UnreadableError
from pycontainer.sources.debian.effects.templates import default_answers

if TYPE_CHECKING:
    from pycontainer.sources.debian.effects.actions import Action
    from pycontainer.sources.debian.package import BinaryPackage
    from pycontainer.sources.debian.summary import DebSummary

# The scripts that run on a fresh installation, with their parameters.
_RUNS: Final = (("preinst", ("install",)), ("postinst", ("configure", "")))
_MAX_LINE: Final = 160


class Judgement(Enum):
    """What comes of a package's scripts."""

    NONE = "no script"
    RECOGNISED = "recognised"
    REVIEWED = "reviewed"
    REFUSED = "refused"


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """Of one package.

    Attributes:
        package: Which.
        judgement: What comes of its scripts.
        actions: What is done in their place, in order.
        reason: Of a reviewed script: what was found. Of a refused one: the script and its first unexplained line.
    """

    package: BinaryPackage
    judgement: Judgement
    actions: tuple[Action, ...] = ()
    reason: str = ""

    @property
    def is_refused(self) -> bool:
        """Whether the package cannot be installed without running its script."""
        return self.judgement is Judgement.REFUSED


def judge_scripts(summary: DebSummary, overlay: Overlay) -> Verdict:
    """What the scripts of a package would do, which is added to the overlay unless they are refused."""
    package = summary.package
    scripts = {name: summary.scripts[name] for name, _ in _RUNS if name in summary.scripts}
    if not scripts:
        return Verdict(package=package, judgement=Judgement.NONE)
    trial = Overlay(overlay, architecture=overlay.architecture)
    answers = _answers(summary, trial)
    reasons = []
    for name, parameters in _RUNS:
        if name not in scripts:
            continue
        reviewed = reviewed_script(package, name, scripts[name])
        if reviewed is not None:
            reasons.append(reviewed.reason)
            for action in reviewed.actions:
                trial.add(action)
            continue
        # Before `preinst install`, none of the package's own files is there.
        files = {f"/{packed.path}" for packed in summary.paths if packed.kind is not Kind.DIRECTORY}
        stage = trial.hiding(frozenset(files)) if name == "preinst" else trial
        refusal = _follow(summary, name, parameters, stage, answers)
        if stage is not trial:
            for action in stage.actions:
                trial.add(action)
        if refusal:
            return Verdict(package=package, judgement=Judgement.REFUSED, reason=refusal)
    for action in trial.actions:
        overlay.add(action)
    judgement = Judgement.REVIEWED if reasons else Judgement.RECOGNISED
    return Verdict(package=package, judgement=judgement, actions=tuple(trial.actions), reason="; ".join(reasons))


def _answers(summary: DebSummary, overlay: Overlay) -> dict[str, str | None]:
    """The answers to the package's questions where nobody is asked, which its `config` script may give."""
    answers = default_answers(summary)
    stage = Overlay(overlay, architecture=overlay.architecture)
    if "config" in summary.scripts and _follow(summary, "config", ("configure", ""), stage, answers):
        answers.update(dict.fromkeys(answers))
    return answers


def _follow(
    summary: DebSummary,
    name: str,
    parameters: tuple[str, ...],
    overlay: Overlay,
    answers: dict[str, str | None],
) -> str:
    """Follow one script; why it cannot be followed, or nothing."""
    text = summary.scripts[name]
    first = text.partition("\n")[0]
    if not first.startswith("#!") or first[2:].split()[:1] not in (["/bin/sh"], ["/bin/bash"], ["/bin/dash"]):
        return f"{name}: `{_shown(first)}`"
    variables: dict[str, str | None] = {
        "DEBIAN_FRONTEND": "noninteractive",
        "DPKG_MAINTSCRIPT_NAME": name,
        "DPKG_MAINTSCRIPT_PACKAGE": summary.package.name,
        "DPKG_MAINTSCRIPT_ARCH": summary.package.architecture,
        "HOME": None,
        "PATH": None,
        "PWD": None,
    }
    commands = KnownCommands(overlay, answers)
    try:
        Follower(commands=commands, surroundings=overlay, variables=variables).run(parse(text), parameters)
    except (UnexplainedError, UnreadableError) as error:
        lines = text.split("\n")
        return f"{name}: `{_shown(lines[error.line - 1] if error.line <= len(lines) else '')}`"
    return ""


def _shown(line: str) -> str:
    """A line of somebody's script, as it may stand in a message: short, printable, and without backquotes."""
    printable = "".join(character if character.isprintable() else " " for character in line.replace("`", "'"))
    text = " ".join(printable.split())
    return text if len(text) <= _MAX_LINE else text[: _MAX_LINE - 1] + "…"
