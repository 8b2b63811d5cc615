"""Events in Poetry's styles: plain lines, and one line that changes where the output is a terminal."""

from __future__ import annotations

import pytest
from cleo.io.inputs.string_input import StringInput
from cleo.io.outputs.buffered_output import BufferedOutput
from cleo.io.outputs.output import Verbosity
from poetry.console.application import Application

from poetry_pycontainer.report import Report
from pycontainer.errors import DeniedError
from pycontainer.events import Event, Noted, PhaseStarted, TaskAdvanced, TaskFinished, TaskStarted, Verb, Warned

EVENTS: list[Event] = [
    PhaseStarted(name="layers"),
    TaskStarted(verb=Verb.DOWNLOAD, name="a.whl", total=4),
    TaskAdvanced(verb=Verb.DOWNLOAD, name="a.whl", count=4),
    TaskFinished(verb=Verb.DOWNLOAD, name="a.whl", size=4),
    TaskFinished(verb=Verb.MAKE_LAYER, name="a 1.0", size=9, reused=True),
    Warned(message="Watch <b>this</b>", facts=("where: here",), hint="Set {cache} or {extras}"),
]
WARNING = "Warning: Watch <b>this</b>\n  where: here\nHint: Set `--layer-cache` or `--extras`\n"


class Heard:
    """What a report writes, in Poetry's own styles."""

    def __init__(self, verbosity: Verbosity = Verbosity.NORMAL, *, decorated: bool = False) -> None:
        self.out, self.err = BufferedOutput(decorated=decorated), BufferedOutput(decorated=decorated)
        io = Application().create_io(StringInput(""), self.out, self.err)
        io.decorated(decorated)
        io.set_verbosity(verbosity)
        self.report = Report(io)


def told(verbosity: Verbosity, *, decorated: bool = False) -> str:
    heard = Heard(verbosity, decorated=decorated)
    with heard.report.live():
        for event in EVENTS:
            heard.report(event)
    assert heard.out.fetch() == "", "standard output is for the reference"
    return heard.err.fetch()


def test_lines_where_there_is_no_terminal() -> None:
    assert told(Verbosity.NORMAL) == f"Making layers\n  - downloaded a.whl (4 B)\n{WARNING}"
    assert told(Verbosity.VERBOSE) == f"Making layers\n  - downloaded a.whl (4 B)\n  - had a 1.0 (9 B)\n{WARNING}"


def test_warnings_alone_when_poetry_is_quiet() -> None:
    assert told(Verbosity.QUIET) == WARNING


@pytest.mark.parametrize("verbosity", [Verbosity.NORMAL, Verbosity.VERBOSE])
def test_a_line_that_changes_on_a_terminal(verbosity: Verbosity) -> None:
    text = told(verbosity, decorated=True)

    assert "Downloading" in text
    assert "1/1" in text
    assert text.endswith("\x1b[1A\x1b[0J"), "it is gone at the end"


def test_no_line_that_changes_when_poetry_debugs() -> None:
    assert "\x1b[1A" not in told(Verbosity.DEBUG, decorated=True)


def test_an_error_is_shown_even_when_poetry_is_quiet() -> None:
    heard = Heard(Verbosity.QUIET)

    heard.report.fail(DeniedError("No <access>", facts=["to: there"], hint="Set {password}\x1b[2J"))

    assert heard.err.fetch() == "Error: No <access>\n  to: there\n\nHint: Set `--password-stdin`\\x1b[2J\n"


def test_a_note_is_a_line() -> None:
    heard = Heard()
    heard.report(Noted(message="moved 1 B"))
    assert heard.err.fetch() == "  - moved 1 B\n"
