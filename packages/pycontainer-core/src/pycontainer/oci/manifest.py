"""The manifest of one image for one platform (image-spec, *manifest.md*)."""

from __future__ import annotations

from typing import ClassVar

from pycontainer.oci import media_types
from pycontainer.oci.descriptor import Descriptor
from pycontainer.oci.document import Document


class Manifest(Document, frozen=True, kw_only=True):
    """Config and layers of an image, or an artifact that has a `subject`."""

    what: ClassVar[str] = "manifest"

    schema_version: int = 2
    media_type: str = media_types.MANIFEST
    artifact_type: str | None = None
    config: Descriptor
    layers: tuple[Descriptor, ...] = ()
    subject: Descriptor | None = None
    annotations: dict[str, str] = {}
