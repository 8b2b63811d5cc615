"""What an image is made of, as values: one model, which every format of bills of materials writes.

materials.contents[0].purl      # pkg:pypi/anyio@4.6.0
materials.edges[0]              # Edge(kind="contains", subject="pkg:oci/api@sha256:…", object="pkg:pypi/anyio@4.6.0")
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from pycontainer.layers.record import ShippedSbom
    from pycontainer.oci import Digest

# `part`: what a package brings of others; `system`: a package of the operating system.
Kind: TypeAlias = Literal["image", "base", "application", "library", "part", "interpreter", "system"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """Where a component was taken from.

    Attributes:
        kind: A wheel that was installed as it is, or what a wheel was built of: an sdist, a commit.
        url: Without credentials, query and fragment; of a commit `git+https://host/repository@commit#subdirectory`.
        digest: Of the file at the address, where the lock has it.
    """

    kind: Literal["wheel", "sdist", "vcs"]
    url: str
    digest: Digest | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Component:
    """One part of an image, or the image itself.

    Attributes:
        name: Of a package normalised (PEP 503), of an image the last part of its repository.
        version: Of an image its digest; none where nobody knows one.
        purl: Different for every component of an image.
        digest: Of the wheel that was installed, of the `.deb`, of a bundled file, or of the manifest.
        license: As its metadata declares it: an SPDX expression, or a name of the author's own.
        source: The source package that a package of the operating system was built of.
        sboms: Bills of materials that it brings.
    """

    kind: Kind
    name: str
    version: str | None
    purl: str
    digest: Digest | None = None
    license: str | None = None
    origin: Origin | None = None
    source: str | None = None
    sboms: tuple[ShippedSbom, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Edge:
    """That one component contains or needs another; both by their purls."""

    subject: str
    kind: Literal["contains", "needs"]
    object: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Materials:
    """An image and all that it is made of.

    Attributes:
        image: The image of one platform.
        base: What it was built on.
        contents: All other components, sorted by name and version.
        edges: Sorted, without duplicates. From the image every component is reached; that it descends from its base is
            not among them.
        created: The image's time, RFC 3339.
    """

    image: Component
    base: Component
    contents: tuple[Component, ...]
    edges: tuple[Edge, ...]
    created: str

    @property
    def components(self) -> tuple[Component, ...]:
        """All of them, the image first."""
        return (self.image, self.base, *self.contents)
