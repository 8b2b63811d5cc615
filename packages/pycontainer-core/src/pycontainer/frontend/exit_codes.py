"""Exit codes, and which error has which."""

from __future__ import annotations

from typing import Final

from pycontainer.errors import ConfigError, DeniedError, NetworkError, PolicyError, PyContainerError

OK: Final = 0
FAILED: Final = 1
USAGE: Final = 2
NETWORK: Final = 3
DENIED: Final = 4
POLICY: Final = 5
INTERRUPTED: Final = 130
BROKEN_PIPE: Final = 141

# For the reference: code → when.
MEANINGS: Final = {
    OK: "The command did what it was asked to",
    FAILED: "The build failed: the project, its lock, a wheel, the base image, a tool or the disk",
    USAGE: "The command line or the configuration is wrong; nothing was started",
    NETWORK: "A registry or an index could not be reached, or answered what it must not",
    DENIED: "A registry denied access: credentials are missing, wrong or too weak",
    POLICY: "A policy does not allow the image; nothing was written or pushed",
    INTERRUPTED: "Interrupted with Ctrl-C",
    BROKEN_PIPE: "Nobody read the output to its end",
}


def exit_code(error: PyContainerError) -> int:
    """The exit code of an error."""
    if isinstance(error, ConfigError):
        return USAGE
    if isinstance(error, DeniedError):
        return DENIED
    if isinstance(error, PolicyError):
        return POLICY
    return NETWORK if isinstance(error, NetworkError) else FAILED
