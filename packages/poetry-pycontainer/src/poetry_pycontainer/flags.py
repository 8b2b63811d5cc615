"""The core's options as options of a Poetry command, and back.

    options = [*table_options()]
    given_options(command.option)        # {"tag": ["myapp:1"], "push": True}, for `from_flags`
    flag(OPTIONS["cache"])               # "--layer-cache", since `--no-cache` is Poetry's own

What Poetry says in its own words is left to it: the project, its lock, groups and extras, and how much is told.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from cleo.helpers import option

from pycontainer.config.option import Option, Shape
from pycontainer.config.options import OPTIONS
from pycontainer.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cleo.io.inputs.option import Option as CleoOption

# Options of the table that Poetry has words of its own for: those that set them, for messages.
POETRYS_OWN: Final = {
    "context_path": "--directory",
    "extras": "--extras",
    "all_extras": "--all-extras",
    "groups": "--with",
    "all_groups": "--all-groups",
    "only_groups": "--only",
    "verbose": "--verbose",
    "quiet": "--quiet",
}
# A project of Poetry has one lock, which must be fresh, and no workspace.
MEANINGLESS: Final = frozenset({"lock", "locked", "package"})
# Flags of the table that Poetry takes for itself, and what they are called here.
RENAMED: Final = {"--cache": "--layer-cache", "--no-cache": "--no-layer-cache"}
_DEFAULTS: Final = {"index_url": "where Poetry takes them from"}
_SPELLED: Final = {**POETRYS_OWN, "password": "--password-stdin"}
_CODE: Final = re.compile(r"`([^`]+)`")


def flag(of: Option) -> str:
    """What a user of this command sets an option with; the variable where it has no flag."""
    if of.name in MEANINGLESS:
        return of.variable
    return _SPELLED.get(of.name) or _named(of.flag)


def offered() -> Iterator[Option]:
    """The options of the table that the command takes by flags of their own."""
    for each in OPTIONS.values():
        if each.flags and each.name not in POETRYS_OWN and each.name not in MEANINGLESS:
            yield each


def table_options() -> Iterator[CleoOption]:
    """The flags of the table."""
    for each in offered():
        short = next((text[1:] for text in each.flags if not text.startswith("--")), None)
        name = flag(each)[2:]
        if each.shape is not Shape.BOOLEAN:
            yield option(name, short, _help(each), flag=False, multiple=True)
            continue
        # The flag that changes the default is the one to explain; the other undoes what a file or variable says.
        undone = f"Undo `--{name}` of a file or variable."
        explained = _negative_help(each) if each.negative_help else undone
        yield option(name, short, _marked(_undone(each) if each.negative_help else _help(each)))
        if each.negative:
            yield option(_named(each.negative)[2:], None, _marked(explained))


def given_options(ask: Callable[[str], Any]) -> dict[str, list[str] | bool]:
    """What was given, by the name of the option; `ask` gives the value of a flag.

    Raises:
        ConfigError: A switch is turned on and off.
    """
    given: dict[str, list[str] | bool] = {}
    for each in offered():
        value = ask(flag(each)[2:])
        if each.shape is not Shape.BOOLEAN:
            given |= {each.name: list(value)} if value else {}
            continue
        off = bool(each.negative) and ask(_named(each.negative or "")[2:])
        if value and off:
            raise ConfigError(f"`{flag(each)}` and `{_named(each.negative or '')}` contradict each other")
        given |= {each.name: bool(value)} if value or off else {}
    return given


def _named(text: str) -> str:
    return RENAMED.get(text, text)


def _help(of: Option) -> str:
    default = _DEFAULTS.get(of.name, of.default)
    shown = f" Default: {default}." if default and default not in {"no", "none", "yes"} else ""
    return _marked(f"{_sentence(of.help)}{shown}")


def _negative_help(of: Option) -> str:
    renamed = f" `{of.negative}` is Poetry's own." if of.negative in RENAMED else ""
    return f"{_sentence(of.negative_help)}{renamed}"


def _undone(of: Option) -> str:
    return f"Undo `{_named(of.negative or '')}` of a file or variable."


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _marked(text: str) -> str:
    """Code in Poetry's colour for it."""
    return _CODE.sub(r"<c1>\1</c1>", text)
