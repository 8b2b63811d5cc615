"""OCI image layouts, read and described (image-spec, *image-layout.md*).

    layout = OCILayout.at(Path("dist/image"))
    descriptor = layout.find("1.4")
    layout.manifest(descriptor), layout.blob(layer)

    index, blobs = layout_contents(image, names)    # an image of ours, with what is attached to it

A layout may come from anyone: nothing in it is followed out of it, and nothing is believed before its digest is.
"""

from __future__ import annotations

import io
import os
import stat
from typing import TYPE_CHECKING, BinaryIO, Final, Protocol, cast

from pycontainer.blobs.blob import BytesBlob
from pycontainer.blobs.hashing import VerifyingReader
from pycontainer.errors import DocumentError, IntegrityError, StoreError
from pycontainer.image import Image
from pycontainer.image.attachment import EMPTY_CONFIG, describe_artifact
from pycontainer.oci import Digest, Index, media_types
from pycontainer.oci.document import MAX_DOCUMENT_SIZE, strict_json
from pycontainer.transports.documents import read_manifest
from pycontainer.value import Value

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pycontainer.blobs.blob import Blob
    from pycontainer.image import ImageIndex
    from pycontainer.oci import Descriptor, Manifest, Reference

MARKER: Final = "oci-layout"
MARKER_CONTENT: Final = b'{"imageLayoutVersion":"1.0.0"}'
INDEX: Final = "index.json"
REF_NAME: Final = "org.opencontainers.image.ref.name"
# Where containerd, Docker's image store and BuildKit keep the whole name; `ref.name` is only its tag.
IMAGE_NAME: Final = "io.containerd.image.name"

_SLICE = 1 << 20
_NOT_THROUGH_LINKS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class LayoutFiles(Protocol):
    """The files of a layout, in a directory or in an archive."""

    @property
    def where(self) -> str:
        """What to call the layout in an error: `layout: dist/image`."""
        ...

    def open(self, name: str) -> tuple[BinaryIO, int] | None:
        """The content of a regular file and its size in bytes, or none where there is no such file.

        Raises:
            DocumentError: Something else than a file stands there.
        """
        ...


def blob_name(digest: Digest) -> str:
    """Where a layout has a blob: `blobs/sha256/<hex>`."""
    return f"blobs/{digest.algorithm}/{digest.hex}"


class OCILayout:
    """A layout that can be read.

    Args:
        files: Where its files are.

    Raises:
        DocumentError: It has no `oci-layout`, or one of a version nobody knows.
    """

    def __init__(self, files: LayoutFiles) -> None:
        self._files = files
        marker = strict_json(self._read(MARKER), what=f"`{MARKER}`")
        version = marker.get("imageLayoutVersion") if isinstance(marker, dict) else None
        if not isinstance(version, str) or not version.startswith("1."):
            raise DocumentError(f"The OCI layout's version is `{str(version)[:40]}`, not 1", facts=[files.where])

    @classmethod
    def at(cls, path: Path) -> OCILayout:
        """The layout in a directory.

        Raises:
            DocumentError: There is none.
        """
        return cls(DirectoryFiles(path))

    @property
    def where(self) -> str:
        """What to call it in an error."""
        return self._files.where

    def index(self) -> Index:
        """The entry points: `index.json`.

        Raises:
            DocumentError: It is missing or malformed.
        """
        return Index.from_bytes(self._read(INDEX))

    def find(self, name: str | None = None) -> Descriptor:
        """The entry point of a name: a tag, a whole image name, or `@sha256:…`; without one, the only one there is.

        Raises:
            DocumentError: There is none, or without a name more than one; the facts list the names.
        """
        entries = self.index().manifests
        if name is None:
            found = tuple(entry for entry in entries if entry.artifact_type is None)
        elif name.startswith("@"):
            digest = Digest.parse(name[1:])
            found = tuple(entry for entry in entries if entry.digest == digest)
        else:
            found = tuple(entry for entry in entries if name in names_of(entry))
        if found and (name is not None or len({entry.digest for entry in found}) == 1):
            return found[0]
        names = ", ".join(f"`{(names_of(entry) or (f'@{entry.digest}',))[0]}`" for entry in entries) or "none"
        what = f"no image `{name}`" if name else "more than one image" if entries else "no image"
        raise DocumentError(f"The OCI layout has {what}", facts=[f"images: {names}", self._files.where])

    def manifest(self, descriptor: Descriptor) -> Manifest | Index:
        """A manifest or index that is in the layout.

        Raises:
            DocumentError: It is missing, malformed or too large.
            IntegrityError: It is not what the descriptor says.
        """
        return read_manifest(self._read(blob_name(descriptor.digest)), descriptor, where=self._files.where)

    def blob(self, descriptor: Descriptor) -> LayoutBlob:
        """A blob of the layout; looked for when it is opened."""
        return LayoutBlob(descriptor, self._files)

    def _read(self, name: str) -> bytes:
        opened = self._files.open(name)
        if opened is None:
            what = "It is not an OCI layout" if name == MARKER else "The OCI layout is incomplete"
            raise DocumentError(what, facts=[f"missing: `{name}`", self._files.where])
        stream, size = opened
        with stream:
            if size > MAX_DOCUMENT_SIZE:
                raise DocumentError(f"`{name}` is larger than {MAX_DOCUMENT_SIZE >> 20} MiB", facts=[self._files.where])
            return stream.read(MAX_DOCUMENT_SIZE + 1)


class LayoutBlob(Value, frozen=True):
    """A blob in a layout that is not ours: verified while it is read, never repaired."""

    descriptor: Descriptor
    files: LayoutFiles

    def open(self) -> BinaryIO:
        """The bytes.

        Raises:
            DocumentError: The layout does not have it.
            IntegrityError: Other bytes, or another number of them, than the digest's.
        """
        digest = self.descriptor.digest
        opened = self.files.open(blob_name(digest))
        if opened is None:
            raise DocumentError(f"The blob `{digest}` is missing", facts=[self.files.where])
        stream, size = opened
        if size != self.descriptor.size:
            stream.close()
            raise IntegrityError(
                f"The blob `{digest}` has {size} bytes instead of {self.descriptor.size}", facts=[self.files.where]
            )
        return io.BufferedReader(VerifyingReader(stream, self.descriptor), _SLICE)


class DirectoryFiles:
    """The files of a layout in a directory of this host; no symbolic link in it is followed."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @property
    def where(self) -> str:
        """The directory."""
        return f"layout: {self._root}"

    def open(self, name: str) -> tuple[BinaryIO, int] | None:
        """A regular file below the directory, reached through real directories only."""
        path = self._root
        try:
            for part in name.split("/")[:-1]:
                path /= part
                if not stat.S_ISDIR(path.lstat().st_mode):
                    raise self._not_a_file(name)
            path /= name.rpartition("/")[2]
            if not stat.S_ISREG(path.lstat().st_mode):
                raise self._not_a_file(name)
            number = os.open(path, os.O_RDONLY | _NOT_THROUGH_LINKS)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise StoreError(f"Cannot read `{path}`", facts=[error.strerror or str(error)]) from error
        stream = cast("BinaryIO", os.fdopen(number, "rb", buffering=0))
        status = os.fstat(number)
        if not stat.S_ISREG(status.st_mode):
            stream.close()
            raise self._not_a_file(name)
        return stream, status.st_size

    def _not_a_file(self, name: str) -> DocumentError:
        return DocumentError(f"`{name}` is not a regular file, as it must be in an OCI layout", facts=[self.where])


def names_of(entry: Descriptor) -> tuple[str, ...]:
    """The names that an entry of `index.json` goes by, the tag first."""
    found = (entry.annotations.get(REF_NAME), entry.annotations.get(IMAGE_NAME))
    return tuple(dict.fromkeys(name for name in found if name))


def layout_contents(image: Image | ImageIndex, names: Sequence[Reference] = ()) -> tuple[Index, tuple[Blob, ...]]:
    """The `index.json` of a layout that has only this image, and all its blobs, what one refers to before it.

    What is attached stands in `index.json` without a name, as ORAS has it: with its kind, which tells it from images.
    """
    index, blobs = layout_index(image, names), {blob.descriptor.digest: blob for blob in image_blobs(image)}
    entries = []
    for subject, attachment in image.attached:
        manifest = attachment.manifest(subject)
        entries.append(describe_artifact(manifest))
        for blob in (EMPTY_CONFIG, attachment.blob, BytesBlob.of_document(manifest, media_types.MANIFEST)):
            blobs.setdefault(blob.descriptor.digest, blob)
    return Index(manifests=(*index.manifests, *entries)), tuple(blobs.values())


def layout_index(image: Image | ImageIndex, names: Sequence[Reference] = ()) -> Index:
    """The `index.json` of a layout that has only this image, and nothing that is attached to it.

    There is one entry for each distinct tag. A layout with a single entry is what `skopeo copy oci:DIR` takes without
    a name; `ref.name` is the bare tag, since that is what `podman run oci:DIR:TAG` looks for.
    """
    by_tag = {name.tag or "latest": name for name in reversed(names)}
    annotations = [
        {REF_NAME: tag, IMAGE_NAME: str(by_tag[tag].with_tag(tag))}
        for tag in dict.fromkeys(name.tag or "latest" for name in names)
    ]
    return Index(manifests=tuple(_entry(image, values) for values in annotations or [{}]))


def _entry(image: Image | ImageIndex, annotations: dict[str, str]) -> Descriptor:
    if isinstance(image, Image):
        return image.manifest.describe(media_types.MANIFEST, platform=image.platform, annotations=annotations)
    return image.index.describe(media_types.INDEX, annotations=annotations)


def image_blobs(image: Image | ImageIndex) -> tuple[Blob, ...]:
    """Everything that an image is made of, each once: of every platform layers, config and manifest, then the index.

    What a blob refers to stands before it.
    """
    blobs: dict[Digest, Blob] = {}
    for part in (image,) if isinstance(image, Image) else image.images:
        manifest = BytesBlob.of_document(part.manifest, media_types.MANIFEST)
        for blob in (*(layer.blob for layer in part.layers), part.config_blob, manifest):
            blobs.setdefault(blob.descriptor.digest, blob)
    if not isinstance(image, Image):
        index = BytesBlob.of_document(image.index, media_types.INDEX)
        blobs[index.descriptor.digest] = index
    return tuple(blobs.values())
