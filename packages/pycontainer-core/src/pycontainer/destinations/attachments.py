"""What is attached to images in registries: put there, found, read.

attach(client, image.descriptor, repository, attachment)
for descriptor in list_attachments(client, repository, image.digest, "application/spdx+json"):
    read_attachment(client, repository, descriptor)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pycontainer.errors import DocumentError, HTTPStatusError
from pycontainer.image.attachment import EMPTY_CONFIG
from pycontainer.oci import Manifest

if TYPE_CHECKING:
    from pycontainer.blobs.blob import Blob
    from pycontainer.image import Attachment
    from pycontainer.oci import Descriptor, Digest, Index, Reference
    from pycontainer.transports.registry import RegistryClient

# The bill of materials of the largest images is a few MiB.
MAX_SIZE: Final = 64 << 20
# `docker-registry` forgets for a moment a blob that two clients push at once, and every attachment has the same config.
_UNKNOWN_BLOB: Final = frozenset({"MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN"})
_TRIES: Final = 5


def attach(client: RegistryClient, subject: Descriptor, repository: Reference, attachment: Attachment) -> Descriptor:
    """Attach a document to a manifest or index; one that is attached already stays as it is.

    Args:
        client: Speaks to the registry.
        subject: The manifest or index; it need not be there yet.
        repository: Where it is or will be; tag and digest are not looked at.
        attachment: The document.

    Returns:
        What `list_attachments` gives for it.

    Raises:
        DeniedError: Pushing there is not allowed.
        DocumentError: The tag for referrers is something else (`ReferrersTag.add`).
        NetworkError: The registry refuses it or cannot be reached.
    """
    manifest = attachment.manifest(subject)
    for attempt in range(1, _TRIES):
        try:
            return _push(client, repository, attachment.blob, manifest)
        except HTTPStatusError as error:  # noqa: PERF203 - one turn a try
            if _UNKNOWN_BLOB.isdisjoint(error.codes):
                raise
            client.settings.http.retries.wait(attempt)
    return _push(client, repository, attachment.blob, manifest)


def list_attachments(
    client: RegistryClient, repository: Reference, digest: Digest, artifact_type: str | None = None
) -> tuple[Descriptor, ...]:
    """The manifests of what is attached to a manifest or index, each with its kind and annotations.

    Whoever may push to the repository may attach: what is listed is somebody's word, not the truth.

    Raises:
        DeniedError: Reading there is not allowed.
        NetworkError: The registry cannot be reached or does not answer.
    """
    return client.referrers(repository).of(digest, artifact_type=artifact_type)


def read_attachment(client: RegistryClient, repository: Reference, descriptor: Descriptor) -> bytes:
    """The document that an attachment's manifest holds, its digest verified.

    Args:
        client: Speaks to the registry.
        repository: Where it is.
        descriptor: Of the manifest, as `list_attachments` gives it.

    Raises:
        HTTPStatusError: It is not there.
        DocumentError: It holds no document or several, or one of more than 64 MiB.
        IntegrityError: Other bytes than the digest's.
        NetworkError: The registry cannot be reached.
    """
    manifest = client.manifest(repository.with_tag(None).with_digest(descriptor.digest)).document
    with client.blob(repository, document_of(manifest, descriptor)).open() as stream:
        return stream.read()


def document_of(manifest: Manifest | Index, descriptor: Descriptor) -> Descriptor:
    """The one document that an attachment's manifest holds.

    Args:
        manifest: What the attachment's descriptor names.
        descriptor: Of it, for messages.

    Raises:
        DocumentError: It holds no document or several, or one of more than 64 MiB.
    """
    if not isinstance(manifest, Manifest) or len(manifest.layers) != 1:
        raise DocumentError(f"`{descriptor.digest}` does not hold one document")
    (layer,) = manifest.layers
    if layer.size > MAX_SIZE:
        raise DocumentError(
            f"The document of `{descriptor.digest}` is larger than {MAX_SIZE >> 20} MiB",
            facts=[f"size: {layer.size} bytes"],
        )
    return layer


def _push(client: RegistryClient, repository: Reference, document: Blob, manifest: Manifest) -> Descriptor:
    for blob in (EMPTY_CONFIG, document):
        client.push_blob(repository, blob, title=manifest.artifact_type)
    return client.referrers(repository).put(manifest)
