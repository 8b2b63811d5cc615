"""Layers against the floor, in one process: see `benchmarks/layers.py`, which shows them wheel by wheel."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from layers import Nowhere, floor, opened, processor_time, write_layer

from side_by_side.measure import Measured
from side_by_side.projects import PROJECTS, wheels
from side_by_side.suites.suite import Figures

if TYPE_CHECKING:
    from side_by_side.suites.suite import Setting

_PROJECTS = ("light", "heavy", "forty", "pure")


@dataclass(frozen=True, slots=True)
class Floor:
    """Processor time for the wheels of some projects, each wheel once."""

    rows: tuple[str, ...] = ("floor-wheels",)

    def run(self, setting: Setting) -> Figures:
        """See `Suite`."""
        figures = Figures()
        found = {path.name: path for name in _PROJECTS for path in wheels(PROJECTS[name]).glob("*.whl")}
        for _ in range(setting.rounds):
            least = most = 0.0
            for path in found.values():
                with opened(path) as files:
                    least += processor_time(partial(floor, files))
                    most += processor_time(partial(write_layer, files, Nowhere()))
            setting.say(f"{len(found)} wheels: {least:.2f} s at least, {most:.2f} s")
            figures.add("floor", {"floor-wheels": Measured(seconds=least, processor=least)})
            figures.add("layers", {"floor-wheels": Measured(seconds=most, processor=most)})
        return figures
