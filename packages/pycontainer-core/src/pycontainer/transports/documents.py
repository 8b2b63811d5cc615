"""Manifests and indexes that come from a file: checked against their descriptor before a word of them is believed.

document = read_manifest(raw, descriptor, where="layout: dist/image")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pycontainer.errors import DocumentError, IntegrityError
from pycontainer.oci import Digest, Index, Manifest, media_types
from pycontainer.oci.document import strict_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pycontainer.oci import Descriptor

_FIELDS = ("schemaVersion", "mediaType", "config", "layers", "manifests", "subject", "fsLayers")
_FIELDS_BY_LOWER = {name.lower(): name for name in _FIELDS}


def read_manifest(raw: bytes, descriptor: Descriptor, *, where: str) -> Manifest | Index:
    """The manifest or index that a descriptor points at.

    Args:
        raw: Its bytes.
        descriptor: Size, digest and media type that they must have.
        where: The fact that says where they are, for errors.

    Raises:
        IntegrityError: Other bytes than the descriptor's.
        DocumentError: Malformed, or readable as manifest and as index (CVE-2021-41190), or of an unknown type.
    """
    found = Digest.of(raw, descriptor.digest.algorithm)
    if len(raw) != descriptor.size or found != descriptor.digest:
        raise IntegrityError(
            f"The content is not that of `{descriptor.digest}`",
            facts=[f"its digest is `{found}`", f"bytes: {len(raw)}, announced: {descriptor.size}", where],
        )
    value = strict_json(raw, what=f"manifest `{descriptor.digest}`")
    if not isinstance(value, dict):
        raise _unsuitable(descriptor, "it is not a JSON object", where)
    if reason := ambiguity(value):
        raise _unsuitable(descriptor, reason, where)
    if "fsLayers" in value or value.get("schemaVersion", 2) != 2:  # noqa: PLR2004 - the only version there is
        raise _unsuitable(descriptor, "it is not of schema version 2", where)
    stated = value.get("mediaType")
    if stated is not None and stated != descriptor.media_type:
        raise _unsuitable(
            descriptor, f"its media type is `{stated}`, its descriptor's `{descriptor.media_type}`", where
        )
    if descriptor.media_type in media_types.INDEXES:
        return Index.from_bytes(raw)
    if descriptor.media_type in media_types.MANIFESTS:
        return Manifest.from_bytes(raw)
    raise _unsuitable(descriptor, f"its media type is `{descriptor.media_type[:80]}`", where)


def ambiguity(value: Mapping[str, Any]) -> str | None:
    """Why two readers might see different things in a manifest or index, if they might (CVE-2021-41190)."""
    for key in value:
        if _FIELDS_BY_LOWER.get(key.lower(), key) != key:
            return f"the key `{key[:40]}` differs from a known one in case only"
    if "manifests" in value and ("layers" in value or "config" in value):
        return "it is a manifest and an index at once"
    return None


def _unsuitable(descriptor: Descriptor, reason: str, where: str) -> DocumentError:
    return DocumentError(f"`{descriptor.digest}` is not an image that can be used", facts=[reason, where])
