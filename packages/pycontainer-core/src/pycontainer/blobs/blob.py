"""A blob: a descriptor and a way to read what it describes."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Protocol

from pycontainer.oci import Descriptor, Digest

if TYPE_CHECKING:
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


@dataclass(frozen=True, slots=True)
class BytesBlob:
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
