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

import msgspec

from pycontainer.blobs.blob import BytesBlob
from pycontainer.errors import DocumentError, HTTPStatusError
from pycontainer.layers.record import decode_record, encode_record
from pycontainer.oci import Descriptor, Manifest, media_types
from pycontainer.transports.registry import Pushed

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
_MAX_RECORD: Final = 4 << 20
_MAX_PACKED: Final = 16 << 20
_MAX_DOCUMENT: Final = 64 << 20


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
        descriptor = _plain(record.descriptor)
        if [_plain(layer) for layer in manifest.layers] != [descriptor] or descriptor.media_type not in _LAYERS:
            raise self._unsuitable(tag, "its manifest names another layer than the record")
        return msgspec.structs.replace(record, descriptor=descriptor)

    def layer(self, record: LayerRecord) -> RegistryBlob:
        """The layer of a record, not requested before it is opened."""
        return self._client.blob(self.repository, record.descriptor)

    def push(self, record: LayerRecord, layer: Blob, *, origin: Reference | None = None) -> int:
        """Put a record there, and its layer; how many bytes had to be sent.

        Args:
            record: Of the layer.
            layer: Opened only if the registry has it neither here nor in `origin`.
            origin: A repository that has it.

        Raises:
            PyContainerError: The registry does not take it.
        """
        config = BytesBlob.of(encode_record(record), _RECORD)
        sent = self._push_blob(layer, title=record.title, origin=origin)
        return sent + self._push(_layer_tag(record.key), LAYER_TYPE, config, _plain(record.descriptor))

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

    def push_document(self, name: str, content: bytes) -> int:
        """Put a document there, under a name that can be a tag; how many bytes had to be sent.

        Raises:
            PyContainerError: The registry does not take it.
        """
        config = BytesBlob.of(zlib.compress(f"{name}\n".encode() + content), _DOCUMENT)
        # A manifest names at least one layer, for the registries that insist (image-spec, *manifest.md*, `layers`).
        return self._push(name, DOCUMENT_TYPE, config, config.descriptor)

    def _push(self, tag: str, artifact_type: str, config: BytesBlob, layer: Descriptor) -> int:
        embedded = config.content if len(config.content) <= _EMBEDDED_MAX else None
        described = msgspec.structs.replace(config.descriptor, data=embedded)
        manifest = Manifest(artifact_type=artifact_type, config=described, layers=(layer,))
        sent = self._push_blob(config, title=tag)
        self._client.push_manifest(self.repository.with_tag(tag), manifest.to_bytes(), media_types.MANIFEST)
        return sent

    def _push_blob(self, blob: Blob, *, title: str, origin: Reference | None = None) -> int:
        pushed = self._client.push_blob(self.repository, blob, title=title, origin=origin)
        return blob.descriptor.size if pushed is Pushed.UPLOADED else 0

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


def _plain(descriptor: Descriptor) -> Descriptor:
    """What a descriptor says of the bytes; anything else in it would become a part of the image."""
    return Descriptor(media_type=descriptor.media_type, digest=descriptor.digest, size=descriptor.size)


def _layer_tag(key: str) -> str:
    return f"layer-{key}"
