"""From a command line to a configuration: all sources, and the password from standard input."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pycontainer.config.load import Loaded, load_config
from pycontainer.config.option import Origin
from pycontainer.config.options import OPTIONS
from pycontainer.config.sources import Setting, Source, from_flags
from pycontainer.errors import ConfigError
from pycontainer.transports.secrets import Redacted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import BinaryIO

    from pycontainer_cli.arguments import Given

_MAX_PASSWORD: Final = 64 * 1024  # tokens of registries are a few kilobytes


def load(given: Given, environment: Mapping[str, str]) -> Loaded:
    """The configuration of a command.

    Raises:
        ConfigError: Options are wrong; all of them are told.
        ProjectError: `pyproject.toml` cannot be read.
    """
    flags = from_flags(given.options)
    if flags.get("password_stdin"):
        flags = _with_password(flags, sys.stdin.buffer)
    return load_config(flags, environment=environment)


def _with_password(flags: Source, stream: BinaryIO) -> Source:
    content = stream.read(_MAX_PASSWORD + 1)
    if len(content) > _MAX_PASSWORD:
        raise ConfigError("The password on standard input is too long", facts=["limit: 64 KiB"])
    try:
        text = content.decode()
    except UnicodeDecodeError:
        # Its message quotes bytes of the password.
        raise ConfigError("The password on standard input is not UTF-8") from None
    password = Redacted(text.removesuffix("\n").removesuffix("\r"))
    setting = Setting(option=OPTIONS["password"], value=password, origin=Origin("--password-stdin"))
    return replace(flags, settings=(*flags.settings, setting))
