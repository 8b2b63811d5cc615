"""The seam to every place an image can go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pycontainer.image import Image, ImageIndex
    from pycontainer.oci import Digest


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """What a destination did.

    Attributes:
        digest: The digest of the manifest or index that was written.
        reference: How to name it there by digest: `ghcr.io/acme/api@sha256:…`, `oci:dist/image@sha256:…`.
        moved: Bytes that had to be sent or written.
        total: Bytes of all blobs of the image.
    """

    digest: Digest
    reference: str
    moved: int
    total: int


class Destination(Protocol):
    """Takes an image and asks for a blob's bytes only when it lacks them."""

    def write(self, image: Image | ImageIndex) -> Written:
        """Write blobs, configs, manifests, the index, and the names last: all of it or nothing visible.

        Raises:
            PyContainerError: Nothing was named; what was there before is untouched.
        """
        ...
