"""A project, a base and an index to build from: everything is right, for one thing to be made wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pycontainer.testing.index_server import IndexServer
from pycontainer.testing.wheels import WheelForge

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
        """Start the real command in the project; `prefix` is a program that runs it."""
        # A program that limits the command would limit what measures its coverage, too.
        dropped = ("PYCONTAINER_", "UV_", *(["COVERAGE_"] if prefix else []))
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
        return subprocess.Popen(
            [*prefix, sys.executable, "-m", "pycontainer_cli", command, *arguments],
            cwd=self.root,
            env={
                **inherited,
                "PYCONTAINER_BASE_IMAGE": f"oci:{self.base}",
                "PYCONTAINER_PLATFORM": "linux/amd64",
                "PYCONTAINER_CACHE_DIR": str(self.root.parent / "cache"),
                "HOME": str(self.root.parent),
                "COLUMNS": "200",
                **(environment or {}),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def build(
        self,
        *arguments: str,
        command: str = "build",
        environment: Mapping[str, str] | None = None,
        prefix: Sequence[str] = (),
    ) -> Outcome:
        """Run the real command in the project."""
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
        outcome = self.build(*arguments, command=command, environment=environment, prefix=prefix)
        assert outcome.code == code, outcome.err
        assert outcome.out == ""
        assert outcome.err.count("error: ") == 1, outcome.err
        assert "Traceback" not in outcome.err
        assert SECRET not in outcome.err
        assert not (self.root / "dist").exists()
        for fact in facts:
            assert fact in outcome.err, f"the error does not say {fact!r}:\n{outcome.err}"
        return outcome.err
