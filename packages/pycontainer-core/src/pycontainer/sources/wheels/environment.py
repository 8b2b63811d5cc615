"""The virtual environment that wheels are installed into, and the layer of its skeleton.

    environment = Environment(python=PythonVersion(3, 12, 4), interpreter="/usr/local/bin/python3.12")
    environment.site_packages                       # "/app/.venv/lib/python3.12/site-packages"
    EnvironmentRecipe(environment=environment)      # pyvenv.cfg, bin/python → the base's interpreter

The places are those of sysconfig's `venv` scheme, as `uv` and `python -m venv` make them.
"""

from __future__ import annotations

import posixpath
import re
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from pycontainer.errors import ConfigError
from pycontainer.layers.recipe import recipe_key
from pycontainer.layers.record import LayerContents
from pycontainer.value import Value

if TYPE_CHECKING:
    from pycontainer.layers.writer import LayerWriter
    from pycontainer.sources.target import PythonVersion

# What a base image may own (Filesystem Hierarchy Standard 3.0): an entry in a layer would replace owner and mode.
BASE_DIRECTORIES = frozenset(
    path
    for root, names in {
        "": "bin boot dev etc home lib lib64 media mnt opt proc root run sbin srv sys tmp usr var",
        "/usr": "bin include lib libexec local local/bin local/lib local/share local/src share src",
        "/var": "cache lib local opt tmp",
    }.items()
    for path in (f"{root}/{name}" for name in names.split())
)
_PRINTABLE = re.compile(r"[^\x00-\x1f\x7f]+")


class Environment(Value, frozen=True, kw_only=True):
    """A virtual environment in an image.

    Attributes:
        python: The version of the base's interpreter.
        interpreter: Where the base has it; absolute.
        prefix: Where the environment is; absolute.
        free_threaded: Whether the interpreter is built without the global lock, which has directories of its own.
        owner: Numeric user and group of the directories above the environment (`/app`). The environment itself
            belongs to root, so that the application cannot change it.

    Raises:
        ConfigError: A path is not absolute and plain.
    """

    python: PythonVersion
    interpreter: str = "/usr/local/bin/python3"
    prefix: str = "/app/.venv"
    free_threaded: bool = False
    owner: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        for path in (self.prefix, self.interpreter):
            plain = path.startswith("/") and path.strip("/") and _PRINTABLE.fullmatch(path)
            if not plain or posixpath.normpath(path).lstrip("/") != path[1:]:
                raise ConfigError(f"`{path}` is not an absolute path in the image")

    @property
    def bin(self) -> str:
        """The directory of its commands: first on `PATH`."""
        return f"{self.prefix}/bin"

    @property
    def executable(self) -> str:
        """Its interpreter, which scripts name in their first line."""
        return f"{self.bin}/python"

    @property
    def python_directory(self) -> str:
        """`python3.12`, or `python3.13t` where it is free-threaded."""
        return f"python{self.python.feature}{'t' if self.free_threaded else ''}"

    @property
    def site_packages(self) -> str:
        """Where packages are, pure or not."""
        return f"{self.prefix}/lib/{self.python_directory}/site-packages"

    def scheme(self, key: str, *, name: str) -> str | None:
        """The directory for one kind of a wheel's `.data`, or none where there is no such kind.

        Args:
            key: `purelib`, `platlib`, `scripts`, `headers` or `data`.
            name: The distribution's name, which headers stand under.
        """
        if key in ("purelib", "platlib"):
            return self.site_packages
        return {
            "scripts": self.bin,
            "headers": f"{self.prefix}/include/site/{self.python_directory}/{name}",
            "data": self.prefix,
        }.get(key)

    @property
    def links(self) -> dict[str, str]:
        """Its symbolic links: path → target."""
        versions = {"python3", f"python{self.python.feature}", self.python_directory}
        return {
            self.executable: self.interpreter,
            **{f"{self.bin}/{name}": "python" for name in sorted(versions)},
            f"{self.prefix}/lib64": "lib",
        }

    @property
    def configuration(self) -> str:
        """The path of `pyvenv.cfg`."""
        return f"{self.prefix}/pyvenv.cfg"

    def owns(self, path: str) -> bool:
        """Whether a file at this path (without leading slash) would replace a part of the environment itself."""
        absolute = f"/{path}"
        if f"{self.site_packages}/".startswith(f"{absolute}/") or absolute == self.bin:
            return True
        return any(absolute == own or absolute.startswith(f"{own}/") for own in (self.configuration, *self.links))


class Directories:
    """Writes the directories that lead to a file, each once and before what is in it.

    Every layer has them all: an engine that meets a file without its directory makes one up, with a mode of its own.
    Only what a base image owns is left as it is there.
    """

    def __init__(self, writer: LayerWriter, environment: Environment) -> None:
        self._writer = writer
        self._environment = environment
        self._written = {"", *(path.strip("/") for path in BASE_DIRECTORIES)}
        self._above = {str(path).strip("/") for path in PurePosixPath(environment.prefix).parents}

    def make(self, path: str) -> None:
        """Write a directory, named without leading slash, and those above it."""
        if path in self._written:
            return
        self.make(path.rpartition("/")[0])
        self._written.add(path)
        uid, gid = self._environment.owner if path in self._above else (0, 0)
        self._writer.directory(path, uid=uid, gid=gid)


class EnvironmentRecipe(Value, frozen=True, kw_only=True, dict=True):
    """The layer of an environment that nothing is installed into yet."""

    environment: Environment

    @property
    def title(self) -> str:
        """What it is, for people."""
        return "virtual environment"

    @cached_property
    def key(self) -> str:
        """The key over all that the environment is."""
        environment = self.environment
        return recipe_key(
            "environment",
            {
                "prefix": environment.prefix,
                "python": str(environment.python),
                "interpreter": environment.interpreter,
                "free_threaded": environment.free_threaded,
                "owner": list(environment.owner),
            },
        )

    def write(self, writer: LayerWriter) -> LayerContents:
        """Write directories, links and `pyvenv.cfg`."""
        directories = Directories(writer, self.environment)
        directories.make(self.environment.site_packages.strip("/"))
        directories.make(self.environment.bin.strip("/"))
        content = _configuration(self.environment)
        writer.file(self.environment.configuration.strip("/"), content)
        for path, target in self.environment.links.items():
            writer.symlink(path.strip("/"), target)
        return LayerContents(files=1, size=len(content))


def _configuration(environment: Environment) -> bytes:
    """`pyvenv.cfg`, as site.py and tools that look at environments read it."""
    fields = {
        "home": posixpath.dirname(environment.interpreter),
        "implementation": "CPython",
        "version_info": environment.python,
        "include-system-site-packages": "false",
    }
    return "".join(f"{key} = {value}\n" for key, value in fields.items()).encode()
