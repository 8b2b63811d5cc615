"""Blobs on their way to repositories: each once, several at a time, while others may still be made.

    pushes = BlobPushes(client, repositories)
    pushes.begin(layer.blob, title=layer.title)     # in the background, from now on
    sent = pushes.finish()                          # when all are there
    pushes.close()                                  # in any case

Which of them come first is for whoever begins them to say.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Final

from pycontainer.blobs.blob import FarBlob, PassingBlob
from pycontainer.destinations.destination import Moved
from pycontainer.transports.registry import Pushed
from pycontainer.value import Value

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pycontainer.blobs.blob import Blob
    from pycontainer.oci import Digest, Reference
    from pycontainer.transports.registry import RegistryClient

_DONE: Final = {Pushed.EXISTED: Moved.THERE, Pushed.MOUNTED: Moved.MOUNTED, Pushed.UPLOADED: Moved.UPLOADED}
_SENT: Final = frozenset({Moved.STREAMED, Moved.UPLOADED})
# Where a blob goes to several repositories, it counts as what was most to do for any of them.
_EFFORT: Final = (Moved.THERE, Moved.MOUNTED, Moved.UPLOADED, Moved.STREAMED)


class Sent(Value, frozen=True, kw_only=True):
    """What it took to have a blob everywhere.

    Attributes:
        how: The most that was done for any repository.
        size: Of the blob, in bytes.
        moved: Bytes that were sent, to all repositories.
    """

    how: Moved
    size: int
    moved: int


class BlobPushes:
    """Pushes blobs in the background. The first that fails stops the others.

    Args:
        client: Speaks to the registries.
        repositories: Where each blob goes, one after the other.
    """

    def __init__(self, client: RegistryClient, repositories: Iterable[Reference]) -> None:
        self._client = client
        self._repositories = tuple(repositories)
        self._pool = ThreadPoolExecutor(client.settings.jobs, thread_name_prefix="push")
        self._sent: dict[Digest, Future[Sent]] = {}
        self._lock = threading.Lock()
        self._failure: BaseException | None = None

    def begin(self, blob: Blob, *, title: str, origin: Reference | None = None) -> None:
        """Push a blob, unless that was begun before; may be called from several threads.

        Args:
            blob: Opened only if its bytes must be sent.
            title: What it is, for events.
            origin: A repository that has it.

        Raises:
            PyContainerError: One that was begun before has failed.
        """
        digest = blob.descriptor.digest
        with self._lock:
            if self._failure is not None:
                raise self._failure
            if digest not in self._sent:
                self._sent[digest] = self._pool.submit(self._push, blob, title, origin)

    def finish(self) -> dict[Digest, Sent]:
        """Wait until all that was begun is there.

        Raises:
            PyContainerError: The first failure.
        """
        wait(self._sent.values())
        if self._failure is not None:
            raise self._failure
        return {digest: future.result() for digest, future in self._sent.items()}

    def close(self) -> None:
        """End what is under way."""
        self._fail(_StoppedError())
        self._pool.shutdown(cancel_futures=True)

    def _push(self, blob: Blob, title: str, origin: Reference | None) -> Sent:
        """Push to one repository after the other; the later ones of a registry take it from the first."""
        how, size, moved = Moved.THERE, blob.descriptor.size, 0
        # Nothing is kept on this host only because it passes through.
        blob = blob.passing() if isinstance(blob, FarBlob) else blob
        try:
            for index, repository in enumerate(self._repositories):
                near = (before for before in self._repositories[:index] if before.registry == repository.registry)
                done = self._push_to(repository, blob, title, next(near, origin))
                how = max(how, done, key=_EFFORT.index)
                moved += size if done in _SENT else 0
        except BaseException as failure:
            self._fail(failure)
            raise
        return Sent(how=how, size=size, moved=moved)

    def _fail(self, failure: BaseException) -> None:
        with self._lock:
            self._failure = self._failure or failure

    def _push_to(self, repository: Reference, blob: Blob, title: str, origin: Reference | None) -> Moved:
        self._go_on(0)
        pushed = self._client.push_blob(repository, blob, title=title, origin=origin, advance=self._go_on)
        streamed = pushed is Pushed.UPLOADED and isinstance(blob, PassingBlob) and blob.came_from_afar
        return Moved.STREAMED if streamed else _DONE[pushed]

    def _go_on(self, count: int) -> None:
        """Called with bytes that left."""
        del count
        if self._failure is not None:
            raise _StoppedError


class _StoppedError(Exception):
    """Ends an upload that is no longer wanted, such as one whose neighbour has failed."""
