from __future__ import annotations

import io
import threading
from pathlib import Path

import pytest

from pycontainer.config.load import Loaded, load_config
from pycontainer.config.sources import from_flags
from pycontainer.errors import ConfigError
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
from pycontainer_cli.bars import Bars
from pycontainer_cli.lines import Lines
from pycontainer_cli.progress import reporting
from pycontainer_cli.render import Style, render_error

EVENTS: list[Event] = [
    PhaseStarted(name="resolve"),
    Noted(message="base `python:3.12-slim`"),
    Noted(message="asked twice", detail=True),
    Warned(message="Two wheels have one file", facts=("a/b.py",), hint="Set {strict}"),
    TaskStarted(verb=Verb.DOWNLOAD, name="numpy", total=2_000_000),
    TaskAdvanced(verb=Verb.DOWNLOAD, name="numpy", count=2_000_000),
    TaskFinished(verb=Verb.DOWNLOAD, name="numpy", size=2_000_000),
    TaskFinished(verb=Verb.MAKE_LAYER, name="numpy", size=1_500_000, reused=True),
]
WARNING = ["warning: Two wheels have one file", "  a/b.py", "  hint: Set `--strict`"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def lines(*, quiet: bool = False, verbose: bool = False) -> list[str]:
    stream = io.StringIO()
    emit = Lines(stream, Style(), quiet=quiet, verbose=verbose)
    for event in EVENTS:
        emit(event)
    return stream.getvalue().splitlines()


def test_plain_lines_tell_what_was_done() -> None:
    assert lines() == ["Resolving", "  base `python:3.12-slim`", *WARNING, "  downloaded numpy (2.0 MB)"]


def test_verbose_tells_details_and_what_was_there_already() -> None:
    told = lines(verbose=True)
    assert "  asked twice" in told
    assert told[-1] == "  had numpy (1.5 MB)"


def test_quiet_tells_warnings_alone() -> None:
    assert lines(quiet=True) == WARNING


def loaded(tmp_path: Path, **options: bool) -> Loaded:
    return load_config(from_flags({"context_path": [str(tmp_path)], **options}), environment={"PYCONTAINER_X": "1"})


def test_bars_are_for_terminals_that_can_show_them(tmp_path: Path) -> None:
    for stream, environment, options, wanted in [
        (Terminal(), {}, {}, Bars),
        (Terminal(), {"TERM": "dumb"}, {}, Lines),
        (Terminal(), {}, {"progress": False}, Lines),
        (Terminal(), {}, {"quiet": True}, Lines),
        (io.StringIO(), {}, {}, Lines),
    ]:
        with reporting(loaded(tmp_path, **options), stream, environment) as emit:
            assert type(emit) is wanted
        assert "`PYCONTAINER_X` is not a variable of pycontainer" in stream.getvalue()


def test_bars_write_lines_above_themselves_and_leave_nothing_behind() -> None:
    stream = Terminal()
    lines = Lines(stream, Style())
    with Bars(stream, lines, colour=False) as bars:
        for event in EVENTS:
            bars(event)
    text = stream.getvalue()
    assert "base `python:3.12-slim`" in text
    assert "Two wheels have one file" in text
    assert "Downloading" in text
    assert "2.0/2.0 MB" in text
    assert text.rstrip("\n").endswith("\x1b[2K") or "\x1b[?25h" in text, "the bars are cleared and the cursor is back"


def test_events_from_many_threads_are_whole_lines() -> None:
    stream = io.StringIO()
    emit = Lines(stream, Style())

    def tell(number: int) -> None:
        for _ in range(50):
            emit(Noted(message=f"{number:02d} " + "x" * 200))

    threads = [threading.Thread(target=tell, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told = stream.getvalue().splitlines()
    assert len(told) == 400
    assert {len(line) for line in told} == {205}


def test_what_a_server_says_does_not_steer_the_terminal() -> None:
    stream = io.StringIO()
    emit = Lines(stream, Style())
    emit(Noted(message="label \x1b[2J\x07 \u202eabc\nerror: forged"))
    emit(TaskFinished(verb=Verb.UPLOAD, name="a\x1b]0;x", size=1))
    assert "\x1b" not in stream.getvalue()
    assert "\u202e" not in stream.getvalue()
    assert len(stream.getvalue().splitlines()) == 2


@pytest.mark.parametrize(
    ("stream", "environment", "colour"),
    [
        (Terminal(), {}, True),
        (Terminal(), {"NO_COLOR": "1"}, False),
        (Terminal(), {"NO_COLOR": ""}, True),
        (Terminal(), {"TERM": "dumb"}, False),
        (io.StringIO(), {}, False),
    ],
)
def test_colour_is_for_terminals_and_can_be_turned_off(
    stream: io.StringIO, environment: dict[str, str], *, colour: bool
) -> None:
    assert Style.of(stream, environment) == Style(colour=colour)


def test_an_error_is_readable_without_colour_and_the_same_with() -> None:
    error = ConfigError("`x` is wrong", facts=["where: there"], hint="Set {base_image}, or {password} and {nothing}")
    plain = render_error(error, Style())
    assert plain == (
        "error: `x` is wrong\n  where: there\n\nhint: Set `--base-image`, or `--password-stdin` and `nothing`"
    )
    coloured = render_error(error, Style(colour=True))
    assert coloured.replace("\x1b[1;31m", "").replace("\x1b[1;36m", "").replace("\x1b[0m", "") == plain
