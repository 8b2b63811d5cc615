"""An image to a registry: what it lacks, children before parents, names last.

destination = RegistryDestination(client, [Reference.parse("ghcr.io/acme/api:1.4")])
destination.write(image).reference        # ghcr.io/acme/api@sha256:…
"""

from __future__ import annotations

import threading
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Final

from pycontainer.blobs.blob import FarBlob, PassingBlob
from pycontainer.destinations.attachments import attach
from pycontainer.destinations.destination import Moved, Written
from pycontainer.errors import ConfigError, IntegrityError, PyContainerError
from pycontainer.image import ImageIndex
from pycontainer.oci import Digest, media_types
from pycontainer.transports.registry import Pushed
from pycontainer.value import Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycontainer.blobs.blob import Blob
    from pycontainer.image import Image
    from pycontainer.oci import Reference
    from pycontainer.transports.registry import RegistryClient


_DONE: Final = {Pushed.EXISTED: Moved.THERE, Pushed.MOUNTED: Moved.MOUNTED, Pushed.UPLOADED: Moved.UPLOADED}
_SENT: Final = frozenset({Moved.STREAMED, Moved.UPLOADED})
# Where an image goes to several repositories, a blob counts as what was most to do in any of them.
_EFFORT: Final = (Moved.THERE, Moved.MOUNTED, Moved.UPLOADED, Moved.STREAMED)


class _Item(Value, frozen=True, kw_only=True):
    """A blob that has to be there: its name in events, and where it is already."""

    blob: Blob
    title: str
    origin: Reference | None = None


class RegistryDestination:
    """Pushes to one or several names, in one or several registries.

    Args:
        client: Speaks to them.
        references: The names; one without tag and digest means `latest`.

    Raises:
        ConfigError: No name at all.
    """

    def __init__(self, client: RegistryClient, references: Sequence[Reference]) -> None:
        if not references:
            raise ConfigError("A push needs a name", hint="Set {tag} to a registry's reference")
        self._client = client
        self._references = tuple(dict.fromkeys(references))

    def write(self, image: Image | ImageIndex) -> Written:
        """Push blobs, manifests and the index by digest; what is attached; then the names, each read back.

        Raises:
            DeniedError: Pushing is not allowed.
            IntegrityError: A blob is not what its descriptor says, or a name is not what was pushed.
            NetworkError: A registry refuses something or cannot be reached.
        """
        top, media_type = _top(image)
        repositories = {reference.name: reference.with_tag(None) for reference in self._references}
        items = [*_layers(image), *_configs(image)]
        sizes = {item.blob.descriptor.digest: item.blob.descriptor.size for item in items}
        moved = 0
        done: dict[Digest, Moved] = {}
        with ThreadPoolExecutor(self._client.settings.jobs, thread_name_prefix="names") as pool:
            asked = pool.map(lambda each: self._is_named(each, image.digest), self._references)
            for repository in repositories.values():
                for digest, how in self._push_blobs(repository, items):
                    moved += sizes[digest] if how in _SENT else 0
                    done[digest] = max(done.get(digest, how), how, key=_EFFORT.index)
            named = {reference for reference, is_named in zip(self._references, asked, strict=True) if is_named}
        for name, repository in repositories.items():
            if isinstance(image, ImageIndex):
                for child in image.images:
                    raw = child.manifest.to_bytes()
                    self._client.push_manifest(repository.with_digest(child.digest), raw, media_types.MANIFEST)
            if name not in {reference.name for reference in named}:
                self._client.push_manifest(repository.with_digest(image.digest), top, media_type)
            self._attach(repository, image)
        for reference in self._references:
            if reference not in named:
                self._name(reference, top, media_type)
        by_digest = self._references[0].with_tag(None).with_digest(image.digest)
        total = sum(sizes.values())
        return Written(digest=image.digest, reference=str(by_digest), moved=moved, total=total, blobs=done)

    def _push_blobs(self, repository: Reference, items: Sequence[_Item]) -> list[tuple[Digest, Moved]]:
        """Push blobs in parallel; the first failure stops the others. Gives what was done for each."""
        stopped = threading.Event()

        def advance(count: int) -> None:
            del count
            if stopped.is_set():
                raise _StoppedError

        def push(item: _Item) -> tuple[Digest, Moved]:
            if stopped.is_set():
                raise _StoppedError
            # Nothing is kept on this host only because it passes through.
            blob = item.blob.passing() if isinstance(item.blob, FarBlob) else item.blob
            pushed = self._client.push_blob(repository, blob, title=item.title, origin=item.origin, advance=advance)
            streamed = isinstance(blob, PassingBlob) and blob.came_from_afar
            return blob.descriptor.digest, Moved.STREAMED if streamed else _DONE[pushed]

        with ThreadPoolExecutor(self._client.settings.jobs, thread_name_prefix="push") as pool:
            try:
                futures = [pool.submit(push, item) for item in items]
                wait(futures, return_when=FIRST_EXCEPTION)
            finally:
                stopped.set()
        failures = [failure for future in futures if (failure := future.exception()) is not None]
        failures.sort(key=lambda failure: isinstance(failure, _StoppedError))
        if failures:
            raise failures[0]
        return [future.result() for future in futures]

    def _is_named(self, reference: Reference, digest: Digest) -> bool:
        """Whether a name is that of the image already, found out while blobs are asked for.

        What stands in the way of an answer is met again, and raised, where the name is put.
        """
        if reference.digest is not None and reference.tag is None:
            return False
        try:
            return self._client.read_back(reference.with_tag(reference.tag or "latest")) == digest
        except PyContainerError:
            return False

    def _attach(self, repository: Reference, image: Image | ImageIndex) -> None:
        """Attach what belongs to the image, so that whoever finds its name finds that, too."""
        with ThreadPoolExecutor(self._client.settings.jobs, thread_name_prefix="attach") as pool:
            for _ in pool.map(lambda each: attach(self._client, each[0], repository, each[1]), image.attached):
                pass

    def _name(self, reference: Reference, top: bytes, media_type: str) -> None:
        """Put a tag on what was pushed, and read it back: a registry's word for it is not enough."""
        digest = Digest.of(top)
        if reference.digest is not None and reference.tag is None:
            if reference.digest != digest:
                raise IntegrityError(f"`{reference}` is not the digest of what was built", facts=[f"built: `{digest}`"])
            return
        named = reference.with_tag(reference.tag or "latest")
        self._client.push_manifest(named, top, media_type)
        found = self._client.read_back(named)
        if found != digest:
            raise IntegrityError(
                f"`{named}` is not what was pushed", facts=[f"pushed: `{digest}`", f"in the registry: `{found}`"]
            )


class _StoppedError(Exception):
    """Ends an upload whose neighbour has failed."""


def _top(image: Image | ImageIndex) -> tuple[bytes, str]:
    if isinstance(image, ImageIndex):
        return image.index.to_bytes(), media_types.INDEX
    return image.manifest.to_bytes(), media_types.MANIFEST


def _images(image: Image | ImageIndex) -> tuple[Image, ...]:
    return image.images if isinstance(image, ImageIndex) else (image,)


def _layers(image: Image | ImageIndex) -> list[_Item]:
    """Each layer once, the largest first so that none is alone at the end; layers their makers host stay there."""
    several = isinstance(image, ImageIndex)
    items: dict[Digest, _Item] = {}
    for member in _images(image):
        for layer in member.layers:
            if layer.descriptor.media_type in media_types.NONDISTRIBUTABLE:
                continue
            title = f"{layer.title} ({member.platform})" if several else layer.title
            items.setdefault(layer.descriptor.digest, _Item(blob=layer.blob, title=title, origin=layer.origin))
    return sorted(items.values(), key=lambda item: -item.blob.descriptor.size)


def _configs(image: Image | ImageIndex) -> list[_Item]:
    several = isinstance(image, ImageIndex)
    items: dict[Digest, _Item] = {}
    for member in _images(image):
        blob = member.config_blob
        title = f"config ({member.platform})" if several else "config"
        items.setdefault(blob.descriptor.digest, _Item(blob=blob, title=title))
    return list(items.values())
