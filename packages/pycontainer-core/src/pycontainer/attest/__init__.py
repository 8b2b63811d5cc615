"""Documents about an image: what it is made of, and how it came to be.

from pycontainer.attest.materials import materials_of

materials = materials_of(image, base=base, target=target, chosen=chosen, project=project, reference=reference)
FORMATS["spdx"].write(materials)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pycontainer.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable

    from pycontainer.attest.components import Materials


class Format(Value, frozen=True, kw_only=True):
    """A format of bills of materials, and who writes it.

    Attributes:
        name: What people call it.
        suffix: What its files end with.
        media_type: What it is called in a registry.
        predicate_type: What it is called in a statement that is signed.
    """

    name: str
    suffix: str
    media_type: str
    predicate_type: str
    write: Callable[[Materials], bytes]


def _spdx(materials: Materials) -> bytes:
    from pycontainer.attest.spdx import spdx_document  # noqa: PLC0415 - most builds write no bill of materials

    return spdx_document(materials)


def _cyclonedx(materials: Materials) -> bytes:
    from pycontainer.attest.cyclonedx import cyclonedx_document  # noqa: PLC0415 - as above

    return cyclonedx_document(materials)


# By the choices of the option `generate_sbom`.
FORMATS: Final = {
    "spdx": Format(
        name="SPDX",
        suffix=".spdx.json",
        media_type="application/spdx+json",
        predicate_type="https://spdx.dev/Document",
        write=_spdx,
    ),
    "cyclonedx": Format(
        name="CycloneDX",
        suffix=".cdx.json",
        media_type="application/vnd.cyclonedx+json",
        predicate_type="https://cyclonedx.org/bom",
        write=_cyclonedx,
    ),
}

PROVENANCE_SUFFIX: Final = ".provenance.json"

__all__ = ["FORMATS", "PROVENANCE_SUFFIX", "Format"]
