"""Manifests, configs and layers against their digests.

    for finding in check_contents(source, descriptor):
        ...

Nothing is taken on trust that can be computed: a manifest and a config are hashed, a layer is hashed twice, as it is
stored and unpacked, since the second is what a container sees (image-spec, *config.md*, Layer DiffID).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pycontainer.attest.verification.report import Finding, Verdict
from pycontainer.blobs.compression import open_decompressed
from pycontainer.blobs.hashing import HashingReader
from pycontainer.errors import DocumentError, IntegrityError, PyContainerError
from pycontainer.oci import Index, Manifest
from pycontainer.sources.base.variant import read_config

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycontainer.oci import Descriptor, Digest
    from pycontainer.sources.base.variant import Contents

_SLICE: Final = 1 << 20
_PARALLEL: Final = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A manifest of an image: the index, or that of one platform.

    Attributes:
        descriptor: Of it.
        document: What it says.
        name: `index`, or the platform.
    """

    descriptor: Descriptor
    document: Manifest | Index
    name: str


def parts_of(source: Contents, descriptor: Descriptor) -> list[Part]:
    """The index, where there is one, and the manifest of every platform.

    Raises:
        PyContainerError: One of them is missing, malformed, or not what its digest says.
    """
    top = source.manifest(descriptor)
    if isinstance(top, Manifest):
        return [
            Part(
                descriptor=descriptor,
                document=top,
                name=str(read_config(source, top, name=str(descriptor.digest)).platform),
            )
        ]
    parts = [Part(descriptor=descriptor, document=top, name="index")]
    for entry in top.manifests:
        child = source.manifest(entry)
        if isinstance(child, Index):
            raise DocumentError("An index inside an index has no platforms", facts=[f"digest: `{entry.digest}`"])
        parts.append(Part(descriptor=entry, document=child, name=str(entry.platform or "unknown")))
    return parts


def check_contents(source: Contents, parts: list[Part]) -> Iterator[Finding]:
    """What becomes of every manifest, config and layer; a layer that several platforms share is read once."""
    checked: dict[Digest, Finding] = {}
    for part in parts:
        yield Finding(
            subject=f"manifest of {part.name}" if isinstance(part.document, Manifest) else "index",
            verdict=Verdict.HOLDS,
            text="It is what its digest says",
            digest=part.descriptor.digest,
        )
        if isinstance(part.document, Manifest):
            yield from _check_image(source, part.document, part.name, checked)


def _check_image(source: Contents, manifest: Manifest, name: str, checked: dict[Digest, Finding]) -> Iterator[Finding]:
    subject = f"config of {name}"
    try:
        config = read_config(source, manifest, name=name)
        diff_ids = config.rootfs.diff_ids
        if len(diff_ids) != len(manifest.layers):
            facts = [f"layers: {len(manifest.layers)}", f"diff_ids: {len(diff_ids)}"]
            raise IntegrityError("Config and manifest do not agree", facts=facts)
    except PyContainerError as error:
        yield Finding.failure(subject, error, manifest.config.digest)
        return
    yield Finding(
        subject=subject, verdict=Verdict.HOLDS, text="It is what its digest says", digest=manifest.config.digest
    )
    count = len(manifest.layers)
    pairs = [
        (layer, diff_id, f"layer {number} of {count} of {name}")
        for number, (layer, diff_id) in enumerate(zip(manifest.layers, diff_ids, strict=True), 1)
        if layer.digest not in checked
    ]
    with ThreadPoolExecutor(_PARALLEL, thread_name_prefix="verify") as pool:
        for finding in pool.map(lambda pair: _check_layer(source, *pair), pairs):
            if finding.digest is not None:
                checked[finding.digest] = finding
            yield finding


def _check_layer(source: Contents, layer: Descriptor, diff_id: Digest, subject: str) -> Finding:
    try:
        with source.blob(layer).open() as stream, open_decompressed(stream, layer.media_type) as tar:
            reader = HashingReader(tar, diff_id.algorithm)
            while reader.read(_SLICE):
                pass
        if reader.digest != diff_id:
            raise IntegrityError(
                "It unpacks to something else than the config says",
                facts=[f"diff_id: `{diff_id}`", f"unpacked: `{reader.digest}`"],
            )
    except PyContainerError as error:
        return Finding.failure(subject, error, layer.digest)
    return Finding(
        subject=subject, verdict=Verdict.HOLDS, text="It is what digest and diff_id say", digest=layer.digest
    )
