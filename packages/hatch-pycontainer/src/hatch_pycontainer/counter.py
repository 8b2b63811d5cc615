"""What is under way, counted on the last line of a terminal, since Hatch has no bars.

counter = Counter(sys.stderr)
counter.count(event)            #   Downloading 12/40, 35.1 MB
counter.erase()                 # before another line, and at the end
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TextIO

from pycontainer.builder.ledger import format_size
from pycontainer.events import TaskAdvanced, TaskFinished, TaskStarted, Verb
from pycontainer.frontend.lines import DOING

if TYPE_CHECKING:
    from pycontainer.events import Event

_ERASE: Final = "\r\x1b[K"
_PAUSE: Final = 0.1


@dataclass(slots=True)
class _Tally:
    started: int = 0
    finished: int = 0
    bytes: int = 0


class Counter:
    """Counts the tasks of each kind, and shows the kind that moved last."""

    def __init__(self, terminal: TextIO) -> None:
        self._terminal = terminal
        self._tallies = {verb: _Tally() for verb in Verb}
        self._shown_at = 0.0

    def count(self, event: Event) -> None:
        """Count an event where it is one of tasks, and show it unless the last one was shown just now."""
        if not isinstance(event, (TaskStarted, TaskAdvanced, TaskFinished)):
            return
        tally = self._tallies[event.verb]
        tally.started += isinstance(event, TaskStarted)
        tally.finished += isinstance(event, TaskFinished)
        tally.bytes += event.count if isinstance(event, TaskAdvanced) else 0
        if time.monotonic() - self._shown_at > _PAUSE:
            self._shown_at = time.monotonic()
            size = f", {format_size(tally.bytes)}" if tally.bytes else ""
            self._write(f"{_ERASE}  {DOING[event.verb]} {tally.finished}/{tally.started}{size}")

    def erase(self) -> None:
        """Clear the line, for another to stand there."""
        self._write(_ERASE)

    def _write(self, text: str) -> None:
        self._terminal.write(text)
        self._terminal.flush()
