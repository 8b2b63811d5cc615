"""A project as it was found, for a front end to say what its tool knows better.

@dataclass(frozen=True, kw_only=True)
class OwnProject(AdaptedProject):
    def lock(self, target: Target) -> Lock | None: ...

ImageBuilder(config, adapt=OwnProject)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from pycontainer.project.protocol import ProjectMetadata
    from pycontainer.project.standalone import StandaloneProject
    from pycontainer.sources.locks import Lock
    from pycontainer.sources.target import Target


@dataclass(frozen=True)
class AdaptedProject:
    """Answers as the project that was found; see `Project`.

    Attributes:
        found: The project as the core reads it; by position, so that a class of this kind is all that `adapt` takes.
    """

    found: StandaloneProject

    @property
    def root(self) -> Path:
        """The directory of its `pyproject.toml`."""
        return self.found.root

    @property
    def metadata(self) -> ProjectMetadata:
        """Its metadata."""
        return self.found.metadata

    def lock(self, target: Target) -> Lock | None:
        """Its lock, as the core finds it."""
        return self.found.lock(target)

    def build_wheel(self, directory: Path, target: Target) -> Path:
        """Its wheel, built with its own backend in isolation."""
        return self.found.build_wheel(directory, target)
