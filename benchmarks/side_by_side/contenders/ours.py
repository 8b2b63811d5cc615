"""`pycontainer build`."""

from __future__ import annotations

import shutil
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from side_by_side.contenders.contender import FirstBuilds
from side_by_side.measure import Measured, measure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from side_by_side.place import Place

OURS = "pycontainer"
_PROGRAM = Path(sys.executable).parent / "pycontainer"


@dataclass(frozen=True, kw_only=True, slots=True)
class Ours:
    """Our command with a cache of its own; see `Bench`.

    Attributes:
        options: What every build is given.
    """

    root: Path
    here: Place
    options: tuple[str, ...] = ()

    def cold(self, project: Path, reference: str) -> FirstBuilds:
        """See `Bench`."""
        pulled = self.build(project)
        self._forget()
        self.plan(project)
        built = self.build(project)
        self._forget()
        self.plan(project)
        return FirstBuilds(pulled=pulled, built=built, pushed=self.here.watch(lambda: self.publish(project, reference)))

    def build(self, project: Path) -> Measured:
        """See `Bench`."""
        return self._run(project, "--output", f"oci:{self.root / 'image'}")

    def publish(self, project: Path, reference: str, *, shared: bool = False) -> Measured:
        """See `Bench`."""
        cache = ("--cache-registry", self.here.registry.reference("cache")) if shared else ()
        return self._run(project, "--tag", reference, "--push", *cache)

    def plan(self, project: Path) -> Measured:
        """Tell what would be built. Of the base image only what Python it has is read, and kept."""
        return self._run(project, "--dry-run")

    def _forget(self) -> None:
        for name in ("cache", "image"):
            shutil.rmtree(self.root / name)

    def _run(self, project: Path, *options: str) -> Measured:
        where = ("--context", project, "--base-image", self.here.base, "--cache-dir", self.root / "cache")
        return measure([_PROGRAM, "build", *where, *self.options, *options])


@contextmanager
def ours(root: Path, here: Place) -> Iterator[Ours]:
    """See `Contender.start`."""
    yield Ours(root=root, here=here)
