"""The order in which GLib walks through a table of strings, which decides the order of lines and strings in files.

    in_hash_order(["image/png", "text/plain"])

`GHashTable` has one array: a string goes where its hash says, or to the next free place behind it, and all of them are
placed again whenever the array becomes too full. Nothing is taken out of the tables that are written to files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

# The largest primes that 2, 4, 8, … have below them; a table of two has the modulus 2.
_PRIMES: Final = (1, 2, 3, 7, 13, 31, 61, 127, 251, 509, 1021, 2039, 4093, 8191, 16381, 32749, 65521, 131071, 262139)
_LEAST_SHIFT: Final = 3
# Hashes that mean a place that is free, or was freed.
_RESERVED: Final = 2
_START: Final = 5381
_SPREAD: Final = 11
_GROWTH: Final = 1.333


def in_hash_order(strings: Iterable[str]) -> list[str]:
    """The strings, each once, as GLib 2.60 and newer give them back that got them in this order."""
    table = _Table()
    for string in dict.fromkeys(strings):
        table.add(string)
    return [string for entry in table.places if entry for string in [entry[1]]]


class _Table:
    """Places of hash and string; the count of places is a power of two."""

    def __init__(self) -> None:
        self._shift = _LEAST_SHIFT
        self._count = 0
        self.places: list[tuple[int, str] | None] = [None] * (1 << self._shift)

    def add(self, string: str) -> None:
        """Add a string that is not there yet."""
        value = _hash(string)
        place = self._start(value)
        step = 0
        while self.places[place] is not None:
            step += 1
            place = (place + step) & (len(self.places) - 1)
        self.places[place] = value, string
        self._count += 1
        if len(self.places) <= self._count + self._count // 16:
            self._grow()

    def _grow(self) -> None:
        """Place all strings again in a larger array, in which those that lie in the way are moved first."""
        self._shift = max(int(self._count * _GROWTH).bit_length(), _LEAST_SHIFT)
        old = len(self.places)
        self.places += [None] * ((1 << self._shift) - old)
        settled = bytearray(len(self.places))
        for index in range(old):
            entry = self.places[index]
            if entry is None or settled[index]:
                continue
            self.places[index] = None
            while entry is not None:
                place = self._start(entry[0])
                step = 0
                while settled[place]:
                    step += 1
                    place = (place + step) & (len(self.places) - 1)
                settled[place] = True
                self.places[place], entry = entry, self.places[place]

    def _start(self, value: int) -> int:
        return (value * _SPREAD & 0xFFFFFFFF) % _PRIMES[self._shift]


def _hash(string: str) -> int:
    """GLib's `g_str_hash`: of signed bytes, in 32 bits."""
    value = _START
    for byte in string.encode():
        value = (value * 33 + (byte if byte < 0x80 else byte - 0x100)) & 0xFFFFFFFF  # noqa: PLR2004 - the sign
    return max(value, _RESERVED)
