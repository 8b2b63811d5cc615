"""Events as lines, for logs and for whoever shows no bars.

lines = EventLines(spell=flag, verbose=True)
line = lines.of(event)          # none where nobody wants to read of it
line.tone, str(line)            # Tone.DETAIL, "  made numpy 2.1.0 (12.4 MB)"
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

from pycontainer.builder.ledger import format_size
from pycontainer.events import Event, Noted, PhaseStarted, TaskFinished, TaskStarted, Verb, Warned
from pycontainer.frontend.messages import Message, clean
from pycontainer.value import Value

if TYPE_CHECKING:
    from pycontainer.frontend.messages import Spell

PHASES: Final = {
    "resolve": "Resolving",
    "plan": "Planning",
    "lock": "Choosing base image and packages",
    "base": "Composing the base image",
    "layers": "Making layers",
    "export": "Writing the image",
    "push": "Pushing",
}
# What is under way, for whoever counts or shows bars.
DOING: Final = {
    Verb.DOWNLOAD: "Downloading",
    Verb.BUILD_WHEEL: "Building wheels",
    Verb.MAKE_LAYER: "Making layers",
    Verb.UPLOAD: "Uploading",
    Verb.MOUNT: "Mounting",
    Verb.WRITE: "Writing",
}
_DONE: Final = {
    Verb.DOWNLOAD: "downloaded",
    Verb.BUILD_WHEEL: "built",
    Verb.MAKE_LAYER: "made",
    Verb.UPLOAD: "uploaded",
    Verb.MOUNT: "mounted",
    Verb.WRITE: "wrote",
}


class Tone(Enum):
    """How a line is meant: a heading, one of what stands below it, or something to look at."""

    PHASE = "phase"
    DETAIL = "detail"
    WARNING = "warning"


class Line(Value, frozen=True, kw_only=True):
    """What an event tells; facts and hints are those of a warning."""

    tone: Tone
    message: Message

    def __str__(self) -> str:
        return f"  {self.message.text}" if self.tone is Tone.DETAIL else str(self.message)


class EventLines(Value, frozen=True, kw_only=True):
    """Tells what an event is worth.

    Attributes:
        spell: How the front end calls an option.
        quiet: Whether warnings alone are wanted.
        verbose: Whether details are wanted, and tasks that found their work done.
    """

    spell: Spell
    quiet: bool = False
    verbose: bool = False

    def of(self, event: Event) -> Line | None:
        """The line of an event, or none where nobody wants it."""
        if isinstance(event, Warned):
            return Line(tone=Tone.WARNING, message=Message.of(event, spell=self.spell))
        if self.quiet:
            return None
        if isinstance(event, PhaseStarted):
            return _line(Tone.PHASE, PHASES.get(event.name, event.name))
        text = self._detail(event)
        return None if text is None else _line(Tone.DETAIL, text)

    def _detail(self, event: Event) -> str | None:
        if isinstance(event, Noted):
            return event.message if self.verbose or not event.detail else None
        if isinstance(event, TaskFinished):
            if event.reused and not self.verbose:
                return None
            done = "had" if event.reused else _DONE[event.verb]
            return f"{done} {event.name} ({format_size(event.size)})"
        # Building a wheel can take minutes and has no bytes to show.
        if isinstance(event, TaskStarted) and event.verb is Verb.BUILD_WHEEL:
            return f"building {event.name}"
        return None


def _line(tone: Tone, text: str) -> Line:
    return Line(tone=tone, message=Message(text=clean(text)))
