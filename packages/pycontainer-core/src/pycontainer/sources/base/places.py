"""The places a base image can be in, behind one way to read them.

place = open_place("python:3.12-slim", registry=client, store=store)
place.name, place.descriptor, place.contents
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pycontainer.blobs.blob import BytesBlob
from pycontainer.blobs.cached import CachedBlob
from pycontainer.errors import BaseImageError, DocumentError, HTTPStatusError
from pycontainer.events import Emit, ignore
from pycontainer.oci import Reference
from pycontainer.transports.documents import read_manifest
from pycontainer.value import Value

if TYPE_CHECKING:
    from pycontainer.blobs.store import BlobStore
    from pycontainer.oci import Descriptor, Index, Manifest
    from pycontainer.sources.base.variant import Contents
    from pycontainer.transports.archives import DockerArchive
    from pycontainer.transports.oci_layout import OCILayout
    from pycontainer.transports.registry import RegistryClient

_LOCAL = ("oci", "oci-archive", "docker-archive")
_NOT_FOUND = 404


class Place(Value, frozen=True, kw_only=True):
    """Where a base image is.

    Attributes:
        name: As people call it: `python:3.12-slim`.
        descriptor: Its manifest or index, whose digest stands for the name from now on.
        contents: Where everything else of it is read.
        reference: The registry's reference with that digest, where it is in one.
    """

    name: str
    descriptor: Descriptor
    contents: Contents
    reference: Reference | None = None


def open_place(text: str, *, registry: RegistryClient, store: BlobStore, emit: Emit = ignore) -> Place:
    """Find what a base image's name means now.

    Args:
        text: A reference, or `oci:DIR[:name]`, `oci-archive:FILE[:name]`, `docker-archive:FILE[:name]`.
        registry: Asked where it is a reference.
        store: Keeps what is downloaded.
        emit: Told of downloads.

    Raises:
        BaseImageError: There is no such image.
        PyContainerError: It cannot be read.
    """
    transport, colon, rest = text.partition(":")
    if colon and transport in _LOCAL:
        return _local(text, transport, rest)
    reference = Reference.parse(text)
    try:
        fetched = registry.manifest(reference)
    except HTTPStatusError as error:
        if error.status != _NOT_FOUND:
            raise
        raise BaseImageError(
            f"There is no base image `{reference.familiar}`",
            facts=error.facts or [error.message],
            hint="Set {base_image} to one that exists",
        ) from error
    contents = Repository(registry, fetched.reference, store, emit=emit)
    contents.keep(fetched.descriptor, fetched.document)
    return Place(name=reference.familiar, descriptor=fetched.descriptor, contents=contents, reference=fetched.reference)


def _local(text: str, transport: str, rest: str) -> Place:
    path, name = split_location(rest)
    if path is None:
        raise BaseImageError(
            f"There is no base image `{text}`",
            facts=[f"no such file or directory: {rest}"],
            hint="Set {base_image} to one that exists",
        )
    try:
        contents = open_contents(transport, path)
        return Place(name=text, descriptor=contents.find(name), contents=contents)
    except DocumentError as error:
        raise BaseImageError(
            f"The base image `{text}` cannot be used", facts=[error.message, *error.facts], hint=error.hint
        ) from error


def open_contents(transport: str, path: Path) -> OCILayout | DockerArchive:
    """The images in a directory (`oci`) or in a file (`oci-archive`, `docker-archive`).

    Raises:
        DocumentError: There are none.
    """
    from pycontainer.transports.archives import open_docker_archive, open_oci_archive  # noqa: PLC0415 - rarely needed
    from pycontainer.transports.oci_layout import OCILayout  # noqa: PLC0415 - as above

    if transport == "oci":
        return OCILayout.at(path)
    return open_oci_archive(path) if transport == "oci-archive" else open_docker_archive(path)


def split_location(rest: str) -> tuple[Path | None, str | None]:
    """The longest path that exists, and the name behind it: both may have colons."""
    if Path(rest).exists():
        return Path(rest), None
    ends = [index for index, character in enumerate(rest) if character == ":"]
    for end in reversed(ends):
        if Path(rest[:end]).exists():
            return Path(rest[:end]), rest[end + 1 :]
    return None, None


class Repository:
    """A repository of a registry, what is read of it kept in a store."""

    def __init__(self, client: RegistryClient, reference: Reference, store: BlobStore, *, emit: Emit = ignore) -> None:
        self._client = client
        self._reference = reference
        self._store = store
        self._emit = emit

    def keep(self, descriptor: Descriptor, document: Manifest | Index) -> None:
        """Put a manifest that was fetched into the store."""
        with BytesBlob(descriptor, document.to_bytes()).open() as source:
            self._store.add(source, descriptor)

    def manifest(self, descriptor: Descriptor) -> Manifest | Index:
        """A manifest or index, from the store, else the registry."""
        stored = self._store.blob(descriptor)
        if not stored.use():
            fetched = self._client.manifest(self._reference.with_digest(descriptor.digest))
            self.keep(descriptor, fetched.document)
        with stored.open() as stream:
            return read_manifest(stream.read(), descriptor, where=f"registry: {self._reference.name}")

    def blob(self, descriptor: Descriptor) -> CachedBlob:
        """A blob that is downloaded when it is first read."""
        upstream = self._client.blob(self._reference, descriptor)
        title = f"{self._reference.with_tag(None).familiar} {descriptor.digest.short}"
        return CachedBlob(upstream, self._store, emit=self._emit, title=title)
