"""The right manifest of a reference that may be an index (image-spec, *image-index.md*).

descriptor, manifest = choose_variant(contents, descriptor, Platform("linux", "arm64"), name="python:3.12-slim")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pycontainer.errors import BaseImageError, DocumentError
from pycontainer.oci import ImageConfig, Manifest, Platform, media_types
from pycontainer.oci.document import MAX_DOCUMENT_SIZE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycontainer.blobs.blob import Blob
    from pycontainer.oci import Descriptor, Index

# An index of indexes is allowed by the specification and used by nobody; deeper ones are hostile.
_MAX_DEPTH = 2
_UNKNOWN = Platform("unknown", "unknown")
_CONFIGS = frozenset({media_types.CONFIG, media_types.DOCKER_CONFIG})


class Contents(Protocol):
    """A place that has images: a repository, a layout, an archive."""

    def manifest(self, descriptor: Descriptor) -> Manifest | Index:
        """A manifest or index, checked against its descriptor."""
        ...

    def blob(self, descriptor: Descriptor) -> Blob:
        """A blob, not read yet."""
        ...


def choose_variant(
    contents: Contents, descriptor: Descriptor, platform: Platform, *, name: str
) -> tuple[Descriptor, Manifest, ImageConfig]:
    """The first image for a platform, and its config.

    Args:
        contents: Where to read.
        descriptor: The manifest or index of the base.
        platform: Which one is wanted.
        name: The base, for errors.

    Raises:
        BaseImageError: There is none for the platform; the facts list those there are.
        DocumentError: An entry of the index says another platform than the config it leads to, or indexes are nested
            too deeply.
    """
    available: list[Platform] = []
    for entry, manifest in _images(contents, descriptor, platform, available, depth=0):
        config = read_config(contents, manifest, name=name)
        stated = entry.platform
        if stated is not None and not _agree(stated, config.platform):
            raise DocumentError(
                f"The index of `{name}` and its image do not agree",
                facts=[f"index: {stated}", f"image: {config.platform}", f"manifest: `{entry.digest}`"],
            )
        if _agree(platform, config.platform):
            return entry, manifest, config
        available.append(config.platform)
    offered = ", ".join(dict.fromkeys(str(other) for other in available)) or "none"
    raise BaseImageError(
        f"The base image `{name}` is not there for {platform}",
        facts=[f"available: {offered}"],
        hint="Set {platform} to one of these, or {base_image} to another image" if available else None,
    )


def _images(
    contents: Contents, descriptor: Descriptor, platform: Platform, available: list[Platform], *, depth: int
) -> Iterator[tuple[Descriptor, Manifest]]:
    """The images that may be for the platform, in order; what others are for goes to `available`."""
    document = contents.manifest(descriptor)
    if isinstance(document, Manifest):
        yield descriptor, document
        return
    if depth == _MAX_DEPTH:
        raise DocumentError("Indexes are nested too deeply", facts=[f"at: `{descriptor.digest}`"])
    for entry in document.manifests:
        if entry.platform == _UNKNOWN or entry.media_type not in media_types.INDEXES | media_types.MANIFESTS:
            continue  # attestations, and artifacts that are no images
        if entry.platform is None or platform.matches(entry.platform):
            yield from _images(contents, entry, platform, available, depth=depth + 1)
        else:
            available.append(entry.platform)


def _agree(one: Platform, other: Platform) -> bool:
    """Whether two platforms may mean the same: many configs leave the variant out (arm32v6 images of Docker Hub)."""
    if (one.os, one.architecture) != (other.os, other.architecture):
        return False
    return one.variant is None or other.variant is None or one.matches(other)


def read_config(contents: Contents, manifest: Manifest, *, name: str) -> ImageConfig:
    """The config that a manifest points at.

    Raises:
        BaseImageError: The manifest is of something that is no image.
        DocumentError: The config is too large or malformed.
        IntegrityError: It is not what its descriptor says.
    """
    descriptor = manifest.config
    if descriptor.media_type not in _CONFIGS:
        kind = manifest.artifact_type or descriptor.media_type
        raise BaseImageError(f"`{name}` is not an image", facts=[f"type: `{kind[:100]}`"])
    if descriptor.size > MAX_DOCUMENT_SIZE:
        raise DocumentError(f"The config of `{name}` is larger than {MAX_DOCUMENT_SIZE >> 20} MiB")
    with contents.blob(descriptor).open() as stream:
        return ImageConfig.from_bytes(stream.read())
