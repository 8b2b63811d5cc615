"""Image archives: a tar of an OCI layout, and the form of `docker save`.

    open_oci_archive(Path("app.oci.tar")).find("1.4")
    open_docker_archive(Path("app.tar")).find("acme/app:1.4")

    oci_archive(image, names), docker_archive(image, names)     # the members, for `write_members`

Docker has had two forms: until version 24 `manifest.json` beside a folder for each layer; since 25 that and an OCI
layout around the same blobs. We read both and write the latter, which every engine takes.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from pycontainer.blobs.hashing import VerifyingReader
from pycontainer.errors import DocumentError
from pycontainer.oci import Descriptor, Digest, ImageConfig, Manifest, Reference, canonical_json, media_types
from pycontainer.oci.document import MAX_DOCUMENT_SIZE, strict_json
from pycontainer.transports.oci_layout import (
    INDEX,
    MARKER,
    MARKER_CONTENT,
    OCILayout,
    blob_name,
    image_blobs,
    layout_contents,
    layout_index,
)
from pycontainer.transports.tar_files import Member, TarFiles

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pycontainer.blobs.blob import Blob
    from pycontainer.image import Image, ImageIndex

DOCKER_MANIFEST: Final = "manifest.json"
_REPOSITORIES = "repositories"
_SLICE = 1 << 20
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


def open_oci_archive(path: Path) -> OCILayout:
    """The layout in a tar.

    Raises:
        DocumentError: It is not such an archive.
    """
    return OCILayout(TarFiles(path))


def open_docker_archive(path: Path) -> OCILayout | DockerArchive:
    """The images in what `docker save` wrote, of either form.

    Raises:
        DocumentError: It is not such an archive.
    """
    files = TarFiles(path)
    return OCILayout(files) if MARKER in files and INDEX in files else DockerArchive(files)


class DockerArchive:
    """An archive that has `manifest.json` alone. It knows no OCI manifests, so each image is given one.

    Raises:
        DocumentError: It has none, or a malformed one.
    """

    def __init__(self, files: TarFiles) -> None:
        self._files = files
        listed = strict_json(self._read(DOCKER_MANIFEST), what=f"`{DOCKER_MANIFEST}`")
        if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
            raise self._broken(f"`{DOCKER_MANIFEST}` is not a list of images")
        self._listed: list[dict[str, Any]] = listed
        self._manifests: dict[Digest, Manifest] = {}
        self._members: dict[Digest, str] = {}

    @property
    def where(self) -> str:
        """What to call it in an error."""
        return self._files.where

    def find(self, name: str | None = None) -> Descriptor:
        """The manifest of the image of a name, or of the only one.

        Raises:
            DocumentError: There is none, or without a name more than one; or it is malformed.
        """
        found = [item for item in self._listed if name is None or _normal(name) in map(_normal, _tags(item))]
        if not found or (name is None and len(found) > 1):
            names = ", ".join(f"`{tag}`" for item in self._listed for tag in _tags(item)) or "none"
            what = f"no image `{name}`" if name else "more than one image" if found else "no image"
            raise DocumentError(f"The archive has {what}", facts=[f"names: {names}", self.where])
        manifest = self._manifest(found[0])
        descriptor = manifest.describe(media_types.MANIFEST)
        self._manifests[descriptor.digest] = manifest
        return descriptor

    def manifest(self, descriptor: Descriptor) -> Manifest:
        """The manifest that `find` described."""
        return self._manifests[descriptor.digest]

    def blob(self, descriptor: Descriptor) -> Blob:
        """The config or a layer of an image that was found."""
        return _ArchivedBlob(descriptor, self._files, self._members[descriptor.digest])

    def _manifest(self, listed: dict[str, Any]) -> Manifest:
        config_name, layer_names = listed.get("Config"), listed.get("Layers")
        if not isinstance(config_name, str) or not isinstance(layer_names, list):
            raise self._broken(f"`{DOCKER_MANIFEST}` names no config or no layers")
        raw = self._read(config_name)
        config = ImageConfig.from_bytes(raw)
        diff_ids = config.rootfs.diff_ids
        if len(diff_ids) != len(layer_names):
            raise self._broken(
                f"the config has {len(diff_ids)} diff_ids, `{DOCKER_MANIFEST}` {len(layer_names)} layers"
            )
        described = config.describe(media_types.CONFIG)
        self._members[described.digest] = config_name
        layers = tuple(self._layer(str(name), diff_id) for name, diff_id in zip(layer_names, diff_ids, strict=True))
        return Manifest(config=described, layers=layers)

    def _layer(self, name: str, diff_id: Digest) -> Descriptor:
        """What a member is: a plain tar is named by its diff_id, which is checked when it is read."""
        opened = self._files.open(name)
        if opened is None:
            raise self._broken(f"missing: `{name}`")
        stream, size = opened
        with stream:
            head = stream.read(4)
            kind = media_types.LAYER
            digest = diff_id
            if head[:2] == _GZIP or head == _ZSTD:
                kind = media_types.LAYER_GZIP if head[:2] == _GZIP else media_types.LAYER_ZSTD
                digest = _hash(head, stream)
        self._members[digest] = name
        return Descriptor(media_type=kind, digest=digest, size=size)

    def _read(self, name: str) -> bytes:
        opened = self._files.open(name)
        if opened is None:
            raise self._broken(f"missing: `{name}`")
        stream, size = opened
        with stream:
            if size > MAX_DOCUMENT_SIZE:
                raise self._broken(f"`{name}` is larger than {MAX_DOCUMENT_SIZE >> 20} MiB")
            return stream.read()

    def _broken(self, fact: str) -> DocumentError:
        return DocumentError("The archive is not one that `docker save` writes", facts=[fact, self.where])


@dataclass(frozen=True, slots=True)
class _ArchivedBlob:
    descriptor: Descriptor
    files: TarFiles
    name: str

    def open(self) -> BinaryIO:
        opened = self.files.open(self.name)
        if opened is None:
            raise DocumentError(f"The blob `{self.descriptor.digest}` is missing", facts=[self.files.where])
        return io.BufferedReader(VerifyingReader(opened[0], self.descriptor), _SLICE)


def _hash(head: bytes, stream: BinaryIO) -> Digest:
    found = hashlib.sha256(head)
    while data := stream.read(_SLICE):
        found.update(data)
    return Digest("sha256", found.hexdigest())


def _tags(listed: dict[str, Any]) -> list[str]:
    tags = listed.get("RepoTags")
    return [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []


def _normal(name: str) -> str:
    try:
        reference = Reference.parse(name)
    except DocumentError:
        return name
    return str(reference.with_tag(reference.tag or "latest"))


def oci_archive(image: Image | ImageIndex, names: Sequence[Reference] = ()) -> list[Member]:
    """The members of an OCI archive; what says what is in it stands first, then each blob after its referrers."""
    index, blobs = layout_contents(image, names)
    return [
        Member.of(MARKER, MARKER_CONTENT),
        Member.of(INDEX, index.to_bytes()),
        *_blob_members(blobs),
    ]


def docker_archive(image: Image, names: Sequence[Reference] = ()) -> list[Member]:
    """The members of a `docker save` archive of one image, an OCI layout as well (the form of Docker 25)."""
    tags = [str(name.with_tag(name.tag or "latest").familiar) for name in names]
    listed = [
        {
            "Config": blob_name(image.config_blob.descriptor.digest),
            "RepoTags": tags or None,
            "Layers": [blob_name(layer.descriptor.digest) for layer in image.layers],
        }
    ]
    repositories: dict[str, dict[str, str]] = {}
    for name in names if image.layers else ():
        repositories.setdefault(name.with_tag(None).familiar, {})[name.tag or "latest"] = image.layers[-1].diff_id.hex
    return [
        Member.of(MARKER, MARKER_CONTENT),
        Member.of(INDEX, layout_index(image, names).to_bytes()),
        Member.of(DOCKER_MANIFEST, canonical_json(listed)),
        *([Member.of(_REPOSITORIES, canonical_json(repositories))] if repositories else []),
        *_blob_members(image_blobs(image)),
    ]


def _blob_members(blobs: Sequence[Blob]) -> list[Member]:
    return [Member(blob_name(blob.descriptor.digest), blob) for blob in reversed(blobs)]
