"""What an image is made of: one model, which every format of bills of materials writes.

    materials = materials_of(image, base=base, chosen=platform.packages, project=project, reference=reference)
    materials.contents[0].purl      # pkg:pypi/anyio@4.6.0

Nothing is scanned. The packages are those that the records of the image's layers say were installed, each with the
hash of its wheel; the lock adds where they came from. What is in the base image, its digest tells.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias
from urllib.parse import urlsplit

from pycontainer.attest.purl import purl
from pycontainer.oci import Digest, Reference
from pycontainer.sources.locks import Url, Vcs
from pycontainer.sources.locks.addresses import public_url
from pycontainer.sources.locks.filenames import normalize

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pycontainer.image import Image
    from pycontainer.layers.record import PackageContents
    from pycontainer.sources.base import Base
    from pycontainer.sources.locks import Chosen

Kind: TypeAlias = Literal["image", "base", "application", "library"]

_EPOCH = "1970-01-01T00:00:00Z"
_ADDRESSES = ("https", "http")
_REPOSITORIES = (*_ADDRESSES, "ssh", "git")


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
        digest: Of the wheel that was installed, or of the manifest.
        license: As its metadata declares it: an SPDX expression, or a name of the author's own.
    """

    kind: Kind
    name: str
    version: str | None
    purl: str
    digest: Digest | None = None
    license: str | None = None
    origin: Origin | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Materials:
    """An image and all that it is made of.

    Attributes:
        image: The image of one platform.
        base: What it was built on, known by its digest alone.
        contents: What this project put on it, sorted by name.
        created: The image's time, RFC 3339.
    """

    image: Component
    base: Component
    contents: tuple[Component, ...]
    created: str

    @property
    def components(self) -> tuple[Component, ...]:
        """All of them, the image first."""
        return (self.image, self.base, *self.contents)


def materials_of(
    image: Image,
    *,
    base: Base,
    chosen: Iterable[Chosen],
    project: Component,
    reference: Reference,
    published: bool = False,
) -> Materials:
    """What the image of one platform is made of.

    Args:
        image: With the records of the layers that this project made.
        base: What it was built on.
        chosen: Where the packages come from.
        project: The project's files, `files_of_project`, which stand for it where none of the packages is the project.
        reference: What the image is called.
        published: Whether it is pushed to the registry of the reference.
    """
    origins = {each.package.name: each for each in chosen}
    packages = (_package(found, origins.get(found.name)) for found in _installed(image))
    contents = {package.purl: package for package in packages}
    own = [purl for purl, package in contents.items() if package.name == normalize(project.name)]
    for purl_of_project in own:
        contents[purl_of_project] = replace(contents[purl_of_project], kind="application")
    if not own:
        contents[project.purl] = project
    parent = Reference.parse(base.registry_reference) if base.registry_reference else None
    architecture = image.platform.architecture
    return Materials(
        image=_image("image", image.digest, architecture, reference, published=published),
        base=_image("base", base.digest, architecture, parent, published=parent is not None),
        contents=tuple(sorted(contents.values(), key=lambda component: (component.name, component.version or ""))),
        created=image.config.created or _EPOCH,
    )


def files_of_project(name: str, version: str | None, *, license: str | None = None) -> Component:  # noqa: A002 - as in PEP 621
    """A project that is no package, so that its files are copied; none of them is a distribution of the name."""
    return Component(
        kind="application", name=name, version=version, purl=purl("generic", name, version), license=license
    )


def _installed(image: Image) -> Iterator[PackageContents]:
    for layer in image.layers:
        if layer.contents is not None:
            yield from layer.contents.packages


def _package(found: PackageContents, chosen: Chosen | None) -> Component:
    origin = _origin(chosen) if chosen else None
    url = origin.url if origin else None
    return Component(
        kind="library",
        name=found.name,
        version=found.version,
        purl=purl(
            "pypi",
            found.name,
            found.version,
            vcs_url=url if origin and origin.kind == "vcs" else None,
            download_url=url if chosen and isinstance(chosen.package.source, Url) else None,
        ),
        digest=Digest("sha256", found.sha256) if found.sha256 else None,
        license=found.license,
        origin=origin,
    )


def _image(kind: Kind, digest: Digest, architecture: str, name: Reference | None, *, published: bool) -> Component:
    """An image; the path of one that comes from this host is nobody else's business, so it is just called `base`."""
    short = name.repository.rpartition("/")[2] if name else kind
    return Component(
        kind=kind,
        name=short,
        version=str(digest),
        purl=purl(
            "oci",
            short,
            str(digest),
            arch=architecture,
            tag=name.tag if name else None,
            repository_url=name.name if name and published else None,
        ),
        digest=digest,
    )


def _origin(chosen: Chosen) -> Origin | None:
    source, artifact = chosen.package.source, chosen.artifact
    if isinstance(source, Vcs):
        url = _public(source.url, _REPOSITORIES)
        subdirectory = f"#{source.subdirectory}" if source.subdirectory else ""
        return Origin(kind="vcs", url=f"{source.kind}+{url}@{source.commit}{subdirectory}") if url else None
    if artifact is None or not artifact.url or not (url := _public(artifact.url, _ADDRESSES)):
        return None
    sha256 = artifact.hashes.get("sha256")
    kind: Literal["wheel", "sdist"] = "wheel" if chosen.kind == "wheel" else "sdist"
    return Origin(kind=kind, url=url, digest=Digest("sha256", sha256) if sha256 else None)


def _public(url: str, schemes: Iterable[str]) -> str | None:
    """An address that everyone may read: what could be credentials is cut off, a path of this host is none."""
    if not url.isascii() or not url.isprintable() or " " in url:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme not in schemes or not parts.netloc.rpartition("@")[2]:
        return None
    return public_url(url)
