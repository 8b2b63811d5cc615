"""What a wheel may unpack to: bounds for archives that somebody else made."""

from __future__ import annotations

from pycontainer.value import Value


class Limits(Value, frozen=True, kw_only=True):
    """What a wheel may unpack to.

    Attributes:
        entries: Members of the archive; the largest known wheels have some 20,000.
        size: Bytes of all members together, unpacked; the largest known wheels have about 4 GiB.
        ratio: Bytes unpacked for one in the archive. Text gives up to 20, deflate at most 1,032.
        ratio_free: Bytes below which the ratio does not matter, since a test file of zeros is no bomb.
        in_memory: Bytes of a member that has to be read at once: metadata, and scripts whose first line changes.
    """

    entries: int = 250_000
    size: int = 32 << 30
    ratio: int = 250
    ratio_free: int = 64 << 20
    in_memory: int = 32 << 20
