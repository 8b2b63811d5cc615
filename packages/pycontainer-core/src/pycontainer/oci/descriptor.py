"""Descriptors: what a piece of content is, its digest and its size (image-spec, *descriptor.md*)."""

from __future__ import annotations

from typing import Annotated

import msgspec

from pycontainer.oci.digest import Digest
from pycontainer.oci.platform import Platform

Size = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class Descriptor(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Points at content. `size` is in bytes; `platform` stands in the entries of an index."""

    media_type: str
    digest: Digest
    size: Size
    annotations: dict[str, str] = {}
    artifact_type: str | None = None
    platform: Platform | None = None
    urls: tuple[str, ...] = ()

    def __hash__(self) -> int:
        return hash((self.digest, self.size))
