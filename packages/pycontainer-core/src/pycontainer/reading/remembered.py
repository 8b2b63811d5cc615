"""What was read of layers, by their `diff_id`: nobody pulls a layer twice to be told what is in it.

    readings = Readings(home / "readings")      # kept for later commands, too
    readings.of(image.layers, wanted)           # one of each layer, none where it is not wanted

A `diff_id` is of the unpacked bytes: however a layer was compressed, and in whichever image it lies, it is the same.
"""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Final

import msgspec

from pycontainer.blobs.ownership import claim
from pycontainer.blobs.records import MAX_CONTENT, load_decoded, save_record
from pycontainer.errors import DocumentError, StoreError
from pycontainer.reading.layers import MAX_ENTRIES, LayerReading, read_layer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pycontainer.layers.layer import Layer
    from pycontainer.oci import Digest

# Raised whenever something else is read of layers: what older versions remembered is then read anew.
_VERSION: Final = 1
# Made once, by the thread that imports: msgspec looks at a type when it first decodes it, and two at once crash.
_DECODER: Final = msgspec.msgpack.Decoder(LayerReading)


class Readings:
    """Reads layers, and remembers what was read.

    Args:
        folder: Where it is kept: `<version>-<diff_id>.msgpack`. None, or one that cannot be written or that somebody
            else can write, means that it is forgotten with this object.
    """

    def __init__(self, folder: Path | None) -> None:
        self._kept_in = folder
        self._readings: dict[Digest, LayerReading] = {}

    def of(
        self,
        layers: Sequence[Layer],
        wanted: Sequence[bool] | None = None,
        *,
        hashed: bool = False,
        pull: bool = True,
    ) -> list[LayerReading | None]:
        """What is in those layers of an image that are wanted; none stands for the others.

        Args:
            layers: All of them, or some.
            wanted: Of each, whether it is; none means that all are.
            hashed: Whether the sha256 of every file is, too.
            pull: Whether those are read of which it is not known.

        Raises:
            PyContainerError: As from `read_layer`; or all of them together have too many entries.
        """
        left = MAX_ENTRIES
        readings: list[LayerReading | None] = []
        for layer, want in zip(layers, wanted or [True] * len(layers), strict=True):
            reading = self._known(layer.diff_id, hashed=hashed) if want else None
            if want and reading is None and pull:
                reading = self._read(layer, hashed=hashed, max_entries=left)
            left -= len(reading.entries) if reading else 0
            if left < 0:
                raise DocumentError(f"The layers of the image have more than {MAX_ENTRIES} entries")
            readings.append(reading)
        return readings

    def _known(self, diff_id: Digest, *, hashed: bool) -> LayerReading | None:
        known = self._readings.get(diff_id) or self._load(diff_id)
        if known is None or (hashed and not known.hashed):
            return None
        self._readings[diff_id] = known
        return known

    def _read(self, layer: Layer, *, hashed: bool, max_entries: int) -> LayerReading:
        reading = read_layer(layer, hashed=hashed, max_entries=max_entries)
        self._readings[layer.diff_id] = reading
        self._save(layer.diff_id, reading)
        return reading

    def _load(self, diff_id: Digest) -> LayerReading | None:
        path = self._path(diff_id)
        return None if path is None else load_decoded(path, _DECODER.decode)

    def _save(self, diff_id: Digest, reading: LayerReading) -> None:
        """Remember a reading, where that is possible: it is a help, and nothing that a command is for."""
        path = self._path(diff_id)
        if path is None:
            return
        with suppress(StoreError, UnicodeEncodeError):  # a layer may have names that are no text
            content = msgspec.msgpack.encode(reading)
            if len(content) <= MAX_CONTENT:
                save_record(path, content, durable=False)

    def _path(self, diff_id: Digest) -> Path | None:
        return None if self._folder is None else self._folder / f"{_VERSION}-{diff_id.hex}.msgpack"

    @cached_property
    def _folder(self) -> Path | None:
        """Where readings are kept, made when the first one is asked for."""
        if self._kept_in is None:
            return None
        try:
            claim(self._kept_in)
        except StoreError:
            return None
        return self._kept_in
