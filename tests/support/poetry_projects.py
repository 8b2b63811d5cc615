"""Projects of Poetry for tests of its plugin: a lock as Poetry writes it, without an index and in no time.

project = PoetryProject(tmp_path)
project.write(packages=locked("alpha"))
project.poetry().locker.is_fresh()
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from poetry.factory import Factory
from poetry.poetry import Poetry

from pycontainer.sources.locks.document import parse_toml
from pycontainer.sources.locks.poetry import content_hash

HASH = "a" * 64
PYPROJECT = """\
[project]
name = "demo"
version = "1.0"
requires-python = ">=3.10"
dependencies = ["alpha"]
scripts = { demo = "demo:main" }

[project.optional-dependencies]
pg = ["gamma"]

[tool.poetry.group.docs]
optional = true

[tool.poetry.group.docs.dependencies]
delta = "*"

[build-system]
requires = ["poetry-core"]
build-backend = "poetry.core.masonry.api"
"""


@dataclass(frozen=True)
class PoetrySample:
    """A project of Poetry in a folder of its own."""

    root: Path
    pyproject: str = PYPROJECT

    def write(self, pyproject: str = PYPROJECT, *, packages: str = "", extras: str = "") -> None:
        """Write `pyproject.toml`, a module, and a lock that is fresh."""
        (self.root / "pyproject.toml").write_text(pyproject)
        (self.root / "demo.py").write_text("def main() -> None:\n    print('hello')\n")
        tables, _ = parse_toml(pyproject.encode(), self.root / "pyproject.toml")
        metadata = f'lock-version = "2.1"\npython-versions = ">=3.10"\ncontent-hash = "{content_hash(tables)}"\n'
        (self.root / "poetry.lock").write_text(f"{packages}\n[extras]\n{extras}\n\n[metadata]\n{metadata}")

    def poetry(self) -> Poetry:
        """Poetry's view of it."""
        return Factory().create_poetry(self.root)


def locked(
    name: str, *, groups: str = '"main"', source: str = "", markers: str = "", version: str = "1.0", sha256: str = HASH
) -> str:
    """A `[[package]]` as Poetry writes it."""
    file = f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
    return (
        f'[[package]]\nname = "{name}"\nversion = "{version}"\ndescription = ""\noptional = false\n'
        f'python-versions = "*"\ngroups = [{groups}]\n{f"markers = {markers}" if markers else ""}\n'
        f'files = [{{file = "{file}", hash = "sha256:{sha256}"}}]\n{source}\n'
    )


def source_of(**fields: str) -> str:
    """Where a package is from."""
    return "[package.source]\n" + "".join(f'{key} = "{value}"\n' for key, value in fields.items())


@dataclass(frozen=True)
class Done:
    """How a command ended: exit code, standard output, standard error."""

    code: int
    out: str
    err: str


Run = Callable[..., Done]
