"""Compiling in a clean child: sources go in, bytecode comes out, nothing is written and nothing of it is run.

    with Compiler(python) as compiler:
        compiler.compile("usr/lib/python3.11/json/__init__.py", source)       # the bytes of its `.pyc`, or none

The child has an environment of its own, a fixed hash seed, and neither site-packages nor the user's settings: what it
gives depends on the source, its path and the version of the interpreter alone. It reads one source after the other.
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pycontainer.errors import ToolError

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from pycontainer.sources.bytecode.interpreter import HostPython

_PROGRAM: Final = Path(__file__).with_name("child.py")
# Where libraries are, for a Python that would not start without; what Windows needs for a random number.
_KEPT: Final = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH", "SYSTEMROOT")
_LENGTH: Final = 4
# Seconds for one source. The largest known, of several megabytes of tables, take some ten.
_TIMEOUT: Final = 300.0
_TICK: Final = 1.0


class Compiler:
    """A child that compiles, from when the context is entered until it is left.

    Args:
        python: Compiles.
        timeout: Seconds that one source may take.
    """

    def __init__(self, python: HostPython, *, timeout: float = _TIMEOUT) -> None:
        self._python = python
        self._timeout = timeout
        self._deadline: float | None = None
        self._late = False
        self._ended = threading.Event()

    def __enter__(self) -> Self:
        """Start the child.

        Raises:
            ToolError: It does not start.
        """
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        try:
            # -I would do away with the hash seed, too; the environment has nothing else that it would ignore.
            self._child = subprocess.Popen(  # noqa: S603 - a Python of this host, a program of ours
                [str(self._python.path), "-s", "-S", "-B", "-W", "ignore", str(_PROGRAM)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**kept, "PYTHONHASHSEED": "0"},
            )
        except OSError as error:
            raise ToolError(f"`{self._python.path}` cannot be run", facts=[error.strerror or str(error)]) from error
        self._watch = threading.Thread(target=self._kill_when_late, name="bytecode", daemon=True)
        self._watch.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the child."""
        self._ended.set()
        self._child.kill()  # it has answered everything, or nobody waits for the answer
        with suppress(OSError):  # what it was not sent any more
            self._child.__exit__(kind, error, trace)
        self._watch.join()

    def compile(self, path: str, source: bytes) -> bytes | None:
        """The `.pyc` of a source; none where it does not compile, as templates and tests of broken code do not.

        Args:
            path: Relative to the image's root; what tracebacks will name.
            source: Its bytes, in whatever encoding it declares.

        Raises:
            ToolError: The child takes too long, or crashes.
        """
        name = f"/{path}".encode()
        self._deadline = time.monotonic() + self._timeout
        answer = self._ask(_number(name) + _number(source) + name + source)
        self._deadline = None
        if answer is None:
            raise self._lost(path)
        return answer or None

    def _ask(self, request: bytes) -> bytes | None:
        """The answer; none where the child has ended."""
        requests, answers = self._child.stdin, self._child.stdout
        if requests is None or answers is None:
            return None
        try:
            requests.write(request)
            requests.flush()
        except OSError:
            return None
        length = answers.read(_LENGTH)
        size = int.from_bytes(length, "little")
        answer = answers.read(size)
        return answer if len(length) == _LENGTH and len(answer) == size else None

    def _kill_when_late(self) -> None:
        while not self._ended.wait(min(_TICK, self._timeout)):
            deadline = self._deadline
            if deadline is not None and time.monotonic() > deadline:
                self._late = True
                self._child.kill()
                return

    def _lost(self, path: str) -> ToolError:
        what = f"had not compiled it after {self._timeout:g} s" if self._late else "ended while it compiled it"
        return ToolError(
            f"`/{path[:300]}` cannot be compiled",
            facts=[f"CPython {self._python.version} {what}", f"program: {self._python.path}"],
            hint="Build without {compile_bytecode}",
        )


def _number(data: bytes) -> bytes:
    return len(data).to_bytes(_LENGTH, "little")
