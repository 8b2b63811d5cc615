"""Metadata is read from `pyproject.toml` of any tool, without running anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from pycontainer.errors import ProjectError
from pycontainer.project import Pyproject

BUILD = '[build-system]\nrequires = ["x"]\n'


def read(root: Path, text: str) -> Pyproject:
    (root / "pyproject.toml").write_text(text)
    return Pyproject.read(root)


def test_a_standard_project(tmp_path: Path) -> None:
    metadata = read(
        tmp_path,
        BUILD
        + """
[project]
name = "Shop"
version = "1.2"
description = "Sells"
requires-python = ">=3.11"
license = "MIT"
authors = [{name = "A", email = "a@b.example"}, {name = "C"}]
dependencies = ["fastapi>=0.1"]
[project.scripts]
shop = "shop:main"
[project.urls]
Source = "https://git.example/shop"
""",
    ).metadata
    assert (metadata.name, metadata.version, metadata.requires_python) == ("Shop", "1.2", ">=3.11")
    assert metadata.authors == ("A <a@b.example>", "C")
    assert metadata.scripts == {"shop": "shop:main"}
    assert metadata.license == "MIT"
    assert metadata.is_package


def test_poetrys_older_tables(tmp_path: Path) -> None:
    metadata = read(
        tmp_path,
        BUILD
        + """
[tool.poetry]
name = "shop"
version = "1"
authors = ["A <a@b.example>"]
[tool.poetry.dependencies]
python = "^3.11"
flask = "*"
[tool.poetry.scripts]
shop = "shop:main"
""",
    ).metadata
    assert metadata.requires_python == ">=3.11,<4"
    assert metadata.dependencies == ("flask",)
    assert metadata.scripts == {"shop": "shop:main"}


@pytest.mark.parametrize(
    ("text", "is_package"),
    [
        (BUILD + '[project]\nname="x"', True),
        ('[project]\nname="x"', False),
        (BUILD + '[project]\nname="x"\n[tool.uv]\npackage=false', False),
        ('[project]\nname="x"\n[tool.uv]\npackage=true', True),
        (BUILD + "[tool.poetry]\npackage-mode=false", False),
    ],
)
def test_a_project_is_a_package_when_a_backend_builds_it(tmp_path: Path, text: str, is_package: bool) -> None:  # noqa: FBT001
    assert read(tmp_path, text).is_package is is_package


def test_setup_py_alone_is_a_package(tmp_path: Path) -> None:
    (tmp_path / "setup.py").write_text("")
    assert Pyproject.read(tmp_path).is_package


SETUP_PY = """
import setuptools
setuptools.setup(name="Shop", version="1.2", python_requires=">=3.9", install_requires=["idna"],
    long_description=open("x").read(), entry_points={"console_scripts": ["shop=shop:main"]})
"""
SETUP_CFG = """
[metadata]
name = Shop
version = 1.2
long_description = file: README
[options]
python_requires = >=3.9
install_requires =
  idna
[options.entry_points]
console_scripts =
  shop = shop:main
"""


@pytest.mark.parametrize(("name", "text"), [("setup.py", SETUP_PY), ("setup.cfg", SETUP_CFG)])
def test_what_setuptools_files_state_plainly_is_read_without_running_them(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    metadata = Pyproject.read(tmp_path).metadata
    assert (metadata.name, metadata.version, metadata.requires_python) == ("Shop", "1.2", ">=3.9")
    assert metadata.dependencies == ("idna",)
    assert metadata.scripts == {"shop": "shop:main"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("setup.py", "def ("),
        ("setup.py", "setup(name=compute(), entry_points=points)"),
        ("setup.cfg", "name"),
        ("setup.cfg", "[metadata]\nversion = attr: shop.__version__\n"),
        ("setup.cfg", "[options]\ninstall_requires = %(x)s\n"),
    ],
)
def test_what_setuptools_files_compute_stays_unknown(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    project = Pyproject.read(tmp_path)
    assert project.metadata.version is None
    assert project.states_dependencies


@pytest.mark.parametrize(
    ("text", "states"),
    [
        ('[project]\nname = "a"\n', False),
        ('[project]\nname = "a"\ndependencies = ["b"]\n', True),
        ('[project]\nname = "a"\ndynamic = ["version", "dependencies"]\n', True),
        ('[tool.poetry.dependencies]\npython = "^3.11"\n', False),
        ('[tool.poetry.dependencies]\nb = "*"\n', True),
    ],
)
def test_whether_there_are_dependencies_to_lock(tmp_path: Path, text: str, *, states: bool) -> None:
    assert read(tmp_path, text).states_dependencies is states


def test_a_requirements_in_alone_states_dependencies(tmp_path: Path) -> None:
    (tmp_path / "requirements.in").write_text("idna\n")
    assert Pyproject.read(tmp_path).states_dependencies


@pytest.mark.parametrize(
    ("python", "required"),
    [
        ("^3.11", ">=3.11,<4"),
        ("~3.11", ">=3.11,<3.12"),
        (">=3.9 <3.13", ">=3.9,<3.13"),
        ("*", None),
        ("^3.9 || ^4", None),
    ],
)
def test_poetrys_python_becomes_a_specifier(tmp_path: Path, python: str, required: str | None) -> None:
    assert read(tmp_path, f'[tool.poetry.dependencies]\npython = "{python}"\n').metadata.requires_python == required


def test_poetrys_python_that_is_none_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"tool\.poetry\.dependencies"):
        _ = read(tmp_path, '[tool.poetry.dependencies]\npython = "^x"\n').metadata


def test_no_pyproject_is_a_project_named_after_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "My App!"
    folder.mkdir()
    project = Pyproject.read(folder)
    assert project.metadata.name == "My-App"
    assert not project.is_package


@pytest.mark.parametrize("text", ["[project\n", "[project]\nname = 3\n", "x = " + "[" * 100_000])
def test_what_cannot_be_read_names_the_file(tmp_path: Path, text: str) -> None:
    with pytest.raises(ProjectError, match=r"pyproject\.toml"):
        _ = read(tmp_path, text).metadata


def test_a_context_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="is not a directory"):
        Pyproject.read(tmp_path / "nowhere")
