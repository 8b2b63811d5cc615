"""The ledger: bytes of a build, and what became of each layer.

ledger = LedgerKeeper(emit)
…                                # pass `ledger` where an `Emit` is wanted
str(ledger.close(images, outputs))      # moved 41 kB of 1.9 GB
"""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

from pycontainer.destinations.destination import Moved
from pycontainer.events import Emit, Event, TaskAdvanced, TaskFinished, Verb
from pycontainer.layers.known import Came, KnownBlob
from pycontainer.value import Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycontainer.destinations.destination import Written
    from pycontainer.image import Image
    from pycontainer.layers.layer import Layer
    from pycontainer.oci import Digest

_BASE = "base"


class LayerEntry(Value, frozen=True, kw_only=True):
    """One layer.

    Attributes:
        digest: Of its compressed bytes.
        title: What it holds.
        size: In bytes.
        came: `base`; `made` in this build; `reused` from this host; or `record`, known without its bytes.
        moved: What each destination did, in their order: `there`, `mounted`, `streamed`, `uploaded` or `written`.
    """

    digest: Digest
    title: str
    size: int
    came: str
    moved: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.title} ({format_size(self.size)}): {', '.join((self.came, *self.moved))}"

    def to_json(self) -> dict[str, Any]:
        """The entry for programs."""
        return {
            "digest": str(self.digest),
            "title": self.title,
            "size": self.size,
            "came": self.came,
            "moved": list(self.moved),
        }


class Ledger(Value, frozen=True, kw_only=True):
    """Bytes, and what became of them.

    Attributes:
        downloaded: Taken from indexes and registries, those included that were streamed to another registry.
        made: Of layers that were written in this build.
        reused: Of layers that this host had.
        recorded: Of layers that were known by their record, and that nobody had to make.
        mounted: Taken by a registry from another of its repositories.
        streamed: Sent from one registry to another, through this host's memory.
        uploaded: Sent to registries and engines from this host.
        shared: Sent to the record cache, which is no destination.
        moved: Sent or written to destinations.
        total: Of all blobs of the image, at all destinations.
        layers: Each layer once.
    """

    downloaded: int = 0
    made: int = 0
    reused: int = 0
    recorded: int = 0
    mounted: int = 0
    streamed: int = 0
    uploaded: int = 0
    shared: int = 0
    moved: int = 0
    total: int = 0
    layers: tuple[LayerEntry, ...] = ()

    def __str__(self) -> str:
        return f"moved {format_size(self.moved)} of {format_size(self.total)}"

    def to_json(self) -> dict[str, Any]:
        """The figures by name, and the layers."""
        figures = {name: getattr(self, name) for name in self.__struct_fields__ if name != "layers"}
        return {**figures, "layers": [layer.to_json() for layer in self.layers]}


class LedgerKeeper:
    """An `Emit` that counts bytes and passes every event on."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def __call__(self, event: Event) -> None:
        """Count an event and pass it on."""
        if isinstance(event, TaskAdvanced) and event.verb is Verb.DOWNLOAD:
            self._count("downloaded", event.count)
        elif isinstance(event, TaskFinished) and event.verb is Verb.MAKE_LAYER and not event.reused:
            self._count("made", event.size)
        self._emit(event)

    def close(self, images: Sequence[Image], outputs: Sequence[Written], *, shared: int = 0) -> Ledger:
        """The figures, with what the destinations say they did, and the bytes that were sent to the record cache."""
        layers = tuple(_entry(layer, outputs) for layer in _each_once(images))
        sizes = {layer.digest: layer.size for layer in layers}
        for image in images:
            config = image.config_blob.descriptor
            sizes[config.digest] = config.size
        moved: Counter[Moved] = Counter()
        for output in outputs:
            for digest, how in output.blobs.items():
                moved[how] += sizes.get(digest, 0)
        came: Counter[str] = Counter()
        for layer in layers:
            came[layer.came] += layer.size
        return Ledger(
            downloaded=self._counts["downloaded"] + moved[Moved.STREAMED],
            made=self._counts["made"],
            reused=came[Came.REUSED.value],
            recorded=came[Came.RECORD.value],
            mounted=moved[Moved.MOUNTED],
            streamed=moved[Moved.STREAMED],
            uploaded=moved[Moved.UPLOADED],
            shared=shared,
            moved=sum(output.moved for output in outputs),
            total=sum(output.total for output in outputs),
            layers=layers,
        )

    def _count(self, name: str, count: int) -> None:
        with self._lock:
            self._counts[name] += count


def _each_once(images: Sequence[Image]) -> list[Layer]:
    return list({layer.descriptor.digest: layer for image in images for layer in image.layers}.values())


def _entry(layer: Layer, outputs: Sequence[Written]) -> LayerEntry:
    digest = layer.descriptor.digest
    return LayerEntry(
        digest=digest,
        title=layer.title,
        size=layer.descriptor.size,
        came=layer.blob.came.value if isinstance(layer.blob, KnownBlob) else _BASE,
        moved=tuple(output.blobs[digest].value for output in outputs if digest in output.blobs),
    )


def format_size(count: int) -> str:
    """Bytes as people read them, in powers of a thousand: `41 kB`, `1.9 GB`."""
    number, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if number < 1000:  # noqa: PLR2004 - what separates the units
            break
        number, unit = number / 1000, larger
    return f"{number:.0f} {unit}" if unit == "B" or number >= 100 else f"{number:.1f} {unit}"  # noqa: PLR2004
