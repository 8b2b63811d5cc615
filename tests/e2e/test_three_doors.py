"""One project, three doors, one digest: `pycontainer build`, `hatch build -t container`, `poetry build-container`.

And nobody who builds or installs the project by other means meets a plugin of ours.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import pytest
from contents import read_contents
from real.command import Pycontainer
from real.hatch import Hatch, build_wheels
from real.poetry import Poetry, install_poetry
from real.programs import run
from real.samples import uv

from pycontainer.destinations.layout import LayoutDestination
from pycontainer.testing.images import debian_like
from pycontainer.testing.index_server import IndexServer, serving
from pycontainer.testing.wheels import WheelForge

pytestmark = pytest.mark.network  # the tools come from the Python index

PACKAGES = Path(__file__).parents[2] / "packages"
# A wheel says which version of the backend made it, so all doors are told to use the same one.
BACKENDS = {"hatchling": "hatchling.build", "poetry-core": "poetry.core.masonry.api"}
PROJECT = """\
[build-system]
requires = ["{backend}=={version}"]
build-backend = "{module}"

[project]
name = "three-doors"
version = "1.2"
description = "Three ways in, one image"
requires-python = ">=3.10,<4"
license = "MIT"
dependencies = ["alpha", "gamma; sys_platform == 'win32'"]
scripts = {{ doors = "three_doors:main" }}

[project.optional-dependencies]
more = ["delta"]

[project.urls]
Homepage = "https://acme.example/doors"

[[tool.uv.index]]
name = "corp"
url = "{index}"

[[tool.poetry.source]]
name = "corp"
url = "{index}"

[tool.poetry.requires-plugins]
poetry-pycontainer = ">=0.1"

[tool.hatch.build.targets.container]
dependencies = ["hatch-pycontainer"]

[tool.pycontainer]
base-image = "{base}"
extras = ["more"]
platform = "linux/amd64"

[tool.pycontainer.env]
DOORS = "3"
"""


@dataclass(frozen=True, kw_only=True)
class House:
    """A project that each door leads into."""

    doors: dict[str, Callable[[Path], str]]
    index: IndexServer
    base: Path
    poetry: Poetry

    def project(self, root: Path, backend: str, lock: str) -> Path:
        """The project, with a backend, locked by a tool."""
        (root / "three_doors").mkdir(parents=True)
        (root / "three_doors" / "__init__.py").write_text("def main() -> None:\n    print('in')\n")
        (root / "pyproject.toml").write_text(
            PROJECT.format(
                backend=backend,
                version=self.poetry.backend() if backend == "poetry-core" else version(backend),
                module=BACKENDS[backend],
                index=self.index.simple,
                base=f"oci:{self.base}",
            )
        )
        if lock == "uv.lock":
            uv("lock", "--quiet", cwd=root)
        else:
            self.poetry(root, "lock")
        assert (root / lock).is_file()
        return root


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The three tools, each from built wheels in an environment and with a cache of its own."""
    folder = tmp_path_factory.mktemp("house")
    base = folder / "base"
    LayoutDestination(base).write(debian_like("3.12.4"))
    wheels = build_wheels(PACKAGES, ("pycontainer-core", "hatch-pycontainer", "poetry-pycontainer"), folder / "wheels")
    pycontainer = Pycontainer(cache=folder / "cache")
    hatch = Hatch.install(folder / "hatch", wheels=wheels, cache=folder / "hatchs-cache", base_image="")
    poetry = install_poetry("newest", folder / "poetry", sorted(wheels.glob("p*.whl")))

    def through_hatch(project: Path) -> str:
        return hatch("build", "-t", "container", project=project).stderr.strip()

    doors = {
        "pycontainer build": lambda project: pycontainer.build(project).stdout.strip(),
        "hatch build -t container": through_hatch,
        "poetry build-container": lambda project: poetry.build(project).stdout.strip(),
    }
    with serving() as index:
        index.form = "html"
        for name in ("alpha", "gamma", "delta"):
            forge = WheelForge(name=name, version="1.0", files={f"{name}/__init__.py": b"ANSWER = 42\n"})
            index.add(name, forge.filename, forge.build())
        yield House(doors=doors, index=index, base=base, poetry=poetry)


@pytest.mark.parametrize(
    ("backend", "lock", "doors"),
    [
        ("hatchling", "uv.lock", ("pycontainer build", "hatch build -t container")),
        ("poetry-core", "poetry.lock", ("pycontainer build", "poetry build-container")),
        ("hatchling", "poetry.lock", ("pycontainer build", "hatch build -t container", "poetry build-container")),
    ],
    ids=["of Hatch", "of Poetry", "of both"],
)
def test_every_door_leads_to_the_same_image(
    backend: str, lock: str, doors: tuple[str, ...], house: House, tmp_path: Path
) -> None:
    project = house.project(tmp_path / "three-doors", backend, lock)

    said = {door: house.doors[door](project) for door in doors}

    digests = {door: re.search(r"@(sha256:[0-9a-f]{64})$", text) for door, text in said.items()}
    assert all(digests.values()), said
    assert len({match[1] for match in digests.values() if match}) == 1, said
    installed = read_contents(project / "dist" / "image").below("/app/.venv/lib/python3.12/site-packages")
    assert {"alpha/__init__.py", "delta/__init__.py", "three_doors/__init__.py"} <= installed
    assert not any(path.startswith("gamma") for path in installed), "what is for Windows alone stays out"


@pytest.mark.parametrize("backend", BACKENDS)
def test_who_builds_or_installs_the_project_meets_no_plugin(backend: str, house: House, tmp_path: Path) -> None:
    """No index has our packages, so whoever asked for one would fail; and none is there to be imported."""
    project = house.project(tmp_path / "three-doors", backend, "uv.lock")
    python = tmp_path / "venv" / "bin" / "python"
    uv("venv", "--quiet", tmp_path / "venv")
    uv("pip", "install", "--quiet", "--python", python, "build", "pip")

    uv("build", "--quiet", cwd=project)
    run(python, "-m", "build", "--wheel", "--installer", "uv", "--outdir", tmp_path / "built", project)
    run(python, "-m", "pip", "install", "--quiet", "--no-deps", project)

    listed = run(python, "-m", "pip", "list", "--format", "freeze").stdout
    assert "three-doors" in listed
    assert "pycontainer" not in listed
    assert {path.suffix for path in (project / "dist").iterdir()} <= {".whl", ".gz", ".gitignore", ""}
    assert [path.suffix for path in (tmp_path / "built").iterdir()] == [".whl"]
