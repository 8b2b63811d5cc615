"""What is built: the `Project` protocol, `pyproject.toml`, and how an application starts."""

from pycontainer.project.protocol import Project, ProjectMetadata
from pycontainer.project.pyproject import Pyproject
from pycontainer.project.start import Start, find_start

__all__ = ["Project", "ProjectMetadata", "Pyproject", "Start", "find_start"]
