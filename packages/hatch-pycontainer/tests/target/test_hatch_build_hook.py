"""The build hook `container`: an image of exactly the wheel that was built, where it is turned on, and nowhere else."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from hatch_bench import PROJECT, TARGET, HatchBench

HOOK = """
[tool.hatch.build.targets.wheel.hooks.container]
enable-by-default = false
dependencies = ["hatch-pycontainer"]
"""
ENABLED = {"HATCH_BUILD_HOOK_ENABLE_CONTAINER": "1"}


def dist(project: HatchBench) -> set[str]:
    return {path.name for path in (project.root / "dist").iterdir()}


def test_it_does_nothing_unless_it_is_turned_on(project: HatchBench) -> None:
    project.configure(HOOK)

    project.builds(target="wheel")

    assert dist(project) == {"demo_app-1.0-py3-none-any.whl"}


def test_the_image_has_what_the_wheel_has(project: HatchBench) -> None:
    project.configure(f'{HOOK}versions = ["oci-layout", "docker-archive"]\n[{TARGET}]\nworkdir = "/srv"')

    lines = project.builds(target="wheel", **ENABLED)

    wheel = "demo_app-1.0-py3-none-any.whl"
    assert dist(project) == {wheel, "demo_app-1.0.oci", "demo_app-1.0.docker.tar"}
    assert f"oci:{Path('dist/demo_app-1.0.oci')}@{project.digest()}" in lines
    files = project.image().files
    with zipfile.ZipFile(project.root / "dist" / wheel) as packed:
        for name in packed.namelist():
            if not name.endswith("/RECORD"):
                assert files[f"/srv/.venv/lib/python3.12/site-packages/{name}"] == packed.read(name)


def test_it_makes_the_image_of_the_target(project: HatchBench) -> None:
    """And not a second one when the target builds its own wheel."""
    project.configure(HOOK)
    project.builds(target="wheel", **ENABLED)
    by_hook = project.digest()

    lines = project.builds("-d", "again", **ENABLED)

    assert lines[-1] == f"oci:{Path('again/demo_app-1.0.oci')}@{by_hook}"
    assert lines.count("Planning") == 1


def test_only_wheels_get_images(project: HatchBench) -> None:
    project.configure('[tool.hatch.build]\ndev-mode-dirs = ["src"]\n[tool.hatch.build.hooks.container]')

    project.builds(target="sdist")
    project.builds(target="wheel:editable")

    assert not list(project.root.glob("dist/*.oci"))


def test_cleaning_removes_the_images(project: HatchBench) -> None:
    project.configure(HOOK)
    project.builds(target="wheel", **ENABLED)

    project.builds("--clean-only", target="wheel", **ENABLED)

    assert dist(project) == set()


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ('base-image = "x"', "`base-image` is not an option of the build hook `container`"),
        ('versions = ["oci"]', "`versions` of the build hook `container` must be a list of formats"),
    ],
)
def test_a_mistake_in_its_table_ends_the_build_before_the_wheel_is_made(
    project: HatchBench, table: str, says: str
) -> None:
    project.configure(HOOK + table)

    project.hatch_refuses(says, target="wheel", **ENABLED)

    assert dist(project) == set()


def test_a_build_that_fails_is_told(project: HatchBench) -> None:
    project.configure(HOOK, project=PROJECT.partition("scripts =")[0])

    project.hatch_refuses("The project does not say how it starts", target="wheel", **ENABLED)
