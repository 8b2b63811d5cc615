"""From a command line to a configuration: all sources, and the password from standard input."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pycontainer.config.load import Loaded, load_config
from pycontainer.config.option import Origin
from pycontainer.config.options import OPTIONS
from pycontainer.config.sources import Setting, Source, from_flags
from pycontainer.frontend.passwords import with_password
from pycontainer.value import replace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pycontainer.config import BuildConfig
    from pycontainer_cli.arguments import Given


def load(given: Given, environment: Mapping[str, str]) -> Loaded:
    """The configuration of a command.

    Raises:
        ConfigError: Options are wrong; all of them are told.
        ProjectError: `pyproject.toml` cannot be read.
    """
    return load_config(_flags(given.options), environment=environment)


def load_members(
    given: Given, environment: Mapping[str, str], choose: Callable[[BuildConfig], Sequence[str]]
) -> dict[str, Loaded]:
    """The configuration of each member of a workspace, by name.

    Args:
        given: What the command line says of all of them.
        environment: The variables.
        choose: Gives the names, from the configuration of the workspace as a whole.

    Raises:
        ConfigError: Options are wrong; all of them are told.
        ProjectError: A `pyproject.toml` cannot be read, or what `choose` raises.
    """
    flags = _flags({name: value for name, value in given.options.items() if name != "package"})

    def load_member(name: str) -> Loaded:
        chosen = Setting(option=OPTIONS["package"], value=name, origin=Origin("--package"))
        return load_config(replace(flags, settings=(*flags.settings, chosen)), environment=environment)

    return {name: load_member(name) for name in choose(load_config(flags, environment=environment).config)}


def _flags(options: Mapping[str, list[str] | bool]) -> Source:
    flags = from_flags(options)
    return with_password(flags, sys.stdin.buffer) if flags.get("password_stdin") else flags
