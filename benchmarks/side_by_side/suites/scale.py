"""How the time of a plan grows with the lock and with the project; ours alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pycontainer.testing.wheels import WheelForge
from side_by_side.contenders import Ours
from side_by_side.place import place
from side_by_side.projects import Project, make_project, serve
from side_by_side.suites.suite import Figures

if TYPE_CHECKING:
    from pathlib import Path

    from side_by_side.suites.suite import Setting

PACKAGES = (250, 500, 1_000)
FILES = (25_000, 50_000, 100_000)
_FILES_PER_FOLDER = 100


@dataclass(frozen=True, slots=True)
class Packages:
    """Packages in the lock, each of which needs one that comes before it."""

    rows: tuple[str, ...] = ("first-packages", "again-packages")

    def run(self, setting: Setting) -> Figures:
        """See `Suite`."""
        wheels = setting.ground / "wheels"
        wheels.mkdir()
        for number in range(max(PACKAGES)):
            _wheel(number).write(wheels)
        projects = {}
        with serve(wheels, setting.ground / "index.log") as index:
            for count in PACKAGES:
                dependencies = tuple(f"package-{number}==1.0" for number in range(count))
                project = Project(name="scale", dependencies=dependencies, modules=(), content="")
                projects[count] = make_project(project, index, setting.ground / f"packages-{count}")
        return _plans(projects, "packages", setting)


@dataclass(frozen=True, slots=True)
class Files:
    """Files in the project."""

    rows: tuple[str, ...] = ("first-files", "again-files")

    def run(self, setting: Setting) -> Figures:
        """See `Suite`."""
        projects = {}
        (setting.ground / "wheels").mkdir()
        with serve(setting.ground / "wheels", setting.ground / "index.log") as index:
            for count in FILES:
                project = Project(name="scale", dependencies=(), modules=(), content="")
                projects[count] = make_project(project, index, setting.ground / f"files-{count}")
        for count, directory in projects.items():
            for first in range(0, count, _FILES_PER_FOLDER):
                folder = directory / "data" / f"{first:06}"
                folder.mkdir(parents=True)
                for number in range(first, first + _FILES_PER_FOLDER):
                    (folder / f"{number}.json").write_text(f'{{"number": {number}, "text": "{number:>100}"}}\n')
        return _plans(projects, "files", setting)


def _wheel(number: int) -> WheelForge:
    name = f"package_{number}"
    needs = f"Requires-Dist: package-{(number - 1) // 2}==1.0\n" if number else ""
    metadata = f"Metadata-Version: 2.1\nName: package-{number}\nVersion: 1.0\n{needs}"
    return WheelForge(name=name, files={f"{name}.py": b"x = 1\n"}, metadata=metadata.encode())


def _plans(projects: dict[int, Path], what: str, setting: Setting) -> Figures:
    """A plan with a fresh cache, and another one; the base image is known to both."""
    figures = Figures()
    nothing = setting.ground / "nothing"
    (setting.ground / "no-wheels").mkdir()
    with serve(setting.ground / "no-wheels", setting.ground / "index.log") as index:
        make_project(Project(name="nothing", dependencies=(), modules=(), content=""), index, nothing)
        for _ in range(setting.rounds):
            for count, directory in projects.items():
                with place(setting.ground, index, setting.base("amd64")) as here:
                    ours = Ours(root=here.storage("host"), here=here)
                    ours.plan(nothing)
                    first = ours.plan(directory)
                    again = ours.plan(directory)
                setting.say(f"{count:,} {what}: {first.seconds:.2f} s, again {again.seconds:.2f} s")
                figures.add(f"{count:,}", {f"first-{what}": first, f"again-{what}": again})
    return figures
