"""Finds the facts of a base image: all layers are downloaded, and read once.

    facts, state = find_all(image)      # state: what it knows of Debian, or none

What comes out is remembered by `FactsCache` and `StateCache`, so that this happens once for each base image.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from pycontainer.blobs.blob import FarBlob
from pycontainer.blobs.compression import open_decompressed
from pycontainer.blobs.hashing import HashingReader
from pycontainer.errors import BaseImageError, DocumentError, IntegrityError
from pycontainer.layers.tar import read_entries
from pycontainer.sources.base.debian import read_state
from pycontainer.sources.base.examine import read_facts
from pycontainer.sources.base.kept import kept_content
from pycontainer.sources.base.packages import debian_packages, is_apk_database
from pycontainer.sources.base.rootfs import RootFS
from pycontainer.sources.debian.kept import is_read_of_base
from pycontainer.value import replace

if TYPE_CHECKING:
    from pycontainer.image import Image
    from pycontainer.layers.layer import Layer
    from pycontainer.sources.base.facts import BaseFacts
    from pycontainer.sources.debian.state import DebianState

_MAX_ENTRIES: Final = 2_000_000
_JOBS: Final = 4


def find_facts(image: Image) -> BaseFacts:
    """Read all layers of an image, once, and tell what it has.

    Raises:
        IntegrityError: A layer is not what its descriptor or its diff_id says.
        DocumentError: A layer is damaged or hostile.
        BaseImageError: `/etc/passwd` or `/etc/group` is malformed.
    """
    return read_facts(read_layers(image), image.config)


def find_all(image: Image) -> tuple[BaseFacts, DebianState | None]:
    """What `find_facts` tells, and what is there of Debian; none, too, where its database is damaged.

    Whoever needs the database asks `read_state` again, and learns what is wrong with it: for an image that gets no
    package, nothing is.

    Raises:
        PyContainerError: As from `find_facts`.
    """
    root = read_layers(image)
    facts = read_facts(root, image.config)
    try:
        state = read_state(root)
    except BaseImageError:
        state = None
    if state is not None:
        facts = replace(facts, packages=(*debian_packages(state.packages), *facts.packages))
    return facts, state


def read_layers(image: Image) -> RootFS:
    """The files of an image, with what is kept of them.

    Raises:
        IntegrityError: A layer is not what its descriptor or its diff_id says.
        DocumentError: A layer is damaged or hostile.
        BaseImageError: `/etc/passwd` or `/etc/group` is too large.
    """
    root = RootFS(keep_whole=lambda entry: is_read_of_base(entry.path, entry.size) or is_apk_database(entry))
    left = _MAX_ENTRIES
    with ThreadPoolExecutor(_JOBS, thread_name_prefix="base") as pool:
        fetched = [pool.submit(_fetch, layer) for layer in image.layers]
        try:
            for layer, future in zip(image.layers, fetched, strict=True):
                future.result()
                left -= _apply(root, layer, left)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return root


def _fetch(layer: Layer) -> None:
    """Download the layers beside each other; they are read in order."""
    if isinstance(layer.blob, FarBlob):
        layer.blob.fetch()


def _apply(root: RootFS, layer: Layer, max_entries: int) -> int:
    with open_decompressed(layer.open(), layer.descriptor.media_type) as tar:
        reader = HashingReader(tar, layer.diff_id.algorithm)
        entries = read_entries(reader, max_entries=max_entries)  # reads to the end
        try:
            count = root.apply(entries, keep=kept_content)
        except DocumentError as error:
            raise DocumentError(f"{layer.title} cannot be used: {error.message}", facts=error.facts) from error
    if reader.digest != layer.diff_id:
        raise IntegrityError(
            f"{layer.title} is not what the image's config says",
            facts=[f"diff_id: `{layer.diff_id}`", f"its uncompressed bytes: `{reader.digest}`"],
        )
    return count
