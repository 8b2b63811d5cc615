import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

from side_by_side.report import table


def test_ratios_are_taken_within_a_round() -> None:
    rounds = [
        {("cold", "ours"): 1.0, ("cold", "theirs"): 10.0},
        {("cold", "ours"): 4.0, ("cold", "theirs"): 20.0},
        {("cold", "ours"): 2.0, ("cold", "theirs"): 12.0},
    ]

    *_, row = table(rounds, ours="ours").splitlines()

    assert row == "| cold | 2.00 | 12.00 | 6.0 x (5.0 to 10.0) |"


def test_what_nobody_did_leaves_a_gap() -> None:
    rounds = [{("cold", "ours"): 1.0, ("warm", "ours"): 0.5, ("cold", "theirs"): 3.0}]

    *_, row = table(rounds, ours="ours").splitlines()

    assert row == "| warm | 0.50 | - | - |"
