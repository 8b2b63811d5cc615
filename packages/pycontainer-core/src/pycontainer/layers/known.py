"""The bytes of a layer that is known by its record: on this host, or to be had when somebody wants them.

blob = KnownBlob(record, store.blob(record.descriptor), bring=bring)
blob.open()             # from the store; brought there first, where it is not
blob.passing().open()   # from the store, else from wherever `bring` has it, not kept
blob.came               # Came.RECORD while nobody has needed the bytes
"""

from __future__ import annotations

import io
import threading
from enum import Enum
from typing import TYPE_CHECKING, BinaryIO, Protocol, cast

from pycontainer.blobs.blob import PassingBlob
from pycontainer.errors import PyContainerError

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Buffer

    from pycontainer.blobs.store import StoredBlob
    from pycontainer.layers.record import LayerRecord
    from pycontainer.oci import Descriptor

    class Bring(Protocol):
        """Gets the bytes of a layer that are not on this host."""

        def fetch(self, record: LayerRecord) -> Came:
            """Put them into the store, checked; whether they were made for it, or are still known by record alone.

            Raises:
                IntegrityError: The record is wrong: they are others, wherever they come from.
                PyContainerError: They cannot be had.
            """
            ...

        def stream(self, record: LayerRecord) -> BinaryIO | None:
            """The bytes over the network, checked while they are read; none where making them is the better way."""
            ...

        def damaged(self, record: LayerRecord) -> None:
            """Hear that bytes of the store are damaged, and about to be fetched."""
            ...

        def lost(self, record: LayerRecord, error: PyContainerError, *, stored: bool) -> None:
            """Hear that bytes turned out to be damaged while they were read: those of the store, or streamed ones."""
            ...


class Came(Enum):
    """Where a layer of an image came from."""

    MADE = "made"
    REUSED = "reused"
    RECORD = "record"


class KnownBlob:
    """A layer's bytes.

    Attributes:
        came: `MADE` in this build, `REUSED` from this host, or known by its `RECORD` alone.

    Args:
        record: What is known.
        stored: Where the bytes are, or will be, on this host.
        bring: Gets them where they are not.
        came: As above.
    """

    def __init__(self, record: LayerRecord, stored: StoredBlob, *, bring: Bring, came: Came) -> None:
        self.came = came
        self._record = record
        self._stored = stored
        self._bring = bring
        self._lock = threading.Lock()

    @property
    def descriptor(self) -> Descriptor:
        """What it is."""
        return self._record.descriptor

    def open(self) -> BinaryIO:
        """The bytes, from the store.

        Raises:
            PyContainerError: They cannot be had.
        """
        with self._lock:
            if not self._is_here():
                self.came = self._bring.fetch(self._record)
        return self._watched(self._stored.open, stored=True)

    def fetch(self) -> StoredBlob:
        """The blob in the store, all of it checked; damaged bytes there are replaced.

        Raises:
            PyContainerError: As of `open`.
        """
        with self._lock:
            was_here = self._is_here()
            if not self._stored.is_intact():
                if was_here:
                    self._bring.damaged(self._record)
                self.came = self._bring.fetch(self._record)
        return self._stored

    def passing(self) -> PassingBlob:
        """The blob for whoever passes it on."""
        return PassingBlob(self.descriptor, self._open_passing)

    def _open_passing(self) -> tuple[BinaryIO, bool]:
        if not self._is_here() and (stream := self._bring.stream(self._record)) is not None:
            return self._watched(lambda: stream, stored=False), True
        return self.open(), False

    def _is_here(self) -> bool:
        return self._stored.store.size(self.descriptor.digest) == self.descriptor.size

    def _watched(self, open_source: Callable[[], BinaryIO], *, stored: bool) -> BinaryIO:
        def lost(error: PyContainerError) -> None:
            self._bring.lost(self._record, error, stored=stored)

        try:
            source = open_source()
        except PyContainerError as error:
            lost(error)
            raise
        return cast("BinaryIO", io.BufferedReader(_Watched(source, lost), 1 << 20))


class _Watched(io.RawIOBase):
    """A stream whose failure is told to somebody."""

    def __init__(self, source: BinaryIO, lost: Callable[[PyContainerError], None]) -> None:
        super().__init__()
        self._source = source
        self._lost = lost

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        view = memoryview(buffer).cast("B")
        try:
            data = self._source.read(len(view))
        except PyContainerError as error:
            self._lost(error)
            raise
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._source.close()
        super().close()
