"""The project's own wheel: by Poetry's backend in this process, or in isolation where that is not enough."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
from poetry_projects import PYPROJECT, PoetrySample

from poetry_pycontainer.project import PoetryProject, builds_in_process
from pycontainer.errors import WheelBuildError
from pycontainer.events import Event, TaskFinished, ignore
from pycontainer.oci import Platform
from pycontainer.project.pyproject import Pyproject
from pycontainer.project.standalone import StandaloneProject
from pycontainer.sources.locks import Lock
from pycontainer.sources.target import Libc, PythonVersion, Target

TARGET = Target(
    platform=Platform.parse("linux/amd64"), python=PythonVersion.parse("3.12.4"), libc=Libc.parse("glibc:2.36")
)


@pytest.mark.parametrize(
    ("written", "instead", "expected"),
    [
        ("", "", True),
        ('["poetry-core"]', '["poetry-core>=1.0,<9"]', True),
        ('["poetry-core"]', '["poetry-core<1.0"]', False),
        ('["poetry-core"]', '["poetry-core", "cython"]', False),
        ('["poetry-core"]', '["poetry-core @ https://files.example/poetry_core-9-py3-none-any.whl"]', False),
        ("poetry.core.masonry.api", "hatchling.build", False),
        ("[tool.poetry.group.docs]", '[tool.poetry.build]\nscript = "build.py"\n[tool.poetry.group.docs]', False),
    ],
    ids=["any version", "a version that fits", "an older version", "more to build with", "a version of its own",
         "another backend", "a script"],
)  # fmt: skip
def test_what_poetry_builds_in_its_own_process(
    project: PoetrySample,
    written: str,
    instead: str,
    expected: bool,  # noqa: FBT001 - a column of the table
) -> None:
    project.write(PYPROJECT.replace(written, instead) if written else PYPROJECT)

    assert builds_in_process(project.poetry()) is expected


def made(project: PoetrySample, heard: list[Event]) -> PoetryProject:
    def in_isolation(pyproject: Pyproject, folder: Path, target: Target) -> Path:
        del pyproject, target
        return folder / "isolated.whl"

    standalone = StandaloneProject(
        pyproject=Pyproject.read(project.root),
        resolve=lambda pyproject, target: cast("Lock", (pyproject, target)),
        build=in_isolation,
        emit=ignore,
    )
    return PoetryProject(standalone, poetry=project.poetry(), locked=None, emit=heard.append)


def test_the_wheel_is_the_one_that_poetry_build_makes(project: PoetrySample, tmp_path: Path) -> None:
    project.write()
    heard: list[Event] = []

    wheel = made(project, heard).build_wheel(tmp_path, TARGET)

    assert wheel == tmp_path / "demo-1.0-py3-none-any.whl"
    (finished,) = [event for event in heard if isinstance(event, TaskFinished)]
    assert finished.size == wheel.stat().st_size
    assert not (project.root / "dist").exists()


def test_other_backends_build_in_isolation(project: PoetrySample, tmp_path: Path) -> None:
    project.write(PYPROJECT.replace('["poetry-core"]', '["poetry-core", "cython"]'))

    assert made(project, []).build_wheel(tmp_path, TARGET).name == "isolated.whl"


def test_a_project_without_modules_has_no_wheel(project: PoetrySample, tmp_path: Path) -> None:
    project.write()
    (project.root / "demo.py").unlink()

    with pytest.raises(WheelBuildError, match="The wheel of `demo` could not be built") as raised:
        made(project, []).build_wheel(tmp_path, TARGET)

    assert "demo" in raised.value.facts[0]
