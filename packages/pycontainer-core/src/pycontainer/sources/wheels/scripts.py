"""Scripts in an environment: those made for entry points, and first lines that name the interpreter.

wrapper(Command("httpx", "httpx", "main"), environment.executable)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pycontainer.sources.wheels.entrypoints import Command

# *Binary distribution format*, Recommended installer features: the first line of a script that wants the interpreter.
PLACEHOLDER = b"#!python"
# Linux reads no more than 127 bytes of a first line before version 5.1, and the rest is cut off without an error.
_MAX_SHEBANG = 127

_WRAPPER = """\
{shebang}
import sys

from {module} import {first}

if __name__ == "__main__":
    sys.exit({attribute}())
"""


def wrapper(command: Command, executable: str) -> bytes:
    """The script for an entry point."""
    return _WRAPPER.format(
        shebang=shebang(executable),
        module=command.module,
        first=command.attribute.partition(".")[0],
        attribute=command.attribute,
    ).encode()


def rewritten(content: bytes, executable: str) -> bytes:
    """A script that begins with the placeholder, for this interpreter; arguments on its first line go, as with pip."""
    return shebang(executable).encode() + b"\n" + content.partition(b"\n")[2]


def shebang(executable: str) -> str:
    """The first line of a script, without its end; the shell takes over where the kernel would not."""
    if " " not in executable and len(executable.encode()) + len("#!\n") <= _MAX_SHEBANG:
        return f"#!{executable}"
    # Both Python and the shell read these lines: a string literal for one, `exec` for the other.
    quoted = executable.replace("'", "'\"'\"'")
    return f"#!/bin/sh\n'''exec' '{quoted}' \"$0\" \"$@\"\n' '''"
