"""CycloneDX 1.6 in JSON (ECMA-424, https://cyclonedx.org/docs/1.6/json/).

cyclonedx_document(materials)     # the same bytes for the same image

The image is the subject, and depends on its base and the packages. Which package needs which is not said: a component
that is missing among the dependencies is one whose own are not known.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Final

from pycontainer import __version__
from pycontainer.oci import canonical_json
from pycontainer.sources.wheels.license import license_expression

if TYPE_CHECKING:
    from pycontainer.attest.components import Component, Materials, Origin
    from pycontainer.oci import Digest

_TYPES: Final = {"image": "container", "base": "container", "application": "application", "library": "library"}
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
        "dependencies": [{"ref": materials.image.purl, "dependsOn": sorted(part.purl for part in parts)}],
        # Nobody looked into the base: its digest tells what is in it.
        "compositions": [{"aggregate": "unknown", "assemblies": [materials.base.purl]}],
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
    if component.origin:
        written["externalReferences"] = [_reference(component.origin)]
    return written


def _license(declared: str) -> dict[str, Any]:
    expression = license_expression(declared)
    return {"expression": expression} if expression else {"license": {"name": declared}}


def _reference(origin: Origin) -> dict[str, Any]:
    hashes = {"hashes": [_hash(origin.digest)]} if origin.digest else {}
    return {"type": _REFERENCES[origin.kind], "url": origin.url, **hashes}


def _hash(digest: Digest) -> dict[str, str]:
    return {"alg": digest.algorithm.upper().replace("SHA", "SHA-"), "content": digest.hex}
