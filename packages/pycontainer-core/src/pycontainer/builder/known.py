"""What is known of layers before any of them is made: by this host's records, then by those of a shared cache.

    known = session.known
    known.find(recipes)             # layers by key; nobody has to make these
    known.layer(recipe, record)     # one that was made now

The bytes of such a layer may be anywhere, or nowhere. They are brought when somebody opens it: from this host, from the
registry of the shared cache, or once more from the recipe. Then they must be those of the record.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, BinaryIO, cast

import msgspec

from pycontainer.errors import IntegrityError, PyContainerError
from pycontainer.events import Noted, TaskAdvanced, TaskFinished, TaskStarted, Verb, Warned
from pycontainer.layers.known import Came, KnownBlob
from pycontainer.layers.layer import Layer
from pycontainer.layers.recipe import FileRecipe, LaterRecipe
from pycontainer.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pycontainer.builder.shared import SharedCache
    from pycontainer.events import Emit
    from pycontainer.layers.cache import LayerCache
    from pycontainer.layers.recipe import Recipe, RecipeInput
    from pycontainer.layers.record import LayerRecord
    from pycontainer.oci import Digest, Reference


class KnownLayers:
    """The layers of one build that have records.

    Args:
        layers: Records and layers of this host.
        shared: Those of others.
        fetch: Brings what recipes are made of to this host.
        is_here: Whether such a file is on this host already.
        emit: Told what is brought or made.
    """

    def __init__(
        self,
        layers: LayerCache,
        *,
        shared: SharedCache | None,
        fetch: Callable[[Iterable[Recipe]], None],
        is_here: Callable[[RecipeInput], bool],
        emit: Emit,
    ) -> None:
        self.cache = layers
        self.shared = shared
        self.fetch = fetch
        self.is_here = is_here
        self.emit = emit
        self._layers: dict[str, Layer] = {}
        self._refuted: set[str] = set()
        self._unreadable: set[Digest] = set()
        self._losses: dict[tuple[Digest, str], str] = {}
        self._told: set[tuple[Digest, str]] = set()
        self._lock = threading.Lock()

    def find(self, recipes: Mapping[str, Recipe]) -> dict[str, Layer]:
        """The layers of those recipes whose records somebody has: this host, else the shared cache."""
        keys = {key: self.cache.key(key) for key in recipes}
        found = {
            key: layer
            for key, own in keys.items()
            if (layer := self._layers.get(own) or self._here(recipes[key], own)) is not None
        }
        shared = self.shared
        if shared is not None and not shared.verifies:
            missing = {own: key for key, own in keys.items() if key not in found and own not in self._refuted}
            told = {missing[own]: record for own, record in shared.records(list(missing)).items()}
            self._remember(told.values())
            found |= {key: self.layer(recipes[key], record, came=Came.RECORD) for key, record in told.items()}
        return found

    def layer(self, recipe: Recipe, record: LayerRecord, *, came: Came = Came.MADE) -> Layer:
        """The layer of a record; one that was made now unless `came` says something else."""
        cache, shared = self.cache, self.shared
        # People read what this version calls it, and so does the image's history: no record decides that.
        record = msgspec.structs.replace(record, title=recipe.title)
        is_shared = self._is_shared(record)
        bring = _Bring(known=self, recipe=recipe, is_shared=is_shared)
        layer = Layer(
            blob=KnownBlob(record, cache.blobs.blob(record.descriptor), bring=bring, came=came),
            diff_id=record.diff_id,
            title=record.title,
            origin=shared.repository if shared and is_shared else None,
            key=record.key,
            contents=record.contents,
        )
        with self._lock:
            self._layers[record.key] = layer
        return layer

    def verify(self, layers: Iterable[Layer]) -> None:
        """Compare layers of this host with what the shared cache says of them, where nothing is believed unseen.

        Raises:
            IntegrityError: It says something else; all of it is in one error.
        """
        shared = self.shared
        if shared is None or not shared.verifies:
            return
        records = {layer.key: layer for layer in layers if layer.key}
        facts, right = [], []
        for key, record in shared.records(list(records)).items():
            layer = records[key]
            told, made = ((each.descriptor, each.diff_id, each.contents) for each in (record, layer))
            if told != made:
                facts += [
                    f"{layer.title}: `{record.descriptor.digest}` in the cache, `{layer.descriptor.digest}` made here",
                    f"key: {key}",
                ]
            else:
                right.append(record)
        self._remember(right)
        if facts:
            raise IntegrityError(
                f"The record cache `{shared.repository}` has other layers than were made here",
                facts=facts,
                hint="Remove them there, and find out who can write to it",
            )

    def save(self, layers: Iterable[Layer], *, origins: Sequence[Reference]) -> None:
        """Put into the shared cache what it does not have, once the image is where it belongs.

        Args:
            layers: Of the image.
            origins: Repositories that have them now.
        """
        cache, shared = self.cache, self.shared
        if shared is None:
            return
        own = {key: record for layer in layers if (key := layer.key) and (record := cache.record(key)) is not None}
        records = [record for record in own.values() if not self._is_shared(record)]
        # Only what is on this host, or can be mounted: nothing is made or fetched for it.
        self._remember(shared.save([(each, cache.blobs.blob(each.descriptor)) for each in records], origins=origins))

    def losses(self) -> list[str]:
        """What turned out to be damaged or wrong, and is made again by whoever begins again: each once in a build."""
        with self._lock:
            new = [message for loss, message in self._losses.items() if loss not in self._told]
            self._told.update(self._losses)
            self._layers.clear()
        return new

    def is_readable(self, record: LayerRecord) -> bool:
        """Whether the bytes of a layer may be asked of the shared cache: not where those it gave were others."""
        return record.descriptor.digest not in self._unreadable

    def lose(self, record: LayerRecord, *, stored: bool) -> None:
        """Remember that bytes were damaged while somebody read them, who has to begin again."""
        self._lose(record, "stored" if stored else "streamed", _damage_of(record))

    def give_up(self, record: LayerRecord) -> None:
        """Ask the shared cache for the bytes of a layer no more."""
        with self._lock:
            self._unreadable.add(record.descriptor.digest)

    def refute(self, record: LayerRecord) -> None:
        """Remember that a record is wrong."""
        shared = self.shared
        if shared is not None:
            self.cache.forget(record.key, told_by=shared.name)
        with self._lock:
            self._refuted.add(record.key)
        self._lose(record, "record", f"The record of the layer `{record.title}` was wrong and is made again")

    def _lose(self, record: LayerRecord, what: str, message: str) -> None:
        with self._lock:
            self._losses.setdefault((record.descriptor.digest, what), message)

    def _remember(self, records: Iterable[LayerRecord]) -> None:
        """Keep records that the shared cache has."""
        for record in records:
            self.cache.remember(record, told_by=self.shared.name if self.shared else "")

    def _is_shared(self, record: LayerRecord) -> bool:
        """Whether the shared cache has the record, as far as this host knows, which has put or found it there."""
        shared = self.shared
        told = self.cache.record(record.key, told_by=shared.name) if shared else None
        return told is not None and told.descriptor == record.descriptor

    def _here(self, recipe: Recipe, key: str) -> Layer | None:
        cache, shared = self.cache, self.shared
        record = cache.record(key)
        if record is None and shared is not None and not shared.verifies and key not in self._refuted:
            record = cache.record(key, told_by=shared.name)
        if record is None:
            return None
        return self.layer(recipe, record, came=Came.REUSED if cache.has(record) else Came.RECORD)


def _damage_of(record: LayerRecord) -> str:
    """What is said of a layer whose bytes are not those of its record."""
    return f"The layer `{record.title}` of the cache was damaged and is made again"


class _Bring(Value, frozen=True, kw_only=True):
    """Gets the bytes of one layer."""

    known: KnownLayers
    recipe: Recipe
    is_shared: bool

    def fetch(self, record: LayerRecord) -> Came:
        stream = self.stream(record)
        if stream is not None:
            try:
                with stream:
                    self._download(record, stream)
            except PyContainerError as error:
                self._give_up(record, error)
            else:
                return Came.RECORD
        self.known.fetch([self.recipe])
        made = self.known.cache.make(self.recipe, emit=self.known.emit)
        if (made.descriptor, made.diff_id) != (record.descriptor, record.diff_id):
            self.known.refute(record)
            raise IntegrityError(
                f"The layer `{record.title}` is not what its record says",
                facts=[f"record: `{record.descriptor.digest}`", f"made now: `{made.descriptor.digest}`"],
                hint="Build again: the record is forgotten",
            )
        return Came.MADE

    def stream(self, record: LayerRecord) -> BinaryIO | None:
        shared = self.known.shared
        if shared is None or not self.is_shared or not self.known.is_readable(record) or self._is_made_quickly():
            return None
        from pycontainer.blobs.unpacked import UnpackedDigestReader  # noqa: PLC0415 - only for what comes from afar

        blob = shared.layer(record)
        try:
            return cast("BinaryIO", UnpackedDigestReader(blob.open(), record.diff_id)) if blob is not None else None
        except PyContainerError as error:
            self._give_up(record, error)
            return None

    def damaged(self, record: LayerRecord) -> None:
        self.known.emit(Warned(message=_damage_of(record)))

    def lost(self, record: LayerRecord, error: PyContainerError, *, stored: bool) -> None:
        if not stored:
            self._give_up(record, error)
        self.known.lose(record, stored=stored)

    def _give_up(self, record: LayerRecord, error: PyContainerError) -> None:
        message = f"The layer `{record.title}` cannot be had from the record cache: {error}"
        self.known.emit(Noted(message=message, detail=True))
        self.known.give_up(record)

    def _is_made_quickly(self) -> bool:
        """Whether all that the layer is made of is here, so that no network is quicker."""
        if isinstance(self.recipe, LaterRecipe):
            return False
        inputs = self.recipe.inputs if isinstance(self.recipe, FileRecipe) else ()
        return all(map(self.known.is_here, inputs))

    def _download(self, record: LayerRecord, stream: BinaryIO) -> None:
        emit, name, size = self.known.emit, record.title, record.descriptor.size
        emit(TaskStarted(verb=Verb.DOWNLOAD, name=name, total=size))

        def advance(count: int) -> None:
            emit(TaskAdvanced(verb=Verb.DOWNLOAD, name=name, count=count))

        self.known.cache.blobs.add(stream, record.descriptor, advance=advance)
        emit(TaskFinished(verb=Verb.DOWNLOAD, name=name, size=size))
