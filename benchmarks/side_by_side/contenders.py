"""Who builds: pycontainer, `docker build` with BuildKit, `buildah build`; each from nothing.

with contender.start(root, "localhost:5000/python:3.11-slim") as bench:      # fresh storage, nothing pulled
    bench.cold(project, "localhost:5000/app:1")
    bench.build(project)
    bench.publish(project, "localhost:5000/app:1")
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from real.engines import docker as start_docker
from real.programs import run
from uv import find_uv_bin

from side_by_side.measure import Measured, measure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

UV = "localhost/uv:local"
# The recipe of uv's guide for Docker: dependencies first, uv itself mounted and not left in the image, and its cache in
# a cache mount.
DOCKERFILE = """\
FROM {base}
WORKDIR /app
ENV UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
COPY pyproject.toml uv.lock ./
RUN --mount=type=bind,from={uv},source=/uv,target=/bin/uv --mount=type=cache,target=/root/.cache/uv \\
    uv sync --locked --no-install-project --no-dev
COPY . .
RUN --mount=type=bind,from={uv},source=/uv,target=/bin/uv --mount=type=cache,target=/root/.cache/uv \\
    uv sync --locked --no-dev
ENV PATH=/app/.venv/bin:$PATH
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cold:
    """What first builds took.

    Attributes:
        pulled: To an image on this host, the base image pulled in the same time.
        built: To an image on this host, with the base image at hand.
        pushed: To an image in the registry that the base came from, with the base image at hand.
    """

    pulled: Measured
    built: Measured
    pushed: Measured


class Bench(Protocol):
    """A contender with storage of its own."""

    def cold(self, project: Path, reference: str) -> Cold:
        """The first builds; `reference` is where to push to."""

    def build(self, project: Path) -> Measured:
        """From the project to an image on this host."""

    def publish(self, project: Path, reference: str) -> Measured:
        """From the project to an image in a registry."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Contender:
    """Somebody who builds.

    Attributes:
        start: Fresh storage below a directory for as long as the context, to build on a base image in a registry.
    """

    name: str
    start: Callable[[Path, str], AbstractContextManager[Bench]]


@dataclass(frozen=True, kw_only=True, slots=True)
class PyContainer:
    """`pycontainer build`."""

    root: Path
    base: str

    def cold(self, project: Path, reference: str) -> Cold:
        """See `Bench`: a plan pulls the base image and reads what Python it has, and nothing else."""
        pulled = self.build(project)
        self._forget()
        self._run(project, "--dry-run")
        built = self.build(project)
        self._forget()
        self._run(project, "--dry-run")
        return Cold(pulled=pulled, built=built, pushed=self.publish(project, reference))

    def build(self, project: Path) -> Measured:
        """See `Bench`."""
        return self._run(project, "--output", f"oci:{self.root / 'image'}")

    def publish(self, project: Path, reference: str) -> Measured:
        """See `Bench`."""
        return self._run(project, "--tag", reference, "--push")

    def _forget(self) -> None:
        for name in ("cache", "image"):
            shutil.rmtree(self.root / name)

    def _run(self, project: Path, *options: str) -> Measured:
        program = Path(sys.executable).parent / "pycontainer"
        where = ("--context", project, "--base-image", self.base, "--cache-dir", self.root / "cache")
        return measure([program, "build", *where, *options])


@contextmanager
def pycontainer(root: Path, base: str) -> Iterator[Bench]:
    """Our command with a cache of its own."""
    yield PyContainer(root=root, base=base)


@dataclass(frozen=True, kw_only=True, slots=True)
class Docker:
    """`docker build` and `docker push`."""

    client: tuple[str, ...]
    env: dict[str, str]
    base: str

    def cold(self, project: Path, reference: str) -> Cold:
        """See `Bench`."""
        (project / "Dockerfile").write_text(DOCKERFILE.format(base=self.base, uv=UV))
        pulled = measure([*self.client, "pull", "--quiet", self.base], env=self.env)
        built = self.build(project)
        return Cold(pulled=pulled + built, built=built, pushed=built + self._push(reference))

    def build(self, project: Path) -> Measured:
        """See `Bench`."""
        return measure([*self.client, "build", "--quiet", "--network=host", "--tag=app", project], env=self.env)

    def publish(self, project: Path, reference: str) -> Measured:
        """See `Bench`."""
        return self.build(project) + self._push(reference)

    def _push(self, reference: str) -> Measured:
        tagged = measure([*self.client, "tag", "app", reference], env=self.env)
        return tagged + measure([*self.client, "push", "--quiet", reference], env=self.env)


@contextmanager
def docker(root: Path, base: str) -> Iterator[Bench]:
    """A Docker engine of its own; it knows the image that has uv."""
    program = docker_client()
    assert program is not None
    with start_docker(root) as engine:
        client = (str(program), *engine.client[1:])
        env = {**engine.env, "DOCKER_BUILDKIT": "1"}
        run(*client, "build", "--quiet", "--tag", UV, _uv_context(root), env=env)
        yield Docker(client=client, env=env, base=base)


def docker_client() -> Path | None:
    """A Docker client that can use BuildKit: any before version 23, and a later one that has its plugin."""
    for folder in os.get_exec_path():
        program = Path(folder) / "docker"
        if not os.access(program, os.X_OK):
            continue
        version = re.search(r"version (\d+)", run(program, "--version").stdout)
        if version is None or int(version[1]) < 23 or run(program, "buildx", "version", status=None).returncode == 0:  # noqa: PLR2004
            return program
    return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Buildah:
    """`buildah build` and `buildah push`."""

    client: tuple[str, ...]
    base: str

    def cold(self, project: Path, reference: str) -> Cold:
        """See `Bench`."""
        (project / "Dockerfile").write_text(DOCKERFILE.format(base=self.base, uv=UV))
        pulled = measure([*self.client, "pull", "--quiet", "--tls-verify=false", self.base])
        built = self.build(project)
        return Cold(pulled=pulled + built, built=built, pushed=built + self._push(reference))

    def build(self, project: Path) -> Measured:
        """See `Bench`; with `--layers`, as Podman builds, or nothing could be used again."""
        options = ("--quiet", "--layers", "--isolation=chroot", "--network=host", "--pull-never")
        return measure([*self.client, "build", *options, "--tag=app", project])

    def publish(self, project: Path, reference: str) -> Measured:
        """See `Bench`."""
        return self.build(project) + self._push(reference)

    def _push(self, reference: str) -> Measured:
        return measure([*self.client, "push", "--quiet", "--tls-verify=false", "app", f"docker://{reference}"])


@contextmanager
def buildah(root: Path, base: str) -> Iterator[Bench]:
    """Buildah with a store of its own; it knows the image that has uv."""
    store = ("--root", str(root / "root"), "--runroot", str(root / "run"), "--storage-driver", "overlay")
    client = ("buildah", *store)
    try:
        run(*client, "build", "--quiet", "--layers", "--tag", UV, _uv_context(root))
        yield Buildah(client=client, base=base)
    finally:
        run("umount", root / "root" / "overlay", status=None)


def _uv_context(root: Path) -> Path:
    """What an image with uv alone is built from: it stands for the one in uv's own registry."""
    context = root / "uv"
    context.mkdir()
    shutil.copy(find_uv_bin(), context / "uv")
    (context / "Dockerfile").write_text("FROM scratch\nCOPY uv /uv\n")
    return context


def contenders() -> tuple[Contender, ...]:
    """Those that are installed here, ours first."""
    found = [Contender(name="pycontainer", start=pycontainer)]
    if docker_client() and shutil.which("dockerd"):
        found.append(Contender(name="docker build", start=docker))
    if shutil.which("buildah"):
        found.append(Contender(name="buildah build", start=buildah))
    return tuple(found)


def versions() -> dict[str, str]:
    """Of everything that takes part."""
    commands: dict[str, list[str | Path]] = {"uv": [find_uv_bin(), "--version"], "buildah": ["buildah", "--version"]}
    if shutil.which("dockerd"):
        commands["docker (BuildKit)"] = ["dockerd", "--version"]
    found = {}
    for name, command in commands.items():
        try:
            said = run(*command).stdout
        except (OSError, subprocess.SubprocessError):
            continue
        number = re.search(r"\d+(\.\d+)+", said)
        found[name] = number[0] if number else json.dumps(said)
    return found
