"""An image to a directory: an OCI layout that skopeo, Podman and every registry client take.

    LayoutDestination(Path("dist/image"), names).write(image)

    dist/image/index.json  oci-layout  blobs/sha256/…  refs/tags/<tag>

A new layout is filled beside its place and renamed. An old one of ours is updated: first the blobs, then `index.json`,
which makes the new image visible at once, and only then is removed what no longer belongs to it.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from pycontainer.blobs.cached import take
from pycontainer.blobs.lock import exclusive
from pycontainer.blobs.store import BlobStore, atomic_file, flush
from pycontainer.destinations.destination import Moved, Written
from pycontainer.errors import DocumentError, StoreError
from pycontainer.events import Emit, TaskFinished, TaskStarted, Verb, ignore
from pycontainer.transports.oci_layout import (
    INDEX,
    MARKER,
    MARKER_CONTENT,
    OCILayout,
    layout_contents,
    names_of,
)
from pycontainer.unfinished import unfinished

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    from pycontainer.blobs.blob import Blob
    from pycontainer.image import Image, ImageIndex
    from pycontainer.oci import Descriptor, Digest, Index, Reference

# On each entry of `index.json` that we write, so that we never remove an image that somebody else put there.
_OURS = {"io.pycontainer.output": "layout"}
_TEMPORARY = ".incoming-"
# Seconds after which a directory that was never finished is one of a killed build.
_ABANDONED_AFTER = 3600.0
_JOBS = 4
_FOLDERS = ("blobs", "blobs/sha256", "refs", "refs/tags")
_TAKEN_PLACE = frozenset({errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR, errno.EACCES})


class LayoutDestination:
    """Writes a layout that holds one image, or one index of images.

    Args:
        path: The directory; absent, empty, or a layout of an earlier build.
        names: What the image is called; their tags become its names in the layout.
        emit: Told of the writing.
    """

    def __init__(self, path: Path, names: Sequence[Reference] = (), *, emit: Emit = ignore) -> None:
        self._path = path
        self._names = tuple(names)
        self._emit = emit

    def write(self, image: Image | ImageIndex) -> Written:
        """Write the layout.

        Blobs that the store of this host has are linked from there, those that the layout has already stay.

        Raises:
            StoreError: Something stands there that is not ours to replace, or the disk does not take it.
            IntegrityError: A blob is not what its descriptor says.
        """
        index, blobs = layout_contents(image, self._names)
        index = msgspec.structs.replace(
            index,
            manifests=tuple(
                msgspec.structs.replace(entry, annotations={**entry.annotations, **_OURS}) for entry in index.manifests
            ),
        )
        name = str(self._path)
        total = sum(blob.descriptor.size for blob in blobs)
        self._emit(TaskStarted(verb=Verb.WRITE, name=name, total=total))
        try:
            sizes = self._write(index, blobs)
        except OSError as error:
            raise StoreError(f"Cannot write `{self._path}`", facts=[error.strerror or str(error)]) from error
        moved = sum(sizes.values())
        self._emit(TaskFinished(verb=Verb.WRITE, name=name, size=total, reused=not moved))
        done = {digest: Moved.WRITTEN if size else Moved.THERE for digest, size in sizes.items()}
        reference = f"oci:{self._path}@{image.digest}"
        return Written(digest=image.digest, reference=reference, moved=moved, total=total, blobs=done)

    def remove(self) -> None:
        """Remove a layout of ours; a file in it that a layout does not have stays, and so do the folders above it.

        Raises:
            StoreError: Something stands there that is not ours, or cannot be removed.
        """
        if not self._is_layout():
            return
        try:
            with exclusive(self._path / MARKER) as is_there:
                if not is_there:
                    return
                self._check_ours()
                (self._path / INDEX).unlink(missing_ok=True)
                self._remove_tags(keep=frozenset())
                _remove_others(self._path, set())
                if os.name != "nt":  # before a build that waits for it takes it for a layout
                    (self._path / MARKER).unlink()
            if os.name == "nt":  # now that nobody holds it open
                (self._path / MARKER).unlink()
        except OSError as error:
            raise StoreError(f"Cannot remove `{self._path}`", facts=[error.strerror or str(error)]) from error
        for folder in (*reversed(_FOLDERS), "."):
            with suppress(OSError):
                (self._path / folder).rmdir()

    def _write(self, index: Index, blobs: Sequence[Blob]) -> dict[Digest, int]:
        """Write the layout: the bytes that had to be written for each blob."""
        while True:
            if not self._is_layout() and (moved := self._create(index, blobs)) is not None:
                return moved
            with exclusive(self._path / MARKER) as is_there:
                if is_there:
                    self._check_ours()
                    return self._update(index, blobs)

    def _is_layout(self) -> bool:
        """Whether a layout stands at the path; false where there is nothing or an empty directory."""
        try:
            status = self._path.lstat()
        except FileNotFoundError:
            return False
        if not stat.S_ISDIR(status.st_mode):
            what = "a symbolic link" if stat.S_ISLNK(status.st_mode) else "not a directory"
            raise self._refused(f"it is {what}")
        if _is_file(self._path / MARKER):
            return True
        if not any(self._path.iterdir()):
            return False
        if not _is_file(self._path / MARKER):  # else another build has filled an empty directory just now
            raise self._refused("it is a directory with other files in it")
        return True

    def _create(self, index: Index, blobs: Sequence[Blob]) -> dict[Digest, int] | None:
        """Fill a new directory and give it its name; none when another build was faster."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(self._path.parent)
        temporary = self._path.with_name(f"{_TEMPORARY}{secrets.token_hex(12)}")
        with unfinished(temporary):
            temporary.mkdir()
            (temporary / MARKER).write_bytes(MARKER_CONTENT)
            moved = self._fill(temporary, index, blobs)
            flush(temporary / MARKER)
            flush(temporary)
            if os.name == "nt" and self._path.is_dir():
                self._path.rmdir()
            try:
                temporary.rename(self._path)
            except OSError as error:
                if error.errno in _TAKEN_PLACE and self._is_layout():
                    return None
                raise
            flush(self._path.parent)
        return moved

    def _check_ours(self) -> None:
        for name in _FOLDERS:
            with suppress(FileNotFoundError):
                if not stat.S_ISDIR((self._path / name).lstat().st_mode):
                    raise self._refused(f"`{name}` in it is not a directory")
        try:
            entries = OCILayout.at(self._path).index().manifests if _exists(self._path / INDEX) else ()
        except DocumentError as error:
            raise self._refused(f"its `{INDEX}` cannot be read: {error.message}") from error
        foreign = [entry for entry in entries if not _OURS.items() <= entry.annotations.items()]
        if foreign:
            names = ", ".join(f"`{(names_of(entry) or (str(entry.digest),))[0]}`" for entry in foreign)
            raise self._refused(f"it has images that something else put there: {names}")

    def _update(self, index: Index, blobs: Sequence[Blob]) -> dict[Digest, int]:
        moved = self._fill(self._path, index, blobs)
        self._remove_tags(keep={tag for tag, _ in _tagged(index)})
        _remove_others(self._path, {blob.descriptor.digest for blob in blobs})
        return moved

    def _fill(self, root: Path, index: Index, blobs: Sequence[Blob]) -> dict[Digest, int]:
        """Blobs first, what refers to a blob after it; then the tags, and `index.json` last."""
        store = BlobStore(root)
        with ThreadPoolExecutor(_JOBS, thread_name_prefix="layout") as pool:
            sizes = pool.map(lambda blob: take(store, blob), blobs)
            moved = {blob.descriptor.digest: size for blob, size in zip(blobs, sizes, strict=True)}
        for folder in {store.path(blob.descriptor.digest).parent for blob in blobs}:
            flush(folder)
        with atomic_file(root / INDEX) as file:
            file.write(index.to_bytes())
            file.flush()
            for tag, entry in _tagged(index):
                with atomic_file(root / "refs" / "tags" / tag) as ref:
                    ref.write(f"{entry.digest}\n".encode())
        return moved

    def _remove_tags(self, *, keep: Collection[str]) -> None:
        with suppress(OSError):
            for path in (self._path / "refs" / "tags").iterdir():
                if path.name not in keep:
                    path.unlink()

    def _refused(self, fact: str) -> StoreError:
        return StoreError(
            f"`{self._path}` cannot be replaced by an image",
            facts=[fact],
            hint="Set {output} to another path, or remove what is there",
        )


def _tagged(index: Index) -> Iterator[tuple[str, Descriptor]]:
    for entry in index.manifests:
        for tag in names_of(entry)[:1]:
            yield tag, entry


def _remove_others(root: Path, keep: set[Digest]) -> None:
    """Remove the blobs of earlier builds and what killed ones left; what cannot be removed stays for the next time."""
    BlobStore(root).sweep(older_than=0)
    names = {digest.hex for digest in keep if digest.algorithm == "sha256"}
    for path in [*(root / "blobs" / "sha256").iterdir(), *root.glob(f"{_TEMPORARY}*")]:
        if path.name not in names:
            with suppress(OSError):
                path.unlink()


def _remove_abandoned(folder: Path) -> None:
    for path in folder.glob(f"{_TEMPORARY}*"):
        with suppress(OSError):
            status = path.lstat()
            if stat.S_ISDIR(status.st_mode) and time.time() - status.st_mtime > _ABANDONED_AFTER:
                shutil.rmtree(path)


def _is_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _exists(path: Path) -> bool:
    return path.is_symlink() or path.exists()
