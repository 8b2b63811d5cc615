"""CycloneDX 1.6 in JSON (ECMA-424, https://cyclonedx.org/docs/1.6/json/).

cyclonedx_document(materials)     # the same bytes for the same image

The image is the subject. It depends on its base, the project, and what nothing else in it needs; a package depends on
what it needs and on what it brings of others. A component that is missing among the dependencies is one whose own are
not known.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from pycontainer import __version__
from pycontainer.oci import canonical_json
from pycontainer.sources.wheels.license import license_expression

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pycontainer.attest.components import Component, Materials, Origin
    from pycontainer.layers.record import ShippedSbom
    from pycontainer.oci import Digest

_TYPES: Final = {
    "image": "container",
    "base": "container",
    "application": "application",
    "interpreter": "platform",
    "library": "library",
    "part": "library",
    "system": "library",
}
_KNOWN: Final = ("application", "library")  # those whose dependencies are
_REFERENCES: Final = {"wheel": "distribution", "sdist": "source-distribution", "vcs": "vcs"}


def cyclonedx_document(materials: Materials) -> bytes:
    """The bill of materials as canonical JSON."""
    parts = (materials.base, *materials.contents)
    document: dict[str, Any] = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": materials.created,
            "lifecycles": [{"phase": "build"}],
            "tools": {"components": [{"type": "application", "name": "pycontainer-core", "version": __version__}]},
            "component": _component(materials.image),
        },
        "components": [_component(part) for part in parts],
        "dependencies": list(_dependencies(materials)),
        # What its package manager does not know is not listed: its digest tells what is in it.
        "compositions": [{"aggregate": "incomplete", "assemblies": [materials.base.purl]}],
    }
    # Any other content, of another image or by another version of this program, has another number.
    unique = uuid.uuid5(uuid.NAMESPACE_URL, canonical_json(document).decode())
    return canonical_json({**document, "serialNumber": f"urn:uuid:{unique}"})


def _component(component: Component) -> dict[str, Any]:
    written: dict[str, Any] = {
        "type": _TYPES[component.kind],
        "bom-ref": component.purl,
        "name": component.name,
        "purl": component.purl,
    }
    if component.version:
        written["version"] = component.version
    if component.digest:
        written["hashes"] = [_hash(component.digest)]
    if component.license:
        written["licenses"] = [_license(component.license)]
    references = [_reference(component.origin)] if component.origin else []
    if references := [*references, *map(_sbom, component.sboms)]:
        written["externalReferences"] = references
    if component.source:
        written["properties"] = [{"name": "pycontainer:source-package", "value": component.source}]
    return written


def _dependencies(materials: Materials) -> Iterator[dict[str, Any]]:
    """What each component depends on, sorted; nothing of those where nobody knows."""
    image = materials.image.purl
    others: dict[str, set[str]] = {part.purl: set() for part in materials.contents if part.kind in _KNOWN}
    for edge in materials.edges:
        if edge.subject != image:
            others.setdefault(edge.subject, set()).add(edge.object)
    inner = [edge.object for edge in materials.edges if edge.subject == image]
    yield {"ref": image, "dependsOn": sorted({materials.base.purl, *_direct(inner, others)})}
    for purl in sorted(others):
        yield {"ref": purl, "dependsOn": sorted(others[purl])}


def _direct(purls: list[str], others: Mapping[str, set[str]]) -> Iterator[str]:
    """Those that no other one leads to, and of circles that nothing leads into the first."""
    needed = {other for purl in purls for other in others.get(purl, ()) if other != purl}
    reached: set[str] = set()
    for purl in sorted(purls, key=lambda purl: (purl in needed, purl)):
        if purl in reached:
            continue
        yield purl
        rim = {purl}
        while rim:
            reached |= rim
            rim = {other for each in rim for other in others.get(each, ())} - reached


def _license(declared: str) -> dict[str, Any]:
    expression = license_expression(declared)
    return {"expression": expression} if expression else {"license": {"name": declared}}


def _reference(origin: Origin) -> dict[str, Any]:
    hashes = {"hashes": [_hash(origin.digest)]} if origin.digest else {}
    return {"type": _REFERENCES[origin.kind], "url": origin.url, **hashes}


def _sbom(sbom: ShippedSbom) -> dict[str, Any]:
    return {"type": "bom", "url": quote(f"/{sbom.path}"), "hashes": [{"alg": "SHA-256", "content": sbom.sha256}]}


def _hash(digest: Digest) -> dict[str, str]:
    return {"alg": digest.algorithm.upper().replace("SHA", "SHA-"), "content": digest.hex}
