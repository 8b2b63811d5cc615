import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

from side_by_side.measure import Measured, measure
from side_by_side.page import BEGIN, END, put, tables
from side_by_side.plot import plot
from side_by_side.results import Result, read, write
from side_by_side.rows import ROWS, Kind, chosen, row_of
from side_by_side.suites import SUITES, suites_for

EXPLANATION = Path(__file__).parents[2] / "docs" / "explanation"
KEPT = read(EXPLANATION / "benchmarks.json")


def result(**figures: list[float]) -> Result:
    return Result(
        date="2026-01-01",
        machine="a machine",
        load=0.5,
        figures={
            name.replace("_", " "): [Measured(seconds=value, moved=2_000_000, memory=70_000_000) for value in values]
            for name, values in figures.items()
        },
    )


def row_for(text: str, name: str) -> str:
    (line,) = [line for line in text.splitlines() if f"`{name}`" in line and "|  |" not in line and "MB" not in line][
        :1
    ]
    return line


def test_the_page_shows_what_was_measured() -> None:
    page = (EXPLANATION / "benchmarks.md").read_text()

    assert put(page, KEPT) == page
    assert plot(KEPT) == (EXPLANATION / "benchmarks.svg").read_text()
    assert {name for name in KEPT if "@" not in name} == set(ROWS)


def test_each_row_that_misses_its_aim_is_explained() -> None:
    page = (EXPLANATION / "benchmarks.md").read_text()
    _, _, told = page.partition("## Aims that are missed")

    missed = [line.split("`")[1] for line in page.splitlines() if "**missed**" in line]
    assert missed
    assert [name for name in missed if f"`{name}`" not in told] == []


def test_ratios_are_taken_within_a_round() -> None:
    text = tables({"cold-light": result(pycontainer=[1, 4, 2], docker_build=[10, 20, 12])})

    assert row_for(text, "cold-light").endswith("| ≥ 5 | 2.00 | 12.00 | 6.0 (5.0 to 10.0) |")


def test_an_aim_that_is_missed_is_marked() -> None:
    text = tables({"cold-heavy": result(pycontainer=[1], docker_build=[9.9])})

    assert "| ≥ 10, **missed** |" in row_for(text, "cold-heavy")


def test_what_more_costs_is_compared_with_less() -> None:
    text = tables({"platforms-pure": result(one=[2, 2], two=[2.2, 2.4])})

    assert row_for(text, "platforms-pure").endswith("| ≤ 1.3 | one 2.00, two 2.30 | 1.1 (1.1 to 1.2) |")


def test_growth_is_judged_by_the_greatest_size() -> None:
    text = tables({"first-files": result(**{"25,000": [0.5], "100,000": [2.5]})})

    assert row_for(text, "first-files").endswith("| < 2 s, **missed** | 25,000: 0.50, 100,000: 2.50 |")


def test_a_contender_that_was_not_there_leaves_a_gap() -> None:
    text = tables(
        {"cold-light": result(pycontainer=[1], docker_build=[6]), "built-light": result(pycontainer=[0.5])},
    )

    assert row_for(text, "built-light").endswith("| - | 0.50 | - | - |")


def test_results_are_kept_and_read_again(tmp_path: Path) -> None:
    results = {"runner-forty@1gbit": result(pycontainer=[0.25]), "cold-light": result(pycontainer=[1.5])}

    write(results, tmp_path / "kept.json")

    assert read(tmp_path / "kept.json") == results
    assert list(read(tmp_path / "kept.json")) == ["cold-light", "runner-forty@1gbit"]


def test_a_page_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="lacks"):
        put("# Benchmarks", {})


def test_a_page_keeps_what_is_around_the_tables() -> None:
    page = put(f"before\n{BEGIN}\nan older table\n{END}\nafter\n", {"cold-light": result(pycontainer=[1])})

    assert page.startswith("before\n")
    assert page.endswith("\nafter\n")
    assert "an older table" not in page


def test_the_plot_is_well_formed_and_has_a_line_for_each_comparison() -> None:
    root = ET.fromstring(plot(KEPT))  # noqa: S314 - ours

    labels = [text for text in root.iter("{http://www.w3.org/2000/svg}text") if text.get("text-anchor") == "end"]
    assert len(labels) == sum(row_of(name).kind is Kind.FASTER for name in KEPT)


def test_every_row_is_measured_by_one_suite() -> None:
    assert sorted(row for suite in SUITES for row in suite.rows) == sorted(ROWS)


def test_rows_are_chosen_by_pattern_and_alone() -> None:
    assert [row.name for row in chosen(["runner-*"], quick=False)] == ["runner-forty"]
    assert [suite.rows for suite in suites_for(chosen(["runner-*"], quick=False))] == [SUITES[3].rows]
    assert {row.name for row in chosen([], quick=True)} == {row.name for row in ROWS.values() if not row.slow}


def test_a_program_is_measured_with_what_it_says_kept_apart() -> None:
    measured = measure([sys.executable, "-c", "print(1)"])
    assert measured.seconds > 0
    assert measured.memory > 1_000_000

    with pytest.raises(RuntimeError, match="ended with 3\nout\n\nerr"):
        measure([sys.executable, "-c", "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"])
