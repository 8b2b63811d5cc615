"""Layers made of files: the project's own, and those that the user adds anywhere.

FilesRecipe(title="project files", files=place(files, "/app"))
"""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from pycontainer.blobs.hashing import HashingReader
from pycontainer.errors import ProjectError
from pycontainer.layers.recipe import recipe_key
from pycontainer.layers.record import LayerContents
from pycontainer.sources.files.collect import SourceFile
from pycontainer.value import Value, field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pycontainer.layers.writer import LayerWriter


class PlacedFile(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A file and its place in the image.

    Attributes:
        file: What it is.
        destination: Absolute in the image.
        mode: Overrides the mode of the file.
        uid: The numeric owner.
        gid: The numeric group.
    """

    file: SourceFile
    destination: str
    mode: int | None = None
    uid: int = 0
    gid: int = 0


class FilesRecipe(Value, frozen=True, kw_only=True, dict=True):
    """A layer of files. `directories` are the folders to create on the way, absolute, with their mode and owner.

    Folders that are not listed are left as the base has them; an entry for `/usr` would replace its owner and mode.
    """

    title: str
    files: tuple[PlacedFile, ...]
    directories: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)

    @cached_property
    def key(self) -> str:
        """The key over every path, mode, owner and content."""
        return recipe_key(
            "files",
            {
                "directories": {path: list(attributes) for path, attributes in self.directories.items()},
                "files": [
                    [placed.destination, _mode(placed), placed.uid, placed.gid, placed.file.sha256, placed.file.target]
                    for placed in self.files
                ],
            },
        )

    def write(self, writer: LayerWriter) -> LayerContents:
        """Write folders, then files in the order of their destination.

        Raises:
            ProjectError: A file vanished or changed since it was fingerprinted.
        """
        for path, (mode, uid, gid) in sorted(self.directories.items()):
            writer.directory(path.strip("/"), mode=mode, uid=uid, gid=gid)
        for placed in sorted(self.files, key=lambda placed: placed.destination):
            _write(writer, placed)
        return LayerContents(files=len(self.files), size=sum(placed.file.size for placed in self.files))


class DirectoryRecipe(Value, frozen=True, kw_only=True, dict=True):
    """A layer of a few generated files and folders: home, working directory, account files."""

    title: str
    directories: Mapping[str, tuple[int, int, int]]
    contents: Mapping[str, bytes] = field(default_factory=dict)

    @cached_property
    def key(self) -> str:
        """The key over folders and contents."""
        return recipe_key(
            "directories",
            {
                "directories": {path: list(attributes) for path, attributes in self.directories.items()},
                "contents": {path: hashlib.sha256(content).hexdigest() for path, content in self.contents.items()},
            },
        )

    def write(self, writer: LayerWriter) -> LayerContents:
        """Write folders, then files, in the order of their paths."""
        for path, (mode, uid, gid) in sorted(self.directories.items()):
            writer.directory(path.strip("/"), mode=mode, uid=uid, gid=gid)
        for path, content in sorted(self.contents.items()):
            writer.file(path.strip("/"), content)
        return LayerContents(files=len(self.contents), size=sum(map(len, self.contents.values())))


def parents(path: str) -> list[str]:
    """The folders on the way to an absolute path, outermost first, without the root."""
    return [path[:end] for end, character in enumerate(path) if character == "/" and end]


def _mode(placed: PlacedFile) -> int:
    return placed.file.mode if placed.mode is None else placed.mode


def _write(writer: LayerWriter, placed: PlacedFile) -> None:
    path = placed.destination.strip("/")
    if placed.file.target is not None:
        writer.symlink(path, placed.file.target, uid=placed.uid, gid=placed.gid)
        return
    try:
        with placed.file.source.open("rb") as stream:
            reader = HashingReader(stream)
            writer.stream(path, reader, placed.file.size, mode=_mode(placed), uid=placed.uid, gid=placed.gid)
            unchanged = not stream.read(1) and reader.digest.hex == placed.file.sha256
    except OSError as error:
        raise _changed(placed) from error
    if not unchanged:
        raise _changed(placed)


def _changed(placed: PlacedFile) -> ProjectError:
    return ProjectError(
        f"`{placed.file.path}` changed while the image was built",
        facts=[f"file: {placed.file.source}"],
        hint="Build again when nothing else writes to the project",
    )
