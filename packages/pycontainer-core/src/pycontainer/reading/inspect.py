"""What an image is and holds: its config, its layers, its packages.

    inspection = inspect(reader, reader.open("ghcr.io/acme/api:1.4"))

Records of layers of this host's builds tell of their packages without a byte of them; other layers are read, as
streams, once. With `pull=False` they are not, and count as unknown.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from pycontainer.errors import NetworkError
from pycontainer.layers.described import find_records
from pycontainer.layers.entries import Kind
from pycontainer.oci import Platform
from pycontainer.reading.documents import (
    Attachment,
    Base,
    Config,
    Inspection,
    LayerEntry,
    Package,
    PlatformEntry,
)
from pycontainer.reading.installed import find_distributions, package_of
from pycontainer.reading.layers import measure, overlay
from pycontainer.reading.masking import masked, masked_values
from pycontainer.reading.system import find_system_packages

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pycontainer.layers.record import LayerRecord
    from pycontainer.oci import Descriptor, Digest, ImageConfig
    from pycontainer.reading.layers import LayerReading
    from pycontainer.reading.places import ImageReader, OpenedImage
    from pycontainer.sources.base.rootfs import RootFS

_BASE: Final = "org.opencontainers.image.base."
_WHITEOUT: Final = ".wh."
_OPAQUE: Final = ".wh..wh..opq"
_UNKNOWN: Final = Platform("unknown", "unknown")
_ATTESTATION: Final = "vnd.docker.reference.type"
# What a signed bundle is about, which its own kind does not tell.
_BUNDLED: Final = "dev.sigstore.bundle.predicateType"
_NAME: Final = re.compile(rb"""^PRETTY_NAME=["']?([^"'\n]{1,200})""", re.MULTILINE)


def inspect(reader: ImageReader, image: OpenedImage, *, pull: bool = True) -> Inspection:
    """Tell what an image is.

    Args:
        reader: Whose cache has records.
        image: What it opened.
        pull: Whether layers are read of which nothing is known.

    Raises:
        PyContainerError: A layer cannot be read, or is not what it should be.
    """
    records = find_records(reader.home / "layers", _digests(image)) if reader.home else {}
    known = {number: record for number, record in _by_number(image, records).items() if record.contents.packages}
    wanted = [number not in known for number in range(len(image.layers))]
    readings = image.readings.of(image.layers, wanted, pull=pull)
    if known and _disturbs(image.config.config.environment.get("VIRTUAL_ENV", ""), readings[min(known) :]):
        known, readings = {}, image.readings.of(image.layers, pull=pull)
    return _inspection(image, known, readings, overlay(readings))


def _disturbs(environment: str, readings: Sequence[LayerReading | None]) -> bool:
    """Whether layers add to what records tell of an environment, or hide it: somebody built upon the image."""
    root = f"{environment.strip('/')}/"
    for reading in readings:
        for item in reading.entries if reading else ():
            folder, _, name = f"/{item.entry.path}".rpartition("/")
            if ".dist-info" in folder and f"{folder}/".startswith(f"/{root}"):
                return True
            if name.startswith(_WHITEOUT):
                hidden = f"{folder}/{name.removeprefix(_WHITEOUT)}/".lstrip("/")
                if hidden.startswith(root) or root.startswith(hidden) or name == _OPAQUE:
                    return True
    return False


def _digests(image: OpenedImage) -> list[Digest]:
    return [layer.descriptor.digest for layer in image.layers]


def _by_number(image: OpenedImage, records: Mapping[Digest, LayerRecord]) -> dict[int, LayerRecord]:
    """Records by the place of their layer; one of other unpacked bytes is of another layer."""
    found = {number: records.get(layer.descriptor.digest) for number, layer in enumerate(image.layers)}
    return {
        number: record
        for number, record in found.items()
        if record is not None and record.diff_id == image.layers[number].diff_id
    }


def _inspection(
    image: OpenedImage, known: Mapping[int, LayerRecord], readings: Sequence[LayerReading | None], root: RootFS
) -> Inspection:
    layers = tuple(
        layer_entry(image, number, reading=reading, record=known.get(number)) for number, reading in enumerate(readings)
    )
    unpacked = [layer.unpacked_size for layer in layers]
    whole = all(reading is not None for reading in readings)
    config = image.config
    return Inspection(
        name=image.name,
        digest=str(image.descriptor.digest),
        index=str(image.top.digest) if image.index else None,
        platform=str(config.platform),
        platforms=_platforms(image),
        created=config.created,
        size=image.descriptor.size
        + image.manifest.config.size
        + sum({layer.digest: layer.size for layer in layers}.values()),
        unpacked_size=None if None in unpacked else sum(size or 0 for size in unpacked),
        replaced_size=sum(size or 0 for size in unpacked) - _visible(root) if whole else None,
        os=_os(root),
        base=_base(image),
        config=_config(config),
        annotations=masked_values(image.manifest.annotations),
        layers=layers,
        packages=_packages(config, known, root),
        os_packages=find_system_packages(root),
        attachments=_attachments(image),
    )


def layer_entry(
    image: OpenedImage, number: int, *, reading: LayerReading | None, record: LayerRecord | None = None
) -> LayerEntry:
    """What is told of a layer, by its place from 0."""
    layer = image.layers[number]
    told = record.contents if record else reading
    return LayerEntry(
        number=number + 1,
        digest=str(layer.descriptor.digest),
        diff_id=str(layer.diff_id),
        media_type=layer.descriptor.media_type,
        size=layer.descriptor.size,
        title=masked(layer.title or (record.title if record else "")),
        known="record" if record else "read" if reading else "unknown",
        files=told.files if told else None,
        unpacked_size=told.size if told else None,
    )


def _visible(root: RootFS) -> int:
    """The bytes of the files that a container sees."""
    return sum(
        measure(child).size
        for _, node in root.directories()
        for child in node.children.values()
        if child.kind is Kind.FILE
    )


def _packages(config: ImageConfig, known: Mapping[int, LayerRecord], root: RootFS) -> tuple[Package, ...]:
    environment = config.config.environment.get("VIRTUAL_ENV", "")
    recorded = [
        Package(
            name=package.name,
            version=package.version,
            license=package.license,
            layer=number + 1,
            files=package.files,
            size=package.size,
            prefix=environment,
        )
        for number, record in known.items()
        for package in record.contents.packages
    ]
    read = [package_of(found, root) for found in find_distributions(root)]
    return tuple(sorted([*recorded, *read], key=lambda package: (package.prefix != environment, package.name)))


def _platforms(image: OpenedImage) -> tuple[PlatformEntry, ...]:
    entries = image.index.manifests if image.index else ()
    return tuple(
        PlatformEntry(platform=str(entry.platform), digest=str(entry.digest), size=entry.size)
        for entry in entries
        if entry.platform not in {None, _UNKNOWN}
    )


def _attachments(image: OpenedImage) -> tuple[Attachment, ...]:
    """What is attached to image and index, and what the index has besides images, where BuildKit keeps attestations."""
    beside = [
        (entry, entry.artifact_type or entry.annotations.get(_ATTESTATION, "unknown"))
        for entry in (image.index.manifests if image.index else ())
        if entry.platform in {None, _UNKNOWN}
    ]
    attached: list[Descriptor] = []
    for digest in dict.fromkeys((image.descriptor.digest, image.top.digest)):
        with suppress(NetworkError):  # a registry that does not tell what is attached still has the image
            attached += image.attachments.of(digest)
    kinds = [*beside, *((each, each.annotations.get(_BUNDLED) or each.artifact_type or "unknown") for each in attached)]
    entries = (Attachment(type=kind, digest=str(entry.digest), size=entry.size) for entry, kind in kinds)
    return tuple({entry.digest: entry for entry in entries}.values())


def _base(image: OpenedImage) -> Base | None:
    stated = {**image.config.config.labels, **image.manifest.annotations}
    name, digest = (stated.get(f"{_BASE}{key}", "") for key in ("name", "digest"))
    return Base(name=masked(name), digest=digest) if name or digest else None


def _config(config: ImageConfig) -> Config:
    execution = config.config
    return Config(
        user=execution.user,
        working_dir=execution.working_dir,
        entrypoint=tuple(map(masked, execution.entrypoint)),
        cmd=tuple(map(masked, execution.cmd)),
        env=masked_values(execution.environment),
        ports=tuple(sorted(execution.exposed_ports)),
        volumes=tuple(sorted(execution.volumes)),
        labels=masked_values(execution.labels),
        stop_signal=execution.stop_signal,
    )


def _os(root: RootFS) -> str:
    content = root.whole("/etc/os-release") or root.whole("/usr/lib/os-release") or b""
    match = _NAME.search(content)
    return match[1].decode("utf-8", "replace").strip() if match else ""
