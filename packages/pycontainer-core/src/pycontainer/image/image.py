"""An image and an index of images.

image = base.append(layers).with_config(working_dir="/app", user="65532:65532")
image.manifest.to_bytes()
ImageIndex(images=(amd64, arm64)).index
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from pycontainer.blobs.blob import BytesBlob
from pycontainer.errors import DocumentError
from pycontainer.oci import Descriptor, History, ImageConfig, Index, Manifest, media_types
from pycontainer.value import Value, field, replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pycontainer.image.attachment import Attachment
    from pycontainer.layers.layer import Layer
    from pycontainer.oci import Digest, Platform


class Image(Value, frozen=True, kw_only=True):
    """A config and its layers, base first; what is attached to it changes neither its manifest nor its digest.

    Raises:
        DocumentError: Config and layers do not agree on the diff_ids (image-spec, *config.md*, `rootfs`).
    """

    config: ImageConfig
    layers: tuple[Layer, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)
    attachments: tuple[Attachment, ...] = ()

    def __post_init__(self) -> None:
        if self.config.rootfs.diff_ids != tuple(layer.diff_id for layer in self.layers):
            raise DocumentError(
                "The image's config and its layers do not agree",
                facts=[f"diff_ids in the config: {len(self.config.rootfs.diff_ids)}", f"layers: {len(self.layers)}"],
            )

    @property
    def platform(self) -> Platform:
        """What the config says the image is for."""
        return self.config.platform

    @property
    def config_blob(self) -> BytesBlob:
        """The config as a blob."""
        return BytesBlob.of_document(self.config, media_types.CONFIG)

    @property
    def manifest(self) -> Manifest:
        """The OCI manifest; layers of Docker's media types get their OCI names, their bytes stay."""
        return Manifest(
            config=self.config_blob.descriptor,
            layers=tuple(
                Descriptor(
                    media_type=media_types.to_oci(layer.descriptor.media_type),
                    digest=layer.descriptor.digest,
                    size=layer.descriptor.size,
                    annotations=layer.descriptor.annotations,
                    urls=layer.descriptor.urls,
                )
                for layer in self.layers
            ),
            annotations=dict(self.annotations),
        )

    @property
    def descriptor(self) -> Descriptor:
        """The descriptor of the manifest, with its platform."""
        return self.manifest.describe(media_types.MANIFEST, platform=self.platform)

    @property
    def digest(self) -> Digest:
        """The digest of the manifest: the image's name."""
        return self.descriptor.digest

    @property
    def attached(self) -> tuple[tuple[Descriptor, Attachment], ...]:
        """What is attached, each with its subject."""
        return tuple((self.descriptor, attachment) for attachment in self.attachments)

    def append(self, layers: Iterable[Layer], *, created: str | None = None) -> Image:
        """The image with more layers on top, each with its line of history."""
        added = tuple(layers)
        config = msgspec.structs.replace(
            self.config,
            rootfs=msgspec.structs.replace(
                self.config.rootfs, diff_ids=(*self.config.rootfs.diff_ids, *(layer.diff_id for layer in added))
            ),
            history=(
                *self.config.history,
                *(History(created=created, created_by="pycontainer", comment=layer.title) for layer in added),
            ),
        )
        return replace(self, config=config, layers=(*self.layers, *added))

    def with_config(self, *, created: str | None = None, **execution: Any) -> Image:
        """The image with other execution parameters, fields of `ContainerConfig`, and another `created`."""
        config = msgspec.structs.replace(self.config, config=msgspec.structs.replace(self.config.config, **execution))
        if created is not None:
            config = msgspec.structs.replace(config, created=created)
        return replace(self, config=config)

    def with_annotations(self, annotations: Mapping[str, str]) -> Image:
        """The image with these annotations on its manifest."""
        return replace(self, annotations=dict(annotations))

    def with_attachments(self, attachments: Iterable[Attachment]) -> Image:
        """The image with these documents attached to it, too."""
        return replace(self, attachments=(*self.attachments, *attachments))


class ImageIndex(Value, frozen=True, kw_only=True):
    """The same application for several platforms."""

    images: tuple[Image, ...]
    annotations: Mapping[str, str] = field(default_factory=dict)
    attachments: tuple[Attachment, ...] = ()

    @property
    def index(self) -> Index:
        """The OCI index, its manifests in the order of `images`."""
        return Index(manifests=tuple(image.descriptor for image in self.images), annotations=dict(self.annotations))

    @property
    def descriptor(self) -> Descriptor:
        """The descriptor of the index."""
        return self.index.describe(media_types.INDEX)

    @property
    def attached(self) -> tuple[tuple[Descriptor, Attachment], ...]:
        """What is attached to the images and to the index, each with its subject."""
        own = ((self.descriptor, attachment) for attachment in self.attachments)
        return (*(pair for image in self.images for pair in image.attached), *own)

    def with_attachments(self, attachments: Iterable[Attachment]) -> ImageIndex:
        """The index with these documents attached to it, too."""
        return replace(self, attachments=(*self.attachments, *attachments))

    @property
    def digest(self) -> Digest:
        """The digest of the index: the name of all platforms together."""
        return self.descriptor.digest


def join_platforms(images: Sequence[Image]) -> Image | ImageIndex:
    """One image as it is; several as an index, which has what all of them have: annotations, attachments."""
    first, *others = images
    if not others:
        return first
    shared = tuple(each for each in first.attachments if all(each in image.attachments for image in others))
    return ImageIndex(images=tuple(images), annotations=first.annotations, attachments=shared)
