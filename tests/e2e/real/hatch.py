"""The real Hatch, in an environment of its own, that finds our wheels as it would find those of a private index.

hatch("build", "-t", "container", project=project)
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from secrets import token_hex
from typing import TYPE_CHECKING

from real.programs import run
from real.samples import uv

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from subprocess import CompletedProcess

VERSION = "1.18.2"


@dataclass(frozen=True, kw_only=True, slots=True)
class Hatch:
    """Hatch, and where it keeps what it makes.

    Attributes:
        home: For its own environment and those that it makes.
        wheels: A folder with wheels of our packages.
        cache: Of pycontainer.
        base_image: What images are built on.
    """

    home: Path
    wheels: Path
    cache: Path
    base_image: str

    @classmethod
    def install(cls, home: Path, *, wheels: Path, cache: Path, base_image: str) -> Hatch:
        """Install it below `home`."""
        made = cls(home=home, wheels=wheels, cache=cache, base_image=base_image)
        made.environment("hatch", f"hatch=={VERSION}")
        (home / "config.toml").touch()  # or it would be that of whoever runs the tests
        return made

    def environment(self, name: str, *requirements: str) -> Path:
        """A virtual environment with packages, ours included; its folder of programs."""
        folder = self.home / name
        uv("venv", "--quiet", folder)
        uv("pip", "install", "--quiet", "--python", folder, "--find-links", self.wheels, *requirements)
        return folder / "bin"

    def __call__(
        self, *words: str, project: Path, env: Mapping[str, str] | None = None, status: int | None = 0
    ) -> CompletedProcess[str]:
        """Run a command of Hatch in a project; its messages are on standard error."""
        program = self.home / "hatch" / "bin" / "hatch"
        # Hatch's uv would install into the Python that this variable names, and not into Hatch's environment.
        unset = ("env", "--unset", "UV_PYTHON")
        return run(*unset, program, *words, cwd=project, env={**self.variables, **(env or {})}, status=status)

    @property
    def variables(self) -> dict[str, str]:
        """What a user of a private index sets, and folders that no other test run shares."""
        links = ",".join(filter(None, [str(self.wheels), os.environ.get("UV_FIND_LINKS")]))
        return {
            "UV_FIND_LINKS": links,
            "UV_PYTHON_DOWNLOADS": "never",
            "HATCH_DATA_DIR": str(self.home / "data"),
            "HATCH_CACHE_DIR": str(self.home / "cache"),
            "HATCH_CONFIG": str(self.home / "config.toml"),
            "PYCONTAINER_CACHE_DIR": str(self.cache),
            "PYCONTAINER_BASE_IMAGE": self.base_image,
        }


def build_wheels(packages: Path, names: tuple[str, ...], target: Path) -> Path:
    """The wheels of our packages, as they would be published, in a folder below `target`."""
    # uv keeps what it installed from a path, and asks no more whether the file there is another one.
    folder = target / token_hex(8)
    for name in names:
        run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=packages / name)
    return folder
