"""The real Poetry with our plugin, from built wheels, each version in an environment of its own.

    poetry = install_poetry("2.0.1", folder, wheels)
    poetry(project, "lock")
    poetry.build(project, "--tag", "localhost:5000/app:1", "--push").stdout

Projects are locked against an index on loopback, whose packages are made while the tests run.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from pycontainer.testing.wheels import WheelForge
from real.programs import run
from real.samples import uv

if TYPE_CHECKING:
    from collections.abc import Mapping
    from subprocess import CompletedProcess

    from pycontainer.testing.index_server import IndexServer

ROOT = Path(__file__).parents[3]
PACKAGES = ("pycontainer-core", "poetry-pycontainer")
USER, PASSWORD = "bob", "s3cr3t-plant"
# An empty variable says nothing: what this host or another test is set up with stays out.
SILENT = ("PYCONTAINER_BASE_IMAGE", "PYCONTAINER_TAG")
SERVER = """\
import http.server
from importlib.metadata import distributions


class Names(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        names = sorted(f"{each.name}=={each.version}" for each in distributions())
        self.send_response(200)
        self.end_headers()
        self.wfile.write("\\n".join(names).encode())


def main() -> None:
    http.server.HTTPServer(("", 8000), Names).serve_forever()
"""
PYPROJECT = """\
[project]
name = "shop"
version = "1.0"
requires-python = ">=3.10,<4"
dependencies = [
  "alpha>=1",
  "windows-only; sys_platform == 'win32'",
  "local-lib @ {local}",
  "file-lib @ {file}",
  "git-lib @ {git}",
]
scripts = {{ shop = "shop:main" }}

[project.optional-dependencies]
pg = ["gamma"]

[tool.poetry.group.docs]
optional = true

[tool.poetry.group.docs.dependencies]
delta = "*"

[tool.poetry.group.dev.dependencies]
epsilon = "*"

[[tool.poetry.source]]
name = "corp"
url = "{index}"

[build-system]
requires = ["poetry-core>=2.0"]
build-backend = "poetry.core.masonry.api"
"""
LIBRARY = """\
[project]
name = "{name}"
version = "0.3"

[build-system]
requires = ["poetry-core>=2.0"]
build-backend = "poetry.core.masonry.api"
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Poetry:
    """A Poetry with the plugin, and settings, caches and keyring of its own."""

    folder: Path
    env: Mapping[str, str] = field(default_factory=dict)

    def __call__(
        self, project: Path, *words: str | Path, env: Mapping[str, str] | None = None, status: int | None = 0
    ) -> CompletedProcess[str]:
        """Run it in a project."""
        own = {
            "POETRY_CONFIG_DIR": str(self.folder / "config"),
            "POETRY_CACHE_DIR": str(self.folder / "cache"),
            "POETRY_VIRTUALENVS_CREATE": "false",
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        }
        silent = dict.fromkeys(SILENT, "")
        every = {**silent, **own, **self.env, **(env or {})}
        return run(self.folder / "bin" / "poetry", *words, "--no-interaction", cwd=project, env=every, status=status)

    def build(
        self, project: Path, *options: str | Path, env: Mapping[str, str] | None = None, status: int | None = 0
    ) -> CompletedProcess[str]:
        """`poetry build-container`; what it prints on standard output is the digest reference."""
        words = ("build-container", "--cache-dir", self.folder.parent / "layers", *options)
        return self(project, *words, env=env, status=status)

    def backend(self) -> str:
        """The version of its own build backend."""
        code = "from importlib.metadata import version; print(version('poetry-core'))"
        return run(self.folder / "bin" / "python", "-c", code).stdout.strip()


def build_wheels(target: Path) -> list[Path]:
    """Wheels of the plugin and of the core: what is tested is what would be published."""
    for package in PACKAGES:
        run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", target, cwd=ROOT / "packages" / package)
    return sorted(target.glob("*.whl"))


def install_poetry(version: str, folder: Path, wheels: list[Path]) -> Poetry:
    """Poetry of a version, or the `newest`, and the plugin."""
    uv("venv", "--quiet", folder)
    poetry = "poetry>=2,<3" if version == "newest" else f"poetry=={version}"
    uv("pip", "install", "--quiet", "--python", folder / "bin" / "python", poetry, *wheels)
    return Poetry(folder=folder)


def source_of_this_host(folder: Path) -> str:
    """The index that uv is set up with, as a source of Poetry: mirrors have less of what Poetry asks the public one."""
    with TemporaryDirectory(dir=folder) as empty:
        project = Path(empty)
        (project / "pyproject.toml").write_text(
            '[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.10"\ndependencies = ["iniconfig"]\n'
        )
        uv("lock", cwd=project)
        index = re.search(r'registry = "([^"]+)"', (project / "uv.lock").read_text(encoding="utf-8"))
    return f'\n[[tool.poetry.source]]\nname = "host"\nurl = "{index[1]}"\n' if index else ""


def publish(index: IndexServer) -> None:
    """Put the packages of the projects on an index, behind a password."""
    index.user, index.form = (USER, PASSWORD), "html"  # Poetry 2.0 reads no other
    for name in ("alpha", "gamma", "delta", "epsilon", "windows_only"):
        forge = WheelForge(name=name, version="1.0", files={f"{name}/__init__.py": b"ANSWER = 42\n"})
        index.add(name.replace("_", "-"), forge.filename, forge.build())


def write_project(root: Path, index: IndexServer) -> Path:
    """A server with an extra, groups, and dependencies from an index, a folder, a file and a repository."""
    forge = WheelForge(name="file_lib", version="0.3", files={"file_lib/__init__.py": b""})
    for folder in ("wheels", "libs/local", "shop"):
        (root / folder).mkdir(parents=True)
    (root / "wheels" / forge.filename).write_bytes(forge.build())
    _write_library(root / "libs" / "local", "local-lib")
    repository = root.with_name(f"{root.name}-git")
    _write_library(repository, "git-lib")
    git = ("git", "-C", repository, "-c", "user.name=t", "-c", "user.email=t@t.example")
    run(*git, "init", "--quiet", "--initial-branch", "main")
    run(*git, "add", "--all")
    run(*git, "commit", "--quiet", "--message", "First")
    addresses = {
        "local": (root / "libs" / "local").as_uri(),
        "file": (root / "wheels" / forge.filename).as_uri(),
        "git": f"git+{repository.as_uri()}@main",
    }
    (root / "pyproject.toml").write_text(PYPROJECT.format(index=index.simple, **addresses))
    (root / "shop" / "__init__.py").write_text(SERVER)
    return root


def _write_library(folder: Path, name: str) -> None:
    module = folder / name.replace("-", "_")
    module.mkdir(parents=True, exist_ok=True)
    (module / "__init__.py").write_text("")
    (folder / "pyproject.toml").write_text(LIBRARY.format(name=name))
