"""The project as Hatch sees it: its metadata, its lock, its wheel.

ImageBuilder(config, adapt=lambda found: HatchProject(found, metadata=metadata, make_wheel=make_wheel)).build()
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from hatch_pycontainer.locks import find_hatch_lock, warn_of_one_platform
from pycontainer.plan.dependencies import choice_of
from pycontainer.project import Pyproject
from pycontainer.project.adapted import AdaptedProject
from pycontainer.value import replace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hatchling.metadata.core import ProjectMetadata as HatchMetadata

    from pycontainer.config import BuildConfig
    from pycontainer.project import ProjectMetadata
    from pycontainer.sources.locks import Lock
    from pycontainer.sources.target import Target


@dataclass(frozen=True)
class HatchProject(AdaptedProject):
    """A project of Hatch.

    Attributes:
        hatch: Its metadata, with what hooks and version sources add.
        config: The options.
        make_wheel: Puts its wheel into a directory; the same wheel for every target.
    """

    hatch: HatchMetadata[Any]
    config: BuildConfig
    make_wheel: Callable[[Path], Path]

    @cached_property
    def metadata(self) -> ProjectMetadata:
        """Its metadata, read as that of any project, dynamic fields filled in."""
        project = {"version": self.hatch.version, **self.hatch.core.config}
        return Pyproject(self.root, {**self.found.pyproject.tables, "project": project}).metadata

    def lock(self, target: Target) -> Lock | None:
        """The lock that the options name, one that Hatch made, one of another tool, or one that is resolved now.

        Raises:
            LockError: It is malformed; or, where it is to be `locked`, missing or older than the project.
        """
        if self.found.lock_file is not None or (path := find_hatch_lock(self.root)) is None:
            return self.found.lock(target)
        lock = replace(self.found, lock_file=path).lock(target)
        if lock is not None:
            targets = [target, *(replace(target, platform=platform) for platform in self.config.platforms)]
            warn_of_one_platform(lock, choice_of(self.config, package=None), targets, emit=self.found.emit)
        return lock

    def build_wheel(self, directory: Path, target: Target) -> Path:
        """Its wheel; hatchling knows no target, and hooks run once."""
        del target
        return self.make_wheel(directory)
