"""The figures as they are kept, in JSON beside the page that shows them.

results = read(path)
results[row] = Result(...)
write(results, path)
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from side_by_side.measure import Measured
from side_by_side.rows import ROWS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """What was measured for one row.

    Attributes:
        date: Of the measuring, as in ISO 8601.
        machine: What it was measured on, and with.
        load: Processes that ran or waited on average in the minute before.
        figures: By who or what was measured; the n-th of each is of the n-th round.
    """

    date: str
    machine: str
    load: float
    figures: dict[str, list[Measured]]


def read(path: Path) -> dict[str, Result]:
    """The results of a file, by the name of the row; none where there is no file."""
    if not path.exists():
        return {}
    document = json.loads(path.read_text())
    return {
        row: Result(
            date=entry["date"],
            machine=entry["machine"],
            load=entry["load"],
            figures={name: [Measured(**each) for each in values] for name, values in entry["figures"].items()},
        )
        for row, entry in document.items()
    }


def write(results: Mapping[str, Result], path: Path) -> None:
    """Write results, in the order of the rows, those over slower networks behind all others."""
    order = {row: number for number, row in enumerate(ROWS)}
    names = sorted(results, key=lambda name: (name.partition("@")[2], order[name.partition("@")[0]]))
    document = {name: _document(results[name]) for name in names}
    path.write_text(json.dumps(document, indent=1) + "\n")


def _document(result: Result) -> dict[str, object]:
    figures = {name: [_rounded(each) for each in values] for name, values in result.figures.items()}
    return {"date": result.date, "machine": result.machine, "load": round(result.load, 2), "figures": figures}


def _rounded(measured: Measured) -> dict[str, float]:
    return {name: round(value, 3) if isinstance(value, float) else value for name, value in asdict(measured).items()}
