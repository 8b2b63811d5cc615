"""Cold builds: fresh storage and an empty cache, every time."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from side_by_side.place import place
from side_by_side.projects import PROJECTS, Index, make_project, serve, wheels
from side_by_side.suites.suite import Figures

if TYPE_CHECKING:
    from pathlib import Path

    from side_by_side.contenders import Contender, FirstBuilds
    from side_by_side.suites.suite import Setting


@dataclass(frozen=True, slots=True)
class Cold:
    """Of one project; every contender's image is run once, and has to import what it was built for."""

    project: str

    @property
    def rows(self) -> tuple[str, ...]:
        """See `Suite`."""
        return tuple(f"{task}-{self.project}" for task in ("cold", "pulled", "built"))

    def run(self, setting: Setting) -> Figures:
        """See `Suite`."""
        figures = Figures()
        project = PROJECTS[self.project]
        with serve(wheels(project), setting.ground / "index.log") as index:
            locked = make_project(project, index, setting.ground / "project")
            for number in range(setting.rounds):
                for contender in setting.turned(number):
                    taken = self._build(contender, locked, index, setting, check=number == 0)
                    setting.say(f"{contender.name}: {taken.pushed.seconds:.2f} s pushed")
                    # Bytes are told where all end in the same place.
                    here = {"pulled": replace(taken.pulled, moved=0), "built": replace(taken.built, moved=0)}
                    by_task = {"cold": taken.pushed, **here}
                    figures.add(contender.name, {f"{task}-{self.project}": each for task, each in by_task.items()})
        return figures

    def _build(self, contender: Contender, locked: Path, index: Index, setting: Setting, *, check: bool) -> FirstBuilds:
        with place(setting.ground, index, setting.base("amd64")) as here:
            folder = shutil.copytree(locked, here.root / "project")
            reference = here.registry.reference(f"{self.project}:1")
            with contender.start(here.storage("host"), here) as bench:
                taken = bench.cold(folder, reference)
            if check:
                here.check(reference, "; ".join(f"import {module}" for module in PROJECTS[self.project].modules))
            return taken
