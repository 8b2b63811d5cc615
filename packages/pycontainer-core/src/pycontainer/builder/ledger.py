"""The ledger: bytes of a build, counted by listening to its events.

ledger = LedgerKeeper(emit)
…                                # pass `ledger` where an `Emit` is wanted
ledger.close(outputs)
"""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pycontainer.events import Emit, Event, TaskAdvanced, TaskFinished, Verb

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycontainer.destinations.destination import Written


@dataclass(frozen=True, kw_only=True, slots=True)
class Ledger:
    """Bytes, and what became of them.

    Attributes:
        downloaded: Taken from indexes and registries.
        made: Of layers that were written in this build.
        reused: Of layers that were known already.
        moved: Sent or written to destinations.
        total: Of all blobs of the image, at all destinations.
    """

    downloaded: int = 0
    made: int = 0
    reused: int = 0
    moved: int = 0
    total: int = 0

    def __str__(self) -> str:
        return f"moved {format_size(self.moved)} of {format_size(self.total)}"

    def to_json(self) -> dict[str, int]:
        """The figures by name."""
        return {name: getattr(self, name) for name in ("downloaded", "made", "reused", "moved", "total")}


class LedgerKeeper:
    """An `Emit` that counts bytes and passes every event on."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def __call__(self, event: Event) -> None:
        """Count an event and pass it on."""
        if isinstance(event, TaskAdvanced) and event.verb is Verb.DOWNLOAD:
            self._count("downloaded", event.count)
        elif isinstance(event, TaskFinished) and event.verb is Verb.MAKE_LAYER:
            self._count("reused" if event.reused else "made", event.size)
        self._emit(event)

    def close(self, outputs: Sequence[Written]) -> Ledger:
        """The figures, with what the destinations say they moved."""
        return Ledger(
            downloaded=self._counts["downloaded"],
            made=self._counts["made"],
            reused=self._counts["reused"],
            moved=sum(output.moved for output in outputs),
            total=sum(output.total for output in outputs),
        )

    def _count(self, name: str, count: int) -> None:
        with self._lock:
            self._counts[name] += count


def format_size(count: int) -> str:
    """Bytes as people read them, in powers of a thousand: `41 kB`, `1.9 GB`."""
    number, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if number < 1000:  # noqa: PLR2004 - what separates the units
            break
        number, unit = number / 1000, larger
    return f"{number:.0f} {unit}" if unit == "B" or number >= 100 else f"{number:.1f} {unit}"  # noqa: PLR2004
