"""A project as Poetry sees it: the core's `Project`.

project = PoetryProject(found, poetry=poetry, locked=lock, emit=emit)
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from poetry.core.constraints.version import Version

from pycontainer.errors import WheelBuildError
from pycontainer.events import TaskFinished, TaskStarted, Verb
from pycontainer.project.adapted import AdaptedProject

if TYPE_CHECKING:
    from pathlib import Path

    from poetry.poetry import Poetry

    from pycontainer.events import Emit
    from pycontainer.sources.locks import Lock
    from pycontainer.sources.target import Target


@dataclass(frozen=True, kw_only=True)
class PoetryProject(AdaptedProject):
    """A project of Poetry.

    Attributes:
        poetry: Poetry's own view of it.
        locked: Its lock.
        emit: Hears of the build of its wheel.
    """

    poetry: Poetry
    locked: Lock | None
    emit: Emit

    def lock(self, target: Target) -> Lock | None:
        """The lock, which holds for every target."""
        del target
        return self.locked

    def build_wheel(self, directory: Path, target: Target) -> Path:
        """Build the wheel as `poetry build` does: in this very process where Poetry's own backend is all it takes.

        Raises:
            WheelBuildError: It cannot be built.
        """
        if not builds_in_process(self.poetry):
            return super().build_wheel(directory, target)
        from poetry.masonry.builders import BUILD_FORMATS  # noqa: PLC0415 - not needed when nothing is built

        name = self.metadata.name
        self.emit(TaskStarted(verb=Verb.BUILD_WHEEL, name=name))
        try:
            wheel: Path = BUILD_FORMATS["wheel"](self.poetry).build(directory)
        except (ValueError, RuntimeError, OSError) as error:
            raise WheelBuildError(f"The wheel of `{name}` could not be built", facts=[str(error)]) from error
        self.emit(TaskFinished(verb=Verb.BUILD_WHEEL, name=name, size=wheel.stat().st_size))
        return wheel


def builds_in_process(poetry: Poetry) -> bool:
    """Whether the backend is Poetry's own, in the version that Poetry has, and runs no script of the project.

    The same question as `BuildHandler._requires_isolated_build` of Poetry 2.1 and newer; 2.0 has no such thing.
    """
    system = poetry.pyproject.build_system
    if poetry.package.build_script or not system.build_backend.startswith("poetry.core."):
        return False
    needed = system.dependencies
    return (
        len(system.requires) == len(needed) == 1
        and needed[0].name == "poetry-core"
        and not needed[0].source_type
        and needed[0].constraint.allows(Version.parse(version("poetry-core")))
    )
