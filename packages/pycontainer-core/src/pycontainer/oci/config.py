"""The image config: what runs, as whom, on which layers (image-spec, *config.md*)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from pycontainer.errors import DocumentError
from pycontainer.oci.digest import Digest
from pycontainer.oci.document import Document, written
from pycontainer.oci.platform import Platform

if TYPE_CHECKING:
    from typing_extensions import Self


class ContainerConfig(msgspec.Struct, frozen=True, kw_only=True, rename="pascal", omit_defaults=True):
    """The execution parameters; field names are those of the specification."""

    user: str = ""
    exposed_ports: dict[str, dict[str, Any]] = {}
    env: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    volumes: dict[str, dict[str, Any]] = {}
    working_dir: str = ""
    labels: dict[str, str] = {}
    stop_signal: str = ""
    shell: tuple[str, ...] = ()
    healthcheck: dict[str, Any] | None = None
    on_build: tuple[str, ...] = ()

    @property
    def environment(self) -> dict[str, str]:
        """`env` as a mapping; where a name stands twice the later one wins."""
        return dict(item.partition("=")[::2] for item in self.env)


class RootFS(msgspec.Struct, frozen=True, kw_only=True):
    """The uncompressed digests of the layers, base first."""

    type: str = "layers"
    diff_ids: tuple[Digest, ...] = ()


class History(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the image's history; `empty_layer` says that it made no layer."""

    created: str | None = None
    created_by: str | None = None
    author: str | None = None
    comment: str | None = None
    empty_layer: bool = False


class ImageConfig(
    Document, frozen=True, kw_only=True, rename={"os_version": "os.version", "os_features": "os.features"}
):
    """The config of an image for one platform."""

    what: ClassVar[str] = "image config"

    created: str | None = None
    author: str | None = None
    architecture: str
    os: str
    variant: str | None = None
    os_version: str | None = None
    os_features: tuple[str, ...] = ()
    config: ContainerConfig = ContainerConfig()
    rootfs: RootFS = written(RootFS())
    history: tuple[History, ...] = ()

    @classmethod
    def from_bytes(cls, raw: bytes) -> Self:
        """Read a config.

        Raises:
            DocumentError: Malformed, or a root file system that is not made of layers.
        """
        config = super().from_bytes(raw)
        if config.rootfs.type != "layers":
            raise DocumentError(f"The image's root file system is of the unknown type `{config.rootfs.type}`")
        return config

    @property
    def platform(self) -> Platform:
        """The platform that this image says it is for."""
        return Platform(self.os, self.architecture, self.variant)
