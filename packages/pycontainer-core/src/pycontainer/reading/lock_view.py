"""What a project's lock says of why packages are there: versions, and who needs whom.

view = lock_view(BuildConfig(context_path="."))
view.graph.chains("anyio", installed=names, markers=markers)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pycontainer.plan.dependencies import choice_of
from pycontainer.project.pyproject import read_pyproject
from pycontainer.project.standalone import find_project
from pycontainer.sources.locks import find_lock
from pycontainer.sources.locks.graph import read_graph

if TYPE_CHECKING:
    from pycontainer.config import BuildConfig
    from pycontainer.sources.locks.graph import DependencyGraph


@dataclass(frozen=True, kw_only=True)
class LockView:
    """What a project's lock says: its file's name, and who needs whom."""

    name: str
    graph: DependencyGraph


def lock_view(config: BuildConfig, *, chosen: bool = True) -> LockView | None:
    """The lock of the project of the options; none where it has none.

    Args:
        config: Names the project.
        chosen: Whether only the extras and groups count that it chooses; an image may have been built with others.

    Raises:
        PyContainerError: The project or its lock cannot be read.
    """
    project = find_project(config.root, config.package)
    path = find_lock(project.root, None if config.lock is None else config.path(config.lock).resolve())
    if path is None:
        return None
    graph = read_graph(
        path,
        read_pyproject(project.root),
        project=project.metadata.name,
        choice=choice_of(config, package=None) if chosen else None,
    )
    return LockView(name=path.name, graph=graph)
