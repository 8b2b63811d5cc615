"""Values that several fields of `BuildConfig` are made of: outputs, ports, extra files. Each parses and prints.

Output.parse("oci-archive:dist/api.tar").format == "oci-archive"
Port.parse("53/udp").number == 53
ExtraFile.parse("etc/app.ini:/etc/app.ini:0640").mode == 0o640
"""

from __future__ import annotations

import re
from typing import Final

from pycontainer.errors import ConfigError
from pycontainer.value import Value

ARCHIVE_FORMATS: Final = ("oci", "oci-archive", "docker-archive")
ENGINE_FORMATS: Final = ("docker", "podman")
_PROTOCOLS: Final = ("tcp", "udp", "sctp")
_MAX_PORT: Final = 65535
MAX_ID: Final = 2**31 - 1  # more wraps to root in some runtimes (CVE-2024-40635)
_PORT: Final = re.compile(r"([0-9]{1,5})(?:/([a-z]+))?", re.ASCII)
_MODE: Final = re.compile(r"(?:0o?)?([0-7]{3,4})", re.ASCII)
_OWNER: Final = re.compile(r"([0-9]{1,10})(?::([0-9]{1,10}))?", re.ASCII)
# In `C:\x:/etc/x` and `C:/x:/etc/x` the first colon is a drive's and separates nothing.
_DRIVE: Final = re.compile(r"[A-Za-z]:(?=[\\/].*:/)", re.DOTALL)
_DESTINATION: Final = re.compile(r":(?=/)")


class Output(Value, frozen=True):
    """Where an image is written.

    Attributes:
        format: `oci`, `oci-archive`, `docker-archive`, `docker` or `podman`.
        path: A directory for `oci`, a file for archives, none for the engines.
    """

    format: str
    path: str | None = None

    @classmethod
    def parse(cls, text: str) -> Output:
        """Read `FORMAT:PATH`, or `docker` and `podman` alone.

        Raises:
            ConfigError: Another format, or a path missing or too much.
        """
        name, colon, path = text.partition(":")
        if name not in (*ARCHIVE_FORMATS, *ENGINE_FORMATS):
            raise _wrong(text, "an output", "`oci:DIR`, `oci-archive:FILE`, `docker-archive:FILE`, `docker`, `podman`")
        if name in ENGINE_FORMATS and colon:
            raise _wrong(text, "an output", f"`{name}` alone: the engine keeps its images itself")
        if name in ARCHIVE_FORMATS and (not path or "\0" in path):
            raise _wrong(text, "an output", f"`{name}:` and a path, such as `{name}:dist/image`")
        return cls(name, path or None)

    def __str__(self) -> str:
        return self.format if self.path is None else f"{self.format}:{self.path}"


class Port(Value, frozen=True, order=True):
    """A port that the container listens on, and its protocol."""

    number: int
    protocol: str = "tcp"

    @classmethod
    def parse(cls, text: str) -> Port:
        """Read `8000` or `8000/udp`.

        Raises:
            ConfigError: A number outside of 1 to 65535, or a protocol other than tcp, udp and sctp.
        """
        match = _PORT.fullmatch(text)
        number, protocol = (int(match[1]), match[2] or "tcp") if match else (0, "")
        if not 0 < number <= _MAX_PORT or protocol not in _PROTOCOLS:
            raise _wrong(text, "a port", "1 to 65535, perhaps with `/tcp`, `/udp` or `/sctp`")
        return cls(number, protocol)

    def __str__(self) -> str:
        return f"{self.number}/{self.protocol}"


class ExtraFile(Value, frozen=True, kw_only=True):
    """A file or directory to put into the image, wherever it is on this host.

    Attributes:
        source: On this host; relative to the project.
        destination: In the image, absolute; with a `/` at the end, the directory to put it into.
        mode: Permission bits; none keeps what this host says: 0o755 for what may be executed, else 0o644.
        owner: Number of user and group; none is root.
    """

    source: str
    destination: str
    mode: int | None = None
    owner: tuple[int, int] | None = None

    @classmethod
    def parse(cls, text: str) -> ExtraFile:
        """Read `SRC:DEST[:MODE[:OWNER]]`, where an owner is `uid` or `uid:gid`.

        Raises:
            ConfigError: A part is missing or malformed.
        """
        start = len(match[0]) if (match := _DRIVE.match(text)) else 0
        split = _DESTINATION.search(text, start)
        if split is None or not split.start():
            raise _wrong(text, "a file to add", "`SRC:DEST[:MODE[:OWNER]]`, where DEST begins with `/`")
        destination, *rest = text[split.end() :].split(":", 2)
        mode, owner = (*rest, None, None)[:2]
        return cls.of(source=text[: split.start()], destination=destination, mode=mode, owner=owner)

    @classmethod
    def of(cls, *, source: str, destination: str, mode: str | None = None, owner: str | None = None) -> ExtraFile:
        """Make one of its parts as text, as the tables of a file have them.

        Raises:
            ConfigError: A part is malformed.
        """
        if not source or "\0" in source:
            raise _wrong(source, "a path", "the path of a file or directory")
        check_image_path(destination)
        octal = _MODE.fullmatch(mode) if mode else None
        if mode and octal is None:
            raise _wrong(mode, "a file mode", "octal digits, such as `0644`")
        return cls(
            source=source,
            destination=destination,
            mode=int(octal[1], 8) if octal else None,
            owner=_owner(owner) if owner else None,
        )

    def __str__(self) -> str:
        parts = [self.source, self.destination]
        if self.mode is not None or self.owner is not None:
            parts.append("" if self.mode is None else f"{self.mode:04o}")
        if self.owner is not None:
            parts.append(f"{self.owner[0]}:{self.owner[1]}")
        return ":".join(parts)


def check_image_path(path: str) -> None:
    """Refuse what is not an absolute path in an image.

    Raises:
        ConfigError: Not absolute, with `.` or `..` in it, or with control characters.
    """
    if not path.startswith("/") or {".", ".."} & set(path.split("/")) or not path.isprintable():
        raise _wrong(path, "an absolute path in the image", "a path such as `/app`, without `.` and `..`")


def _owner(text: str) -> tuple[int, int]:
    match = _OWNER.fullmatch(text)
    user, group = (int(match[1]), int(match[2] or match[1])) if match else (-1, -1)
    if not 0 <= user <= MAX_ID or not 0 <= group <= MAX_ID:
        raise _wrong(text, "an owner", f"`uid` or `uid:gid`, numbers up to {MAX_ID}")
    return user, group


def _wrong(text: str, what: str, expected: str) -> ConfigError:
    return ConfigError(f"`{show(text)}` is not {what}", facts=[f"expected: {expected}"])


# `user:password@` before a host; a digest after `@` is none.
_USERINFO: Final = re.compile(r"[^/\s@]+(?::[^/\s@]*)?@(?!sha(?:256|512):)")


def show(text: str, limit: int = 80) -> str:
    """A value as a message may quote it: short, on one line, without what may be credentials before an `@`."""
    escaped = "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)
    masked = _USERINFO.sub("***@", escaped)
    return masked if len(masked) <= limit else f"{masked[:limit]}…"
