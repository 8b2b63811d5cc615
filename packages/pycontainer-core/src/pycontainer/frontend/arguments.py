"""The table of options as arguments of a command, for front ends whose command line is `argparse`.

add_options(parser, (name for name in OPTIONS if name != "lock"), short=False)
from_flags(given_options(parser.parse_args()))
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from pycontainer.config.option import Group, Option, Shape
from pycontainer.config.options import OPTIONS

if TYPE_CHECKING:
    from collections.abc import Iterable


def add_options(parser: argparse.ArgumentParser, names: Iterable[str] = OPTIONS, *, short: bool = True) -> None:
    """Let a parser take options, under their headings.

    Args:
        parser: Keeps each under the name of its option, and nothing of one that is not given.
        names: Of the options; those that have no flag are left out.
        short: Whether with short flags, which a tool may need for itself.
    """
    wanted = set(names)
    for group in Group:
        options = [option for option in OPTIONS.values() if option.group is group and option.name in wanted]
        flagged = [option for option in options if option.flags]
        if flagged:
            section = parser.add_argument_group(group.value)
            for option in flagged:
                _add(section, option, option.flags if short else option.flags[-1:])


def given_options(namespace: argparse.Namespace) -> dict[str, list[str] | bool]:
    """What `from_flags` reads: the texts of each option that was given, or whether a switch was turned on or off."""
    return {name: value for name, value in vars(namespace).items() if name in OPTIONS}


def _add(section: Any, option: Option, flags: tuple[str, ...]) -> None:
    text = _help(option)
    if option.shape is not Shape.BOOLEAN:
        section.add_argument(
            *flags,
            dest=option.name,
            action="append",
            metavar=option.metavar,
            help=text,
            default=argparse.SUPPRESS,
        )
        return
    # Of a switch, help shows the flag that changes the default; the other one undoes what a file or variable says.
    switch = {"dest": option.name, "action": "store_const", "default": argparse.SUPPRESS}
    on, off = (argparse.SUPPRESS, option.negative_help) if option.negative_help else (text, argparse.SUPPRESS)
    section.add_argument(*flags, const=True, help=on, **switch)
    if option.negative:
        section.add_argument(option.negative, const=False, help=off, **switch)


def _help(option: Option) -> str:
    text = option.help + (" (repeatable)" if option.several else "")
    if option.default and option.default not in {"no", "none", "yes"}:
        text = f"{text}; default: {option.default}"
    return text.replace("%", "%%")
