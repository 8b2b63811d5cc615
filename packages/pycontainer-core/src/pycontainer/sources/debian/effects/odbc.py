r"""`odbcinst`, as far as packages of ODBC drivers call it: it adds their drivers to `/etc/odbcinst.ini`.

    status, actions = run_odbcinst(["-i", "-d", "-f", "/usr/share/tdsodbc/odbcinst.ini"], overlay)

A driver is a section with its settings, and how many packages have installed it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pycontainer.sources.debian.effects.actions import MakeFile

if TYPE_CHECKING:
    from pycontainer.sources.debian.effects.actions import Action
    from pycontainer.sources.debian.effects.overlay import Overlay

DRIVERS: Final = "/etc/odbcinst.ini"
_SECTION: Final = re.compile(r"\[([^\]\[]+)\]")
_SETTING: Final = re.compile(r"([A-Za-z0-9]+)[ \t]*=[ \t]*(.*)")


def run_odbcinst(arguments: list[str | None], overlay: Overlay) -> tuple[bool | None, list[Action]]:
    """The status of the command and what it does.

    Raises:
        LookupError: It is not followed with these arguments, or what is in a file is not known.
    """
    match arguments:
        case ["-i", "-d", "-f", str(path)]:
            text = with_drivers(_known(DRIVERS, overlay), _known(path, overlay))
            return True, [MakeFile(path=DRIVERS, content=text)]
        case ["-q", "-d", "-n", str(name)]:
            return f"[{name}]" in _known(DRIVERS, overlay).splitlines(), []
    raise LookupError("odbcinst")


def with_drivers(present: str, template: str) -> str:
    """The drivers with those of a template behind them.

    Raises:
        LookupError: The template has another form, or a driver that is there already.
    """
    names = present.splitlines()
    added: list[list[str]] = []
    for line in filter(None, map(str.strip, template.splitlines())):
        section, setting = _SECTION.fullmatch(line), _SETTING.fullmatch(line)
        if section and line not in names:
            added.append([line])
        elif setting and added:
            added[-1].append(f"{setting[1]}={setting[2]}")
        else:
            raise LookupError("drivers of ODBC")
    return present + "".join("\n".join([*section, "UsageCount=1\n\n"]) for section in added)


def _known(path: str, overlay: Overlay) -> str:
    there, content = overlay.find(path), overlay.content(path)
    if there is None and path == DRIVERS:
        return ""
    if content is None:
        raise LookupError(path)
    return content.decode("utf-8", "replace")
