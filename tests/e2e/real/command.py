"""The real `pycontainer` command, as a user runs it: a program of its own, in an environment of its own."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from real.programs import run

if TYPE_CHECKING:
    from collections.abc import Mapping
    from subprocess import CompletedProcess


@dataclass(frozen=True, kw_only=True, slots=True)
class Pycontainer:
    """`pycontainer` with a cache that no other test run shares."""

    cache: Path
    prefix: tuple[str, ...] = ()
    python: Path = Path(sys.executable)

    def build(
        self,
        project: Path,
        *options: str | Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        status: int | None = 0,
    ) -> CompletedProcess[str]:
        """Build an image of `project`; what it prints on standard output is the digest reference."""
        return self("build", project, *options, env=env, cwd=cwd, status=status)

    def lock(
        self,
        project: Path,
        *options: str | Path,
        env: Mapping[str, str] | None = None,
        status: int | None = 0,
    ) -> CompletedProcess[str]:
        """Choose base image and operating system packages anew and write `pycontainer.lock`."""
        return self("lock", project, *options, env=env, status=status)

    def __call__(
        self,
        command: str,
        project: Path,
        *options: str | Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        status: int | None = 0,
    ) -> CompletedProcess[str]:
        """Run any of the commands that work on a project."""
        words = (command, "--context", project, "--cache-dir", self.cache, *options)
        return run(*self.prefix, self.python.parent / "pycontainer", *words, env=env, cwd=cwd, status=status)
