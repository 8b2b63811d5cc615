"""The destinations that the options name."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from pycontainer.errors import ConfigError
from pycontainer.sources.locks.filenames import normalize
from pycontainer.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pycontainer.builder.session import Session
    from pycontainer.config import BuildConfig, Output
    from pycontainer.destinations.destination import Destination, Written
    from pycontainer.destinations.registry import RegistryDestination
    from pycontainer.image import Image, ImageIndex
    from pycontainer.layers.layer import Layer
    from pycontainer.oci import Platform, Reference

    # Takes a layer of an image that is still being made; the platform, where there are several, is for events.
    Begin: TypeAlias = Callable[[Layer, Platform | None], None]


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


class Destinations(Value, frozen=True, kw_only=True):
    """Where the image of a build goes.

    Attributes:
        outputs: Files and engines.
        push: The registry, if it is pushed.
    """

    outputs: tuple[Destination, ...]
    push: RegistryDestination | None

    @contextmanager
    def taking(self, *, ahead: bool) -> Iterator[Begin]:
        """A context in which an image is made and written.

        Args:
            ahead: Whether layers may leave before all of it is made. No name tells of them, but whoever has the digest
                of one can have it.

        Yields:
            What is given each layer as soon as it is known or made.
        """
        if self.push is None:
            yield _hold_back
        else:
            with self.push:
                yield self.push.begin if ahead else _hold_back

    def write(self, image: Image | ImageIndex) -> tuple[Written, ...]:
        """Write it everywhere, to the registry last.

        Raises:
            PyContainerError: As of `Destination.write`.
        """
        return tuple(each.write(image) for each in (*self.outputs, self.push) if each is not None)


def _hold_back(layer: Layer, platform: Platform | None) -> None:
    """Leave a layer to whoever writes the image."""
    del layer, platform


def open_destinations(session: Session, names: Sequence[Reference]) -> Destinations:
    """The destinations of a build."""
    push = None
    if session.config.push:
        from pycontainer.destinations.registry import RegistryDestination  # noqa: PLC0415

        push = RegistryDestination(session.registry, names)
    return Destinations(outputs=tuple(_local(output, names, session) for output in session.config.outputs), push=push)


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
