"""What is attached to an image: a document of its own in the registry, which names the image as its subject.

    attachment = Attachment(artifact_type="application/spdx+json", media_type="application/spdx+json", content=sbom)
    attachment.manifest(image.descriptor)      # the same bytes for the same image and content

An image knows nothing of what is attached to it, so its digest stays what it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pycontainer.blobs.blob import BytesBlob
from pycontainer.oci import Descriptor, Manifest, media_types
from pycontainer.value import Value, field

if TYPE_CHECKING:
    from collections.abc import Mapping

CREATED: Final = "org.opencontainers.image.created"
# The config of what has none (image-spec, *manifest.md*, Guidance for an Empty Descriptor).
EMPTY_CONFIG: Final = BytesBlob.of(b"{}", media_types.EMPTY)


class Attachment(Value, frozen=True, kw_only=True):
    """One document about an image.

    Attributes:
        artifact_type: What kind of document it is, by which others look for it.
        media_type: The form of its content.
        content: The document.
        annotations: Of its manifest, and of its descriptor wherever it is listed. A time stands there (`CREATED`) only
            where it is the same from every build.
    """

    _unshown = ("content",)

    artifact_type: str
    media_type: str
    content: bytes
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def blob(self) -> BytesBlob:
        """The content."""
        return BytesBlob.of(self.content, self.media_type)

    def manifest(self, subject: Descriptor) -> Manifest:
        """The manifest that attaches it (image-spec 1.1, *manifest.md*, Guidelines for Artifact Usage).

        Args:
            subject: The manifest or index that it is about; annotations and platform are left out.
        """
        return Manifest(
            artifact_type=self.artifact_type,
            config=EMPTY_CONFIG.descriptor,
            layers=(self.blob.descriptor,),
            subject=Descriptor(media_type=subject.media_type, digest=subject.digest, size=subject.size),
            annotations=dict(self.annotations),
        )


def describe_artifact(manifest: Manifest) -> Descriptor:
    """The descriptor of a manifest in a list of referrers: with its kind and all its annotations.

    The kind is the config's media type where the manifest does not state one (distribution-spec, *Pushing Manifests
    with Subject*).
    """
    return manifest.describe(
        media_types.MANIFEST,
        artifact_type=manifest.artifact_type or manifest.config.media_type,
        annotations=manifest.annotations,
    )
