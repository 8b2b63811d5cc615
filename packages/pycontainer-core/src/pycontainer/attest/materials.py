"""What an image is made of, put together.

    materials = materials_of(image, base=base, target=target, chosen=packages, project=project, reference=reference)
    materials.contents[0].purl      # pkg:pypi/anyio@4.6.0

Nothing is scanned. The packages are those that the records of the image's layers say were installed, each with the
hash of its wheel; the lock adds where they came from, the database of the base's package manager what the operating
system is made of, and the choice of this build what was added to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from pycontainer.attest.components import Component, Edge, Materials
from pycontainer.attest.dependencies import dependencies
from pycontainer.attest.parts import bundled_part, image_component, installed_package, interpreter, os_package
from pycontainer.oci import Reference
from pycontainer.sources.base.packages import debian_packages
from pycontainer.sources.locks.filenames import normalize

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pycontainer.image import Image
    from pycontainer.layers.record import BundledPart, PackageContents
    from pycontainer.sources.base import Base
    from pycontainer.sources.base.packages import OSPackage
    from pycontainer.sources.debian.package import BinaryPackage
    from pycontainer.sources.locks import Chosen
    from pycontainer.sources.target import Target

# By the normalised name of a package: its purl, and its `Requires-Dist`.
_Requires: TypeAlias = "dict[str, tuple[str, tuple[str, ...]]]"
_EPOCH = "1970-01-01T00:00:00Z"


@dataclass(frozen=True, kw_only=True, slots=True)
class ProjectFiles:
    """The project as its metadata tells of it.

    Attributes:
        component: Its files, `files_of_project`, which stand for it where none of the packages is the project.
        requires: What it declares to need, where it is no package that declares it itself.
        extras: Those of its extras that the image has.
    """

    component: Component
    requires: tuple[str, ...] = ()
    extras: frozenset[str] = frozenset()


def materials_of(
    image: Image,
    *,
    base: Base,
    target: Target,
    chosen: Iterable[Chosen],
    project: ProjectFiles,
    reference: Reference,
    added: Iterable[BinaryPackage] = (),
    published: bool = False,
) -> Materials:
    """What the image of one platform is made of.

    Args:
        image: With the records of the layers that this project made.
        base: What it was built on.
        target: What it was built for.
        chosen: Where the packages come from.
        project: What the image is of.
        reference: What the image is called.
        added: Packages of the operating system that were added to the base, or took the place of older ones there.
        published: Whether it is pushed to the registry of the reference.
    """
    parent = Reference.parse(base.registry_reference) if base.registry_reference else None
    architecture = image.platform.architecture
    top = image_component("image", image.digest, architecture, reference, published=published)
    below = image_component("base", base.digest, architecture, parent, published=parent is not None)
    graph = _Graph(components={top.purl: top, below.purl: below})
    graph.contain(below, interpreter(str(target.python)))
    new = debian_packages(added)
    for package in _of_base(base, {package.name for package in new}):
        graph.contain(below, os_package(package, base.facts.os_release))
    for package in new:
        graph.contain(top, os_package(package, base.facts.os_release))
    own = normalize(project.component.name)
    requires = _add_packages(graph, image, top, {each.package.name: each for each in chosen}, own)
    if own not in requires:
        requires[own] = project.component.purl, project.requires
        graph.contain(top, project.component)
    needed = dependencies(
        {name: lines for name, (_, lines) in requires.items()}, target.environment, extras={own: project.extras}
    )
    graph.edges |= {
        Edge(subject=requires[name][0], kind="needs", object=requires[other][0])
        for name, others in needed.items()
        for other in others
    }
    return Materials(
        image=top,
        base=below,
        contents=graph.contents,
        edges=tuple(sorted(graph.edges)),
        created=image.config.created or _EPOCH,
    )


@dataclass(kw_only=True, slots=True)
class _Graph:
    """Components by their purls, image and base first, and what joins them.

    Where two have one purl, the first stays: a part that a wheel claims to bring never hides what is known to be there.
    """

    components: dict[str, Component]
    edges: set[Edge] = field(default_factory=set)

    def contain(self, outer: Component, inner: Component) -> None:
        self.components.setdefault(inner.purl, inner)
        if inner.purl != outer.purl:
            self.edges.add(Edge(subject=outer.purl, kind="contains", object=inner.purl))

    @property
    def contents(self) -> tuple[Component, ...]:
        _, _, *found = self.components.values()
        return tuple(sorted(found, key=lambda each: (each.name, each.version or "", each.purl)))


def _add_packages(graph: _Graph, image: Image, top: Component, origins: Mapping[str, Chosen], own: str) -> _Requires:
    """The packages of the environment and what they bring; what each declares to need."""
    requires: _Requires = {}
    bundled: list[tuple[Component, BundledPart]] = []
    for found in _installed(image):
        component = installed_package(found, origins.get(found.name))
        if found.name == own:
            component = replace(component, kind="application")
        requires[found.name] = component.purl, found.requires
        graph.contain(top, component)
        bundled += ((component, part) for part in found.bundled)
    for component, part in bundled:
        graph.contain(component, bundled_part(part))
    return requires


def _installed(image: Image) -> Iterator[PackageContents]:
    for layer in image.layers:
        if layer.contents is not None:
            yield from layer.contents.packages


def _of_base(base: Base, replaced: set[str]) -> Iterator[OSPackage]:
    """What the base has and the image still has; of a base that was composed here the hashes are known."""
    hashes = {(package.name, package.architecture): package.sha256 for package in debian_packages(base.composed_of)}
    for package in base.facts.packages:
        if package.name not in replaced:
            sha256 = hashes.get((package.name, package.architecture), "")
            yield msgspec.structs.replace(package, sha256=sha256) if sha256 else package
