"""Which Python of this host builds a wheel: one of the target's version where there is one, else any."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from pycontainer.sources.target import Target
    from pycontainer.sources.uv import Uv

_TIMEOUT = 30.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Interpreter:
    """A Python on this host and its feature version: `3.12`, or `3.14t` where it is free-threaded."""

    path: Path
    feature: str


class Interpreters:
    """The Pythons of this host, each looked for once, by uv where there is one."""

    def __init__(self, find_uv: Callable[[], Uv | None]) -> None:
        self._find_uv = find_uv
        self._found: dict[str, Interpreter | None] = {}

    def any(self) -> Interpreter:
        """The one that runs us."""
        return Interpreter(path=Path(sys.executable), feature=f"{sys.version_info.major}.{sys.version_info.minor}")

    def for_target(self, target: Target) -> Interpreter:
        """One of the target's feature version, or any: a wheel that turns out to be native is then refused."""
        ours = self.any()
        name = self.wanted(target)
        if name == ours.feature:
            return ours
        if name not in self._found:
            self._found[name] = self._look(name, target.python.feature)
        return self._found[name] or ours

    @staticmethod
    def wanted(target: Target) -> str:
        """The feature version that fits a target best, whether this host has it or not: looking takes long."""
        return f"{target.python.feature}t" if target.free_threaded else target.python.feature

    def _look(self, name: str, feature: str) -> Interpreter | None:
        uv = self._find_uv()
        path = uv.find_python(name) if uv else None
        if path is None and (found := shutil.which(f"python{name}")):
            path = Path(found)
        return Interpreter(path=path, feature=name) if path and _is(path, feature) else None


def _is(path: Path, feature: str) -> bool:
    """Whether it runs and is what its name says: a shim of pyenv may stand there for a Python that is not active."""
    program = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run(  # noqa: S603 - a Python of this host, found by uv or on PATH
            [str(path), "-I", "-c", program],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and done.stdout.strip() == feature
