"""Blobs that tell of their reading: a layer of half a gigabyte comes in silence otherwise.

ToldBlob(registry.blob(reference, descriptor), title="acme/api sha256:1a2b3c", emit=emit).open()
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final

from pycontainer.events import TaskAdvanced, TaskFinished, TaskStarted, Verb

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from pycontainer.blobs.blob import Blob
    from pycontainer.events import Emit
    from pycontainer.oci import Descriptor

_SLICE: Final = 1 << 18


@dataclass(frozen=True, slots=True)
class ToldBlob:
    """A blob whose every reading is a download."""

    blob: Blob
    title: str
    emit: Emit

    @property
    def descriptor(self) -> Descriptor:
        """The blob's."""
        return self.blob.descriptor

    def open(self) -> BinaryIO:
        """The bytes, as the blob gives them."""
        size = self.descriptor.size
        self.emit(TaskStarted(verb=Verb.DOWNLOAD, name=self.title, total=size))
        return io.BufferedReader(_Told(self.blob.open(), self), _SLICE)


class _Told(io.RawIOBase):
    def __init__(self, raw: BinaryIO, told: ToldBlob) -> None:
        super().__init__()
        self._raw = raw
        self._told = told
        self._count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        view = memoryview(buffer).cast("B")
        data = self._raw.read(len(view))
        view[: len(data)] = data
        if data:
            self._count += len(data)
            self._told.emit(TaskAdvanced(verb=Verb.DOWNLOAD, name=self._told.title, count=len(data)))
        return len(data)

    def close(self) -> None:
        """Close the source too; what was read then was all that somebody wanted."""
        if not self.closed:
            self._raw.close()
            self._told.emit(TaskFinished(verb=Verb.DOWNLOAD, name=self._told.title, size=self._count))
        super().close()
