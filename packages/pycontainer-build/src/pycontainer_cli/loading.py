"""From a command line to a configuration: all sources, and the password from standard input."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pycontainer.config.load import Loaded, load_config
from pycontainer.config.sources import from_flags
from pycontainer.frontend.passwords import with_password

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pycontainer_cli.arguments import Given


def load(given: Given, environment: Mapping[str, str]) -> Loaded:
    """The configuration of a command.

    Raises:
        ConfigError: Options are wrong; all of them are told.
        ProjectError: `pyproject.toml` cannot be read.
    """
    flags = from_flags(given.options)
    if flags.get("password_stdin"):
        flags = with_password(flags, sys.stdin.buffer)
    return load_config(flags, environment=environment)
