"""What a suite is."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from side_by_side.contenders import Contender
    from side_by_side.measure import Measured


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """What every suite is given.

    Attributes:
        ground: An empty directory.
        base: Gives the layout of the base image for some architectures.
        contenders: Ours first.
        say: Tells the reader how it goes.
    """

    ground: Path
    base: Callable[..., Path]
    contenders: tuple[Contender, ...]
    rounds: int
    say: Callable[[str], None]

    def turned(self, number: int) -> tuple[Contender, ...]:
        """The contenders of a round: whoever is first is last in the next one."""
        first = number % len(self.contenders)
        return self.contenders[first:] + self.contenders[:first]


@dataclass(slots=True)
class Figures:
    """What was measured, by row and name; the n-th of each was measured in the n-th round."""

    by_row: dict[str, dict[str, list[Measured]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))

    def add(self, name: str, taken: Mapping[str, Measured]) -> None:
        """Note what somebody took, by row."""
        for row, measured in taken.items():
            self.by_row[row][name].append(measured)


class Suite(Protocol):
    """Rows that are measured in one go."""

    @property
    def rows(self) -> tuple[str, ...]:
        """Their names."""

    def run(self, setting: Setting) -> Figures:
        """Measure them."""
