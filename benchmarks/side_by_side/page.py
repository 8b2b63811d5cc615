"""The figures as they are shown: tables in Markdown, between two marks of a page.

page.write_text(put(page.read_text(), results))
"""

from __future__ import annotations

from itertools import groupby
from statistics import median
from typing import TYPE_CHECKING

from side_by_side.contenders import OURS
from side_by_side.rows import Kind, Row, row_of
from side_by_side.table import NOTHING, compared, markdown, ratios, seconds, spread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from side_by_side.measure import Measured
    from side_by_side.results import Result

BEGIN, END = "<!-- begin: written by benchmarks/build.py --write -->", "<!-- end -->"


def put(text: str, results: Mapping[str, Result]) -> str:
    """A page with the tables between its marks.

    Raises:
        ValueError: It has no marks.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page lacks {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{tables(results)}\n\n{END}{after}"


def tables(results: Mapping[str, Result]) -> str:
    """All tables, and what they were measured on."""
    tell: dict[Kind, Callable[[Mapping[str, Result]], Iterator[str]]] = {
        Kind.FASTER: _side_by_side,
        Kind.SLOWER: _costs,
        Kind.GROWTH: _growth,
    }
    parts: list[str] = []
    for (rate, kind), names in groupby(results, key=lambda name: (name.partition("@")[2], row_of(name).kind)):
        parts += [f"Over a network of {rate}:"] if rate else []
        parts += tell[kind]({name: results[name] for name in names})
    return "\n\n".join([*parts, *_machines(results)])


def _side_by_side(results: Mapping[str, Result]) -> Iterator[str]:
    names = list(dict.fromkeys(name for each in results.values() for name in each.figures if name != OURS))
    yield markdown(
        ("", "row", "aim", f"{OURS}, s", *(word for name in names for word in (f"{name}, s", "times faster"))),
        [
            (
                row_of(name).title,
                f"`{name}`",
                _aim(row_of(name), _others_by_ours(result, names[0]) if names else []),
                seconds(result.figures.get(OURS, [])),
                *(cell for other in names for cell in _compared(result, other)),
            )
            for name, result in results.items()
        ],
        texts=3,
    )
    yield "Bytes from the index, from the registry and to it, in MB, and the most memory that pycontainer took:"
    yield markdown(
        ("row", OURS, *names, "memory, MB"),
        [
            (f"`{name}`", *(_moved(result.figures.get(each, [])) for each in (OURS, *names)), _memory(result))
            for name, result in results.items()
            if any(each.moved for values in result.figures.values() for each in values)
        ],
    )


def _compared(result: Result, other: str) -> tuple[str, str]:
    return compared(result.figures.get(other, []), result.figures.get(OURS, []))


def _others_by_ours(result: Result, other: str) -> list[float]:
    return ratios(result.figures.get(other, []), result.figures.get(OURS, []))


def _costs(results: Mapping[str, Result]) -> Iterator[str]:
    rows = []
    for name, result in results.items():
        (first, least), (second, most) = result.figures.items()
        costs = ratios(most, least)
        times = f"{first} {seconds(least)}, {second} {seconds(most)}"
        rows.append((row_of(name).title, f"`{name}`", _aim(row_of(name), costs), times, spread(costs)))
    yield markdown(("", "row", "aim", "seconds", "ratio"), rows, texts=3)


def _growth(results: Mapping[str, Result]) -> Iterator[str]:
    rows = []
    for name, result in results.items():
        times = {size: [each.seconds for each in values] for size, values in result.figures.items()}
        told = ", ".join(f"{size}: {median(values):.2f}" for size, values in times.items())
        last = max(times.values(), key=median)
        rows.append((row_of(name).title, f"`{name}`", _aim(row_of(name), last), told))
    yield markdown(("", "row", "aim", "seconds by count"), rows, texts=3)


def _machines(results: Mapping[str, Result]) -> Iterator[str]:
    loads = [each.load for each in results.values()]
    for machine in dict.fromkeys(each.machine for each in results.values()):
        dates = sorted({each.date for each in results.values() if each.machine == machine})
        yield f"Measured on {' and '.join(dates)}: {machine}. Load before: {min(loads):.1f} to {max(loads):.1f}."


def _aim(row: Row, reached: Sequence[float]) -> str:
    if not row.aim:
        return NOTHING
    enough = row.kind is Kind.FASTER
    told = {Kind.FASTER: f"≥ {row.aim:g}", Kind.SLOWER: f"≤ {row.aim:g}", Kind.GROWTH: f"< {row.aim:g} s"}[row.kind]
    if not reached:
        return told
    met = median(reached) >= row.aim if enough else median(reached) <= row.aim
    return told if met else f"{told}, **missed**"


def _moved(values: Sequence[Measured]) -> str:
    return f"{median(each.moved for each in values) / 1e6:.2f}" if values else NOTHING


def _memory(result: Result) -> str:
    values = result.figures.get(OURS, [])
    return f"{max(each.memory for each in values) / 1e6:.0f}" if values else NOTHING
