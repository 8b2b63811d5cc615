"""The seam to every place an image can go."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - dataclasses keep their annotations readable
from enum import Enum
from typing import TYPE_CHECKING, Protocol

from pycontainer.value import Value, field

if TYPE_CHECKING:
    from pycontainer.image import Image, ImageIndex
    from pycontainer.oci import Digest


class Moved(Enum):
    """What a destination did to have a blob."""

    THERE = "there"
    MOUNTED = "mounted"
    STREAMED = "streamed"
    UPLOADED = "uploaded"
    WRITTEN = "written"


class Written(Value, frozen=True, kw_only=True):
    """What a destination did.

    Attributes:
        digest: The digest of the manifest or index that was written.
        reference: How to name it there by digest: `ghcr.io/acme/api@sha256:…`, `oci:dist/image@sha256:…`.
        moved: Bytes that had to be sent or written.
        total: Bytes of all blobs of the image.
        blobs: What was done for each blob: it was there already, mounted from another repository, streamed from
            another registry, or sent or written by this host.
    """

    digest: Digest
    reference: str
    moved: int
    total: int
    blobs: Mapping[Digest, Moved] = field(default_factory=dict)


class Destination(Protocol):
    """Takes an image and asks for a blob's bytes only when it lacks them."""

    def write(self, image: Image | ImageIndex) -> Written:
        """Write blobs, configs, manifests, the index, and the names last: all of it or nothing visible.

        Raises:
            PyContainerError: Nothing was named; what was there before is untouched.
        """
        ...
