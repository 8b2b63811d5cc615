"""The destinations that the options name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pycontainer.errors import ConfigError
from pycontainer.sources.locks.filenames import normalize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycontainer.builder.session import Session
    from pycontainer.config import BuildConfig, Output
    from pycontainer.destinations.destination import Destination
    from pycontainer.oci import Reference


def names_of(config: BuildConfig, project: str) -> tuple[Reference, ...]:
    """What the image is called: the tags of the options, else the project's name.

    Raises:
        ConfigError: The image is to be pushed, and neither a tag nor a registry says where.
    """
    if config.references:
        return config.references
    if config.push and config.registry is None:
        raise ConfigError(
            "A push needs a name",
            facts=["neither a tag nor a registry is set"],
            hint="Set {tag}, such as `ghcr.io/acme/api:1`",
        )
    return config.references_of([f"{normalize(project)}:latest"])


def output_paths(config: BuildConfig) -> list[Path]:
    """Where outputs are written on this host: never a part of the image."""
    return [Path(output.path) for output in config.outputs if output.path]


def open_destinations(session: Session, names: Sequence[Reference]) -> list[Destination]:
    """The destinations of a build: files and engines first, the registry last."""
    destinations = [_local(output, names, session) for output in session.config.outputs]
    if session.config.push:
        from pycontainer.destinations.registry import RegistryDestination  # noqa: PLC0415

        destinations.append(RegistryDestination(session.registry, names))
    return destinations


def _local(output: Output, names: Sequence[Reference], session: Session) -> Destination:
    if output.format == "docker":
        from pycontainer.destinations.docker import DockerDestination  # noqa: PLC0415

        return DockerDestination(names, emit=session.emit)
    if output.format == "podman":
        from pycontainer.destinations.podman import PodmanDestination  # noqa: PLC0415

        return PodmanDestination(names, emit=session.emit)
    path = Path(output.path or "")
    if output.format == "oci":
        from pycontainer.destinations.layout import LayoutDestination  # noqa: PLC0415

        return LayoutDestination(path, names, emit=session.emit)
    from pycontainer.destinations.archive import ArchiveDestination  # noqa: PLC0415

    return ArchiveDestination(
        path, format="oci" if output.format == "oci-archive" else "docker", names=names, emit=session.emit
    )
