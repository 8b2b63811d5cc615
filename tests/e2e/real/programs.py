"""Run programs to their end, and servers until a test no longer needs them.

with serving(["dockerd", ...], log=path, ready=lambda: socket.exists()):
    run("docker", "info")
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

START_SECONDS = 300  # it takes one or two, but on a machine that has much else to do
STOP_SECONDS = 60
RUN_SECONDS = 600


class ProgramFailedError(AssertionError):
    """A program ended with a status that the test did not expect; the message holds all it said."""


def run(
    *command: str | Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    status: int | None = 0,
    seconds: float = RUN_SECONDS,
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end; raise with its whole output unless it ends with `status` (None: any)."""
    words = [str(word) for word in command]
    done = subprocess.run(
        words,
        env={**os.environ, **(env or {})},
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=seconds,
        check=False,
    )
    if status is not None and done.returncode != status:
        message = f"{' '.join(words)}\nended with {done.returncode}, not {status}\n{done.stdout}\n{done.stderr}"
        raise ProgramFailedError(message)
    return done


def free_port() -> int:
    """A port of loopback that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    """Whether something accepts connections on a port of loopback."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def serving(
    command: Sequence[str | Path],
    *,
    log: Path,
    ready: Callable[[], bool],
    env: Mapping[str, str] | None = None,
) -> Iterator[None]:
    """A server that is `ready` inside the `with` and gone, with all it started, after it."""
    # The kernel ends the server when the tests are killed, too.
    words = ["setpriv", "--pdeathsig", "TERM", *(str(word) for word in command)]
    with log.open("wb") as output:
        server = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
            start_new_session=True,
        )
    try:
        _wait_until(ready, server, words, log)
        yield
    finally:
        _stop(server)


def _wait_until(ready: Callable[[], bool], server: subprocess.Popen[bytes], words: list[str], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not ready():
        if server.poll() is not None or time.monotonic() > deadline:
            said = log.read_text(errors="replace")[-4000:]
            message = f"{' '.join(words)}\ndid not start within {START_SECONDS} s\n{said}"
            raise ProgramFailedError(message)
        time.sleep(0.05)


def _stop(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
    try:
        os.killpg(server.pid, signal.SIGKILL)  # what it left behind in its own session
    except ProcessLookupError:
        return
