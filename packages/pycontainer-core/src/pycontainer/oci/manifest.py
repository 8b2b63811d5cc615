"""The manifest of one image for one platform (image-spec, *manifest.md*)."""

from __future__ import annotations

from typing import ClassVar

from pycontainer.oci import media_types
from pycontainer.oci.descriptor import Descriptor
from pycontainer.oci.document import Document, written


class Manifest(Document, frozen=True, kw_only=True):
    """Config and layers of an image, or an artifact that has a `subject`."""

    what: ClassVar[str] = "manifest"

    schema_version: int = written(2)
    media_type: str = written(media_types.MANIFEST)
    artifact_type: str | None = None
    config: Descriptor
    layers: tuple[Descriptor, ...] = written(())
    subject: Descriptor | None = None
    annotations: dict[str, str] = {}
