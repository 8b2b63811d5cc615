"""Documents about an image: what it is made of.

materials = materials_of(image, base=base, chosen=chosen, project=project, reference=reference)
FORMATS["spdx"].write(materials)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pycontainer.attest.components import Component, Materials, Origin, files_of_project, materials_of
from pycontainer.attest.cyclonedx import cyclonedx_document
from pycontainer.attest.spdx import spdx_document

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, kw_only=True, slots=True)
class Format:
    """A format of bills of materials: what its files end with, and who writes them."""

    suffix: str
    write: Callable[[Materials], bytes]


# By the choices of the option `generate_sbom`.
FORMATS: Final = {
    "spdx": Format(suffix=".spdx.json", write=spdx_document),
    "cyclonedx": Format(suffix=".cdx.json", write=cyclonedx_document),
}

__all__ = ["FORMATS", "Component", "Format", "Materials", "Origin", "files_of_project", "materials_of"]
