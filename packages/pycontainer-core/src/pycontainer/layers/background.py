"""Work handed to one other thread, in order, a little ahead at most; done at once where no processor is free for it.

    with Background() as background:
        background.run(out.compress, chunk)
        background.wait()

Hashing, compressing and writing release the interpreter's lock, so that they go on beside the inflating. Handing over
costs more than a small piece of work does, so pieces are handed over by the megabyte. Where as many layers are made at
once as there are processors, each thread does its own work: more threads would wait for each other's lock.
"""

from __future__ import annotations

import os
import queue
import threading
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from typing_extensions import Self

_Batch: TypeAlias = "list[tuple[Callable[..., object], tuple[Any, ...]]]"

# Bytes of arguments that are handed over together, and how many such batches may wait: this bounds the memory.
_BATCH = 1 << 20
_AHEAD = 3
_CPUS = os.cpu_count() or 1


class Background:
    """One thread and its work. What fails there is raised here, from the next call on; the work after it is dropped.

    The thread starts with the first batch for which there is a processor, and ends with the context.
    """

    _lock = threading.Lock()
    _busy = 0  # how many of them have work, and so how many threads hand work over

    def __init__(self) -> None:
        self._queue: queue.Queue[_Batch | None] = queue.Queue(_AHEAD)
        self._thread: threading.Thread | None = None
        self._batch: _Batch = []
        self._weight = 0
        self._failure: BaseException | None = None
        self._counted = False

    def run(self, work: Callable[..., object], *arguments: Any, weight: int = 0) -> None:
        """Do this after all that was asked before; waits while too much is waiting.

        Args:
            work: What to call.
            arguments: What to call it with.
            weight: The bytes that the arguments hold.
        """
        self._batch.append((work, arguments))
        self._weight += weight
        if self._weight >= _BATCH:
            self._hand_over()

    def wait(self) -> None:
        """Until all is done."""
        self._hand_over()
        self._queue.join()
        self._raise()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """See `close`."""
        self.close()

    def close(self) -> None:
        """End the thread; work that nobody waited for is dropped."""
        self._batch = []
        self._count(busy=False)
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
            self._thread = None

    def _hand_over(self) -> None:
        self._raise()
        self._count(busy=True)
        batch, self._batch, self._weight = self._batch, [], 0
        if self._busy >= _CPUS and not self._queue.unfinished_tasks:
            self._do(batch)
            return
        if self._thread is None:
            thread = threading.Thread(target=self._loop, name="pycontainer-layer", daemon=True)
            thread.start()
            self._thread = thread  # `close` waits for it, and for none that could not start
        self._queue.put(batch)

    def _count(self, *, busy: bool) -> None:
        if busy != self._counted:
            self._counted = busy
            with Background._lock:
                Background._busy += 1 if busy else -1

    def _loop(self) -> None:
        while (batch := self._queue.get()) is not None:
            self._do(batch)
            self._queue.task_done()

    def _do(self, batch: list[Any]) -> None:
        try:
            for work, data in batch:
                if self._failure is None:
                    work(*data)
        except BaseException as error:  # noqa: BLE001 - raised in the thread that asked for the work
            self._failure = error

    def _raise(self) -> None:
        if self._failure is not None:
            raise self._failure
