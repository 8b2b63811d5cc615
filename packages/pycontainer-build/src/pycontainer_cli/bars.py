"""Progress bars on a terminal: one for each kind of work, since a project may have hundreds of wheels."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TransferSpeedColumn,
)
from rich.text import Text

from pycontainer.events import Event, TaskAdvanced, TaskFinished, TaskStarted, Verb
from pycontainer.frontend.lines import DOING

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from pycontainer_cli.lines import Lines


class Bars:
    """An `Emit` that moves bars and writes the lines of other events above them.

    Args:
        stream: The terminal.
        lines: What renders the events that are lines.
        colour: Whether the terminal is to show colour.
    """

    def __init__(self, stream: TextIO, lines: Lines, *, colour: bool) -> None:
        self._console = Console(file=stream, no_color=not colour, highlight=False, soft_wrap=True)
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=28),
            DownloadColumn(),
            TransferSpeedColumn(),
            TextColumn("{task.fields[state]}", markup=False),
            console=self._console,
            transient=True,
        )
        self._lines = lines
        lines.write = self._write
        self._lock = threading.Lock()
        self._bars: dict[Verb, _Bar] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def __call__(self, event: Event) -> None:
        """Tell an event."""
        if isinstance(event, (TaskStarted, TaskAdvanced, TaskFinished)):
            with self._lock:
                self._move(event)
            # Bars tell of tasks; the line of each is for those who asked for detail.
            if not isinstance(event, TaskFinished) or not self._lines.verbose:
                return
        self._lines(event)

    def _move(self, event: TaskStarted | TaskAdvanced | TaskFinished) -> None:
        bar = self._bars.get(event.verb)
        if bar is None:
            bar = self._bars[event.verb] = _Bar(self._progress.add_task(DOING[event.verb], total=None, state=""))
        bar.count(event)
        self._progress.update(
            bar.task, completed=bar.done, total=bar.total or None, state=f"{bar.finished}/{bar.started}"
        )

    def _write(self, text: str) -> None:
        self._progress.console.print(Text.from_ansi(text))


class _Bar:
    """The sums of one kind of work."""

    def __init__(self, task: TaskID) -> None:
        self.task = task
        self.total = self.done = self.started = self.finished = 0
        self._advanced: dict[str, int] = {}
        self._expected: dict[str, int] = {}

    def count(self, event: TaskStarted | TaskAdvanced | TaskFinished) -> None:
        if isinstance(event, TaskStarted):
            self.started += 1
            self._expected[event.name] = event.total or 0
            self.total += event.total or 0
        elif isinstance(event, TaskAdvanced):
            self._advanced[event.name] = self._advanced.get(event.name, 0) + event.count
            self.done += event.count
        else:
            self.finished += 1
            # What was reused did not advance, and what had no total has one now.
            self.done += event.size - self._advanced.pop(event.name, 0)
            self.total += event.size - self._expected.pop(event.name, 0)
