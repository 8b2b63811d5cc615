"""What of others a wheel brings: libraries that were copied into it, and what its own bills of materials list.

bundled_library("numpy.libs/libgfortran-040039e1.so.5.0.0", sha256)      # BundledPart(name="libgfortran.so.5.0.0", …)
read_sbom(content, size, owner="numpy")                                  # of `numpy-2.1.0.dist-info/sboms/…`, PEP 770

A wheel's word for what it brings is taken as it is: nobody else knows. A document that cannot be read tells nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from pycontainer.errors import DocumentError
from pycontainer.layers.record import BundledPart
from pycontainer.oci.document import MAX_DOCUMENT_SIZE, strict_json
from pycontainer.sources.locks.filenames import normalize

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# `numpy.libs/`, as auditwheel has it; `numpy/.libs/`, as it had it before.
_BUNDLED: Final = re.compile(r"(?:^|/)[^/]*\.libs/([^/]+)")
# What auditwheel adds to a name, so that two wheels can bring the same library.
_TAG: Final = re.compile(r"-[0-9a-f]{8,}(?=[.-])")
_MAX_PARTS: Final = 5000
_MAX_TEXT: Final = 500


def bundled_library(member: str, sha256: str) -> BundledPart | None:
    """The part that a shared library in `.libs` is; none where it lies elsewhere and is the wheel's own.

    Args:
        member: Its name in the wheel.
        sha256: Of the file, in hexadecimal.
    """
    found = _BUNDLED.search(member)
    return BundledPart(name=_TAG.sub("", found[1]), sha256=sha256) if found else None


def read_sbom(read: Callable[[], bytes], size: int, *, owner: str) -> tuple[BundledPart, ...]:
    """The parts that a bill of materials lists, of CycloneDX or SPDX in JSON, without the wheel itself.

    Args:
        read: Gives the document.
        size: Bytes that it has; one that is too large to be read is passed over.
        owner: The normalised name of the wheel.
    """
    if size > MAX_DOCUMENT_SIZE:
        return ()
    try:
        document = strict_json(read(), what="a bill of materials")
        parts = list(_parts(document))
    except (DocumentError, AttributeError, TypeError, ValueError, RecursionError):
        return ()
    own = f"pkg:pypi/{owner}@"
    unique = dict.fromkeys(
        part for part in parts if part.name and not _is_own(part, owner) and not (part.purl or "").startswith(own)
    )
    return tuple(unique)[:_MAX_PARTS]


def _is_own(part: BundledPart, owner: str) -> bool:
    return (part.purl is None or part.purl.startswith("pkg:pypi/")) and normalize(part.name) == owner


def _parts(document: dict[str, Any]) -> Iterator[BundledPart]:
    if document.get("bomFormat") == "CycloneDX":
        yield from _cyclonedx(document.get("components") or [])
    elif "spdxVersion" in document:
        for package in document.get("packages") or []:
            yield _part(package, package.get("versionInfo"), _spdx_purl(package), package.get("licenseDeclared"))


def _cyclonedx(components: list[dict[str, Any]]) -> Iterator[BundledPart]:
    for component in components:
        yield _part(component, component.get("version"), component.get("purl"), _cyclonedx_license(component))
        yield from _cyclonedx(component.get("components") or [])


def _part(item: dict[str, Any], version: Any, purl: Any, declared: Any) -> BundledPart:
    return BundledPart(
        name=_text(item.get("name")) or "", version=_text(version), purl=_text(purl), license=_text(declared)
    )


def _spdx_purl(package: dict[str, Any]) -> str | None:
    references = package.get("externalRefs") or []
    return next((item.get("referenceLocator") for item in references if item.get("referenceType") == "purl"), None)


def _cyclonedx_license(component: dict[str, Any]) -> str | None:
    """The licence, where there is one expression or one licence: of several, nobody says how they are joined."""
    listed = component.get("licenses") or []
    if len(listed) != 1:
        return None
    found: str | None = listed[0].get("expression") or (listed[0].get("license") or {}).get("id")
    return found


def _text(value: Any) -> str | None:
    """A value that is shown in documents; what is no text, or a strange one, is none."""
    if not isinstance(value, str) or value in {"", "NOASSERTION", "NONE"} or not value.isprintable():
        return None
    return value if len(value) <= _MAX_TEXT else None
