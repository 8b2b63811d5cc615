"""`--password-stdin`: a password goes by a pipe, never by arguments, which all users of a host can see.

flags = with_password(flags, sys.stdin.buffer)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pycontainer.config.option import Origin
from pycontainer.config.options import OPTIONS
from pycontainer.config.sources import Setting
from pycontainer.errors import ConfigError
from pycontainer.transports.secrets import Redacted
from pycontainer.value import replace

if TYPE_CHECKING:
    from typing import BinaryIO

    from pycontainer.config.sources import Source

_MAX_PASSWORD: Final = 64 * 1024  # tokens of registries are a few kilobytes


def with_password(flags: Source, stream: BinaryIO) -> Source:
    """The flags, and the password that stands on the stream, less the end of its line.

    Raises:
        ConfigError: It is too long, or not text.
    """
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
