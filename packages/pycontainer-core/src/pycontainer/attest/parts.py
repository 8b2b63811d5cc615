"""The components of an image, each from what is known of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from pycontainer.attest.components import Component, Kind, Origin
from pycontainer.attest.purl import canonical_purl, purl
from pycontainer.oci import Digest
from pycontainer.sources.locks import Url, Vcs
from pycontainer.sources.locks.addresses import public_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pycontainer.layers.record import BundledPart, PackageContents
    from pycontainer.oci import Reference
    from pycontainer.sources.base.packages import OSPackage
    from pycontainer.sources.locks import Chosen

_ADDRESSES = ("https", "http")
_REPOSITORIES = (*_ADDRESSES, "ssh", "git")


def files_of_project(name: str, version: str | None, *, license: str | None = None) -> Component:  # noqa: A002 - as in PEP 621
    """A project that is no package, so that its files are copied; none of them is a distribution of the name."""
    return Component(
        kind="application", name=name, version=version, purl=purl("generic", name, version), license=license
    )


def installed_package(found: PackageContents, chosen: Chosen | None) -> Component:
    """A wheel that was installed; `chosen` tells where it comes from."""
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
        sboms=found.sboms,
    )


def bundled_part(part: BundledPart) -> Component:
    """What a package brings of others; a file has no version, and goes by its hash."""
    known = canonical_purl(part.purl) if part.purl else None
    checksum = f"sha256:{part.sha256}" if part.sha256 else None
    return Component(
        kind="part",
        name=part.name,
        version=part.version,
        purl=known or purl("generic", part.name, part.version, checksum=checksum),
        digest=Digest("sha256", part.sha256) if part.sha256 else None,
        license=part.license,
    )


def os_package(package: OSPackage, os_release: Mapping[str, str]) -> Component:
    """A package of the operating system."""
    distribution = os_release.get("ID") or {"deb": "debian", "apk": "alpine"}[package.manager]
    release = os_release.get("VERSION_ID") or os_release.get("VERSION_CODENAME")
    return Component(
        kind="system",
        name=package.name,
        version=package.version,
        purl=purl(
            package.manager,
            package.name.lower(),
            package.version,
            namespace=distribution.lower(),
            arch=package.architecture,
            distro=f"{distribution}-{release}" if release else None,
        ),
        digest=Digest("sha256", package.sha256) if package.sha256 else None,
        license=package.license or None,
        source=package.source or None,
    )


def interpreter(version: str) -> Component:
    """The Python that the application runs on."""
    return Component(kind="interpreter", name="cpython", version=version, purl=purl("generic", "cpython", version))


def image_component(
    kind: Kind, digest: Digest, architecture: str, name: Reference | None, *, published: bool
) -> Component:
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
