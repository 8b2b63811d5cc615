"""What a contender does, and the recipe that Docker and Buildah build by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from side_by_side.measure import Measured
    from side_by_side.place import Place

# The recipe of uv's guide for Docker: dependencies first, uv itself mounted and not left in the image, and its cache in
# a cache mount.
_DOCKERFILE = """\
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


def write_dockerfile(project: Path, here: Place) -> None:
    """Put the recipe into a project."""
    (project / "Dockerfile").write_text(_DOCKERFILE.format(base=here.base, uv=here.uv))
    (project / ".dockerignore").write_text("Dockerfile\n.dockerignore\n")


@dataclass(frozen=True, kw_only=True, slots=True)
class FirstBuilds:
    """What first builds took.

    Attributes:
        pulled: To an image on this host, the base image pulled in the same time.
        built: To an image on this host, with the base image at hand.
        pushed: To an image in the registry that the base came from, with the base image at hand.
    """

    pulled: Measured
    built: Measured
    pushed: Measured


def first_builds(
    here: Place, *, pull: Callable[[], Measured], build: Callable[[], Measured], push: Callable[[], Measured]
) -> FirstBuilds:
    """The first builds of somebody whose builds end on this host, and are pushed from there."""
    pulled = pull()
    built = here.watch(build)
    return FirstBuilds(pulled=pulled + built, built=built, pushed=built + here.watch(push))


class Bench(Protocol):
    """A contender with storage of its own."""

    def cold(self, project: Path, reference: str) -> FirstBuilds:
        """The first builds; `reference` is where to push to."""

    def build(self, project: Path) -> Measured:
        """From the project to an image on this host."""

    def publish(self, project: Path, reference: str, *, shared: bool = False) -> Measured:
        """From the project to an image in a registry.

        Where it is `shared`, the cache that builds on other hosts use is read and written, too.
        """


@dataclass(frozen=True, kw_only=True, slots=True)
class Contender:
    """Somebody who builds.

    Attributes:
        start: Storage below an empty directory for as long as the context, to build at a place.
    """

    name: str
    start: Callable[[Path, Place], AbstractContextManager[Bench]]
