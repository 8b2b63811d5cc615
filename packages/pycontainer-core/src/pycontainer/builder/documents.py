"""Documents about images, as files beside what the build wrote.

    write_sboms(plan, images)           # dist/image.spdx.json
    write_provenance(plan, images)      # dist/image.provenance.json

They are what is attached to the images, for those who look at files. They have the name of the layout or archive and
the ending of their format; where there are several platforms, one each: `dist/image-linux-arm64.spdx.json`. An image
that is written to no path of this host, because it is pushed or goes to an engine, has them where its layout would be
by default.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from pycontainer.attest import FORMATS, PROVENANCE_SUFFIX
from pycontainer.attest.statement import PAYLOAD_TYPE
from pycontainer.blobs.store import atomic_file
from pycontainer.builder.destinations import output_paths
from pycontainer.config.build_config import DEFAULT_OUTPUT
from pycontainer.events import Noted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pycontainer.config import BuildConfig
    from pycontainer.events import Emit
    from pycontainer.image import Image
    from pycontainer.oci import Platform
    from pycontainer.plan import BuildPlan


def write_sboms(plan: BuildPlan, images: Sequence[Image], *, emit: Emit) -> tuple[Path, ...]:
    """Write the bills of materials that are attached to the images, a file for each image beside each path.

    Raises:
        StoreError: The disk does not take one; those before it, and the image, are written.
    """
    suffixes = {format_.media_type: format_.suffix for format_ in FORMATS.values()}
    written = []
    for platform, image in zip(plan.platforms, images, strict=True):
        for attachment in image.attachments:
            if (suffix := suffixes.get(attachment.artifact_type)) is not None:
                own = platform.platform if len(images) > 1 else None
                written += _write(plan.config, attachment.content, suffix, platform=own)
    for path in written:
        emit(Noted(message=f"Wrote the bill of materials {path}"))
    return tuple(written)


def write_provenance(plan: BuildPlan, images: Sequence[Image], *, emit: Emit) -> tuple[Path, ...]:
    """Write the provenance that is attached to the images, which is the same for all platforms, beside each path.

    Raises:
        StoreError: The disk does not take it.
    """
    written = []
    for attachment in images[0].attachments:
        if attachment.artifact_type == PAYLOAD_TYPE:
            written += _write(plan.config, attachment.content, PROVENANCE_SUFFIX)
    for path in written:
        emit(Noted(message=f"Wrote the provenance {path}"))
    return tuple(written)


def document_paths(config: BuildConfig) -> list[Path]:
    """Where this build, or one with other options, writes documents: never a part of the image."""
    suffixes = [*(format_.suffix for format_ in FORMATS.values()), PROVENANCE_SUFFIX]
    return [
        _beside(path, platform, suffix)
        for path, platform, suffix in product(_bases(config), (None, *config.platforms), suffixes)
    ]


def _write(config: BuildConfig, content: bytes, suffix: str, *, platform: Platform | None = None) -> list[Path]:
    paths = [_beside(path, platform, suffix) for path in _bases(config)]
    for path in paths:
        with atomic_file(path) as file:
            file.write(content)
    return paths


def _bases(config: BuildConfig) -> list[Path]:
    """The paths that the image is written to, each once."""
    return list(dict.fromkeys(output_paths(config))) or [config.path(DEFAULT_OUTPUT.partition(":")[2])]


def _beside(path: Path, platform: Platform | None, suffix: str) -> Path:
    middle = f"-{str(platform).replace('/', '-')}" if platform else ""
    return path.with_name(f"{path.name}{middle}{suffix}")
