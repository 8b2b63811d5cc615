"""Digests: `sha256:…`, the name of content (image-spec, *descriptor.md*, Digests).

Digest.parse("sha256:" + "0" * 64).hex
Digest.of(b"content") == Digest.parse("sha256:ed7002b4…")
"""

from __future__ import annotations

import hashlib
import re
from functools import total_ordering
from typing import Final

from pycontainer.errors import DocumentError

_LENGTHS = {"sha256": 64, "sha512": 128}
_HEX = re.compile(r"[0-9a-f]+")


@total_ordering
class Digest:
    """An algorithm and its lower-case hexadecimal value, checked: safe in a URL and in a path.

    Raises:
        DocumentError: An algorithm other than sha256 and sha512, a wrong length, or characters that are not
            lower-case hexadecimal.
    """

    __slots__ = ("algorithm", "hex")

    algorithm: Final[str]
    hex: Final[str]

    def __init__(self, algorithm: str, hex: str) -> None:  # noqa: A002 - the field's own name
        if _LENGTHS.get(algorithm) != len(hex) or not _HEX.fullmatch(hex):
            raise DocumentError(
                f"`{algorithm[:16]}:{hex[:140]}` is not a digest",
                facts=["expected: `sha256:` and 64 lower-case hexadecimal digits, or `sha512:` and 128"],
            )
        self.algorithm = algorithm
        self.hex = hex

    @classmethod
    def parse(cls, text: str) -> Digest:
        """Read `algorithm:hex`."""
        algorithm, _, value = text.partition(":")
        return cls(algorithm, value)

    @classmethod
    def of(cls, content: bytes, algorithm: str = "sha256") -> Digest:
        """The digest of bytes that are in memory anyway."""
        return cls(algorithm, hashlib.new(algorithm, content, usedforsecurity=False).hexdigest())

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.hex}"

    def __repr__(self) -> str:
        return f"Digest({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Digest) and str(self) == str(other)

    def __lt__(self, other: Digest) -> bool:
        return str(self) < str(other)

    def __hash__(self) -> int:
        return hash((self.algorithm, self.hex))

    @property
    def short(self) -> str:
        """The first twelve digits, for people."""
        return self.hex[:12]
