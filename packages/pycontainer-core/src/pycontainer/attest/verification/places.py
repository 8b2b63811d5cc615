"""Where an image to be checked is: a repository of a registry, or an OCI layout.

place = open_image("ghcr.io/acme/api:1.4", client)
place.name, place.descriptor, place.source, place.attachments
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pycontainer.destinations.attachments import MAX_SIZE, list_attachments, read_attachment
from pycontainer.errors import ConfigError, DocumentError
from pycontainer.image.attachment import describe_artifact
from pycontainer.oci import Manifest, Reference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycontainer.attest.verification.contents import ImageSource
    from pycontainer.attest.verification.evidence import Attachments
    from pycontainer.blobs.blob import Blob
    from pycontainer.oci import Descriptor, Digest, Index
    from pycontainer.transports.oci_layout import OCILayout
    from pycontainer.transports.registry import RegistryClient

_LAYOUT: Final = "oci:"
_ARCHIVE: Final = "oci-archive:"


@dataclass(frozen=True, kw_only=True, slots=True)
class ImagePlace:
    """An image that was found.

    Attributes:
        name: With its digest: what was checked, whatever the tag says later.
        descriptor: Of its manifest or index.
        source: Where its parts are.
        attachments: What is attached to it there.
    """

    name: str
    descriptor: Descriptor
    source: ImageSource
    attachments: Attachments


def open_image(text: str, client: RegistryClient) -> ImagePlace:
    """Find an image.

    Args:
        text: A reference, `oci:DIR[@sha256:…]`, `oci-archive:FILE`, or the path of either.
        client: Asked where it is a reference.

    Raises:
        ConfigError: It is no such thing.
        PyContainerError: It is not there, or cannot be read.
    """
    prefix, rest = next(
        ((each, text[len(each) :]) for each in (_LAYOUT, _ARCHIVE) if text.startswith(each)), ("", text)
    )
    if prefix or _is_path(text):
        return _in_layout(rest, is_archive=prefix == _ARCHIVE or Path(rest).is_file())
    try:
        reference = Reference.parse(text)
    except DocumentError:
        # Its message quotes the text, which may hold a password before an `@`.
        raise ConfigError("This is neither an image reference nor a path that exists") from None
    fetched = client.manifest(reference)
    repository = _Repository(client=client, repository=reference.with_tag(None))
    return ImagePlace(
        name=str(fetched.reference), descriptor=fetched.descriptor, source=repository, attachments=repository
    )


def _is_path(text: str) -> bool:
    return Path(text).exists() and (text.startswith((".", "/")) or Path(text, "oci-layout").exists() or ":" not in text)


def _in_layout(text: str, *, is_archive: bool) -> ImagePlace:
    from pycontainer.transports.archives import open_oci_archive  # noqa: PLC0415 - rarely needed
    from pycontainer.transports.oci_layout import OCILayout  # noqa: PLC0415 - as above

    path, at, name = text.partition("@")
    if not Path(path).exists():
        raise ConfigError("There is no such layout", facts=[f"looked for: {path}"])
    layout = open_oci_archive(Path(path)) if is_archive else OCILayout.at(Path(path))
    attached = _Layout(layout=layout)
    found = layout.find(f"@{name}" if at else None)
    return ImagePlace(name=f"oci:{path}@{found.digest}", descriptor=found, source=layout, attachments=attached)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Repository:
    """A repository, read without keeping anything of it on this host."""

    client: RegistryClient
    repository: Reference

    def manifest(self, descriptor: Descriptor) -> Manifest | Index:
        return self.client.manifest(self.repository.with_digest(descriptor.digest)).document

    def blob(self, descriptor: Descriptor) -> Blob:
        return self.client.blob(self.repository, descriptor)

    def of(self, digest: Digest) -> Sequence[Descriptor]:
        return list_attachments(self.client, self.repository, digest)

    def read(self, descriptor: Descriptor) -> bytes:
        return read_attachment(self.client, self.repository, descriptor)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Layout:
    """What is attached to images of a layout: manifests of its index that name them as their subject."""

    layout: OCILayout

    def of(self, digest: Digest) -> Sequence[Descriptor]:
        manifests = [self.layout.manifest(entry) for entry in self.layout.index().manifests]
        return [
            describe_artifact(manifest)
            for manifest in manifests
            if isinstance(manifest, Manifest) and manifest.subject is not None and manifest.subject.digest == digest
        ]

    def read(self, descriptor: Descriptor) -> bytes:
        manifest = self.layout.manifest(descriptor)
        if not isinstance(manifest, Manifest) or len(manifest.layers) != 1 or manifest.layers[0].size > MAX_SIZE:
            raise DocumentError(f"`{descriptor.digest}` does not hold one document")
        with self.layout.blob(manifest.layers[0]).open() as stream:
            return stream.read()
