"""The core's events and errors, told the way Hatch tells things.

with failing_cleanly(app, spell), Display(app, spell, config) as emit:
    ImageBuilder(config, emit=emit).build()
"""

from __future__ import annotations

import os
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hatch_pycontainer.counter import Counter
from pycontainer.frontend.errors import foreseen
from pycontainer.frontend.exit_codes import exit_code
from pycontainer.frontend.interrupt import interruptible, leave
from pycontainer.frontend.lines import EventLines, Tone
from pycontainer.frontend.messages import Message

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from hatchling.bridge.app import Application
    from typing_extensions import Self

    from pycontainer.config import BuildConfig
    from pycontainer.events import Event
    from pycontainer.frontend.messages import Spell


class Display:
    """An `Emit` that shows events through Hatch, as its `-q` and `-v` ask for; safe to call from several threads.

    Args:
        app: Hatch.
        spell: How options are called.
        config: Whether it is to be quiet or verbose, and to count on a terminal.
    """

    def __init__(self, app: Application, spell: Spell, config: BuildConfig) -> None:
        quiet, verbose = config.quiet or app.verbosity < 0, config.verbose or app.verbosity > 0
        self._lines = EventLines(spell=spell, quiet=quiet, verbose=verbose)
        self._show = {
            Tone.PHASE: app.display_waiting,
            Tone.DETAIL: app.display_info,
            Tone.WARNING: app.display_warning,
        }
        is_terminal = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._counter = Counter(sys.stderr) if is_terminal and config.progress and not quiet else None
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._counter:
            self._counter.erase()

    def __call__(self, event: Event) -> None:
        """Tell an event."""
        line = self._lines.of(event)
        with self._lock:
            if self._counter and line is not None:
                self._counter.erase()
            if line is not None:
                self._show[line.tone](_warning(line.message) if line.tone is Tone.WARNING else str(line))
            if self._counter:
                self._counter.count(event)


def _warning(message: Message) -> str:
    facts = [*message.facts, *(f"hint: {hint}" for hint in message.hints)]
    return "\n".join([f"warning: {message.text}", *(f"  {fact}" for fact in facts)])


@contextmanager
def failing_cleanly(app: Application, spell: Spell) -> Iterator[None]:
    """Let Hatch end with a message, not a traceback, whatever is raised within."""
    try:
        with interruptible():
            yield
    except KeyboardInterrupt:
        leave()
    except Exception as error:  # no traceback reaches a user
        if os.environ.get("PYCONTAINER_DEBUG") == "1":
            raise
        known = foreseen(error)
        app.abort(str(Message.of(known, spell=spell)), code=exit_code(known))
