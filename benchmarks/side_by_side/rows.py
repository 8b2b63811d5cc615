"""What is measured, and what is aimed at: one row each, named CASE-PROJECT.

ROWS["cold-light"].title
row_of("cold-light@1gbit").title     # the same, over a network that is no faster
chosen(["cold-*", "runner-forty"])
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatch
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class Kind(Enum):
    """How the figures of a row are read."""

    FASTER = "others by ours: how many times faster we are"
    SLOWER = "the second by the first: what more costs"
    GROWTH = "ours alone, by size"


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One row.

    Attributes:
        title: In the tables.
        label: In the plot, where it stands alone.
        aim: Least times faster than `docker build`; most times slower; or most seconds at the greatest size. None is
            stated where it is zero.
        slow: Left out of a quick run.
    """

    name: str
    title: str
    label: str = ""
    kind: Kind = Kind.FASTER
    aim: float = 0
    slow: bool = False


def _cold(project: str, packages: str, *, aim: float, slow: bool = False) -> tuple[Row, ...]:
    """The first builds of a project: to a registry, and to an image on this host."""
    rows = (
        ("cold", f"cold, {project} ({packages})", "pushed", aim),
        ("pulled", "as above, to an image on this host, base pulled, too", "to here, base pulled, too", 0),
        ("built", "as above, to an image on this host", "to here", 0),
    )
    return tuple(
        Row(name=f"{task}-{project}", title=title, label=f"cold, {project}, {label}", aim=aimed, slow=slow)
        for task, title, label, aimed in rows
    )


ROWS = {
    row.name: row
    for row in (
        *_cold("light", "fastapi, uvicorn", aim=5),
        *_cold("heavy", "numpy, pandas, scipy, scikit-learn", aim=10, slow=True),
        *_cold("huge", "torch, one wheel of 192 MB", aim=10, slow=True),
        Row(name="unchanged-forty", title="nothing changed", label="nothing changed, pushed", aim=1),
        Row(name="changed-forty", title="one source file changed", label="one source file changed, pushed", aim=1),
        Row(
            name="bumped-forty",
            title="one dependency of forty bumped",
            label="one dependency of forty bumped, pushed",
            aim=5,
        ),
        Row(
            name="runner-forty",
            title="fresh CI runner, one source file changed",
            label="fresh CI runner, pushed",
            aim=20,
        ),
        Row(name="platforms-pure", title="two platforms against one, pure Python", kind=Kind.SLOWER, aim=1.3),
        Row(name="floor-wheels", title="layers against the floor, processor time", kind=Kind.SLOWER, aim=1.5),
        Row(name="first-packages", title="plan, packages in the lock, first time", kind=Kind.GROWTH, aim=2),
        Row(name="again-packages", title="plan, packages in the lock, again", kind=Kind.GROWTH, aim=2),
        Row(name="first-files", title="plan, files in the project, first time", kind=Kind.GROWTH, aim=2),
        Row(name="again-files", title="plan, files in the project, again", kind=Kind.GROWTH, aim=2),
    )
}


def row_of(name: str) -> Row:
    """The row of a name, which may tell a rate of the network behind an `@`.

    Raises:
        KeyError: There is none.
    """
    return ROWS[name.partition("@")[0]]


def chosen(patterns: Sequence[str], *, quick: bool) -> list[Row]:
    """The rows that a pattern matches, all without patterns."""
    named = [row for row in ROWS.values() if not patterns or any(fnmatch(row.name, each) for each in patterns)]
    return [row for row in named if not (quick and row.slow)]
