"""What Hatch finds through the entry point; every build of an environment imports this, so that it imports no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatchling.plugin import hookimpl

if TYPE_CHECKING:
    from hatch_pycontainer.build_hook import ContainerBuildHook
    from hatch_pycontainer.builder import ContainerBuilder


@hookimpl
def hatch_register_builder() -> type[ContainerBuilder]:
    """The target `container`."""
    from hatch_pycontainer.builder import ContainerBuilder  # noqa: PLC0415 - not for builds of other targets

    return ContainerBuilder


@hookimpl
def hatch_register_build_hook() -> type[ContainerBuildHook]:
    """The build hook `container`."""
    from hatch_pycontainer.build_hook import ContainerBuildHook  # noqa: PLC0415 - as above

    return ContainerBuildHook
