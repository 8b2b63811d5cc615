"""A cache of records that others share, in a registry: it makes builds quick, and never fails one.

    shared = SharedCache(asking=…, moving=…, writes=True, emit=emit)
    shared.records(keys)                # those that it knows, all asked for at once
    shared.get("facts-2-…")             # what somebody found out about a base image
    shared.save(layers, origins=names)  # once the image is where it belongs

The first failure is told as a warning, and nothing is asked of the registry from then on.
"""

from __future__ import annotations

import hashlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from pycontainer.blobs.records import load_record, save_record
from pycontainer.errors import DeniedError, DocumentError, IntegrityError, NetworkError, PyContainerError
from pycontainer.events import Noted, Warned
from pycontainer.value import replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from pycontainer.blobs.blob import Blob
    from pycontainer.config import BuildConfig
    from pycontainer.events import Emit, Event
    from pycontainer.layers.record import LayerRecord
    from pycontainer.oci import Reference
    from pycontainer.transports.record_cache import RecordCache
    from pycontainer.transports.registry import RegistryClient, RegistrySettings

# A record is one small answer: what limits them is the way there and back.
_ASKED_AT_ONCE: Final = 16
# Seconds for an answer: whoever waits longer for a record would have made the layer.
_PATIENCE: Final = 10.0


def open_shared(
    repository: Reference,
    config: BuildConfig,
    *,
    settings: RegistrySettings,
    connect: Callable[[RegistrySettings, Emit], RegistryClient],
    kept: Path,
    emit: Emit,
) -> SharedCache:
    """The cache that the options name.

    Args:
        repository: Where it is.
        config: The options.
        settings: How registries are spoken to.
        connect: Gives a client.
        kept: The folder where documents are remembered that it told.
        emit: Told what does not work; not of each record that moves.
    """
    from pycontainer.transports.http.retries import RetryPolicy  # noqa: PLC0415 - only where there is a cache
    from pycontainer.transports.http.settings import Timeouts  # noqa: PLC0415 - as above
    from pycontainer.transports.record_cache import RecordCache  # noqa: PLC0415 - as above

    timeouts = Timeouts(connect=_PATIENCE, read=_PATIENCE, progress=_PATIENCE)
    once = RetryPolicy(count=1, sleep=lambda seconds: time.sleep(min(seconds, 1)))

    # The user of the options is for where the image goes; where that is nowhere, for the only registry they name.
    own = settings.own_registries or frozenset({repository.registry})
    settings = replace(settings, mirrors={}, own_registries=own)
    http = replace(settings.http, timeouts=timeouts, retries=once)

    def worth_telling(event: Event) -> None:
        if isinstance(event, (Warned, Noted)):
            emit(event)

    return SharedCache(
        asking=RecordCache(connect(replace(settings, http=http), worth_telling), repository),
        moving=RecordCache(connect(settings, worth_telling), repository),
        kept=kept,
        writes=not config.cache_read_only,
        verifies=config.verify_cache,
        jobs=settings.jobs,
        emit=emit,
    )


class SharedCache:
    """Records of a repository, for one build.

    Attributes:
        repository: Where they are.
        verifies: As below.
        sent: Bytes of layers and records that had to be sent there.

    Args:
        asking: For small questions; gives up soon.
        moving: For layers.
        kept: The folder where documents are remembered that it told.
        writes: Whether anything may be put there.
        verifies: Whether nothing is believed before it was made here, too.
        jobs: Layers that move at once.
        emit: Told what does not work.
    """

    def __init__(
        self,
        *,
        asking: RecordCache,
        moving: RecordCache,
        kept: Path,
        writes: bool,
        verifies: bool,
        jobs: int,
        emit: Emit,
    ) -> None:
        self.repository: Reference = moving.repository
        self.verifies = verifies
        self.sent = 0
        self._asking = asking
        self._moving = moving
        self._kept = kept
        self._writes = writes
        self._jobs = jobs
        self._emit = emit
        self._works = True
        self._readable = True
        self._documents: dict[str, bytes] = {}
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """What it is called, among those that a host may know."""
        return self.repository.name

    def records(self, keys: Sequence[str]) -> dict[str, LayerRecord]:
        """The records of those keys that it has one of."""
        if not keys:
            return {}
        with ThreadPoolExecutor(min(_ASKED_AT_ONCE, len(keys)), thread_name_prefix="record") as pool:
            found = pool.map(self._record, keys)
            return {key: record for key, record in zip(keys, found, strict=True) if record is not None}

    def layer(self, record: LayerRecord) -> Blob | None:
        """The layer of a record, not requested before it is opened; none where the cache does not work."""
        return self._moving.layer(record) if self._works and self._readable else None

    def get(self, name: str) -> bytes | None:
        """The document of a name, or none; nothing where everything has to be found out here."""
        if self.verifies:
            return None
        content = load_record(self._path(name))
        if content is None and (content := self._document(name)) is not None:
            save_record(self._path(name), content, durable=False)  # the others still have it
        return content

    def put(self, name: str, content: bytes) -> None:
        """Have a document saved together with the layers, unless it is there.

        Raises:
            IntegrityError: Everything is verified, and the cache knows something else under this name.
        """
        if self.verifies:
            known = self._document(name)
            if known is not None and known != content:
                raise IntegrityError(
                    f"The record cache `{self.repository}` has another `{name}` than was found out now",
                    hint="Remove it there, and find out who can write to it",
                )
        if load_record(self._path(name)) != content:
            with self._lock:
                self._documents[name] = content

    def save(self, layers: Iterable[tuple[LayerRecord, Blob]], *, origins: Sequence[Reference]) -> list[LayerRecord]:
        """Put layers and documents there, where that is allowed.

        Args:
            layers: Records and the bytes they are about.
            origins: Repositories that have all of these layers.

        Returns:
            The records that it has now.
        """
        if not self._writes or not self._works:
            return []
        registry = self.repository.registry
        origin = next((name for name in origins if name.registry == registry), None)
        with ThreadPoolExecutor(self._jobs, thread_name_prefix="share") as pool:
            saved = [pool.submit(self._save, record, layer, origin) for record, layer in layers]
            for name, content in self._documents.items():
                pool.submit(self._save_document, name, content)
            return [record for future in saved if (record := future.result()) is not None]

    def _document(self, name: str) -> bytes | None:
        if not self._works or not self._readable:
            return None
        try:
            return self._asking.document(name)
        except PyContainerError as error:
            self._failed_to_read(error)
            return None

    def _record(self, key: str) -> LayerRecord | None:
        if not self._works or not self._readable:
            return None
        try:
            return self._asking.record(key)
        except PyContainerError as error:
            self._failed_to_read(error)
            return None

    def _save(self, record: LayerRecord, layer: Blob, origin: Reference | None) -> LayerRecord | None:
        if not self._works:
            return None
        try:
            self._count(self._moving.push(record, layer, origin=origin))
        except PyContainerError as error:
            self._failed_to_write(error)
            return None
        return record

    def _save_document(self, name: str, content: bytes) -> None:
        if self._works:
            try:
                self._count(self._moving.push_document(name, content))
                save_record(self._path(name), content, durable=False)
            except PyContainerError as error:
                self._failed_to_write(error)

    def _count(self, sent: int) -> None:
        with self._lock:
            self.sent += sent

    def _path(self, name: str) -> Path:
        """Where a document is kept that it has, apart from what was found out here."""
        return self._kept / f"{hashlib.sha256(f'{self.name} {name}'.encode()).hexdigest()}.json"

    def _failed_to_read(self, error: PyContainerError) -> None:
        if isinstance(error, (DocumentError, IntegrityError)):
            # This one is damaged, or not what it says; the others may be sound.
            self._warn(f"A record of the cache `{self.repository}` was passed over: {error.message}", error)
        elif isinstance(error, DeniedError) and self._writes:
            # Some registries deny what is not there yet: whether it may be made is seen when something is put there.
            with self._lock:
                self._readable = False
            self._emit(Noted(message=f"Nothing can be read of the record cache: {error.message}", detail=True))
        else:
            self._give_up(f"The record cache `{self.repository}` cannot be read: {error.message}", error)

    def _failed_to_write(self, error: PyContainerError) -> None:
        if isinstance(error, NetworkError):
            self._give_up(f"The record cache `{self.repository}` does not take records: {error.message}", error)
        else:  # such as a layer that has left this host
            self._emit(Noted(message=f"Not put into the record cache: {error.message}", detail=True))

    def _give_up(self, message: str, error: PyContainerError) -> None:
        with self._lock:
            before, self._works = self._works, False
        if before:
            self._warn(message, error)

    def _warn(self, message: str, error: PyContainerError) -> None:
        self._emit(Warned(message=message, facts=error.facts, hint=error.hint))
