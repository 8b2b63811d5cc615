"""What a front end tells the core about a project."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pycontainer.value import Value, field

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pycontainer.sources.locks import Lock
    from pycontainer.sources.target import Target


class ProjectMetadata(Value, frozen=True, kw_only=True):
    """The core metadata of a project, as far as an image needs it.

    Attributes:
        name: As written by the author.
        version: None where only the build backend knows it.
        requires_python: A specifier set, `>=3.11`.
        scripts: `[project.scripts]`: command → `module:function`.
        dependencies: Requirement strings of the project itself (PEP 508).
        urls: `[project.urls]`.
        is_package: Whether it has a build backend, so that it becomes a wheel; else its files are copied.
    """

    name: str
    version: str | None = None
    description: str | None = None
    requires_python: str | None = None
    license: str | None = None
    authors: tuple[str, ...] = ()
    scripts: Mapping[str, str] = field(default_factory=dict)
    dependencies: tuple[str, ...] = ()
    urls: Mapping[str, str] = field(default_factory=dict)
    is_package: bool = True


class Project(Protocol):
    """A project as its own tool sees it."""

    @property
    def root(self) -> Path:
        """The directory of its `pyproject.toml`, or of its sources where there is none; absolute."""
        ...

    @property
    def metadata(self) -> ProjectMetadata:
        """Its metadata, read without running anything."""
        ...

    def lock(self, target: Target) -> Lock | None:
        """Its lock, or none where it needs none; one without a lock may resolve one that holds for the target.

        Raises:
            LockError: The lock is malformed, or older than the project allows.
        """
        ...

    def build_wheel(self, directory: Path, target: Target) -> Path:
        """Build the project's own wheel, for the target if that matters, into `directory` and return its path.

        Raises:
            WheelBuildError: The build backend failed.
        """
        ...
