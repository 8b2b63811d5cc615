"""Descriptors: what a piece of content is, its digest and its size (image-spec, *descriptor.md*)."""

from __future__ import annotations

from typing import Annotated

import msgspec

from pycontainer.errors import IntegrityError
from pycontainer.oci.digest import Digest
from pycontainer.oci.platform import Platform

Size = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class Descriptor(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Points at content. `size` is in bytes; `platform` stands in the entries of an index.

    `data` is the content itself where it is small and was put there; `embedded` checks it.
    """

    media_type: str
    digest: Digest
    size: Size
    annotations: dict[str, str] = {}
    artifact_type: str | None = None
    platform: Platform | None = None
    urls: tuple[str, ...] = ()
    data: bytes | None = None

    def __hash__(self) -> int:
        return hash((self.digest, self.size))

    @property
    def embedded(self) -> bytes | None:
        """The content that stands in the descriptor, where it is the digest's (image-spec, *descriptor.md*, `data`).

        Raises:
            IntegrityError: Something else stands there.
        """
        if self.data is not None and (
            len(self.data) != self.size or Digest.of(self.data, self.digest.algorithm) != self.digest
        ):
            raise IntegrityError(f"The embedded content is not that of `{self.digest}`")
        return self.data
