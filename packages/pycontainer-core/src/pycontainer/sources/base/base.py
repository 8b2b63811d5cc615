"""Base images: found, the right variant chosen, and their facts known.

    [base] = resolve_base("python:3.12-slim", [Platform("linux", "arm64")], registry=client, store=store, cache_dir=dir)
    base.image.layers, base.facts.python, base.digest

A name is looked up once; from then on its digest stands for it. Layers stay where they are until somebody reads them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pycontainer.errors import BaseImageError, DocumentError
from pycontainer.events import Emit, Noted, ignore
from pycontainer.image import Image
from pycontainer.layers.layer import Layer
from pycontainer.oci import media_types
from pycontainer.sources.base.cache import FactsCache
from pycontainer.sources.base.places import open_place
from pycontainer.sources.base.variant import choose_variant
from pycontainer.value import Value

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pycontainer.blobs.records import SharedDocuments
    from pycontainer.blobs.store import BlobStore
    from pycontainer.oci import Digest, ImageConfig, Manifest, Platform
    from pycontainer.sources.base.facts import BaseFacts
    from pycontainer.sources.base.places import Place
    from pycontainer.sources.base.states import StateCache
    from pycontainer.sources.debian.package import BinaryPackage
    from pycontainer.sources.debian.state import DebianState
    from pycontainer.transports.registry import RegistryClient

# What overlayfs mounts (buildkit #3067).
MAX_LAYERS: Final = 127
_LAYERS: Final = media_types.NONDISTRIBUTABLE | {
    media_types.LAYER,
    media_types.LAYER_GZIP,
    media_types.LAYER_ZSTD,
    media_types.DOCKER_LAYER,
    media_types.DOCKER_LAYER_GZIP,
}


class Base(Value, frozen=True, kw_only=True):
    """A base image for one platform.

    Attributes:
        image: Its config and layers; a push may mount the layers from where they come from.
        facts: What an application on it must know.
        reference: As people call it: `python:3.12-slim`, `oci:base`.
        digest: Of its manifest.
        top: Of what the reference named: the same, or an index.
        registry_reference: The whole name, `docker.io/library/python:3.12-slim`, where it comes from a registry.
        composed_of: The packages that it was made of here, each known by its hash; none where it is somewhere already.
    """

    image: Image
    facts: BaseFacts
    reference: str
    digest: Digest
    top: Digest
    registry_reference: str | None = None
    composed_of: tuple[BinaryPackage, ...] = ()


def resolve_base(
    text: str,
    platforms: Sequence[Platform],
    *,
    registry: RegistryClient,
    store: BlobStore,
    cache_dir: Path,
    shared: SharedDocuments | None = None,
    emit: Emit = ignore,
) -> tuple[Base, ...]:
    """The base image for each of the platforms, in their order.

    Args:
        text: A reference, or `oci:DIR[:name]`, `oci-archive:FILE[:name]`, `docker-archive:FILE[:name]`.
        platforms: What is wanted.
        registry: Asked where it is a reference.
        store: Keeps what is downloaded.
        cache_dir: Where facts are remembered.
        shared: Where others tell facts, too.
        emit: Told of downloads.

    Raises:
        BaseImageError: There is no such image, or none for a platform, or it has too many layers, or it is `scratch`.
        PyContainerError: It cannot be read.
    """
    if text == "scratch":
        raise BaseImageError(
            "An image `scratch` has no Python, which the application needs",
            hint="Set {base_image} to an image with Python, such as `python:3.12-slim`",
        )
    place = open_place(text, registry=registry, store=store, emit=emit)
    emit(Noted(message=f"Base image {place.name} is {place.descriptor.digest}", detail=True))
    caches = _Caches(cache_dir, shared)
    return tuple(_base(place, platform, caches, emit) for platform in platforms)


def composed_base(
    image: Image,
    packages: Sequence[BinaryPackage],
    *,
    reference: str,
    cache_dir: Path,
    shared: SharedDocuments | None = None,
    emit: Emit = ignore,
) -> Base:
    """A base image that was made here, with its facts.

    Args:
        image: Its layers can be read.
        packages: What it is made of.
        reference: What it is called: `deb:bookworm`.
        cache_dir: Where facts are remembered.
        shared: Where others tell facts, too.
        emit: Told when layers are read.

    Raises:
        PyContainerError: A layer cannot be read.
    """
    digest = image.digest
    facts = _facts(image, digest, reference, _Caches(cache_dir, shared), emit)
    return Base(image=image, facts=facts, reference=reference, digest=digest, top=digest, composed_of=tuple(packages))


def debian_state(base: Base, *, cache_dir: Path, shared: SharedDocuments | None = None) -> DebianState:
    """What a base image knows of Debian, from the cache, else from its layers.

    Raises:
        BaseImageError: It is not made of Debian packages, or its database is damaged.
        PyContainerError: Its layers cannot be read.
    """
    from pycontainer.sources.base.debian import is_debian, no_debian, read_state  # noqa: PLC0415 - seldom needed

    if not is_debian(base.facts.os_release):
        raise no_debian(base.reference, base.facts.os_release)
    cache = _Caches(cache_dir, shared).states()
    state = cache.get(base.digest)
    if state is None:
        from pycontainer.sources.base.find import read_layers  # noqa: PLC0415 - once for each base image

        state = read_state(read_layers(base.image))
        if state is None:
            raise no_debian(base.reference, base.facts.os_release)
        cache.put(base.digest, state)
    return state


class _Caches(Value, frozen=True):
    """Where facts are remembered, and what is known of Debian apart from them."""

    root: Path
    shared: SharedDocuments | None

    def facts(self) -> FactsCache:
        return FactsCache(self.root, shared=self.shared)

    def states(self) -> StateCache:
        from pycontainer.sources.base.states import StateCache  # noqa: PLC0415 - seldom needed

        return StateCache(self.root, shared=self.shared)


def _base(place: Place, platform: Platform, caches: _Caches, emit: Emit) -> Base:
    descriptor, manifest, config = choose_variant(place.contents, place.descriptor, platform, name=place.name)
    image = Image(config=config, layers=_layers(place, manifest, config))
    facts = _facts(image, descriptor.digest, place.name, caches, emit)
    named = place.reference
    if named is not None and named.tag:
        named = named.with_tag(named.tag)
    return Base(
        image=image,
        facts=facts,
        reference=place.name,
        digest=descriptor.digest,
        top=place.descriptor.digest,
        registry_reference=str(named) if named else None,
    )


def _facts(image: Image, digest: Digest, name: str, caches: _Caches, emit: Emit) -> BaseFacts:
    """The facts of an image, remembered by the digest of its manifest as it was found."""
    cache = caches.facts()
    facts = cache.get(digest)
    if facts is None:
        from pycontainer.sources.base.find import find_all  # noqa: PLC0415 - once for each base image

        emit(Noted(message=f"Reading {name} for {image.platform}", detail=True))
        facts, state = find_all(image)
        if state is not None:
            caches.states().put(digest, state)
        cache.put(digest, facts)
    return facts


def _layers(place: Place, manifest: Manifest, config: ImageConfig) -> tuple[Layer, ...]:
    diff_ids = config.rootfs.diff_ids
    count = len(manifest.layers)
    if len(diff_ids) != count:
        raise DocumentError(
            f"The manifest and the config of `{place.name}` do not agree",
            facts=[f"layers: {count}", f"diff_ids: {len(diff_ids)}"],
        )
    if count > MAX_LAYERS:
        raise BaseImageError(
            f"The base image `{place.name}` has {count} layers, more than the {MAX_LAYERS} that can be mounted",
            hint="Merge its layers, for example with `podman build --squash-all`",
        )
    for layer in manifest.layers:
        if layer.media_type not in _LAYERS:
            raise BaseImageError(
                f"A layer of `{place.name}` is of an unknown kind", facts=[f"media type: `{layer.media_type[:100]}`"]
            )
    origin = place.reference.with_tag(None) if place.reference else None
    return tuple(
        Layer(
            blob=place.contents.blob(layer),
            diff_id=diff_id,
            title=f"{place.name}, layer {number} of {count}",
            origin=origin,
        )
        for number, (layer, diff_id) in enumerate(zip(manifest.layers, diff_ids, strict=True), 1)
    )
