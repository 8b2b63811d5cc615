"""`docker build` with BuildKit, and `docker push`."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from real.engines import docker as start_docker
from real.programs import run

from side_by_side.contenders.contender import FirstBuilds, first_builds, write_dockerfile
from side_by_side.measure import Measured, measure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from side_by_side.place import Place

PLUGINS_SINCE = 23  # since then BuildKit is a plugin of the client


@dataclass(frozen=True, kw_only=True, slots=True)
class Docker:
    """An engine with images of its own; see `Bench`."""

    client: tuple[str, ...]
    env: dict[str, str]
    here: Place

    def cold(self, project: Path, reference: str) -> FirstBuilds:
        """See `Bench`."""
        return first_builds(
            self.here,
            pull=lambda: self._command("pull", "--quiet", self.here.base),
            build=lambda: self.build(project),
            push=lambda: self._push(reference),
        )

    def build(self, project: Path) -> Measured:
        """See `Bench`."""
        return self._build(project)

    def publish(self, project: Path, reference: str, *, shared: bool = False) -> Measured:
        """See `Bench`; what is shared is the image itself, with BuildKit's inline cache."""
        cache = ("--build-arg=BUILDKIT_INLINE_CACHE=1", f"--cache-from={reference}") if shared else ()
        return self._build(project, *cache) + self._push(reference)

    def _build(self, project: Path, *options: str) -> Measured:
        write_dockerfile(project, self.here)
        return self._command("build", "--quiet", "--network=host", "--tag=app", *options, str(project))

    def _push(self, reference: str) -> Measured:
        return self._command("tag", "app", reference) + self._command("push", "--quiet", reference)

    def _command(self, *words: str) -> Measured:
        return measure([*self.client, *words], env=self.env)


@contextmanager
def docker(root: Path, here: Place) -> Iterator[Docker]:
    """See `Contender.start`; it knows the image that has uv."""
    program = docker_client()
    assert program is not None
    with start_docker(root) as engine:
        client = (str(program), *engine.client[1:])
        env = {**engine.env, "DOCKER_BUILDKIT": "1"}
        run(*client, "pull", "--quiet", here.uv, env=env)
        yield Docker(client=client, env=env, here=here)


def docker_client() -> Path | None:
    """A Docker client that can use BuildKit: any before version 23, and a later one that has its plugin."""
    for folder in os.get_exec_path():
        program = Path(folder) / "docker"
        if not os.access(program, os.X_OK):
            continue
        version = re.search(r"version (\d+)", run(program, "--version").stdout)
        if version is None or int(version[1]) < PLUGINS_SINCE:
            return program
        if run(program, "buildx", "version", status=None).returncode == 0:
            return program
    return None
