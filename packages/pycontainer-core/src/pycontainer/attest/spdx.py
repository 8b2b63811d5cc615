"""SPDX 2.3 in JSON (ISO/IEC 5962 and its successor, https://spdx.github.io/spdx-spec/v2.3/).

spdx_document(materials)     # the same bytes for the same image

The document describes the image, which contains the packages and is a descendant of its base, which contains others.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from pycontainer import __version__
from pycontainer.oci import canonical_json
from pycontainer.sources.wheels.license import license_expression

if TYPE_CHECKING:
    from pycontainer.attest.components import Component, Materials

_UNKNOWN: Final = "NOASSERTION"
_PURPOSES: Final = {
    "image": "CONTAINER",
    "base": "CONTAINER",
    "application": "APPLICATION",
    "interpreter": "APPLICATION",
    "library": "LIBRARY",
    "part": "LIBRARY",
    "system": "LIBRARY",
}
_RELATIONSHIPS: Final = {"contains": "CONTAINS", "needs": "DEPENDS_ON"}
_OTHER: Final = re.compile(r"[^A-Za-z0-9.-]+")  # what an identifier may not hold (3.2, *SPDX identifier*)
_LICENSE_REFERENCE: Final = re.compile(r"LicenseRef-[A-Za-z0-9.-]+")


def spdx_document(materials: Materials) -> bytes:
    """The bill of materials as canonical JSON."""
    packages = [_package(component) for component in materials.components]
    identifiers = {component.purl: _identifier(component) for component in materials.components}
    image = _identifier(materials.image)
    document: dict[str, Any] = {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"{materials.image.name}@{materials.image.version}",
        "creationInfo": {"created": materials.created, "creators": [f"Tool: pycontainer-core-{__version__}"]},
        "packages": packages,
        "relationships": [
            _relationship("SPDXRef-DOCUMENT", "DESCRIBES", image),
            _relationship(image, "DESCENDANT_OF", _identifier(materials.base)),
            *(
                _relationship(identifiers[edge.subject], _RELATIONSHIPS[edge.kind], identifiers[edge.object])
                for edge in materials.edges
            ),
        ],
    }
    if licenses := _own_licenses(packages):
        document["hasExtractedLicensingInfos"] = licenses
    # Any other content, of another image or by another version of this program, has another namespace (6.5).
    unique = uuid.uuid5(uuid.NAMESPACE_URL, canonical_json(document).decode())
    name = _OTHER.sub("-", materials.image.name)
    return canonical_json({**document, "documentNamespace": f"https://spdx.org/spdxdocs/{name}-{unique}"})


def _package(component: Component) -> dict[str, Any]:
    package: dict[str, Any] = {
        "SPDXID": _identifier(component),
        "name": component.name,
        "downloadLocation": component.origin.url if component.origin else _UNKNOWN,
        "filesAnalyzed": False,
        "primaryPackagePurpose": _PURPOSES[component.kind],
        "licenseConcluded": _UNKNOWN,
        "licenseDeclared": license_expression(component.license or "") or _UNKNOWN,
        "copyrightText": _UNKNOWN,
        "externalRefs": [_reference("PACKAGE-MANAGER", "purl", component.purl), *_sboms(component)],
    }
    if component.version:
        package["versionInfo"] = component.version
    if component.digest:
        checksum = {"algorithm": component.digest.algorithm.upper(), "checksumValue": component.digest.hex}
        package["checksums"] = [checksum]
    if component.license and package["licenseDeclared"] == _UNKNOWN:
        package["licenseComments"] = f"Declared as: {component.license}"
    if component.origin and component.origin.kind != "wheel":
        digest = f" with the digest {component.origin.digest}" if component.origin.digest else ""
        package["sourceInfo"] = f"The wheel was built from {component.origin.url}{digest}"
    if component.source:
        package["sourceInfo"] = f"Built from the source package {component.source}"
    if component.kind == "base":
        package["comment"] = "What its package manager does not know is not listed; its digest tells what is in it"
    return package


def _own_licenses(packages: list[dict[str, Any]]) -> list[dict[str, str]]:
    """What the licences are that SPDX has no identifier for (10, *Other licensing information detected*)."""
    names = {name for package in packages for name in _LICENSE_REFERENCE.findall(package["licenseDeclared"])}
    return [{"licenseId": name, "extractedText": _UNKNOWN} for name in sorted(names)]


def _sboms(component: Component) -> list[dict[str, str]]:
    """Where the bills of materials that a package brings are in the image."""
    return [
        _reference("OTHER", "bom", quote(f"/{sbom.path}#sha256:{sbom.sha256}", safe="/:#")) for sbom in component.sboms
    ]


def _reference(category: str, kind: str, locator: str) -> dict[str, str]:
    return {"referenceCategory": category, "referenceType": kind, "referenceLocator": locator}


def _identifier(component: Component) -> str:
    """Readable, and distinct for distinct purls: what an identifier may not hold would make some the same."""
    if component.kind in ("image", "base"):
        return f"SPDXRef-{component.kind}"
    short = hashlib.sha256(component.purl.encode()).hexdigest()[:12]
    readable = "-".join(filter(None, (component.name, component.version)))
    return f"SPDXRef-Package-{_OTHER.sub('-', readable)}-{short}"


def _relationship(subject: str, kind: str, related: str) -> dict[str, str]:
    return {"spdxElementId": subject, "relationshipType": kind, "relatedSpdxElement": related}
