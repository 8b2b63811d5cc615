"""uv, as a program on this host: it resolves, builds wheels in isolation, and knows its own default index.

    uv = find_uv(os.environ, settings)
    uv.run(["build", "--wheel", str(tree)], cwd=root)

uv is an extra of this package (`pycontainer-core[uv]`); the one on `PATH` will do too.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence  # noqa: TC003 - dataclasses keep their annotations readable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from pycontainer.errors import ToolError
from pycontainer.sources.indexes.credentials import variable_secrets
from pycontainer.sources.locks.addresses import redact
from pycontainer.transports.secrets import scrub
from pycontainer.unfinished import temporary_folder

if TYPE_CHECKING:
    from pycontainer.sources.indexes.model import Index, IndexSettings

# What says which Python, environment or project uv works on is ours to say: a stray UV_PYTHON breaks an isolated build.
_KEPT = re.compile(
    r"UV_(INDEX(_\w+)?|DEFAULT_INDEX|EXTRA_INDEX_URL|FIND_LINKS|NO_INDEX|KEYRING_PROVIDER|CREDENTIALS_DIR|\w*_TOKEN"
    r"|CACHE_DIR|NO_CACHE|OFFLINE|CONFIG_FILE|NO_CONFIG|NATIVE_TLS|SYSTEM_CERTS|INSECURE_HOST|HTTP_\w+|REQUEST_TIMEOUT"
    r"|CONCURRENT_\w+|LINK_MODE|EXCLUDE_NEWER|BUILD_CONSTRAINT|PYTHON_INSTALL_DIR|LOCK_TIMEOUT)"
)
_DROPPED = frozenset(
    {"VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONOPTIMIZE", "PYTHONWARNINGS"}
    | {"PYTHONDEVMODE", "PYTHONINSPECT", "PYTHONUSERBASE", "__PYVENV_LAUNCHER__"}
)
_INDEX_URL = re.compile(r"^--(?:default-)?index(?:-url)?[ =](\S+)$", re.MULTILINE)
_LINES = 20
_TRACEBACK = "Traceback (most recent call last)"
_LINE = 400
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[^\x20-\x7e\t\n\u00a0-\uffff]")
MISSING_HINT = "Install uv, or `pycontainer-core[uv]`"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finished:
    """How a run of uv ended; the texts are as they were printed, secrets included."""

    status: int
    output: str
    errors: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Uv:
    """The program and the environment it runs in.

    Attributes:
        program: Its absolute path.
        environment: Variables, without those that would say which Python or project to use.
        secrets: What its output must not show.
    """

    program: str
    environment: Mapping[str, str] = field(repr=False)
    secrets: frozenset[str] = field(default=frozenset(), repr=False)

    def run(
        self, arguments: Sequence[str], *, cwd: Path, variables: Mapping[str, str] | None = None, text: str = ""
    ) -> Finished:
        """Run it to its end.

        Args:
            arguments: Never a secret among them: they are seen by everybody on this host.
            cwd: Where its settings files are looked for, upwards.
            variables: Added to the environment.
            text: What it reads on its standard input.

        Raises:
            ToolError: It cannot be started.
        """
        command = [self.program, *arguments, "--no-progress", "--color", "never", "--no-python-downloads"]
        # The umask decides the modes of what a backend writes; it is the child's alone.
        umask = {"umask": 0o022} if os.name == "posix" else {}
        try:
            done = subprocess.run(  # type: ignore[call-overload]  # noqa: S603 - an absolute path, no shell
                command,
                cwd=cwd,
                env={**self.environment, **(variables or {})},
                input=text,
                capture_output=True,
                text=True,
                encoding="utf-8",
                errors="replace",
                check=False,
                **umask,
            )
        except OSError as error:
            raise ToolError(f"`{self.program}` cannot be run", facts=[error.strerror or str(error)]) from error
        return Finished(status=done.returncode, output=done.stdout, errors=done.stderr)

    def shown(self, text: str) -> list[str]:
        """The last twenty lines of what it printed, fit for an error: no secrets, no colours, no endless lines."""
        text = redact(scrub(_ANSI.sub("", text), self.secrets))
        lines = [line.rstrip() for line in text.splitlines() if line.strip()]
        return [line if len(line) <= _LINE else f"{line[:_LINE]}…" for line in _telling(lines)]

    def default_index(self) -> str | None:
        """The address of the index that uv uses when nobody configures one; needs no network.

        Raises:
            ToolError: It cannot be started.
        """
        unset = {name: value for name, value in self.environment.items() if not name.startswith("UV_")}
        plain = Uv(program=self.program, environment=unset, secrets=self.secrets)
        arguments = ["pip", "compile", "--no-config", "--offline", "--emit-index-url", "--no-header", "--quiet", "-"]
        with temporary_folder() as folder:
            done = plain.run(arguments + python_arguments(), cwd=folder)
        match = _INDEX_URL.search(done.output)
        return match[1] if done.status == 0 and match else None

    def find_python(self, version: str) -> Path | None:
        """An installed CPython of a feature version such as `3.12`, or none."""
        with temporary_folder() as folder:
            done = self.run(["python", "find", f"cpython@{version}", "--no-project", "--system"], cwd=folder)
        path = Path(done.output.strip()) if done.status == 0 and done.output.strip() else None
        return path if path is not None and path.is_file() else None


def _telling(lines: list[str]) -> list[str]:
    """The last twenty lines; or ten of them, after the last ten of a traceback that stands before them.

    uv reads a backend's two streams side by side, so that the traceback may come before what was printed long ago.
    """
    begin = max((number for number, line in enumerate(lines) if line.startswith(_TRACEBACK)), default=None)
    if begin is None:
        return lines[-_LINES:]
    end = next((n for n in range(begin + 1, len(lines)) if not lines[n].startswith(" ")), len(lines) - 1) + 1
    if end > len(lines) - _LINES // 2:
        return lines[-_LINES:]
    return lines[max(begin, end - _LINES // 2) : end] + lines[-_LINES // 2 :]


def find_uv(environment: Mapping[str, str], settings: IndexSettings | None = None) -> Uv | None:
    """The uv that is installed beside this package, or on `PATH`; none where it is not.

    Args:
        environment: What it runs in, once cleaned.
        settings: Indexes for uv to use where it has none of its own: pip's or Poetry's.
    """
    program = _installed() or shutil.which("uv", path=environment.get("PATH"))
    if program is None:
        return None
    return Uv(
        program=program,
        environment=clean_environment(environment, settings),
        secrets=variable_secrets(environment) | _passwords(settings),
    )


def clean_environment(environment: Mapping[str, str], settings: IndexSettings | None = None) -> dict[str, str]:
    """Variables for uv: the user's, without those that would say which Python, environment or project to use."""
    kept = {
        name: value
        for name, value in environment.items()
        if name not in _DROPPED and (not name.startswith("UV_") or _KEPT.fullmatch(name))
    }
    return {**kept, **(_index_variables(environment, settings) if settings else {})}


def python_arguments() -> list[str]:
    """Any interpreter: uv needs one to resolve, and takes nothing from it that `--universal` would not overrule."""
    import sys  # noqa: PLC0415 - what is asked for is the interpreter, not the module

    return ["--python", sys.executable] if sys.executable else []


def _installed() -> str | None:
    try:
        import uv  # noqa: PLC0415 - an extra

        return os.fspath(uv.find_uv_bin())
    except (ImportError, FileNotFoundError):
        return None


def _index_variables(environment: Mapping[str, str], settings: IndexSettings) -> dict[str, str]:
    """Indexes that uv does not read, where they replace the default one: the options', or pip's behind a mirror.

    Credentials go by the environment, never by argv.
    """
    default = settings.default
    if default is None or default.tool not in {"options", "pip"}:
        return {}
    extra = [_with_user(index) for index in settings.extra if index.tool == "pip" and not index.explicit]
    links = [_with_user(place) for place in settings.find_links if place.tool == "pip"]
    variables = {"UV_DEFAULT_INDEX": _with_user(default)}
    if extra:
        own = environment.get("UV_EXTRA_INDEX_URL", "").split()
        # pip takes the best version of all its indexes.
        variables |= {"UV_EXTRA_INDEX_URL": " ".join([*own, *extra]), "UV_INDEX_STRATEGY": "unsafe-best-match"}
    if links:
        own = [item for item in environment.get("UV_FIND_LINKS", "").split(",") if item]
        variables["UV_FIND_LINKS"] = ",".join([*own, *links])
    return variables


def _with_user(index: Index) -> str:
    if index.username is None:
        return index.url
    password = f":{quote(index.password.reveal(), safe='')}" if index.password else ""
    scheme, separator, rest = index.url.partition("://")
    return f"{scheme}{separator}{quote(index.username, safe='')}{password}@{rest}"


def _passwords(settings: IndexSettings | None) -> frozenset[str]:
    everything = settings.everything if settings else ()
    return frozenset(index.password.reveal() for index in everything if index.password)
