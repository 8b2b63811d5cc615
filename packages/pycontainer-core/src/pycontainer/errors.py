"""Every exception of the core, its tree first.

    PyContainerError
    ├── ConfigError            options that are wrong, all of them at once
    ├── ProjectError           the project: its files, metadata, entry point
    ├── LockError              the lock file: its form, or what it holds for a target
    ├── WheelError             a wheel that must not be used
    ├── WheelBuildError        a build backend that failed
    ├── BaseImageError         a base image that cannot carry this project
    ├── PackageError           an operating system package: unknown, unsolvable, or not to be installed
    ├── DocumentError          an OCI document or archive that breaks its specification
    ├── PolicyError            an image that breaks the rules it must keep, with everything that breaks them
    ├── IntegrityError         bytes that are not what their digest or size says
    ├── SignatureError         a signature, or what is signed, that does not hold for an image
    ├── StoreError             the cache or an output that cannot be read or written
    ├── ToolError              a program on this host that is missing or failed (uv, git, docker, podman)
    └── NetworkError           a server that cannot be reached or answers what it must not
        ├── HTTPStatusError    an answer with an error status
        └── DeniedError        credentials that are missing, wrong or too weak

A message says what failed, with values in backticks and no full stop; `facts` say where; the `hint` says what to do and
stands only where the cause is known. Settings inside a hint are written `{base_image}`, by the name of the option, and
each front end spells them its own way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class PyContainerError(Exception):
    """A failure that the user can read and act on.

    Args:
        message: What failed, in one sentence without a full stop.
        facts: Where it failed: one line each, shown indented.
        hint: What to do, or nothing when the cause is not known; `{option_name}` stands for a setting.
    """

    def __init__(self, message: str, *, facts: Sequence[str] = (), hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.facts = tuple(facts)
        self.hint = hint

    def __str__(self) -> str:
        """The message and its facts: the form a log or a traceback shows."""
        return "\n".join([self.message, *(f"  {fact}" for fact in self.facts)])


class ConfigError(PyContainerError):
    """Options that are wrong; `facts` lists every one of them."""


class ProjectError(PyContainerError):
    """The project cannot be read, or does not say how it starts."""


class LockError(PyContainerError):
    """The lock file is malformed, or holds nothing that fits the target."""


class WheelError(PyContainerError):
    """A wheel that is damaged, hostile or not what the lock says."""


class WheelBuildError(PyContainerError):
    """A build backend failed; `facts` ends with the last lines it printed."""


class BaseImageError(PyContainerError):
    """A base image that cannot be found or cannot carry this project."""


class PackageError(PyContainerError):
    """An operating system package that does not exist, cannot be solved, or must not be installed."""


class DocumentError(PyContainerError):
    """A manifest, index, config or archive that breaks its specification."""


class PolicyError(PyContainerError):
    """What goes into an image breaks a policy; `facts` lists every violation, and shows no secret."""


class IntegrityError(PyContainerError):
    """Bytes that are not what their digest or size says."""


class SignatureError(PyContainerError):
    """A signature that was not made by whom it should be, or says something else."""


class StoreError(PyContainerError):
    """A cache or an output that cannot be read or written."""


class ToolError(PyContainerError):
    """A program on this host that is missing or failed."""


class NetworkError(PyContainerError):
    """A server that cannot be reached, or whose answer cannot be accepted."""


class HTTPStatusError(NetworkError):
    """An answer with an error status that retrying did not cure."""

    def __init__(
        self,
        message: str,
        *,
        status: int,
        facts: Sequence[str] = (),
        hint: str | None = None,
        codes: Sequence[str] = (),
    ) -> None:
        super().__init__(message, facts=facts, hint=hint)
        self.status = status
        self.codes = tuple(codes)


class DeniedError(NetworkError):
    """Credentials that are missing, wrong, or allow too little."""
