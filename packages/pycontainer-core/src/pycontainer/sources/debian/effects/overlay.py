"""The system as it becomes while packages are configured: the base, packages' files, what scripts did."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pycontainer.layers.entries import Kind
from pycontainer.sources.debian.effects.actions import (
    AddGroup,
    AddUser,
    Alternative,
    ChangeAttributes,
    Divert,
    MakeDirectory,
    MakeFile,
    MakeLink,
    Remove,
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
        hidden: Paths that are not there yet.
    """

    def __init__(self, below: Surroundings, *, architecture: str, hidden: frozenset[str] = frozenset()) -> None:
        self.architecture = architecture
        self.actions: list[Action] = []
        self._below = below
        self._hidden = set(hidden)
        self._diverted: set[str] = set()
        self._paths: dict[str, There] = {}
        self._contents: dict[str, bytes] = {}
        self._accounts: dict[str, set[str]] = {"passwd": set(), "group": set()}

    def find(self, path: str, *, follow: bool = True) -> There | Unknown | None:
        """What is at an absolute path."""
        if path in self._paths:
            return self._paths[path]
        return None if path in self._hidden else self._below.find(path, follow=follow)

    def content(self, path: str) -> bytes | None:
        """The content of a file that a script made, or of a packaged one that no script has touched."""
        if path in self._contents:
            return self._contents[path]
        return None if path in self._paths or path in self._hidden else self._below.content(path)

    def is_empty(self, folder: str) -> bool | None:
        """Whether nothing is in a folder."""
        if any(path.startswith(folder.rstrip("/") + "/") for path in self._paths):
            return False
        return self._below.is_empty(folder)

    def account(self, database: str, name: str) -> bool | None:
        """Whether a database has the name."""
        return name in self._accounts.get(database, ()) or self._below.account(database, name)

    def is_installed(self, package: str) -> bool | None:
        """Whether a package is installed, or is being installed."""
        return self._below.is_installed(package)

    def is_diverted(self, path: str) -> bool | None:
        """Whether a package diverts the path."""
        return path in self._diverted or self._below.is_diverted(path)

    def hiding(self, paths: frozenset[str]) -> Overlay:
        """The same before these files were unpacked."""
        return Overlay(self, architecture=self.architecture, hidden=paths)

    def add(self, action: Action) -> None:  # noqa: C901 - one branch an action
        """Note an action, which scripts see from now on."""
        self.actions.append(action)
        if isinstance(action, MakeDirectory):
            self._paths[action.path] = There(kind=Kind.DIRECTORY, mode=action.mode)
        elif isinstance(action, MakeFile):
            content = action.content.encode()
            self._paths[action.path] = There(kind=Kind.FILE, mode=action.mode, size=len(content), made=True)
            self._contents[action.path] = content
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
        elif isinstance(action, Remove):
            self._paths.pop(action.path, None)
            self._contents.pop(action.path, None)
            self._hidden.add(action.path)
        elif isinstance(action, Divert):
            self._diverted.add(action.path)
        elif isinstance(action, ChangeAttributes):
            self._change(action)

    def _change(self, action: ChangeAttributes) -> None:
        there = self.find(action.path)
        if isinstance(there, There):
            mode = there.mode if action.mode is None else action.mode
            self._paths[action.path] = replace(there, mode=mode)
