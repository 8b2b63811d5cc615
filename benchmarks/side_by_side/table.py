"""Tables in Markdown, and the cells of them.

markdown(("case", "ours, s", "theirs, s", "times faster"), [("cold", *compared(ours, theirs))])
"""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from side_by_side.measure import Measured

NOTHING = "-"


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]], *, texts: int = 1) -> str:
    """A table whose first columns are texts, and all others figures."""
    rule = ["---"] * texts + ["---:"] * (len(head) - texts)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *rows))


def compared(theirs: Sequence[Measured], ours: Sequence[Measured]) -> tuple[str, str]:
    """Two cells: the seconds of others, and how many times more they are."""
    return seconds(theirs), spread(ratios(theirs, ours))


def ratios(over: Sequence[Measured], under: Sequence[Measured]) -> list[float]:
    """Of seconds, round by round, so that what slows the machine down for a while slows both."""
    return [one.seconds / other.seconds for one, other in zip(over, under, strict=False)]


def seconds(values: Sequence[Measured]) -> str:
    """The median."""
    return f"{median(each.seconds for each in values):.2f}" if values else NOTHING


def spread(values: Sequence[float]) -> str:
    """The median, with the least and the greatest."""
    return f"{median(values):.1f} ({min(values):.1f} to {max(values):.1f})" if values else NOTHING
