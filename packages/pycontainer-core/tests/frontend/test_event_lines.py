"""Which events are worth a line, and in which words."""

from __future__ import annotations

import pytest

from pycontainer.events import (
    Event,
    Noted,
    PhaseStarted,
    TaskAdvanced,
    TaskFinished,
    TaskStarted,
    Verb,
    Warned,
)
from pycontainer.frontend.lines import EventLines, Tone

WARNED = Warned(message="Two wheels have one file", facts=("a/b.py",), hint="Set {strict}")
WARNING = "Two wheels have one file\n  a/b.py\n\nhint: Set `STRICT`"
MADE = TaskFinished(verb=Verb.UPLOAD, name="layer", size=1_500_000)
HAD = TaskFinished(verb=Verb.UPLOAD, name="layer", size=12, reused=True)
# What is told of each event: by default, when details are wanted, when warnings alone are.
TOLD: list[tuple[Event, str | None, str | None, str | None]] = [
    (PhaseStarted(name="push"), "Pushing", "Pushing", None),
    (PhaseStarted(name="own"), "own", "own", None),
    (WARNED, WARNING, WARNING, WARNING),
    (Noted(message="base found"), "  base found", "  base found", None),
    (Noted(message="asked twice", detail=True), None, "  asked twice", None),
    (TaskStarted(verb=Verb.DOWNLOAD, name="numpy", total=9), None, None, None),
    (TaskStarted(verb=Verb.BUILD_WHEEL, name="numpy"), "  building numpy", "  building numpy", None),
    (TaskAdvanced(verb=Verb.DOWNLOAD, name="numpy", count=9), None, None, None),
    (MADE, "  uploaded layer (1.5 MB)", "  uploaded layer (1.5 MB)", None),
    (HAD, None, "  had layer (12 B)", None),
]


@pytest.mark.parametrize(("event", "plain", "verbose", "quiet"), TOLD, ids=[type(each[0]).__name__ for each in TOLD])
def test_an_event_is_told_as_far_as_it_is_wanted(
    event: Event, plain: str | None, verbose: str | None, quiet: str | None
) -> None:
    for options, expected in (({}, plain), ({"verbose": True}, verbose), ({"quiet": True}, quiet)):
        line = EventLines(spell=lambda option: option.name.upper(), **options).of(event)
        assert (None if line is None else str(line)) == expected, options


def test_every_verb_has_a_word() -> None:
    lines = EventLines(spell=lambda option: option.flag)

    told = [lines.of(TaskFinished(verb=verb, name="it", size=1)) for verb in Verb]

    assert all(told)
    assert len({str(line) for line in told}) == len(Verb)


def test_the_tone_tells_how_a_line_is_meant() -> None:
    lines = EventLines(spell=lambda option: option.flag)

    tones = [
        line.tone for event in (PhaseStarted(name="plan"), Noted(message="x"), WARNED) if (line := lines.of(event))
    ]

    assert tones == [Tone.PHASE, Tone.DETAIL, Tone.WARNING]


def test_a_name_that_steers_terminals_does_not_reach_one() -> None:
    line = EventLines(spell=lambda option: option.flag).of(TaskFinished(verb=Verb.DOWNLOAD, name="\x1b[2J", size=1))

    assert str(line) == r"  downloaded \x1b[2J (1 B)"
