"""An image to one file: a tar of an OCI layout, or what `docker load` reads.

ArchiveDestination(Path("dist/app.tar"), format="oci", names=names).write(image)

The same image and names give the same bytes.
"""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING, Literal

from pycontainer.blobs.store import atomic_file
from pycontainer.destinations.destination import Moved, Written
from pycontainer.errors import ConfigError, StoreError
from pycontainer.events import Emit, TaskAdvanced, TaskFinished, TaskStarted, Verb, ignore
from pycontainer.image import Image
from pycontainer.transports.archives import docker_archive, oci_archive
from pycontainer.transports.tar_files import write_members

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pycontainer.image import ImageIndex
    from pycontainer.oci import Reference
    from pycontainer.transports.tar_files import Member


class ArchiveDestination:
    """Writes an archive; a file that is there is replaced when the new one is complete.

    Args:
        path: The file.
        format: `oci`, or `docker` for one platform in the form of `docker save`.
        names: What the image is called in it.
        emit: Told of the writing.
    """

    def __init__(
        self,
        path: Path,
        *,
        format: Literal["oci", "docker"] = "oci",  # noqa: A002 - the option's own name
        names: Sequence[Reference] = (),
        emit: Emit = ignore,
    ) -> None:
        self._path = path
        self._format = format
        self._names = tuple(names)
        self._emit = emit

    def write(self, image: Image | ImageIndex) -> Written:
        """Write the archive.

        Raises:
            ConfigError: An image for several platforms, which a Docker archive cannot hold.
            StoreError: Something stands there that is not a file, or the disk does not take it.
            IntegrityError: A blob is not what its descriptor says.
        """
        members = self._members(image)
        self._check_place()
        name = str(self._path)
        total = sum(member.blob.descriptor.size for member in members)
        self._emit(TaskStarted(verb=Verb.WRITE, name=name, total=total))

        def advance(count: int) -> None:
            self._emit(TaskAdvanced(verb=Verb.WRITE, name=name, count=count))

        with atomic_file(self._path) as file:
            moved = write_members(file, members, advance=advance)
        self._emit(TaskFinished(verb=Verb.WRITE, name=name, size=total))
        blobs = {member.blob.descriptor.digest: Moved.WRITTEN for member in members}
        reference = f"{self._format}-archive:{self._path}@{image.digest}"
        return Written(digest=image.digest, reference=reference, moved=moved, total=total, blobs=blobs)

    def _members(self, image: Image | ImageIndex) -> list[Member]:
        if self._format == "oci":
            return oci_archive(image, self._names)
        if isinstance(image, Image):
            return docker_archive(image, self._names)
        raise ConfigError(
            "A Docker archive holds an image for one platform",
            facts=[f"platforms: {', '.join(str(part.platform) for part in image.images)}"],
            hint="Set {platform} to one of them, or {output} to an `oci-archive:`",
        )

    def _check_place(self) -> None:
        """A link would be followed by a careless writer and broken by a careful one; neither is what is meant."""
        try:
            mode = self._path.lstat().st_mode
        except (FileNotFoundError, NotADirectoryError):
            return
        if not stat.S_ISREG(mode):
            what = "a symbolic link" if stat.S_ISLNK(mode) else "not a regular file"
            raise StoreError(
                f"`{self._path}` cannot be replaced by an image",
                facts=[f"it is {what}"],
                hint="Set {output} to another path, or remove what is there",
            )
