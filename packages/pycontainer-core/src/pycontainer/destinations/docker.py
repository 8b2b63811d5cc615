"""An image into a Docker Engine, over its API: no `docker` command, no file in between.

DockerDestination([Reference.parse("acme/app:1.4")]).write(image)
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pycontainer.destinations.destination import Moved, Written
from pycontainer.destinations.platforms import image_for_engine
from pycontainer.errors import IntegrityError, ToolError
from pycontainer.events import Emit, TaskAdvanced, TaskFinished, TaskStarted, Verb, ignore
from pycontainer.oci import media_types
from pycontainer.transports.archives import docker_archive
from pycontainer.transports.docker_engine import DockerEngine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycontainer.image import Image, ImageIndex
    from pycontainer.oci import Reference


class DockerDestination:
    """Loads an image; of an index, that of the engine's own platform.

    Args:
        names: What the image is called there.
        engine: The engine; none means the one that the `docker` command would use.
        emit: Told of the transfer.
    """

    def __init__(
        self, names: Sequence[Reference] = (), *, engine: DockerEngine | None = None, emit: Emit = ignore
    ) -> None:
        self._names = tuple(name.with_tag(name.tag or "latest") for name in names)
        self._engine = engine
        self._emit = emit

    def write(self, image: Image | ImageIndex) -> Written:
        """Load the image.

        Raises:
            ToolError: Docker cannot be reached or refuses the image.
            IntegrityError: What it has afterwards is another image.
        """
        engine = self._engine or DockerEngine.find(os.environ)
        part = image_for_engine(image, engine.platform, engine="Docker", emit=self._emit)
        members = docker_archive(part, self._names)
        total = sum(member.blob.descriptor.size for member in members)
        self._emit(TaskStarted(verb=Verb.UPLOAD, name="Docker", total=total))

        def advance(count: int) -> None:
            self._emit(TaskAdvanced(verb=Verb.UPLOAD, name="Docker", count=count))

        try:
            engine.load(members, advance=advance)
        except ToolError as error:
            if error.hint is None and _has_zstd(part):
                error.hint = "Docker reads layers in zstd from version 23 on: update it, or set {compression} to `gzip`"
            raise
        found = self._verified(engine, part)
        self._emit(TaskFinished(verb=Verb.UPLOAD, name="Docker", size=total))
        blobs = {member.blob.descriptor.digest: Moved.UPLOADED for member in members}
        return Written(digest=part.digest, reference=f"docker:{found}", moved=total, total=total, blobs=blobs)

    def _verified(self, engine: DockerEngine, image: Image) -> str:
        """An ID is the config's digest in Docker's own store, the manifest's in containerd's."""
        sent = (str(image.config_blob.descriptor.digest), str(image.digest))
        wanted = [name.familiar for name in self._names] or sent
        found = [engine.image_id(name) for name in wanted]
        right = [image_id for image_id in found if image_id in sent]
        if len(right) < (len(self._names) or 1):
            raise IntegrityError(
                "Docker has another image than the one that was sent",
                facts=[
                    f"sent: `{sent[0]}`",
                    *(f"`{name}`: {image_id}" for name, image_id in zip(wanted, found, strict=True)),
                ],
            )
        return str(right[0])


def _has_zstd(image: Image) -> bool:
    return any(layer.descriptor.media_type == media_types.LAYER_ZSTD for layer in image.layers)
