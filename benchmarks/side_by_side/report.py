"""The report: one table in Markdown, of times and of how they compare.

print(table(rounds, ours="pycontainer"))
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

# Of one round: who did what in how many seconds. Contenders of one round ran right after each other.
Round = Mapping[tuple[str, str], float]


def table(rounds: Sequence[Round], *, ours: str) -> str:
    """Rows are what was done, columns who did it: median seconds, and the ratio to ours.

    Ratios are taken within a round, so that what slows the machine down for a while slows both; shown is the median
    and, in brackets, the least and the greatest.
    """
    tasks = list(dict.fromkeys(task for each in rounds for task, _ in each))
    names = list(dict.fromkeys(name for each in rounds for _, name in each if name != ours))
    lines = [_row("", f"{ours}, s", *(word for name in names for word in (f"{name}, s", "ratio")))]
    lines.append(_row("---", *("---:" for _ in range(1 + 2 * len(names)))))
    for task in tasks:
        cells = [_seconds(_of(rounds, task, ours))]
        for name in names:
            cells += [_seconds(_of(rounds, task, name)), _ratios(rounds, task, name, ours)]
        lines.append(_row(task, *cells))
    return "\n".join(lines)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _of(rounds: Sequence[Round], task: str, name: str) -> list[float]:
    return [each[task, name] for each in rounds if (task, name) in each]


def _seconds(values: Sequence[float]) -> str:
    return f"{median(values):.2f}" if values else "-"


def _ratios(rounds: Sequence[Round], task: str, name: str, ours: str) -> str:
    ratios = [each[task, name] / each[task, ours] for each in rounds if (task, name) in each and (task, ours) in each]
    if not ratios:
        return "-"
    return f"{median(ratios):.1f} x ({min(ratios):.1f} to {max(ratios):.1f})"
