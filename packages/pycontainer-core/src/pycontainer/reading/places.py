"""Images wherever they are: in a registry, in a directory, in an archive of this host.

    reader = ImageReader(registry, home=cache)
    image = reader.open("ghcr.io/acme/api:1.4", platform=Platform("linux", "arm64"))
    image.manifest, image.config, image.layers[0].open()

What a registry has is streamed, and what this host happens to have in its cache is read there. Nothing is written but
what was read of layers, so that a later command need not read them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pycontainer.blobs.store import BlobStore
from pycontainer.config.values import show
from pycontainer.errors import ConfigError, DocumentError
from pycontainer.events import Emit, ignore
from pycontainer.layers.layer import Layer
from pycontainer.oci import Index, Manifest, Platform, Reference, media_types
from pycontainer.reading.attached import LayoutAttachments, NoAttachments, RepositoryAttachments
from pycontainer.reading.remembered import Readings
from pycontainer.reading.told import ToldBlob
from pycontainer.sources.base.places import open_contents, split_location
from pycontainer.sources.base.variant import choose_variant, read_config
from pycontainer.transports.oci_layout import OCILayout

if TYPE_CHECKING:
    from pycontainer.attest.verification.evidence import Attachments
    from pycontainer.blobs.blob import Blob
    from pycontainer.oci import Descriptor, Digest, ImageConfig
    from pycontainer.sources.base.variant import Contents
    from pycontainer.transports.registry import RegistryClient

_LOCAL: Final = ("oci", "oci-archive", "docker-archive")
_CONFIGS: Final = frozenset({media_types.CONFIG, media_types.DOCKER_CONFIG})
_LAYOUT: Final = "oci-layout"
# Folders of the cache that have blobs.
_STORES: Final = ("layers", "bases")
_UNKNOWN: Final = Platform("unknown", "unknown")


@dataclass(frozen=True, kw_only=True)
class FoundImage:
    """What a name means.

    Attributes:
        name: As people call it.
        top: The descriptor of the manifest or index.
        contents: Where its parts are read.
        attachments: What is attached to it there.
    """

    name: str
    top: Descriptor
    contents: Contents
    attachments: Attachments


@dataclass(frozen=True, kw_only=True)
class OpenedImage:
    """An image of one platform, and what it was found in.

    Attributes:
        name: As people call it.
        top: The descriptor of what the name means: the manifest, or an index.
        index: The index, where there is one.
        descriptor: Of the manifest.
        layers: Base first; read where they are, when somebody opens them.
        readings: Knows what is in them, or reads them.
        attachments: What is attached to manifest and index.
    """

    name: str
    top: Descriptor
    index: Index | None
    descriptor: Descriptor
    manifest: Manifest
    config: ImageConfig
    layers: tuple[Layer, ...]
    readings: Readings
    attachments: Attachments


class ImageReader:
    """Opens images.

    Args:
        registry: Asked where a name is a reference.
        home: The cache of builds, whose blobs and records are used where it has them; none means that nothing is.
        platform: Which image of an index is wanted, where nobody says it.
        emit: Told of layers that a registry sends.
    """

    def __init__(self, registry: RegistryClient, *, home: Path | None, platform: Platform, emit: Emit = ignore) -> None:
        self._registry = registry
        self._emit = emit
        self._platform = platform
        self.home = home
        self._readings = Readings(home / "readings" if home else None)

    def open(self, text: str, *, platform: Platform | None = None) -> OpenedImage:
        """The image that a name means now.

        Args:
            text: A reference; `oci:DIR[:name]`, `oci-archive:FILE[:name]`, `docker-archive:FILE[:name]`; or the path of
                such a directory or file alone.
            platform: Which image of an index; none means this host's, else the first.

        Raises:
            ConfigError: It is no name of an image, or nothing is there.
            PyContainerError: It cannot be read.
        """
        found = self.find(text)
        document = found.contents.manifest(found.top)
        if isinstance(document, Manifest):
            config = read_config(found.contents, document, name=found.name)
            return self._image(found, None, (found.top, document, config))
        wanted = platform or self._preferred(document)
        return self._image(found, document, choose_variant(found.contents, found.top, wanted, name=found.name))

    def find(self, text: str) -> FoundImage:
        """What a name means now; see `open`."""
        transport, colon, rest = text.partition(":")
        if colon and transport in _LOCAL:
            return _find_local(text, transport, rest)
        found = _bare_path(text)
        if found is not None:
            return _find_local(text, *found)
        try:
            reference = Reference.parse(text)
        except DocumentError:
            # What a parser quotes may hold a password before an `@`.
            facts = ["expected: a reference, `oci:DIR`, `oci-archive:FILE`, `docker-archive:FILE`, or a path"]
            raise ConfigError(f"`{show(text)}` is not the name of an image", facts=facts) from None
        fetched = self._registry.manifest(reference)
        known = {fetched.descriptor.digest: fetched.document}
        return FoundImage(
            name=reference.familiar,
            top=fetched.descriptor,
            contents=_Remote(self._registry, fetched.reference, known, self._emit),
            attachments=RepositoryAttachments(registry=self._registry, repository=fetched.reference),
        )

    def _preferred(self, index: Index) -> Platform:
        named = (entry.platform for entry in index.manifests)
        offered = [platform for platform in named if platform is not None and platform != _UNKNOWN]
        return next(
            (each for each in offered if self._platform.matches(each)), offered[0] if offered else self._platform
        )

    def _image(
        self, found: FoundImage, index: Index | None, chosen: tuple[Descriptor, Manifest, ImageConfig]
    ) -> OpenedImage:
        descriptor, manifest, config = chosen
        diff_ids = config.rootfs.diff_ids
        if len(diff_ids) != len(manifest.layers):
            raise DocumentError(
                f"The manifest and the config of `{found.name}` do not agree",
                facts=[f"layers: {len(manifest.layers)}", f"diff_ids: {len(diff_ids)}"],
            )
        titles = _titles(config)
        layers = tuple(
            Layer(blob=self._blob(found.contents, layer), diff_id=diff_id, title=titles.get(number, ""))
            for number, (layer, diff_id) in enumerate(zip(manifest.layers, diff_ids, strict=True))
        )
        return OpenedImage(
            name=found.name,
            top=found.top,
            index=index,
            descriptor=descriptor,
            manifest=manifest,
            config=config,
            layers=layers,
            readings=self._readings,
            attachments=found.attachments,
        )

    def _blob(self, contents: Contents, descriptor: Descriptor) -> Blob:
        """The blob on this host where the cache has it, else where the image is; checked while it is read."""
        for store in [BlobStore(self.home / name) for name in _STORES] if self.home else []:
            if store.size(descriptor.digest) == descriptor.size:
                return store.blob(descriptor)
        return contents.blob(descriptor)


@dataclass(frozen=True)
class _Remote:
    """A repository of a registry; manifests that were fetched are not fetched again."""

    registry: RegistryClient
    reference: Reference
    known: dict[Digest, Manifest | Index]
    emit: Emit

    def manifest(self, descriptor: Descriptor) -> Manifest | Index:
        if descriptor.digest not in self.known:
            fetched = self.registry.manifest(self.reference.with_digest(descriptor.digest))
            self.known[descriptor.digest] = fetched.document
        return self.known[descriptor.digest]

    def blob(self, descriptor: Descriptor) -> Blob:
        blob = self.registry.blob(self.reference, descriptor)
        if descriptor.media_type in _CONFIGS:
            return blob
        title = f"{self.reference.with_tag(None).familiar} {descriptor.digest.short}"
        return ToldBlob(blob, title, self.emit)


def _find_local(text: str, transport: str, rest: str) -> FoundImage:
    path, name = split_location(rest) if rest else (None, None)
    if path is None:
        raise ConfigError("There is no such image", facts=[f"no such file or directory: {rest}"])
    contents = open_contents(transport, path)
    attachments = LayoutAttachments(layout=contents) if isinstance(contents, OCILayout) else NoAttachments()
    return FoundImage(name=text, top=contents.find(name), contents=contents, attachments=attachments)


def _bare_path(text: str) -> tuple[str, str] | None:
    """The transport of a path that is written alone; what could be a reference is one, unless an image is there."""
    path = Path(text)
    if (path / _LAYOUT).is_file():
        return "oci", text
    if path.is_file():
        return "docker-archive", text  # which is read in its old form, and as a layout in a tar
    return ("oci", text) if text.startswith((".", "/")) else None


def _titles(config: ImageConfig) -> dict[int, str]:
    """What the history says of each layer: the comment of those who write one there, else the command."""
    lines = [line for line in config.history if not line.empty_layer]
    without = len(config.rootfs.diff_ids) - len(lines)
    if without < 0:
        return {}
    # A base without a history has none of its own layers in it: what there is tells of the last ones.
    texts = (line.comment if line.created_by == "pycontainer" else line.created_by or line.comment for line in lines)
    return {number: " ".join((text or "").split()) for number, text in enumerate(texts, without)}
