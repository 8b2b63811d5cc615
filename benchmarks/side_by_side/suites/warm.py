"""Builds after a first one: on the same host, and on one that never built anything."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from side_by_side.place import place
from side_by_side.projects import PROJECTS, Index, Project, make_project, require, serve, wheels
from side_by_side.suites.suite import Figures

if TYPE_CHECKING:
    from pathlib import Path

    from side_by_side.contenders import Contender
    from side_by_side.measure import Measured
    from side_by_side.suites.suite import Setting


@dataclass(frozen=True, slots=True)
class Warm:
    """Of one project. Every build ends in the registry, and the images of the first round have to have what changed."""

    project: str

    @property
    def rows(self) -> tuple[str, ...]:
        """See `Suite`."""
        return tuple(f"{task}-{self.project}" for task in ("unchanged", "changed", "bumped", "runner"))

    def run(self, setting: Setting) -> Figures:
        """See `Suite`."""
        figures = Figures()
        project = PROJECTS[self.project]
        with serve(wheels(project), setting.ground / "index.log") as index:
            before = make_project(project, index, setting.ground / "before")
            after = shutil.copytree(before, setting.ground / "after")
            require(project.bumped, project.name, index, after)
            for number in range(setting.rounds):
                for contender in setting.turned(number):
                    taken = self._round(contender, before, after, index, setting, check=number == 0)
                    told = ", ".join(f"{task} {each.seconds:.2f} s" for task, each in taken.items())
                    setting.say(f"{contender.name}: {told}")
                    figures.add(contender.name, {f"{task}-{self.project}": each for task, each in taken.items()})
        return figures

    def _round(
        self, contender: Contender, before: Path, after: Path, index: Index, setting: Setting, *, check: bool
    ) -> dict[str, Measured]:
        project = PROJECTS[self.project]
        with place(setting.ground, index, setting.base("amd64")) as here:
            folder = shutil.copytree(before, here.root / "project")
            own, shared = (
                here.registry.reference(f"{self.project}:1"),
                here.registry.reference(f"shared/{self.project}:1"),
            )
            with contender.start(here.storage("host"), here) as bench:
                bench.publish(folder, own)
                taken = {"unchanged": here.watch(lambda: bench.publish(folder, own))}
                _change(folder, 1)
                taken["changed"] = here.watch(lambda: bench.publish(folder, own))
                for name in ("pyproject.toml", "uv.lock"):
                    shutil.copy(after / name, folder / name)
                taken["bumped"] = here.watch(lambda: bench.publish(folder, own))
                if check:
                    here.check(own, _expectation(project, 1))
            with contender.start(here.storage("main"), here) as bench:
                bench.publish(folder, shared, shared=True)
            _change(folder, 2)
            with contender.start(here.storage("runner"), here) as bench:
                taken["runner"] = here.watch(lambda: bench.publish(folder, shared, shared=True))
            if check:
                here.check(shared, _expectation(project, 2))
            return taken


def _change(folder: Path, number: int) -> None:
    with (folder / "main.py").open("a") as file:
        file.write(f"\nCHANGED = {number}\n")


def _expectation(project: Project, number: int) -> str:
    assert project.bump is not None
    name, _, version = project.bump[1].partition("==")
    imports = "; ".join(f"import {module}" for module in project.modules)
    bumped = f"from importlib.metadata import version; assert version('{name}') == '{version}'"
    return f"{imports}; {bumped}; import sys; sys.path.insert(0, '/app'); import main; assert main.CHANGED == {number}"
