"""Images of the sample projects, each built once: written as an OCI layout by default, pushed on request."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from real.samples import SAMPLES, Sample

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from real.command import Pycontainer
    from real.registry import Registry


@dataclass(frozen=True, kw_only=True, slots=True)
class Built:
    """A sample that became an image.

    Attributes:
        reference: Its tag in the registry.
        printed: What the command printed: the digest reference.
        layout: The OCI layout, `dist/image` in the project, where the image has the tag `1`.
    """

    sample: Sample
    project: Path
    reference: str
    printed: str
    layout: Path

    @property
    def digest(self) -> str:
        """The digest that the command printed."""
        return self.printed.rpartition("@")[2]


@dataclass(frozen=True, kw_only=True, slots=True)
class Images:
    """Builds each sample when it is first asked for."""

    pycontainer: Pycontainer
    registry: Registry
    base_image: str
    locked: Callable[[str], Path]
    built: dict[str, Built] = field(default_factory=dict)

    def __call__(self, name: str) -> Built:
        """The image of a sample, in the registry and as a layout."""
        if name not in self.built:
            self.built[name] = self._build(SAMPLES[name])
        return self.built[name]

    def _build(self, sample: Sample) -> Built:
        project = self.locked(sample.name)
        reference = self.registry.reference(f"{sample.name}:1")
        options = ("--base-image", self.base_image, "--tag", reference, *sample.options)
        self.pycontainer.build(project, *options)
        pushed = self.pycontainer.build(project, *options, "--push")
        return Built(
            sample=sample,
            project=project,
            reference=reference,
            printed=pushed.stdout.strip(),
            layout=project / "dist" / "image",
        )
