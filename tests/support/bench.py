"""A project, a base and an index to build from: everything is right, for one thing to be made wrong."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

from pycontainer.testing.index_server import IndexServer
from pycontainer.testing.wheels import WheelForge
from pycontainer_cli.main import main

SECRET = "s3cr3t-plant"


@dataclass(frozen=True)
class Outcome:
    """How the command ended."""

    code: int
    out: str
    err: str


@dataclass
class Bench:
    """A project folder and what it needs."""

    root: Path
    base: Path
    index: IndexServer
    locked: list[str] = field(default_factory=list)

    def write(self, name: str, content: str | bytes) -> Path:
        """A file of the project."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def lock_wheel(self, content: bytes, *, filename: str, name: str = "demo", version: str = "1.0") -> str:
        """Serve a wheel and lock it by its true hash, in `pylock.toml`."""
        digest = self.index.add(name, filename, content)
        self.lock(name=name, version=version, filename=filename, digest=digest, size=len(content))
        return digest

    def lock_forge(self, forge: WheelForge) -> None:
        """Serve and lock a forged wheel."""
        self.lock_wheel(forge.build(), filename=forge.filename, name=forge.name, version=forge.version)

    def lock(
        self,
        *,
        filename: str,
        digest: str,
        name: str = "demo",
        version: str = "1.0",
        size: int = 1,
        url: str | None = None,
    ) -> None:
        """Lock a file."""
        address = url or f"{self.index.url}/files/{filename}"
        self.locked.append(
            f"[[packages]]\nname = {json.dumps(name)}\nversion = {json.dumps(version)}\n"
            f"wheels = [{{ name = {json.dumps(filename)}, url = {json.dumps(address)}, size = {size}, "
            f'hashes = {{ sha256 = "{digest}" }} }}]\n'
        )
        self.write("pylock.toml", 'lock-version = "1.0"\ncreated-by = "test"\n\n' + "\n".join(self.locked))

    def start(
        self,
        *arguments: str,
        command: str = "build",
        environment: Mapping[str, str] | None = None,
        prefix: Sequence[str] = (),
    ) -> subprocess.Popen[str]:
        """Start the real command in the project, as a process of its own; `prefix` is a program that runs it."""
        # A program that limits the command would limit what measures its coverage, too.
        dropped = ["COVERAGE_"] if prefix else []
        return subprocess.Popen(
            [*prefix, sys.executable, "-m", "pycontainer_cli", command, *arguments],
            cwd=self.root,
            env=self.variables(environment, dropped=dropped),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def variables(self, given: Mapping[str, str] | None = None, *, dropped: Sequence[str] = ()) -> dict[str, str]:
        """The environment of the command: nothing of the host says what to build, or how."""
        unwanted = ("PYCONTAINER_", "UV_", *dropped)
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith(unwanted)},
            "PYCONTAINER_BASE_IMAGE": f"oci:{self.base}",
            "PYCONTAINER_PLATFORM": "linux/amd64",
            "PYCONTAINER_CACHE_DIR": str(self.root.parent / "cache"),
            "HOME": str(self.root.parent),
            "COLUMNS": "200",
            **(given or {}),
        }

    def build(self, *arguments: str, command: str = "build", environment: Mapping[str, str] | None = None) -> Outcome:
        """Run the command in the project, in this process: to start Python takes longer than most of its work."""
        out, err = io.BytesIO(), io.BytesIO()
        with (
            mock.patch.dict(os.environ, self.variables(environment), clear=True),
            inside(self.root),
            contextlib.redirect_stdout(io.TextIOWrapper(out, "utf-8", write_through=True)),
            contextlib.redirect_stderr(io.TextIOWrapper(err, "utf-8", write_through=True)),
        ):
            code = main([command, *arguments])
            return Outcome(code, out.getvalue().decode(), err.getvalue().decode())

    def run(
        self,
        *arguments: str,
        command: str = "build",
        environment: Mapping[str, str] | None = None,
        prefix: Sequence[str] = (),
    ) -> Outcome:
        """Run it as a process of its own: where several run at once, or Python itself is told something."""
        with self.start(*arguments, command=command, environment=environment, prefix=prefix) as running:
            try:
                out, err = running.communicate(timeout=60)
            except subprocess.TimeoutExpired:
                running.kill()
                raise
        return Outcome(running.returncode, out, err)

    def refuses(
        self,
        *facts: str,
        code: int = 1,
        arguments: Sequence[str] = (),
        command: str = "build",
        environment: Mapping[str, str] | None = None,
        prefix: Sequence[str] = (),
    ) -> str:
        """Build, and see that it fails as promised: its code, one readable error, nothing written, nothing leaked."""
        if prefix:
            outcome = self.run(*arguments, command=command, environment=environment, prefix=prefix)
        else:
            outcome = self.build(*arguments, command=command, environment=environment)
        assert outcome.code == code, outcome.err
        assert outcome.out == ""
        assert outcome.err.count("error: ") == 1, outcome.err
        assert "Traceback" not in outcome.err
        assert SECRET not in outcome.err
        assert not (self.root / "dist").exists()
        for fact in facts:
            assert fact in outcome.err, f"the error does not say {fact!r}:\n{outcome.err}"
        return outcome.err


@contextlib.contextmanager
def inside(folder: Path) -> Iterator[None]:
    """Make a folder the current one."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
