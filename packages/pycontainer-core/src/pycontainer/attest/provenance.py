"""Provenance: how an image came to be, as an in-toto statement with a SLSA predicate.

    provenance_statement([image.digest], name="ghcr.io/acme/api", external=…, internal=…, dependencies=…)

in-toto Attestation Framework, *Statement v1*; SLSA v1.0, *Provenance* (https://slsa.dev/spec/v1.0/provenance). What the
fields of this build type hold is documented at `BUILD_TYPE`. No time stands in it: the same build says the same. And no
level is claimed: a program that anyone can run anywhere cannot tell who ran it; signing the statement can.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from pycontainer import __version__
from pycontainer.attest.statement import PROVENANCE, Statement
from pycontainer.oci import canonical_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pycontainer.attest.components import Component, Materials
    from pycontainer.oci import Digest

_REFERENCE: Final = "https://github.com/pycontainer/pycontainer/blob/main/docs/reference/provenance.md"
BUILD_TYPE: Final = f"{_REFERENCE}#build-type-v1"
BUILDER: Final = f"{_REFERENCE}#builder"


@dataclass(frozen=True, kw_only=True, slots=True)
class Resource:
    """Something that went into a build (in-toto, *ResourceDescriptor*).

    Attributes:
        name: What it is to the build: `source`, `lock`, `base`; of a package its name and version.
        uri: What it is in the world; none of a file that has no address but the project's.
        digest: Algorithm → hexadecimal value.
        location: Where it was taken from, without credentials.
        annotations: What else there is to say.
    """

    name: str
    digest: Mapping[str, str]
    uri: str | None = None
    location: str | None = None
    annotations: Mapping[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """As the specification has it, without what is none."""
        fields = {
            "name": self.name,
            "uri": self.uri,
            "digest": dict(self.digest),
            "downloadLocation": self.location,
            "annotations": self.annotations,
        }
        return {name: value for name, value in fields.items() if value}


def provenance_statement(
    subjects: Sequence[Digest],
    *,
    name: str,
    external: Mapping[str, Any],
    internal: Mapping[str, Any],
    dependencies: Iterable[Resource],
) -> bytes:
    """The statement as canonical JSON.

    Args:
        subjects: The digests of the image's index, where it has one, and of each platform's manifest.
        name: What the image is called, without tag.
        external: What whoever ran the build decided: `externalParameters`.
        internal: What followed from it: `internalParameters`.
        dependencies: All that went into the image.
    """
    resources = {canonical_json(resource.to_json()): resource.to_json() for resource in dependencies}
    predicate = {
        "buildDefinition": {
            "buildType": BUILD_TYPE,
            "externalParameters": dict(external),
            "internalParameters": dict(internal),
            "resolvedDependencies": [resources[key] for key in sorted(resources)],
        },
        "runDetails": {"builder": {"id": BUILDER, "version": {"pycontainer-core": __version__}}},
    }
    return Statement.about(*subjects, predicate_type=PROVENANCE, predicate=predicate, name=name).to_bytes()


def resources_of(materials: Materials, *, local: frozenset[str], base: Digest | None) -> Iterator[Resource]:
    """The base image, and every package that was taken from somewhere, by its digest.

    Args:
        materials: Of one platform.
        local: Names of packages that were built from the source's own directories, which the source stands for.
        base: The digest that the base image was found by, which may be that of an index; none where the base was made
            in this build, so that its packages stand for it.
    """
    if base is not None:
        index = {} if base == materials.base.digest else {"index": str(base)}
        yield replace(_resource(materials.base), name="base", annotations=index)
    for component in materials.contents:
        if component.kind == "system" and component.digest is not None:
            yield _resource(component)
        elif component.kind == "library" and component.name not in local:
            yield _package(component)


def _package(component: Component) -> Resource:
    """A wheel; of one that was built on the way, what it was built of."""
    origin = component.origin
    if origin is None or origin.kind == "wheel":
        return _resource(component, location=origin.url if origin else None)
    if origin.kind == "vcs":
        commit = origin.url.partition("#")[0].rpartition("@")[2]
        return Resource(name=_title(component), uri=component.purl, digest={"gitCommit": commit}, location=origin.url)
    digest = {origin.digest.algorithm: origin.digest.hex} if origin.digest else {}
    return Resource(name=_title(component), uri=component.purl, digest=digest, location=origin.url)


def _resource(component: Component, *, location: str | None = None) -> Resource:
    digest = component.digest
    return Resource(
        name=_title(component),
        uri=component.purl,
        digest={digest.algorithm: digest.hex} if digest else {},
        location=location,
    )


def _title(component: Component) -> str:
    return " ".join(filter(None, (component.name, component.version)))
