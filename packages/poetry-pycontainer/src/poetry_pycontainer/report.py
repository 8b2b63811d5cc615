"""The core's events and errors in Poetry's styles, on standard error: what is printed is the reference alone.

    report = Report(io)
    with report:
        ImageBuilder(config, emit=report).build()
    report.fail(error)

On a terminal one line below the others tells how far the work is, as Poetry does when it installs.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from cleo.formatters.formatter import Formatter
from cleo.io.outputs.output import Verbosity

from poetry_pycontainer.flags import flag
from pycontainer.builder.ledger import format_size
from pycontainer.events import TaskAdvanced, TaskFinished, TaskStarted, Verb
from pycontainer.frontend.lines import EventLines, Tone
from pycontainer.frontend.messages import Message

if TYPE_CHECKING:
    from types import TracebackType

    from cleo.io.io import IO
    from cleo.io.outputs.section_output import SectionOutput
    from typing_extensions import Self

    from pycontainer.errors import PyContainerError
    from pycontainer.events import Event

_DOING: Final = {
    Verb.DOWNLOAD: "Downloading",
    Verb.BUILD_WHEEL: "Building wheels",
    Verb.MAKE_LAYER: "Making layers",
    Verb.UPLOAD: "Uploading",
    Verb.MOUNT: "Mounting",
    Verb.WRITE: "Writing",
}


class Report:
    """An `Emit` for Poetry's output; safe to call from several threads.

    Args:
        io: Where Poetry reads and writes.
        live: Whether a line that changes may be shown, where the output is a terminal.
    """

    def __init__(self, io: IO, *, live: bool = True) -> None:
        self._output = io.error_output
        self._lines = EventLines(spell=flag, quiet=io.output.is_quiet(), verbose=io.is_verbose())
        self._lock = threading.Lock()
        shown = live and self._output.is_decorated() and not io.is_debug() and not io.output.is_quiet()
        self._above: SectionOutput | None = self._output.section() if shown else None
        self._live: SectionOutput | None = self._output.section() if shown else None
        self._work: dict[Verb, _Work] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the changing line away."""
        with self._lock:
            if self._live is not None:
                self._live.clear()
            self._live = None

    def __call__(self, event: Event) -> None:
        """Tell an event."""
        with self._lock:
            line = self._lines.of(event)
            if line is not None:
                self._write(line.tone, line.message)
            if self._live is not None and isinstance(event, (TaskStarted, TaskAdvanced, TaskFinished)):
                self._live.overwrite(self._state(event))

    def fail(self, error: PyContainerError) -> None:
        """Show an error; nothing, not even `--quiet`, hides it."""
        self._message("error", "Error", Message.of(error, spell=flag))

    def _write(self, tone: Tone, message: Message) -> None:
        if tone is Tone.WARNING:
            self._message("warning", "Warning", message)
        elif tone is Tone.PHASE:
            self._line(f"<b>{_escaped(message.text)}</>")
        else:
            self._line(f"  <fg=default;options=dark>-</> {_escaped(message.text)}")

    def _message(self, style: str, label: str, message: Message) -> None:
        self._line(f"<{style}>{label}: {_escaped(message.text)}</>")
        for fact in message.facts:
            self._line(f"  {_escaped(fact)}")
        for number, hint in enumerate(message.hints):
            if number == 0 and style == "error":
                self._line("")
            self._line(f"<info>Hint:</> {_escaped(hint)}")

    def _line(self, text: str) -> None:
        (self._above or self._output).write_line(text, verbosity=Verbosity.QUIET)

    def _state(self, event: TaskStarted | TaskAdvanced | TaskFinished) -> str:
        work = self._work.setdefault(event.verb, _Work())
        work.count(event)
        size = f" <debug>({format_size(work.bytes)})</>" if work.bytes else ""
        return f"  <b>{_DOING[event.verb]}</>: <c1>{work.finished}/{work.started}</>{size}"


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
