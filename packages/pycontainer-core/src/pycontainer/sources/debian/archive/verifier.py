"""What checks OpenPGP signatures says of a message: the model of `gpgv.py` and `sequoia.py`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pycontainer.sources.debian.archive.keyrings import Keyring


class State(Enum):
    """What a signature is worth."""

    GOOD = "good"
    BAD = "the text is not what was signed"
    UNKNOWN = "not among the known keys"
    EXPIRED = "the key has expired"
    REVOKED = "the key was revoked"
    UNUSABLE = "too weak, or of a kind that the verifier does not know"


@dataclass(frozen=True, kw_only=True, slots=True)
class Signature:
    """One signature.

    Attributes:
        keys: Fingerprints, in upper case, of the key that signed and of its primary key; of a signature that is not
            good at least something to call the key by.
        state: Whether it counts.
    """

    keys: tuple[str, ...]
    state: State


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """A clear-signed message: the text that the signatures are about, and they."""

    text: bytes
    signatures: tuple[Signature, ...]


class Verifier(Protocol):
    """Something that checks OpenPGP signatures."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    def open(self, message: bytes, keyrings: Sequence[Keyring], now: datetime) -> Opened:
        """Check a clear-signed message against keys; of what is none, the text is empty and nothing is signed.

        Raises:
            ToolError: The verifier itself failed.
            DocumentError: A keyring cannot be read.
        """
        ...
