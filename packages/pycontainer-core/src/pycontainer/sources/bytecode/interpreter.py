"""The Python of this host that compiles for an image: a CPython of the same feature version, free-threaded or not.

    python = find_python(PythonVersion.parse("3.11.2"), environment=os.environ, ask_uv=uv.find_python)
    python.version, python.cache_tag        # "3.11.7", "cpython-311"

Bytecode has a format for each feature version, which does not change any more once there is a release candidate
(`importlib.util.MAGIC_NUMBER`). Until then it changes often: a pre-release compiles for itself alone.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pycontainer.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pycontainer.sources.target import PythonVersion

_TIMEOUT: Final = 30.0
# As `examine` reads them, a line each.
_FACTS: Final = """
import sys
print(sys.implementation.name, sys.version.split()[0], "%d.%d" % sys.version_info[:2], sep="\\n")
print(sys.version_info.releaselevel, int("free-threading" in sys.version), sys.implementation.cache_tag, sep="\\n")
print(sys.executable)
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class HostPython:
    """A CPython on this host.

    Attributes:
        path: The program itself, not what may stand for it on `PATH`.
        version: All of it: `3.11.7`, `3.14.0rc2`.
        feature: `3.11`.
        is_final: Whether it is a release and no pre-release.
        free_threaded: Whether it is built without the global interpreter lock.
        cache_tag: What names its bytecode: `cpython-311` (PEP 3147).
    """

    path: Path
    version: str
    feature: str
    is_final: bool
    free_threaded: bool
    cache_tag: str


class HostPythons:
    """The Pythons of this host, each looked for once.

    Args:
        environment: As of `find_python`.
        ask_uv: As of `find_python`.
    """

    def __init__(self, environment: Mapping[str, str], *, ask_uv: Callable[[str], Path | None]) -> None:
        self._environment = environment
        self._ask_uv = ask_uv
        self._found: dict[tuple[PythonVersion, bool], HostPython] = {}

    def find(self, wanted: PythonVersion, *, free_threaded: bool = False) -> HostPython:
        """As `find_python`."""
        key = wanted, free_threaded
        if key not in self._found:
            self._found[key] = find_python(
                wanted, free_threaded=free_threaded, environment=self._environment, ask_uv=self._ask_uv
            )
        return self._found[key]


def find_python(
    wanted: PythonVersion,
    *,
    free_threaded: bool = False,
    environment: Mapping[str, str],
    ask_uv: Callable[[str], Path | None] = lambda _: None,
) -> HostPython:
    """A Python whose bytecode an image's Python takes for its own: of the very same version if there is one.

    Looked at are the Python that runs us, `python3.X` on `PATH`, those of pyenv and the one that uv finds, in this
    order. Nothing is downloaded.

    Args:
        wanted: The version of the image's Python.
        free_threaded: Whether that is built without the global interpreter lock.
        environment: Its `PATH` and `PYENV_ROOT` count.
        ask_uv: Gives the Python that uv has for a name such as `3.13t`.

    Raises:
        ToolError: There is none.
    """
    name = f"{wanted.feature}t" if free_threaded else wanted.feature
    fitting: list[HostPython] = []
    seen: set[Path] = set()
    for path in _candidates(name, environment, ask_uv):
        if path in seen or not path.is_file():
            continue
        seen.add(path)
        found = examine(path)
        if found is None or (found.feature, found.free_threaded) != (wanted.feature, free_threaded):
            continue
        if found.version == str(wanted):
            return found
        if found.is_final and not wanted.pre:
            fitting.append(found)
    if fitting:
        return fitting[0]
    needed = f"CPython {wanted}" if wanted.pre else f"CPython {name}"
    raise ToolError(
        f"No {needed} was found on this host to compile bytecode with",
        facts=[f"the image has CPython {wanted}", f"looked for: `python{name}` on PATH, pyenv, uv"],
        hint=f"Install it, for example with `uv python install {str(wanted) if wanted.pre else name}`, "
        "or build without {compile_bytecode}",
    )


def examine(path: Path) -> HostPython | None:
    """What a Python says of itself; none where it does not run, or is no CPython."""
    try:
        done = subprocess.run(  # noqa: S603 - a Python of this host
            [str(path), "-I", "-S", "-c", _FACTS],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match done.stdout.splitlines() if done.returncode == 0 else ():
        case ("cpython", version, feature, level, free_threaded, tag, program) if program and tag != "None":
            return HostPython(
                path=Path(program),
                version=version,
                feature=feature,
                is_final=level == "final",
                free_threaded=free_threaded == "1",
                cache_tag=tag,
            )
    return None


def _candidates(name: str, environment: Mapping[str, str], ask_uv: Callable[[str], Path | None]) -> Iterator[Path]:
    """Programs that may be a Python of this name, `3.13` or `3.13t`; those that are not there included."""
    if sys.executable:
        yield Path(sys.executable)
    suffix = ".exe" if os.name == "nt" else ""
    for folder in environment.get("PATH", "").split(os.pathsep):
        if folder:
            yield Path(folder) / f"python{name}{suffix}"
    root = environment.get("PYENV_ROOT") or str(Path.home() / ".pyenv")
    for version in sorted(Path(root, "versions").glob(f"{name.rstrip('t')}*"), reverse=True):
        yield version / ("python.exe" if os.name == "nt" else "bin/python")
    if found := ask_uv(name):
        yield found
