"""Ctrl-C: work is stopped in order where it stops soon, and cut off where it does not.

with interruptible():
    ...                     # KeyboardInterrupt, and two seconds to put things in order
leave()                     # says so and ends the process
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final, NoReturn

from pycontainer.frontend import exit_codes
from pycontainer.unfinished import remove_unfinished

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import RawIOBase
    from types import FrameType

_GRACE: Final = 2.0
_SHOW_CURSOR: Final = "\x1b[?25h"
_leaving = threading.Lock()


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
    heard, hear = os.pipe()
    watching = threading.Thread(target=_watch, args=[heard], daemon=True)
    try:
        watching.start()
    except RuntimeError:  # there is no thread to be had: the interrupt is Python's own then
        os.close(heard)
        os.close(hear)
        yield
        return
    if sys.platform != "win32":  # where every pipe blocks, and may be told of signals all the same
        os.set_blocking(hear, False)
    told = sys.unraisablehook
    sys.unraisablehook = _only_others
    before = signal.set_wakeup_fd(hear, warn_on_full_buffer=False)
    signal.signal(signal.SIGINT, _interrupt)
    try:
        yield
    finally:
        # After an interrupt the process ends in any case: one more on the way must not become a traceback.
        if signal.getsignal(signal.SIGINT) is _interrupt:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            signal.set_wakeup_fd(before)
            os.close(hear)
            watching.join()
        sys.unraisablehook = told


def leave() -> NoReturn:
    """Say that the command was interrupted, once, and end the process.

    Not by returning: Python waits for threads then, and calls it a death by signal (instead of 130) where the
    interrupt came while it ran code from a string, as dataclasses do.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # or this would begin again inside itself
    if _leaving.acquire(blocking=False):
        remove_unfinished()
        # By another thread: it may take for ever, where nobody reads what we say, as behind a pager, or where the main
        # thread was stopped while it wrote there.
        saying = threading.Thread(target=_say, daemon=True)
        with suppress(RuntimeError):  # there is no thread to be had
            saying.start()
            saying.join(_GRACE)
        os._exit(exit_codes.INTERRUPTED)
    threading.Event().wait()  # another thread has just said so
    raise AssertionError


def _say() -> None:
    with suppress(OSError):  # closed
        sys.stdout.flush()
        # A terminal keeps what bars hid until somebody shows it.
        sys.stderr.write(f"{_SHOW_CURSOR if sys.stderr.isatty() else ''}interrupted\n")
        sys.stderr.flush()


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGINT, _left_to_the_watch)
    raise KeyboardInterrupt


def _left_to_the_watch(_signal: int, _frame: FrameType | None) -> None:
    pass


def _watch(heard: int) -> None:
    """End the process two seconds after the first interrupt, or at the second: who interrupts twice does not wait.

    Not left to the main thread, which hears of an interrupt when it runs Python code again. A wait of its ends early
    only where the system gives the signal to that thread and not to another, and within the wait, not just before it;
    on Windows, never.
    """
    with open(heard, "rb", buffering=0) as signals:
        if _is_next_of(signals):
            timer = threading.Timer(_GRACE, leave)
            timer.daemon = True
            timer.start()
            if _is_next_of(signals):
                leave()


def _is_next_of(signals: RawIOBase) -> bool:
    """Wait for an interrupt among the signals; there is none any more where they end."""
    while number := signals.read(1):
        if number[0] == signal.SIGINT:
            return True
    return False


def _only_others(unraisable: sys.UnraisableHookArgs) -> None:
    """An interrupt in the middle of a callback of Python's own goes no further: the watch ends the process then."""
    if not isinstance(unraisable.exc_value, KeyboardInterrupt):
        sys.__unraisablehook__(unraisable)
