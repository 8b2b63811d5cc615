"""Run a program and measure it.

measured = measure(["pycontainer", "build"], cwd=project)
measured.seconds, measured.memory
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """What a program took.

    Attributes:
        seconds: From start to end.
        processor: Seconds of processor time, of the program and the children it waited for; not of a daemon.
        memory: Most resident bytes of any one of these processes.
    """

    seconds: float
    processor: float
    memory: int

    def __add__(self, other: Measured) -> Measured:
        """Both, one after the other."""
        return Measured(
            seconds=self.seconds + other.seconds,
            processor=self.processor + other.processor,
            memory=max(self.memory, other.memory),
        )


def measure(
    command: Sequence[str | Path], *, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> Measured:
    """Run a program to its end.

    Raises:
        RuntimeError: It failed; the message has what it said.
    """
    words = [str(word) for word in command]
    with tempfile.TemporaryFile() as output:
        start = time.perf_counter()
        with subprocess.Popen(
            words,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as program:
            _, status, usage = os.wait4(program.pid, 0)
            seconds = time.perf_counter() - start
            program.returncode = os.waitstatus_to_exitcode(status)
        if program.returncode:
            output.seek(0)
            said = output.read().decode("utf-8", "replace")[-4000:]
            raise RuntimeError(f"{' '.join(words)}\nended with {program.returncode}\n{said}")
    return Measured(seconds=seconds, processor=usage.ru_utime + usage.ru_stime, memory=usage.ru_maxrss << 10)
