"""Ctrl-C is answered with one line and exit code 130, whenever it comes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")

COMMANDS = {
    "module": [sys.executable, "-m", "pycontainer_cli"],
    "script": [str(Path(sys.executable).with_name("pycontainer"))],
}
# Runs in the process of the command, before it: an interrupt when the command imports its n-th module, or some time
# after that. The handler is Python's own, since a parent in the background makes children deaf.
INTERRUPTING = """
import os, signal, sys, threading, weakref

signal.signal(signal.SIGINT, signal.default_int_handler)
number, seconds = int(os.environ["INTERRUPT_AT"]), float(os.environ["INTERRUPT_AFTER"])
seen = 0

def interrupt(*_):
    os.kill(os.getpid(), signal.SIGINT)

def hear(event, arguments):
    global seen
    if event == "import" and (seen or arguments[0] == os.environ["INTERRUPT_FROM"]):
        seen += 1
        if seen != number:
            return
        if seconds < 0:
            watched = {0}
            watching = weakref.ref(watched, interrupt)
            del watched
            return
        if not seconds:
            interrupt()
            return
        timer = threading.Timer(seconds, interrupt)
        timer.daemon = True
        timer.start()

sys.addaudithook(hear)
"""


def interrupted(
    command: str, folder: Path, *, at: int, after: float = 0, first: str = "msgspec._core"
) -> tuple[int, str, str]:
    """The exit code and the output of a command that waits for a password, unless it is interrupted earlier.

    Args:
        command: Of `COMMANDS`.
        folder: Where it runs.
        at: The number of the module.
        after: Seconds; fewer than none is within a callback, which Python lets no exception leave.
        first: The module with the number 1.
    """
    (folder / "sitecustomize.py").write_text(INTERRUPTING)
    when = {"INTERRUPT_FROM": first, "INTERRUPT_AT": str(at), "INTERRUPT_AFTER": str(after)}
    variables = {"PYTHONPATH": str(folder), **when}
    with subprocess.Popen(
        [*COMMANDS[command], "build", "--username", "bob", "--password-stdin"],
        cwd=folder,
        env={**os.environ, **variables},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            process.wait(timeout=60)  # `communicate` would close the pipe, and the password be empty
        finally:
            process.kill()
        out, err = process.communicate()
    return process.returncode, out, err


@pytest.mark.parametrize("at", [1, 2, 5, 10, *range(16, 64, 3), 80])
@pytest.mark.parametrize("command", COMMANDS)
def test_an_interrupt_while_modules_are_imported(command: str, at: int, tmp_path: Path) -> None:
    assert interrupted(command, tmp_path, at=at) == (130, "", "interrupted\n")


@pytest.mark.parametrize("milliseconds", [1, 3, 10, 20, 30, 50, 80, 120, 500])
def test_an_interrupt_some_time_after_the_beginning(milliseconds: int, tmp_path: Path) -> None:
    assert interrupted("script", tmp_path, at=1, after=milliseconds / 1000) == (130, "", "interrupted\n")


@pytest.mark.parametrize("first", ["msgspec._core", "pycontainer.unfinished", "pycontainer_cli.main"])
@pytest.mark.parametrize("command", COMMANDS)
def test_an_interrupt_that_python_drops_while_modules_are_imported(command: str, first: str, tmp_path: Path) -> None:
    """Each import ends with a callback of Python's own; an interrupt within it would be told of, and forgotten."""
    assert interrupted(command, tmp_path, at=1, after=-1, first=first) == (130, "", "interrupted\n")
