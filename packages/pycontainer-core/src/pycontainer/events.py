"""Facts about progress, told while they happen.

The core never prints. Whoever starts the work passes an `Emit`, any callable that takes an `Event`, and renders what it
gets. Events may come from several threads at once.

    def emit(event: Event) -> None:
        match event:
            case Noted(message=message):
                print(message, file=sys.stderr)
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TypeAlias

from pycontainer.value import Value


class Verb(Enum):
    """What is being done to the thing an event names."""

    DOWNLOAD = "download"
    BUILD_WHEEL = "build wheel"
    MAKE_LAYER = "make layer"
    UPLOAD = "upload"
    MOUNT = "mount"
    WRITE = "write"


class PhaseStarted(Value, frozen=True, kw_only=True):
    """A part of the work begins: `plan`, `lock`, `base`, `layers`, `export`."""

    name: str


class Noted(Value, frozen=True, kw_only=True):
    """Something worth a line; `detail` lines are for `--verbose` only."""

    message: str
    detail: bool = False


class Warned(Value, frozen=True, kw_only=True):
    """Something the user should look at, though the build goes on."""

    message: str
    facts: tuple[str, ...] = ()
    hint: str | None = None


class TaskStarted(Value, frozen=True, kw_only=True):
    """A transfer or conversion of `total` bytes begins; `total` is none where nobody knows it."""

    verb: Verb
    name: str
    total: int | None = None


class TaskAdvanced(Value, frozen=True, kw_only=True):
    """`count` more bytes of the task of this verb and name."""

    verb: Verb
    name: str
    count: int


class TaskFinished(Value, frozen=True, kw_only=True):
    """The task is over. `size` is its bytes; `reused` says that nothing had to be moved or made."""

    verb: Verb
    name: str
    size: int
    reused: bool = False


Event: TypeAlias = PhaseStarted | Noted | Warned | TaskStarted | TaskAdvanced | TaskFinished
Emit: TypeAlias = Callable[[Event], None]


def ignore(event: Event) -> None:
    """The `Emit` of someone who does not listen."""
    del event
