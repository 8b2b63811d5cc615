"""The core's events and errors, told the way Hatch tells things.

with failing_cleanly(app, spell):
    ImageBuilder(config, emit=Display(app, spell)).build()
"""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from pycontainer.frontend.errors import foreseen
from pycontainer.frontend.lines import EventLines, Tone
from pycontainer.frontend.messages import Message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hatchling.bridge.app import Application

    from pycontainer.events import Event
    from pycontainer.frontend.messages import Spell

INTERRUPTED: Final = 130


class Display:
    """An `Emit` that shows events through Hatch, as its `-q` and `-v` ask for; safe to call from several threads.

    Args:
        app: Hatch.
        spell: How options are called.
        quiet: Whether the options want warnings alone.
        verbose: Whether the options want details.
    """

    def __init__(self, app: Application, spell: Spell, *, quiet: bool = False, verbose: bool = False) -> None:
        self._lines = EventLines(spell=spell, quiet=quiet or app.verbosity < 0, verbose=verbose or app.verbosity > 0)
        self._show = {
            Tone.PHASE: app.display_waiting,
            Tone.DETAIL: app.display_info,
            Tone.WARNING: app.display_warning,
        }
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        """Tell an event."""
        line = self._lines.of(event)
        if line is not None:
            with self._lock:
                self._show[line.tone](_warning(line.message) if line.tone is Tone.WARNING else str(line))


def _warning(message: Message) -> str:
    facts = [*message.facts, *(f"hint: {hint}" for hint in message.hints)]
    return "\n".join([f"warning: {message.text}", *(f"  {fact}" for fact in facts)])


@contextmanager
def failing_cleanly(app: Application, spell: Spell) -> Iterator[None]:
    """Let Hatch end with a message, not a traceback, whatever is raised within."""
    try:
        yield
    except KeyboardInterrupt:
        from pycontainer.unfinished import remove_unfinished  # noqa: PLC0415 - only for this

        remove_unfinished()
        app.abort("Interrupted", code=INTERRUPTED)
    except Exception as error:  # no traceback reaches a user
        if os.environ.get("PYCONTAINER_DEBUG") == "1":
            raise
        app.abort(str(Message.of(foreseen(error), spell=spell)))
