"""How rows are measured: each suite measures some rows in one go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from side_by_side.suites.cold import Cold
from side_by_side.suites.floor import Floor
from side_by_side.suites.platforms import Platforms
from side_by_side.suites.scale import Files, Packages
from side_by_side.suites.warm import Warm

if TYPE_CHECKING:
    from collections.abc import Sequence

    from side_by_side.rows import Row
    from side_by_side.suites.suite import Suite

SUITES: tuple[Suite, ...] = (
    Cold("light"),
    Cold("heavy"),
    Cold("huge"),
    Warm("forty"),
    Platforms("pure"),
    Floor(),
    Packages(),
    Files(),
)


def suites_for(rows: Sequence[Row]) -> list[Suite]:
    """Those that measure one of the rows."""
    names = {row.name for row in rows}
    return [suite for suite in SUITES if names.intersection(suite.rows)]
