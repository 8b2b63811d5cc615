"""The system as it becomes while packages are configured: the base, the packages' files, and what scripts did so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pycontainer.layers.entries import Kind
from pycontainer.sources.debian.effects.actions import (
    AddGroup,
    AddUser,
    Alternative,
    MakeDirectory,
    MakeFile,
    MakeLink,
)
from pycontainer.sources.debian.effects.shell.surroundings import There

if TYPE_CHECKING:
    from pycontainer.sources.debian.effects.actions import Action
    from pycontainer.sources.debian.effects.shell.surroundings import Surroundings, Unknown


class Overlay:
    """Surroundings that grow with the actions of scripts.

    Args:
        below: The files and accounts before any script.
        architecture: Debian's name.
    """

    def __init__(self, below: Surroundings, *, architecture: str) -> None:
        self.architecture = architecture
        self.actions: list[Action] = []
        self._below = below
        self._paths: dict[str, There] = {}
        self._accounts: dict[str, set[str]] = {"passwd": set(), "group": set()}

    def find(self, path: str, *, follow: bool = True) -> There | Unknown | None:
        """What is at an absolute path."""
        return self._paths.get(path) or self._below.find(path, follow=follow)

    def account(self, database: str, name: str) -> bool | None:
        """Whether a database has the name."""
        return name in self._accounts.get(database, ()) or self._below.account(database, name)

    def add(self, action: Action) -> None:
        """Note an action, which scripts see from now on."""
        self.actions.append(action)
        if isinstance(action, MakeDirectory):
            self._paths[action.path] = There(kind=Kind.DIRECTORY, mode=action.mode)
        elif isinstance(action, MakeFile):
            self._paths[action.path] = There(kind=Kind.FILE, mode=action.mode, size=len(action.content))
        elif isinstance(action, MakeLink):
            self._paths[action.path] = There(kind=Kind.SYMLINK, target=action.target)
        elif isinstance(action, Alternative):
            self._paths[f"/etc/alternatives/{action.name}"] = There(kind=Kind.SYMLINK, target=action.path)
            self._paths.setdefault(action.link, There(kind=Kind.SYMLINK, target=f"/etc/alternatives/{action.name}"))
        elif isinstance(action, AddGroup):
            self._accounts["group"].add(action.name)
        elif isinstance(action, AddUser):
            self._accounts["passwd"].add(action.name)
            if not action.group:
                self._accounts["group"].add(action.name)
