"""What is attached to images, wherever they are: listed by digest, read when somebody wants it.

attachments = RepositoryAttachments(registry=client, repository=reference)
for descriptor in attachments.of(image.digest):
    attachments.read(descriptor)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pycontainer.destinations.attachments import document_of, list_attachments, read_attachment
from pycontainer.errors import DocumentError
from pycontainer.image.attachment import describe_artifact
from pycontainer.oci import Manifest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycontainer.oci import Descriptor, Digest, Reference
    from pycontainer.transports.oci_layout import OCILayout
    from pycontainer.transports.registry import RegistryClient


@dataclass(frozen=True, kw_only=True, slots=True)
class RepositoryAttachments:
    """What is attached in a repository of a registry: its referrers."""

    registry: RegistryClient
    repository: Reference

    def of(self, digest: Digest) -> Sequence[Descriptor]:
        """The manifests of what is attached to a manifest or index, each with its kind.

        Raises:
            NetworkError: The registry does not say.
        """
        return list_attachments(self.registry, self.repository, digest)

    def read(self, descriptor: Descriptor) -> bytes:
        """The document of such a manifest, its digest verified.

        Raises:
            PyContainerError: It is not there, too large, or not what its digest says.
        """
        return read_attachment(self.registry, self.repository, descriptor)


@dataclass(frozen=True, kw_only=True, slots=True)
class LayoutAttachments:
    """What is attached in an OCI layout: manifests of its index that name an image as their subject."""

    layout: OCILayout

    def of(self, digest: Digest) -> Sequence[Descriptor]:
        """See `RepositoryAttachments.of`."""
        manifests = [self.layout.manifest(entry) for entry in self.layout.index().manifests if entry.artifact_type]
        return [
            describe_artifact(manifest)
            for manifest in manifests
            if isinstance(manifest, Manifest) and manifest.subject is not None and manifest.subject.digest == digest
        ]

    def read(self, descriptor: Descriptor) -> bytes:
        """See `RepositoryAttachments.read`."""
        document = document_of(self.layout.manifest(descriptor), descriptor)
        with self.layout.blob(document).open() as stream:
            return stream.read()


class NoAttachments:
    """What is attached where nothing can be: in Docker's archives."""

    def of(self, digest: Digest) -> Sequence[Descriptor]:
        """Nothing."""
        del digest
        return ()

    def read(self, descriptor: Descriptor) -> bytes:
        """Never asked."""
        raise DocumentError(f"`{descriptor.digest}` does not hold one document")
