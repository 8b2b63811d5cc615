"""What a build says about its images: bills of materials and provenance, attached to them before they are written.

images = attested(plan, images, name)
images[0].attachments       # application/spdx+json, application/vnd.in-toto+json

Only records are read for it, no layer; so the same images get the same documents, from a cache or not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pycontainer.attest import FORMATS
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
    config = plan.config
    if config.generate_sbom is None:
        return tuple(images)
    materials = [_materials(plan, *pair, name) for pair in zip(plan.platforms, images, strict=True)]
    return tuple(
        image.with_attachments([_sbom(config.generate_sbom, parts)])
        for image, parts in zip(images, materials, strict=True)
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
