"""Layer records and other small documents in a repository of a registry, for all who build with it.

    records = RecordCache(client, Reference.parse("ghcr.io/acme/cache"))
    records.push(record, layer)             # the record, the layer and what names them both
    records.record(record.key)              # on another host: the record alone
    records.layer(record).open()

Each is an artifact with a tag made of its key, so that a registry needs no more than tags to find it. Its manifest
names the document, as the config, and the layer: where a registry removes what no manifest names, it keeps both or
neither. What is small stands in the manifest itself, too, so that asking for a record is one request.

    repository:layer-<key>      artifactType application/vnd.pycontainer.layer.v1
    repository:<name>           artifactType application/vnd.pycontainer.document.v1

Whoever can write there can say what is in an image: what is read is checked for being what was asked for and for being
whole, not for being right.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

from pycontainer.blobs.blob import BytesBlob
from pycontainer.errors import DocumentError, HTTPStatusError
from pycontainer.layers.record import decode_record, encode_record
from pycontainer.oci import Descriptor, Manifest, media_types

if TYPE_CHECKING:
    from pycontainer.blobs.blob import Blob
    from pycontainer.layers.record import LayerRecord
    from pycontainer.oci import Reference
    from pycontainer.transports.registry import RegistryBlob, RegistryClient

LAYER_TYPE: Final = "application/vnd.pycontainer.layer.v1"
DOCUMENT_TYPE: Final = "application/vnd.pycontainer.document.v1"
_RECORD: Final = "application/vnd.pycontainer.layer.v1+json"
_DOCUMENT: Final = "application/vnd.pycontainer.document.v1+zlib"
_LAYERS: Final = frozenset({media_types.LAYER, media_types.LAYER_GZIP, media_types.LAYER_ZSTD})
_NOT_FOUND: Final = 404
# Registries take manifests of 4 MiB, where the content takes four thirds of its size.
_EMBEDDED_MAX: Final = 256 << 10
# A record of torch has 40 kB; what a full Debian knows of itself some megabytes.
_MAX_RECORD: Final = 4 << 20
_MAX_PACKED: Final = 32 << 20
_MAX_DOCUMENT: Final = 256 << 20


class RecordCache:
    """Records in one repository.

    Args:
        client: Speaks to its registry.
        repository: Where they are; neither tag nor digest.
    """

    def __init__(self, client: RegistryClient, repository: Reference) -> None:
        self.repository = repository
        self._client = client

    def record(self, key: str) -> LayerRecord | None:
        """The record of a key, or none.

        Raises:
            DocumentError: What stands there is not a record, or that of another key.
            IntegrityError: It is not what its digest says.
            NetworkError: The registry does not answer, or not to us.
        """
        tag = _layer_tag(key)
        manifest = self._manifest(tag, LAYER_TYPE)
        if manifest is None:
            return None
        record = decode_record(self._content(manifest.config, _RECORD, _MAX_RECORD))
        if record.key != key:
            raise self._unsuitable(tag, f"it is the record of `{record.key[:64]}`")
        named = [(layer.digest, layer.size, layer.media_type) for layer in manifest.layers]
        told = record.descriptor
        if named != [(told.digest, told.size, told.media_type)] or told.media_type not in _LAYERS:
            raise self._unsuitable(tag, "its manifest names another layer than the record")
        return record

    def layer(self, record: LayerRecord) -> RegistryBlob:
        """The layer of a record, not requested before it is opened."""
        return self._client.blob(self.repository, record.descriptor)

    def push(self, record: LayerRecord, layer: Blob, *, origin: Reference | None = None) -> None:
        """Put a record there, and its layer.

        Args:
            record: Of the layer.
            layer: Opened only if the registry has it neither here nor in `origin`.
            origin: A repository that has it.

        Raises:
            PyContainerError: The registry does not take it.
        """
        told = record.descriptor
        named = Descriptor(media_type=told.media_type, digest=told.digest, size=told.size)
        config = BytesBlob.of(encode_record(record), _RECORD)
        self._client.push_blob(self.repository, layer, title=record.title, origin=origin)
        self._push(_layer_tag(record.key), LAYER_TYPE, config, named)

    def document(self, name: str) -> bytes | None:
        """The document of a name, or none.

        Raises:
            PyContainerError: As of `record`.
        """
        manifest = self._manifest(name, DOCUMENT_TYPE)
        if manifest is None:
            return None
        packed = self._content(manifest.config, _DOCUMENT, _MAX_PACKED)
        try:
            decoder = zlib.decompressobj()
            content = decoder.decompress(packed, _MAX_DOCUMENT)
        except zlib.error as error:
            raise self._unsuitable(name, str(error)) from error
        if not decoder.eof:
            raise self._unsuitable(name, "it is cut off, or too large")
        named, colon, content = content.partition(b"\n")
        if named.decode("utf-8", "replace") != name or not colon:
            raise self._unsuitable(name, "it is a document of another name")
        return content

    def push_document(self, name: str, content: bytes) -> None:
        """Put a document there, under a name that can be a tag.

        Raises:
            PyContainerError: The registry does not take it.
        """
        config = BytesBlob.of(zlib.compress(f"{name}\n".encode() + content), _DOCUMENT)
        # A manifest names at least one layer, for the registries that insist (image-spec, *manifest.md*, `layers`).
        self._push(name, DOCUMENT_TYPE, config, config.descriptor)

    def _push(self, tag: str, artifact_type: str, config: BytesBlob, layer: Descriptor) -> None:
        described = config.descriptor
        small = described.size <= _EMBEDDED_MAX
        manifest = Manifest(
            artifact_type=artifact_type,
            config=Descriptor(
                media_type=described.media_type,
                digest=described.digest,
                size=described.size,
                data=config.content if small else None,
            ),
            layers=(layer,),
        )
        self._client.push_blob(self.repository, config, title=tag)
        self._client.push_manifest(self.repository.with_tag(tag), manifest.to_bytes(), media_types.MANIFEST)

    def _manifest(self, tag: str, artifact_type: str) -> Manifest | None:
        try:
            document = self._client.manifest(self.repository.with_tag(tag)).document
        except HTTPStatusError as error:
            if error.status == _NOT_FOUND:
                return None
            raise
        if not isinstance(document, Manifest) or document.artifact_type != artifact_type:
            raise self._unsuitable(tag, "it is something else")
        return document

    def _content(self, descriptor: Descriptor, media_type: str, limit: int) -> bytes:
        if descriptor.media_type != media_type:
            raise DocumentError(f"A document of `{self.repository}` has the media type `{descriptor.media_type[:80]}`")
        if descriptor.size > limit:
            raise DocumentError(f"A document of `{self.repository}` has {descriptor.size} bytes, more than {limit}")
        embedded = descriptor.embedded
        if embedded is not None:
            return embedded
        with self._client.blob(self.repository, descriptor).open() as stream:
            return b"".join(iter(lambda: stream.read(1 << 20), b""))

    def _unsuitable(self, tag: str, reason: str) -> DocumentError:
        return DocumentError(f"`{self.repository.with_tag(tag)}` is not what it should be", facts=[reason])


def _layer_tag(key: str) -> str:
    return f"layer-{key}"
