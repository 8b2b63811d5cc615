"""Events as lines, for logs, pipes and whoever wants no bars."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, TextIO

from pycontainer.builder.ledger import format_size
from pycontainer.events import Event, Noted, PhaseStarted, TaskFinished, TaskStarted, Verb, Warned
from pycontainer_cli.render import Style, clean, render_warning

if TYPE_CHECKING:
    from collections.abc import Callable

PHASES: Final = {
    "resolve": "Resolving",
    "plan": "Planning",
    "lock": "Choosing base image and packages",
    "base": "Composing the base image",
    "layers": "Making layers",
    "export": "Writing the image",
    "push": "Pushing",
}
_DONE: Final = {
    Verb.DOWNLOAD: "downloaded",
    Verb.BUILD_WHEEL: "built",
    Verb.MAKE_LAYER: "made",
    Verb.UPLOAD: "uploaded",
    Verb.MOUNT: "mounted",
    Verb.WRITE: "wrote",
}


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
        self._quiet = quiet
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
        if isinstance(event, Warned):
            return render_warning(event.message, event.facts, event.hint, self._style)
        if self._quiet:
            return None
        if isinstance(event, PhaseStarted):
            return self._style.paint(PHASES.get(event.name, clean(event.name)), "1")
        if isinstance(event, Noted):
            return f"  {clean(event.message)}" if self.verbose or not event.detail else None
        if isinstance(event, TaskFinished):
            return self._finished(event)
        return self._started(event) if isinstance(event, TaskStarted) else None

    def _finished(self, event: TaskFinished) -> str | None:
        if event.reused:
            return f"  had {clean(event.name)} ({format_size(event.size)})" if self.verbose else None
        return f"  {_DONE[event.verb]} {clean(event.name)} ({format_size(event.size)})"

    def _started(self, event: TaskStarted) -> str | None:
        # Building a wheel can take minutes and has no bytes to show.
        return f"  building {clean(event.name)}" if event.verb is Verb.BUILD_WHEEL else None

    def _write(self, text: str) -> None:
        self._stream.write(f"{text}\n")
        self._stream.flush()


def describe(verb: Verb) -> str:
    """What a bar is called: `Downloading`."""
    return {
        Verb.DOWNLOAD: "Downloading",
        Verb.BUILD_WHEEL: "Building wheels",
        Verb.MAKE_LAYER: "Making layers",
        Verb.UPLOAD: "Uploading",
        Verb.MOUNT: "Mounting",
        Verb.WRITE: "Writing",
    }[verb]
