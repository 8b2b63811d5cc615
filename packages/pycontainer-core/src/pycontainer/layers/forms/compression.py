"""The forms of layers by name.

Compression("zstd")
"""

from __future__ import annotations

from enum import Enum
from typing import Final

# Another version of the library compresses to other bytes: it is part of the layer's key, and no other one is asked.
ZSTD_VERSION: Final = "1.5.7"


class Compression(Enum):
    """What a layer can be, by the names of the option."""

    GZIP = "gzip"
    ZSTD = "zstd"
    ESTARGZ = "estargz"

    @property
    def library(self) -> str:
        """The version of what compresses, where the recipe version does not stand for it."""
        return ZSTD_VERSION if self is Compression.ZSTD else ""
