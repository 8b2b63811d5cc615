"""Layers that were made before, by the keys of their recipes.

    cache = LayerCache(folder)
    record = cache.make(recipe, emit=emit)      # from the cache, or written now
    layer = cache.layer(record)

    root/records/<key>.json     what a recipe gave, in one of the forms of layers
    root/blobs/sha256/<hex>     the layers

A record outlives its layer: whoever needs the bytes makes them again. What a cache that others share told is kept apart
by the name of that cache, and is known to those builds alone that use it, too.

Any number of builds may use one folder at once. A use makes record and layer recent, the layer last, so that whoever
removes what was used least recently removes records before what they tell of. Nothing here waits for the disk: records
and layers tell by themselves whether they are whole.
"""

from __future__ import annotations

import hashlib
import re
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from pycontainer.blobs.ownership import claim
from pycontainer.blobs.records import load_record, save_record
from pycontainer.blobs.store import BlobStore, mark_used
from pycontainer.errors import DocumentError
from pycontainer.events import Emit, TaskAdvanced, TaskFinished, TaskStarted, Verb, ignore
from pycontainer.layers.entries import MTIME
from pycontainer.layers.forms import Compression
from pycontainer.layers.layer import Layer
from pycontainer.layers.recipe import recipe_key
from pycontainer.layers.record import LayerRecord, decode_record, encode_record
from pycontainer.unfinished import temporary_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pycontainer.layers.recipe import Recipe

_KEY = re.compile(r"[0-9a-f]{64}")


class LayerCache:
    """A folder of layers.

    Args:
        root: Made when missing, for its owner alone.
        compression: Which form the layers have. Layers of several forms may lie in one folder.

    Raises:
        StoreError: The folder belongs to someone else, can be written by everyone, or cannot be made: what others can
            write, they can put into images.
    """

    def __init__(self, root: Path, compression: Compression = Compression.GZIP) -> None:
        self.root = root
        self.compression = compression
        self.blobs = BlobStore(root, durable=False)
        claim(root)

    @classmethod
    @contextmanager
    def temporary(cls) -> Iterator[LayerCache]:
        """A cache that is gone when the context ends."""
        with temporary_folder() as folder:
            yield cls(folder)

    def key(self, recipe: str) -> str:
        """The key of a recipe's layer in the form of this cache; in the default form it is the recipe's own."""
        if self.compression is Compression.GZIP:
            return recipe
        return recipe_key(self.compression.value, [recipe, self.compression.library])

    def get(self, key: str) -> LayerRecord | None:
        """The record of a recipe's key, when its layer is there in the right size; using it makes it recent."""
        record = self.record(self.key(key))
        return record if record is not None and self.has(record) else None

    def record(self, key: str, *, told_by: str = "") -> LayerRecord | None:
        """The record of a key, whether or not its layer is there; using it makes both recent.

        Args:
            key: Of a recipe's layer in the form of this cache.
            told_by: The shared cache that it is from; empty for what was made here.
        """
        record = self._read(key, told_by)
        if record is not None:
            mark_used(self.blobs.path(record.descriptor.digest))
        return record

    def has(self, record: LayerRecord) -> bool:
        """Whether the layer of a record is there in the right size."""
        return self.blobs.size(record.descriptor.digest) == record.descriptor.size

    def remember(self, record: LayerRecord, *, told_by: str = "") -> None:
        """Keep a record.

        Raises:
            StoreError: The disk does not take it.
        """
        save_record(self._path(record.key, told_by), encode_record(record), durable=False)

    def forget(self, key: str, *, told_by: str = "") -> None:
        """Keep a record no longer."""
        with suppress(OSError):
            self._path(key, told_by).unlink()

    def make(self, recipe: Recipe, *, mtime: int = MTIME, emit: Emit = ignore) -> LayerRecord:
        """The record of a recipe, from the cache, or of the layer that is written now.

        Args:
            recipe: What to make.
            mtime: The time of every entry, in seconds since the epoch; part of the record's key when not the default.
            emit: Told of the task, and of the bytes of content written.

        Raises:
            StoreError: The disk does not take the layer; nothing of it is visible then.
            PyContainerError: What the recipe raises.
        """
        key = recipe.key if mtime == MTIME else recipe_key("mtime", [recipe.key, mtime])
        record = self.get(key)
        reused = record is not None
        emit(TaskStarted(verb=Verb.MAKE_LAYER, name=recipe.title))
        if record is None:
            record = self._write(recipe, self.key(key), mtime, emit)
        emit(TaskFinished(verb=Verb.MAKE_LAYER, name=recipe.title, size=record.descriptor.size, reused=reused))
        return record

    def layer(self, record: LayerRecord) -> Layer:
        """The layer of a record; its bytes are read, and hashed, only when somebody opens it."""
        return Layer(
            blob=self.blobs.blob(record.descriptor),
            diff_id=record.diff_id,
            title=record.title,
            key=record.key,
            contents=record.contents,
        )

    def _write(self, recipe: Recipe, key: str, mtime: int, emit: Emit) -> LayerRecord:
        from pycontainer.layers.writer import LayerWriter  # noqa: PLC0415 - not for a layer that is cached

        def advance(count: int) -> None:
            emit(TaskAdvanced(verb=Verb.MAKE_LAYER, name=recipe.title, count=count))

        with (
            self.blobs.writer() as blob,
            LayerWriter(blob, compression=self.compression, mtime=mtime, advance=advance) as writer,
        ):
            contents = recipe.write(writer)
            descriptor, diff_id = writer.finish()
            blob.commit()
        record = LayerRecord(key=key, title=recipe.title, descriptor=descriptor, diff_id=diff_id, contents=contents)
        self.remember(record)
        return record

    def _path(self, key: str, told_by: str = "") -> Path:
        if not _KEY.fullmatch(key):
            raise ValueError(f"not a recipe's key: {key!r}")
        name = hashlib.sha256(f"{told_by} {key}".encode()).hexdigest() if told_by else key
        return self.root / "records" / f"{name}.json"

    def _read(self, key: str, told_by: str) -> LayerRecord | None:
        content = load_record(self._path(key, told_by))
        try:
            record = None if content is None else decode_record(content)
        except DocumentError:
            return None
        return record if record is not None and record.key == key else None
