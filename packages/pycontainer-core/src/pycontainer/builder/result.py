"""What a build gave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pycontainer.value import Value

if TYPE_CHECKING:
    from pathlib import Path

    from pycontainer.builder.ledger import Ledger
    from pycontainer.destinations.destination import Written
    from pycontainer.image import Image
    from pycontainer.oci import Digest


class BuildResult(Value, frozen=True, kw_only=True):
    """An image, built and written.

    Attributes:
        digest: Of the manifest, or of the index where there are several platforms.
        images: One image a platform.
        outputs: What each destination did.
        ledger: Bytes downloaded, made, reused and moved.
        sboms: The bills of materials that were written.
        provenance: The statements of how the image came to be that were written.
    """

    digest: Digest
    images: tuple[Image, ...]
    outputs: tuple[Written, ...]
    ledger: Ledger
    sboms: tuple[Path, ...] = ()
    provenance: tuple[Path, ...] = ()

    @property
    def references(self) -> tuple[str, ...]:
        """The image's name by digest at each destination."""
        return tuple(output.reference for output in self.outputs)

    def describe(self) -> str:
        """The result for people and pipes: one reference a line, each once."""
        return "\n".join(dict.fromkeys(self.references))

    def to_json(self) -> dict[str, Any]:
        """The result for programs: JSON values, stable names; sizes in bytes."""
        return {
            "digest": str(self.digest),
            "references": list(self.references),
            "platforms": [
                {
                    "platform": str(image.platform),
                    "digest": str(image.digest),
                    "layers": [
                        {
                            "digest": str(layer.descriptor.digest),
                            "diff_id": str(layer.diff_id),
                            "size": layer.descriptor.size,
                            "title": layer.title,
                        }
                        for layer in image.layers
                    ],
                }
                for image in self.images
            ],
            "sboms": [str(path) for path in self.sboms],
            "provenance": [str(path) for path in self.provenance],
            "ledger": self.ledger.to_json(),
        }
