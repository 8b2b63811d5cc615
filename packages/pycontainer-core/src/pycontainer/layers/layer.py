"""A layer: known by its descriptor and diff_id, its bytes to be had when somebody lacks them."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from pycontainer.value import Value

if TYPE_CHECKING:
    from pycontainer.blobs.blob import Blob
    from pycontainer.layers.record import LayerContents
    from pycontainer.oci import Descriptor, Digest, Reference


class Layer(Value, frozen=True, kw_only=True):
    """One layer of an image.

    Attributes:
        blob: The compressed bytes.
        diff_id: The digest of the uncompressed tar (image-spec, *config.md*, Layer DiffID).
        title: What it holds, for people and for the image's history.
        origin: A repository in a registry that already has the blob, so that a push may mount it from there.
        key: Of the recipe that it was made by, where this project made it.
        contents: What was written into it, where this project made it.
    """

    blob: Blob
    diff_id: Digest
    title: str
    origin: Reference | None = None
    key: str | None = None
    contents: LayerContents | None = None

    @property
    def descriptor(self) -> Descriptor:
        """The descriptor of the compressed bytes."""
        return self.blob.descriptor

    def open(self) -> BinaryIO:
        """The compressed bytes; the caller closes the stream."""
        return self.blob.open()
