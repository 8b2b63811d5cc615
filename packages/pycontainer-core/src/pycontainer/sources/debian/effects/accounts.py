"""The account files with the users and groups that scripts add (passwd(5), group(5), shadow(5), gshadow(5)).

accounts = Accounts({"passwd": text, "group": text})
accounts.add(AddUser(name="messagebus"))
accounts.files["passwd"]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pycontainer.errors import PackageError
from pycontainer.layers.entries import MTIME
from pycontainer.sources.debian.effects.actions import AddGroup, AddUser

if TYPE_CHECKING:
    from collections.abc import Mapping

# Of the system (Debian Policy, 9.2.2); `adduser` counts up, `useradd` and `groupadd` count down.
_FIRST: Final = 100
_LAST: Final = 999
_DAY: Final = 24 * 60 * 60


class Accounts:
    """The account files.

    Args:
        files: `passwd`, `group`, and `shadow` and `gshadow` where the image has them.
    """

    def __init__(self, files: Mapping[str, str]) -> None:
        self._lines = {name: text.splitlines() for name, text in files.items()}

    @property
    def files(self) -> dict[str, str]:
        """The texts of the files as they are now."""
        return {name: "".join(f"{line}\n" for line in lines) for name, lines in self._lines.items()}

    def number(self, database: str, name: str) -> int | None:
        """The number of a user or group."""
        for fields in self._fields(database):
            if fields[0] == name:
                return int(fields[2])
        return int(name) if name.isdigit() else None

    def add(self, action: AddUser | AddGroup) -> None:
        """Add a user or a group, unless the name is there.

        Raises:
            PackageError: No number is left, or the group is not there.
        """
        if isinstance(action, AddGroup):
            if self.number("group", action.name) is None:
                self._add_group(action.name, self._free("group", action.gid, descending=action.descending))
            return
        if self.number("passwd", action.name) is not None:
            return
        uid = self._free("passwd", action.uid, descending=action.descending)
        gid = self.number("group", action.group or action.name)
        if gid is None and action.group:
            raise PackageError(f"The user `{action.name}` needs the group `{action.group}`, which is not there")
        if gid is None:
            # `useradd` prefers the user's number, `adduser` counts for itself.
            gid = self._free("group", uid if action.descending else None, descending=action.descending)
            self._add_group(action.name, gid)
        self._lines.setdefault("passwd", []).append(
            f"{action.name}:x:{uid}:{gid}:{action.gecos}:{action.home}:{action.shell}"
        )
        if "shadow" in self._lines:
            # The day of the last change: that of everything in a reproducible image.
            self._lines["shadow"].append(f"{action.name}:!:{MTIME // _DAY}::::::")

    def _add_group(self, name: str, gid: int) -> None:
        self._lines.setdefault("group", []).append(f"{name}:x:{gid}:")
        if "gshadow" in self._lines:
            self._lines["gshadow"].append(f"{name}:!::")

    def _free(self, database: str, wanted: int | None, *, descending: bool) -> int:
        taken = {int(fields[2]) for fields in self._fields(database)}
        if wanted is not None and wanted not in taken:
            return wanted
        numbers = range(_LAST, _FIRST - 1, -1) if descending else range(_FIRST, _LAST + 1)
        for number in numbers:
            if number not in taken:
                return number
        raise PackageError(f"No number between {_FIRST} and {_LAST} is left for a user or group of the system")

    def _fields(self, database: str) -> list[list[str]]:
        parted = [line.split(":") for line in self._lines.get(database, [])]
        return [fields for fields in parted if len(fields) > 3 and fields[2].isdigit()]  # noqa: PLR2004 - group(5): 4
