"""The core's events and errors in Poetry's styles, on standard error: what is printed is the reference alone.

    report = Report(io)
    with report.live():
        ImageBuilder(config, emit=report).build()
    report.fail(error)

On a terminal one line below the others tells how far the work is, as Poetry does when it installs.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from cleo.formatters.formatter import Formatter
from cleo.io.outputs.output import Verbosity

from poetry_pycontainer.flags import flag
from pycontainer.builder.ledger import format_size
from pycontainer.events import TaskAdvanced, TaskFinished, TaskStarted, Verb
from pycontainer.frontend.lines import DOING, EventLines, Tone
from pycontainer.frontend.messages import Message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cleo.io.io import IO
    from cleo.io.outputs.output import Output
    from cleo.io.outputs.section_output import SectionOutput

    from pycontainer.errors import PyContainerError
    from pycontainer.events import Event

_REFRESH: Final = 0.1  # seconds: more often is for nobody's eyes


class Report:
    """An `Emit` for Poetry's output; safe to call from several threads.

    Args:
        io: Where Poetry reads and writes.
    """

    def __init__(self, io: IO) -> None:
        self._output = io.error_output
        self._quiet = io.output.is_quiet()
        self._debug = io.is_debug()
        self._lines = EventLines(spell=flag, quiet=self._quiet, verbose=io.is_verbose())
        self._lock = threading.Lock()
        self._above: Output = self._output
        self._live: SectionOutput | None = None
        self._shown = 0.0
        self._work: dict[Verb, _Work] = {}

    @contextmanager
    def live(self, *, wanted: bool = True) -> Iterator[None]:
        """While it lasts, a line below the others tells how far the work is, where the output is a terminal."""
        if not wanted or self._quiet or self._debug or not self._output.is_decorated():
            yield
            return
        self._above, self._live = self._output.section(), self._output.section()
        try:
            yield
        finally:
            with self._lock:
                self._live.clear()
                self._above, self._live = self._output, None

    def __call__(self, event: Event) -> None:
        """Tell an event."""
        with self._lock:
            line = self._lines.of(event)
            if line is not None:
                self._write(line.tone, line.message)
            if self._live is not None and isinstance(event, (TaskStarted, TaskAdvanced, TaskFinished)):
                self._advance(event, self._live)

    def fail(self, error: PyContainerError) -> None:
        """Show an error; nothing, not even `--quiet`, hides it."""
        self._message("error", "Error", Message.of(error, spell=flag))

    def _write(self, tone: Tone, message: Message) -> None:
        if tone is Tone.WARNING:
            self._message("warning", "Warning", message)
        elif tone is Tone.PHASE:
            self._line(f"<b>{_escaped(message.text)}</>")
        else:
            self._line(f"  <debug>-</> {_escaped(message.text)}")

    def _message(self, style: str, label: str, message: Message) -> None:
        self._line(f"<{style}>{label}: {_escaped(message.text)}</>")
        for fact in message.facts:
            self._line(f"  {_escaped(fact)}")
        if message.hints and style == "error":
            self._line("")
        for hint in message.hints:
            self._line(f"<info>Hint:</> {_escaped(hint)}")

    def _line(self, text: str) -> None:
        self._above.write_line(text, verbosity=Verbosity.QUIET)

    def _advance(self, event: TaskStarted | TaskAdvanced | TaskFinished, line: SectionOutput) -> None:
        work = self._work.setdefault(event.verb, _Work())
        work.count(event)
        now = time.monotonic()
        if isinstance(event, TaskAdvanced) and now - self._shown < _REFRESH:
            return
        self._shown = now
        size = f" <debug>({format_size(work.bytes)})</>" if work.bytes else ""
        line.overwrite(f"  <b>{DOING[event.verb]}</>: <c1>{work.finished}/{work.started}</>{size}")


class _Work:
    """How much of one kind of work there is, and is done."""

    def __init__(self) -> None:
        self.started = self.finished = self.bytes = 0

    def count(self, event: TaskStarted | TaskAdvanced | TaskFinished) -> None:
        if isinstance(event, TaskStarted):
            self.started += 1
        elif isinstance(event, TaskAdvanced):
            self.bytes += event.count
        else:
            self.finished += 1
            self.started = max(self.started, self.finished)  # what was reused never started


def _escaped(text: str) -> str:
    return Formatter.escape(text)
