"""Ctrl-C: work is stopped in order where it stops soon, and cut off where it does not.

with interruptible():
    ...                     # KeyboardInterrupt, and two seconds to put things in order
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from pycontainer_cli import exit_codes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_GRACE: Final = 2.0
_untold = threading.Lock()


@contextmanager
def interruptible() -> Iterator[None]:
    """Let an interrupt end this process soon, even while a thread waits for a server that does not answer.

    Python waits for its threads before it exits. Being cut off is safe: everything is written aside and renamed.
    Where interrupts are ignored, as behind `nohup`, or somebody else has taken them, it stays so.
    """
    ours = threading.current_thread() is threading.main_thread()
    if not ours or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    timer = threading.Timer(_GRACE, _cut_off)
    timer.daemon = True
    timer.start()
    raise KeyboardInterrupt


def tell() -> None:
    """Say that the command was interrupted, once."""
    if _untold.acquire(blocking=False):
        sys.stderr.write("interrupted\n")
        sys.stderr.flush()


def _cut_off() -> None:
    tell()
    os._exit(exit_codes.INTERRUPTED)
