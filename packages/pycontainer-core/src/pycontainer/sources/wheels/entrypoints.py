"""Entry points that become commands (PyPA specifications, *Entry points*).

parse_entry_points(text)        # (Command(name="httpx", module="httpx", attribute="main"),)

The name of a command becomes the name of a file, and its object a line of Python: both are checked as what they will
be, not as what they should have been.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from pycontainer.sources.wheels.defects import WheelDefect, shown

_GROUPS = ("console_scripts", "gui_scripts")
_OBJECT = re.compile(
    r"(?P<module>[^\s:\[\]]+)\s*:\s*(?P<attribute>[^\s:\[\]]+)\s*(?:\[[A-Za-z0-9._,\s-]*\])?\s*", re.ASCII | re.DOTALL
)
# What a virtual environment itself has in this directory; and the shell, which programs look for on `PATH`.
_RESERVED = re.compile(r"(?:pythonw?(?:\d+(?:\.\d+)*t?)?|sh)(?:\.exe)?", re.ASCII | re.IGNORECASE)
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f/\\]")
_MAX_NAME = 255


class Command(NamedTuple):
    """A script that calls a function: `from module import …` and `attribute()`."""

    name: str
    module: str
    attribute: str


def parse_entry_points(text: str) -> tuple[Command, ...]:
    """The commands in `entry_points.txt`, in its order.

    Raises:
        WheelDefect: One has a name that cannot be a file's in `bin`, an object that is no Python name, or the name of
            another one.
    """
    commands: dict[str, Command] = {}
    group = ""
    for line in text.lstrip("\N{BYTE ORDER MARK}").split("\n"):
        stripped = line.strip()
        if not stripped or stripped[0] in "#;":
            continue
        if stripped.startswith("[") and stripped.endswith("]"):
            group = stripped[1:-1].strip()
        elif group in _GROUPS:
            command = _command(stripped)
            if commands.setdefault(command.name, command) != command:
                raise WheelDefect(f"two of its entry points are named `{shown(command.name)}`")
    return tuple(commands.values())


def check_script_name(name: str) -> None:
    """Check that a file of this name may stand in `bin`.

    Raises:
        WheelDefect: It would leave the directory, or hide the interpreter or the shell.
    """
    if not name or name in (".", "..") or _UNPRINTABLE.search(name) or len(name.encode()) > _MAX_NAME:
        raise WheelDefect(f"`{shown(name)}` cannot be the name of a script")
    if _RESERVED.fullmatch(name):
        raise WheelDefect(f"its script `{shown(name)}` would stand in the place of the interpreter or the shell")


def _command(line: str) -> Command:
    name, equals, value = line.partition("=")
    name, value = name.strip(), value.strip()
    match = _OBJECT.fullmatch(value)
    if not equals or match is None:
        raise WheelDefect(f"its entry point `{shown(line)}` is not `name = module:function`")
    command = Command(name, match["module"], match["attribute"])
    check_script_name(name)
    for dotted in command[1:]:
        if not all(part.isidentifier() for part in dotted.split(".")):
            raise WheelDefect(f"its entry point `{shown(line)}` names an object that cannot exist")
    return command
