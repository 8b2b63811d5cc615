"""A blob: a descriptor and a way to read what it describes."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, BinaryIO, Protocol, runtime_checkable

from pycontainer.oci import Descriptor, Digest
from pycontainer.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable

    from pycontainer.oci import Document


class Blob(Protocol):
    """Content that is known by its digest and read only when somebody needs the bytes."""

    @property
    def descriptor(self) -> Descriptor:
        """What the content is: media type, digest, size in bytes."""
        ...

    def open(self) -> BinaryIO:
        """A stream of exactly `descriptor.size` bytes; the caller closes it.

        The stream raises `IntegrityError` at its end when the bytes are not those of the digest.
        """
        ...


@runtime_checkable
class FarBlob(Blob, Protocol):
    """A blob that is not on this host, perhaps, and is kept here from the first time it is opened."""

    def fetch(self) -> Blob:
        """The blob as it is here: brought and checked, if it was not."""
        ...

    def passing(self) -> PassingBlob:
        """The blob for whoever only passes it on: what is not here is not kept, either."""
        ...


class PassingBlob:
    """A blob on its way from one place to another.

    Attributes:
        descriptor: What it is.
        came_from_afar: Whether its bytes came over the network when it was opened last.

    Args:
        descriptor: As above.
        open_source: Opens the bytes, and tells whether they come over the network.
    """

    def __init__(self, descriptor: Descriptor, open_source: Callable[[], tuple[BinaryIO, bool]]) -> None:
        self.descriptor = descriptor
        self.came_from_afar = False
        self._open_source = open_source

    def open(self) -> BinaryIO:
        """The bytes, as of any blob."""
        stream, self.came_from_afar = self._open_source()
        return stream


class BytesBlob(Value, frozen=True):
    """A small blob that is in memory anyway: a config, a manifest."""

    descriptor: Descriptor
    content: bytes

    @classmethod
    def of(cls, content: bytes, media_type: str) -> BytesBlob:
        """Describe bytes."""
        return cls(Descriptor(media_type=media_type, digest=Digest.of(content), size=len(content)), content)

    @classmethod
    def of_document(cls, document: Document, media_type: str) -> BytesBlob:
        """Describe a document in the bytes it was read from, or in its canonical form."""
        return cls.of(document.to_bytes(), media_type)

    def open(self) -> BinaryIO:
        """The bytes as a stream."""
        return io.BytesIO(self.content)
