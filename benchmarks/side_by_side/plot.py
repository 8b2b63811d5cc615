"""The ratios as a picture: for each row, how many times faster than the others, on a logarithmic axis."""

from __future__ import annotations

import math
from html import escape
from statistics import median
from typing import TYPE_CHECKING

from side_by_side.contenders import OURS
from side_by_side.rows import Kind, row_of
from side_by_side.table import ratios

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from side_by_side.results import Result

WIDTH, LEFT, RIGHT, TOP, STEP = 900, 330, 30, 60, 40
TICKS = (0.5, 1, 2, 5, 10, 20, 50, 100)
COLOURS = ("#1f6feb", "#bf5af2", "#2da44e")
_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#57606a}.grid{stroke:#d0d7de}.one{stroke:#57606a}"
    "@media(prefers-color-scheme:dark){text{fill:#9198a1}.grid{stroke:#3d444d}.one{stroke:#9198a1}}"
)


def plot(results: Mapping[str, Result]) -> str:
    """An SVG: a dot is the median, the line goes from the least to the greatest, a triangle is what was aimed at."""
    shown = {name: each for name, each in results.items() if row_of(name).kind is Kind.FASTER}
    others = list(dict.fromkeys(name for each in shown.values() for name in each.figures if name != OURS))
    height = TOP + STEP * len(shown) + 30
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">']
    lines += ["<title>How many times faster pycontainer is</title>", f"<style>{_STYLE}</style>"]
    lines += _legend(others)
    lines += _grid(height - 30)
    for number, name in enumerate(shown):
        lines += _row(name, shown[name], others, TOP + STEP * number + STEP / 2)
    return "\n".join([*lines, "</svg>\n"])


def _legend(others: Sequence[str]) -> Iterator[str]:
    for number, (name, colour) in enumerate(zip(others, COLOURS, strict=False)):
        x = LEFT + 150 * number
        yield f'<circle cx="{x}" cy="20" r="5" fill="{colour}"/><text x="{x + 12}" y="24">{escape(name)}</text>'
    x = LEFT + 150 * len(others)
    yield f'{_triangle(x, 20)}<text x="{x + 12}" y="24">aim, against {escape(others[0]) if others else ""}</text>'
    yield '<text x="10" y="24">times faster (log scale)</text>'


def _grid(bottom: float) -> Iterator[str]:
    for tick in TICKS:
        x = _x(tick)
        kind = "one" if tick == 1 else "grid"
        yield f'<line class="{kind}" x1="{x:.1f}" y1="{TOP - 12}" x2="{x:.1f}" y2="{bottom}"/>'
        yield f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{tick:g}</text>'


def _row(name: str, result: Result, others: Sequence[str], y: float) -> Iterator[str]:
    yield f'<text x="{LEFT - 12}" y="{y + 4:.1f}" text-anchor="end">{escape(_label(name))}</text>'
    for number, (other, colour) in enumerate(zip(others, COLOURS, strict=False)):
        values = ratios(result.figures.get(other, []), result.figures.get(OURS, []))
        if values:
            at = y + 8 * (number - (len(others) - 1) / 2)
            low, high, middle = _x(min(values)), _x(max(values)), _x(median(values))
            yield f'<path d="M{low:.1f} {at:.1f}H{high:.1f}" stroke="{colour}" stroke-width="2"/>'
            yield f'<circle cx="{middle:.1f}" cy="{at:.1f}" r="4" fill="{colour}"/>'
    if row_of(name).aim:
        yield _triangle(_x(row_of(name).aim), y - 14)


def _label(name: str) -> str:
    _, _, rate = name.partition("@")
    return ", ".join(filter(None, (row_of(name).label, rate)))


def _triangle(x: float, y: float) -> str:
    return f'<path d="M{x - 4:.1f} {y - 4:.1f}h8l-4 7z" fill="#d29922"/>'


def _x(ratio: float) -> float:
    least, most = math.log(TICKS[0]), math.log(TICKS[-1])
    share = (math.log(min(max(ratio, TICKS[0]), TICKS[-1])) - least) / (most - least)
    return LEFT + share * (WIDTH - LEFT - RIGHT)
