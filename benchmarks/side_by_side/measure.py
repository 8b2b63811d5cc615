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
        moved: Bytes from the index, from the registry and to it; `Place.watch` counts them.
    """

    seconds: float
    processor: float = 0
    memory: int = 0
    moved: int = 0

    def __add__(self, other: Measured) -> Measured:
        """Both, one after the other."""
        return Measured(
            seconds=self.seconds + other.seconds,
            processor=self.processor + other.processor,
            memory=max(self.memory, other.memory),
            moved=self.moved + other.moved,
        )


def measure(
    command: Sequence[str | Path], *, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> Measured:
    """Run a program to its end.

    Raises:
        RuntimeError: It failed; the message has what it said, and what it complained of.
    """
    words = [str(word) for word in command]
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as complained:
        start = time.perf_counter()
        with subprocess.Popen(
            words,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=complained,
        ) as program:
            _, status, usage = os.wait4(program.pid, 0)
            seconds = time.perf_counter() - start
            program.returncode = os.waitstatus_to_exitcode(status)
        if program.returncode:
            texts = []
            for file in (said, complained):
                file.seek(0)
                texts.append(file.read().decode("utf-8", "replace")[-4000:])
            raise RuntimeError("\n".join((" ".join(words), f"ended with {program.returncode}", *texts)))
    return Measured(seconds=seconds, processor=usage.ru_utime + usage.ru_stime, memory=usage.ru_maxrss << 10)
