"""Platforms: `linux/arm64/v8` (image-spec, *image-index.md*, `platform`).

Platform.parse("linux/arm64").matches(Platform("linux", "arm64", "v8"))
"""

from __future__ import annotations

import re

import msgspec

from pycontainer.errors import DocumentError

_PART = re.compile(r"[A-Za-z0-9_.-]{1,64}")
# What people and tools write, and what Go's GOARCH calls it.
_ALIASES = {
    "x86_64": "amd64",
    "x86-64": "amd64",
    "aarch64": "arm64",
    "armhf": "arm",
    "armel": "arm",
    "i386": "386",
    "i686": "386",
}
# The variant an architecture has when nobody names one (containerd's normalisation).
_DEFAULT_VARIANTS = {"arm64": "v8", "arm": "v7"}


class Platform(msgspec.Struct, frozen=True, order=True, omit_defaults=True):
    """Operating system, architecture and variant, in Go's words."""

    os: str
    architecture: str
    variant: str | None = None

    @classmethod
    def parse(cls, text: str) -> Platform:
        """Read `os/arch[/variant]`; `aarch64` and `x86_64` are understood.

        Raises:
            DocumentError: Not two or three parts of letters, digits, `_`, `.` and `-`.
        """
        parts = text.strip().split("/")
        if len(parts) not in {2, 3} or not all(_PART.fullmatch(part) for part in parts):
            raise DocumentError(f"`{text}` is not a platform", facts=["expected: `os/arch`, such as `linux/arm64`"])
        system, architecture = parts[0].lower(), parts[1].lower()
        variant = parts[2].lower() if len(parts) == len(("os", "arch", "variant")) else None
        if architecture in {"armhf", "armel"} and variant is None:
            variant = "v7" if architecture == "armhf" else "v6"
        return cls(system, _ALIASES.get(architecture, architecture), variant)

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)

    @property
    def normalized(self) -> Platform:
        """This platform with the variant it has when none is named, so that equal platforms are equal."""
        return Platform(self.os, self.architecture, self.variant or _DEFAULT_VARIANTS.get(self.architecture))

    def matches(self, offered: Platform) -> bool:
        """Whether an image for `offered` is what a request for this platform means."""
        return self.normalized == offered.normalized
