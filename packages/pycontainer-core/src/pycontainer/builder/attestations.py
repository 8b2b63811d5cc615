"""What a build says about its images: bills of materials and provenance, attached to them before they are written.

images = attested(plan, images, name)
images[0].attachments       # application/spdx+json, application/vnd.in-toto+json

Only records are read for it, no layer; so the same images get the same documents, from a cache or not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pycontainer.attest import FORMATS
from pycontainer.attest.statement import PAYLOAD_TYPE, PROVENANCE
from pycontainer.image import join_platforms
from pycontainer.image.attachment import CREATED, Attachment
from pycontainer.sources.locks.filenames import normalize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycontainer.attest.components import Materials
    from pycontainer.image import Image
    from pycontainer.oci import Reference
    from pycontainer.plan import BuildPlan, PlatformPlan


def attested(plan: BuildPlan, images: Sequence[Image], name: Reference) -> tuple[Image, ...]:
    """The images with the documents that the options ask for.

    Args:
        plan: What was done.
        images: One a platform of the plan.
        name: What the image is called.
    """
    choice = plan.config.generate_sbom
    if choice is None and not plan.config.provenance:
        return tuple(images)
    materials = [_materials(plan, *pair, name) for pair in zip(plan.platforms, images, strict=True)]
    if choice is not None:
        described = zip(images, materials, strict=True)
        images = [image.with_attachments([_sbom(choice, parts)]) for image, parts in described]
    if plan.config.provenance:
        statement = _provenance(plan, images, materials, name)
        images = [image.with_attachments([statement]) for image in images]
    return tuple(images)


def _provenance(
    plan: BuildPlan, images: Sequence[Image], materials: Sequence[Materials], name: Reference
) -> Attachment:
    """One statement about the whole build, attached to every platform's image and to their index."""
    from pycontainer.attest.provenance import provenance_statement, resources_of  # noqa: PLC0415 - seldom wanted
    from pycontainer.builder.parameters import (  # noqa: PLC0415 - as above
        external_parameters,
        internal_parameters,
        source_resources,
    )

    packages = (
        resource
        for platform, parts in zip(plan.platforms, materials, strict=True)
        for resource in resources_of(
            parts,
            local=frozenset(chosen.package.name for chosen in platform.local_packages),
            base=None if platform.base.composed_of else platform.base.top,
        )
    )
    top = join_platforms(images).digest
    content = provenance_statement(
        list(dict.fromkeys((top, *(image.digest for image in images)))),
        name=name.name if plan.config.push else name.with_tag(None).familiar,
        external=external_parameters(plan),
        internal=internal_parameters(plan),
        dependencies=[*source_resources(plan), *packages],
    )
    return Attachment(
        artifact_type=PAYLOAD_TYPE,
        media_type=PAYLOAD_TYPE,
        content=content,
        annotations={CREATED: plan.created, "in-toto.io/predicate-type": PROVENANCE},
    )


def _sbom(choice: str, materials: Materials) -> Attachment:
    format_ = FORMATS[choice]
    return Attachment(
        artifact_type=format_.media_type,
        media_type=format_.media_type,
        content=format_.write(materials),
        annotations={CREATED: materials.created},
    )


def _materials(plan: BuildPlan, platform: PlatformPlan, image: Image, name: Reference) -> Materials:
    from pycontainer.attest.materials import ProjectFiles, materials_of  # noqa: PLC0415 - most builds write none
    from pycontainer.attest.parts import files_of_project  # noqa: PLC0415 - as above

    metadata = plan.metadata
    return materials_of(
        image,
        base=platform.base,
        target=platform.target,
        chosen=(*platform.packages, *platform.local_packages),
        project=ProjectFiles(
            component=files_of_project(metadata.name, metadata.version, license=metadata.license),
            requires=metadata.dependencies,
            extras=frozenset(map(normalize, plan.config.extras)),
        ),
        reference=name,
        added=platform.system.packages if platform.system else (),
        published=plan.config.push,
    )
