"""Events as lines, for logs, pipes and whoever wants no bars."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TextIO

from pycontainer.frontend.lines import EventLines, Tone
from pycontainer_cli.render import Style, flag, render_warning

if TYPE_CHECKING:
    from collections.abc import Callable

    from pycontainer.events import Event


class Lines:
    """An `Emit` that writes a line for what is worth one; safe to call from several threads.

    Args:
        stream: Where to.
        style: Colour or none.
        quiet: Whether to write warnings alone.
        verbose: Whether to write details, and tasks that found their work done.
    """

    def __init__(self, stream: TextIO, style: Style, *, quiet: bool = False, verbose: bool = False) -> None:
        self._style = style
        self._lines = EventLines(spell=flag, quiet=quiet, verbose=verbose)
        self.verbose = verbose
        self._lock = threading.Lock()
        self._stream = stream
        self.write: Callable[[str], None] = self._write

    def __call__(self, event: Event) -> None:
        """Tell an event."""
        text = self.line(event)
        if text is not None:
            with self._lock:
                self.write(text)

    def line(self, event: Event) -> str | None:
        """The line of an event, or none where nobody wants it."""
        line = self._lines.of(event)
        if line is None:
            return None
        if line.tone is Tone.WARNING:
            return render_warning(line.message, self._style)
        return self._style.paint(str(line), "1") if line.tone is Tone.PHASE else str(line)

    def _write(self, text: str) -> None:
        self._stream.write(f"{text}\n")
        self._stream.flush()
