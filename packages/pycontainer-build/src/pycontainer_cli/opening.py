"""Opens the images that a command names, with the options that say how registries are reached.

with image_reader(loaded, [name], emit) as reader: reader.open(name, platform=wanted_platform(loaded))
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from pycontainer.builder.cache_home import found_cache
from pycontainer.config.registries import registry_settings
from pycontainer.errors import DocumentError, PyContainerError
from pycontainer.oci import Reference
from pycontainer.plan import host_platform
from pycontainer.reading import ImageReader
from pycontainer.reading.lock_view import LockView, lock_view
from pycontainer.transports.registry import RegistryClient

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pycontainer.config import BuildConfig
    from pycontainer.config.load import Loaded
    from pycontainer.events import Emit
    from pycontainer.oci import Platform


@contextmanager
def image_reader(loaded: Loaded, names: Iterable[str], emit: Emit) -> Iterator[ImageReader]:
    """A reader of images; credentials of the options are for the registries of `names`."""
    config = loaded.config
    client = RegistryClient(registry_settings(config, own=_registries(names)), emit=emit)
    chosen = None if config.cache_dir is None else config.path(config.cache_dir)
    try:
        with found_cache(chosen=chosen, enabled=config.cache) as home:
            yield ImageReader(client, home=home, platform=host_platform(), emit=emit)
    finally:
        client.close()


def wanted_platform(loaded: Loaded) -> Platform | None:
    """The platform of the options; of several the first."""
    return next(iter(loaded.config.platforms), None)


def project_lock(config: BuildConfig, *, needed: bool) -> LockView | None:
    """What the lock of the project in the context says, where there is one.

    Args:
        config: Names the project.
        needed: Whether it is the project's plan that is explained; else the image may be of another project, so that a
            lock which cannot be read counts as none, and all extras and groups count.

    Raises:
        PyContainerError: It cannot be read, and is needed.
    """
    try:
        return lock_view(config, chosen=needed)
    except PyContainerError:
        if needed:
            raise
        return None


def _registries(names: Iterable[str]) -> Iterator[str]:
    for name in names:
        with suppress(DocumentError):  # a path, or told when it is opened
            yield Reference.parse(name).registry
