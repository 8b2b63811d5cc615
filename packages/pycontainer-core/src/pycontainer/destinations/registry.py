"""An image to a registry: what it lacks, children before parents, names last.

    destination = RegistryDestination(client, [Reference.parse("ghcr.io/acme/api:1.4")])
    destination.write(image).reference        # ghcr.io/acme/api@sha256:…

Where an image takes time to be made, its layers go ahead of it:

    with destination:
        destination.begin(layer)
        destination.write(image)
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from pycontainer.destinations.attachments import attach
from pycontainer.destinations.destination import Written
from pycontainer.destinations.pushes import BlobPushes
from pycontainer.errors import ConfigError, IntegrityError, PyContainerError
from pycontainer.image import ImageIndex
from pycontainer.oci import Digest, media_types

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from typing_extensions import Self

    from pycontainer.image import Image
    from pycontainer.layers.layer import Layer
    from pycontainer.oci import Platform, Reference
    from pycontainer.transports.registry import RegistryClient


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
        self._repositories = {reference.name: reference.with_tag(None) for reference in self._references}
        self._pushes: BlobPushes | None = None

    def __enter__(self) -> Self:
        self._pushes = BlobPushes(self._client, self._repositories.values())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End what was begun. Blobs that are there already have no name: the registry removes them in time."""
        if self._pushes is not None:
            self._pushes.close()
            self._pushes = None

    def begin(self, layer: Layer, platform: Platform | None = None) -> None:
        """Push a layer in the background, within the context; a layer that its maker hosts stays there.

        Args:
            layer: Of an image that will be written, or will not: nothing names it yet.
            platform: For events, where there are several.
        """
        if self._pushes is not None and layer.descriptor.media_type not in media_types.NONDISTRIBUTABLE:
            self._pushes.begin(layer.blob, title=_title(layer.title, platform), origin=layer.origin)

    def write(self, image: Image | ImageIndex) -> Written:
        """Push blobs, manifests and the index by digest; what is attached; then the names, each read back.

        Raises:
            DeniedError: Pushing is not allowed.
            IntegrityError: A blob is not what its descriptor says, or a name is not what was pushed.
            NetworkError: A registry refuses something or cannot be reached.
        """
        if self._pushes is None:
            with self:
                return self.write(image)
        top, media_type = _top(image)
        with ThreadPoolExecutor(self._client.settings.jobs, thread_name_prefix="names") as pool:
            asked = pool.map(lambda each: self._is_named(each, image.digest), self._references)
            self._begin(image, self._pushes)
            sent = self._pushes.finish()
            named = {reference for reference, is_named in zip(self._references, asked, strict=True) if is_named}
        for name, repository in self._repositories.items():
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
        return Written(
            digest=image.digest,
            reference=str(self._references[0].with_tag(None).with_digest(image.digest)),
            moved=sum(each.moved for each in sent.values()),
            total=sum(each.size for each in sent.values()),
            blobs={digest: each.how for digest, each in sent.items()},
        )

    def _begin(self, image: Image | ImageIndex, pushes: BlobPushes) -> None:
        """Push what was not begun before, the largest layer first so that none is alone at the end."""
        images = _images(image)
        several = isinstance(image, ImageIndex)
        layers = [(layer, member.platform if several else None) for member in images for layer in member.layers]
        for layer, platform in sorted(layers, key=lambda each: -each[0].descriptor.size):
            self.begin(layer, platform)
        for member in images:
            pushes.begin(member.config_blob, title=_title("config", member.platform if several else None))

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


def _top(image: Image | ImageIndex) -> tuple[bytes, str]:
    if isinstance(image, ImageIndex):
        return image.index.to_bytes(), media_types.INDEX
    return image.manifest.to_bytes(), media_types.MANIFEST


def _images(image: Image | ImageIndex) -> tuple[Image, ...]:
    return image.images if isinstance(image, ImageIndex) else (image,)


def _title(what: str, platform: Platform | None) -> str:
    return what if platform is None else f"{what} ({platform})"
