"""The index of an image for several platforms (image-spec, *image-index.md*)."""

from __future__ import annotations

from typing import ClassVar

from pycontainer.oci import media_types
from pycontainer.oci.descriptor import Descriptor
from pycontainer.oci.document import Document, written


class Index(Document, frozen=True, kw_only=True):
    """Manifests, each with its platform."""

    what: ClassVar[str] = "index"

    schema_version: int = written(2)
    media_type: str = written(media_types.INDEX)
    artifact_type: str | None = None
    manifests: tuple[Descriptor, ...]
    subject: Descriptor | None = None
    annotations: dict[str, str] = {}
