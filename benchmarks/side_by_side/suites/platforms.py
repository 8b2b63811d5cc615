"""Two platforms against one, cold, of a project without extension modules."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from side_by_side.contenders import Ours
from side_by_side.place import place
from side_by_side.projects import PROJECTS, Index, make_project, serve, wheels
from side_by_side.suites.suite import Figures

if TYPE_CHECKING:
    from pathlib import Path

    from side_by_side.measure import Measured
    from side_by_side.suites.suite import Setting

_CHOICES = {
    "one": ("linux/amd64",),
    "two": ("linux/amd64", "linux/arm64"),
}


@dataclass(frozen=True, slots=True)
class Platforms:
    """Of one project, built and pushed; ours alone."""

    project: str

    @property
    def rows(self) -> tuple[str, ...]:
        """See `Suite`."""
        return (f"platforms-{self.project}",)

    def run(self, setting: Setting) -> Figures:
        """See `Suite`."""
        figures = Figures()
        project = PROJECTS[self.project]
        with serve(wheels(project), setting.ground / "index.log") as index:
            locked = make_project(project, index, setting.ground / "project")
            for number in range(2 * setting.rounds):
                names = tuple(_CHOICES)[:: -1 if number % 2 else 1]
                for name in names:
                    taken = self._build(name, locked, index, setting)
                    setting.say(f"{name}: {taken.seconds:.2f} s")
                    figures.add(name, {self.rows[0]: taken})
        return figures

    def _build(self, name: str, locked: Path, index: Index, setting: Setting) -> Measured:
        with place(setting.ground, index, setting.base("amd64", "arm64"), every_platform=True) as here:
            options = tuple(f"--platform={platform}" for platform in _CHOICES[name])
            ours = Ours(root=here.storage("host"), here=here, options=options)
            folder = shutil.copytree(locked, here.root / "project")
            ours.plan(folder)
            return here.watch(lambda: ours.publish(folder, here.registry.reference("pure:1")))
