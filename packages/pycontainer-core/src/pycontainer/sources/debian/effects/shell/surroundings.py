"""What a script could ask of the system that it runs on: files and accounts.

A `Surroundings` answers what it knows; `UNKNOWN` is an answer, and makes a script that depends on it one that is not
followed to its end.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pycontainer.layers.entries import Kind

# What is only there while a system runs. An image is not a running system, except for the last three.
_RUNNING: Final = ("/run/systemd", "/run/udev", "/run/dbus", "/run/openrc", "/var/run/dbus", "/var/run/systemd")
_KERNEL: Final = ("/proc", "/sys", "/dev")


@dataclass(frozen=True, kw_only=True, slots=True)
class There:
    """Something at a path, links followed or not as it was asked.

    What is `made` by a script has all its content from there; what is `of_base` is never changed.
    """

    kind: Kind
    mode: int | None = None
    size: int | None = None
    target: str = ""
    owner: tuple[int, int] | None = None
    made: bool = False
    of_base: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Unknown:
    """An answer that nobody has."""


UNKNOWN: Final = Unknown()


class Surroundings(Protocol):
    """The system that a package is installed on, with what is installed beside it."""

    def find(self, path: str, *, follow: bool = True) -> There | Unknown | None:
        """What is at an absolute path."""
        ...

    def content(self, path: str) -> bytes | None:
        """The content of a packaged file; none where nobody knows."""
        ...

    def is_empty(self, folder: str) -> bool | None:
        """Whether nothing is in a folder, or no folder is there; none where nobody knows."""
        ...

    def account(self, database: str, name: str) -> bool | None:
        """Whether a `passwd` or `group` has the name; none where nobody knows."""
        ...

    def is_installed(self, package: str) -> bool | None:
        """Whether a package is installed, or is being installed; none where nobody knows."""
        ...

    def is_diverted(self, path: str) -> bool | None:
        """Whether a package diverts the path (dpkg-divert(1)); none where nobody knows."""
        ...


def in_running_system(path: str) -> bool | None:
    """Whether a path is there only while a system runs; none for what the kernel shows."""
    if _below(path, _KERNEL):
        return None
    return _below(path, _RUNNING)


def _below(path: str, folders: tuple[str, ...]) -> bool:
    return any(path == folder or path.startswith(folder + "/") for folder in folders)


@dataclass(frozen=True, kw_only=True)
class KnownFiles:
    """Surroundings that are told: paths that are there, and whether any other is not."""

    paths: Mapping[str, There]
    complete: bool = True
    accounts: Mapping[str, frozenset[str]] | None = None
    packages: frozenset[str] | None = None
    diversions: frozenset[str] | None = None
    contents: Mapping[str, bytes] = field(default_factory=dict)

    def find(self, path: str, *, follow: bool = True) -> There | Unknown | None:
        """What was told of the path; links are not followed."""
        del follow
        there = self.paths.get(path)
        return there if there is not None or self.complete else UNKNOWN

    def content(self, path: str) -> bytes | None:
        """The content that was told."""
        return self.contents.get(path)

    def is_empty(self, folder: str) -> bool | None:
        """Whether no path in the folder was told."""
        is_there = any(path.startswith(folder.rstrip("/") + "/") for path in self.paths)
        return None if not is_there and not self.complete else not is_there

    def account(self, database: str, name: str) -> bool | None:
        """Whether the name was told."""
        return None if self.accounts is None else name in self.accounts.get(database, frozenset())

    def is_installed(self, package: str) -> bool | None:
        """Whether the package was told."""
        return None if self.packages is None else package in self.packages

    def is_diverted(self, path: str) -> bool | None:
        """Whether a diversion was told."""
        return None if self.diversions is None else path in self.diversions
