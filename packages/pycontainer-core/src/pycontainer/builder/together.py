"""What the builds of one run share, so that nothing is asked for, fetched or made twice.

with Together() as together:
    ImageBuilder(api, together=together).build()
    ImageBuilder(worker, together=together).build()     # also at the same time, in another thread
"""

from __future__ import annotations

import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, TypeVar

from pycontainer.blobs.lock import KeyedLocks
from pycontainer.events import Emit, ignore
from pycontainer.layers.cache import LayerCache
from pycontainer.layers.entries import MTIME

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

    from pycontainer.layers.forms import Compression
    from pycontainer.layers.recipe import Recipe
    from pycontainer.layers.record import LayerRecord

_T = TypeVar("_T")


class _Made:
    """Something that is made once; `key` says what of."""

    def __init__(self, key: object) -> None:
        self.key = key
        self.lock = threading.Lock()
        self.values: list[Any] = []


class Together:
    """Shared by sessions of any number of threads; what was opened is closed when the context ends."""

    def __init__(self) -> None:
        self.locks = KeyedLocks()
        self._stack = ExitStack()
        self._lock = threading.Lock()
        self._made: list[_Made] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close what was opened, the last first."""
        self._stack.close()

    def once(self, key: object, make: Callable[[ExitStack], _T]) -> _T:
        """What `make` gives: for one key the first who asks makes it, and all others wait and get the same.

        Args:
            key: Compared with `==`: all that it depends on.
            make: Gets the stack to open things on. Where it raises, the next who asks tries again.
        """
        with self._lock:
            made = next((each for each in self._made if each.key == key), None)
            if made is None:
                made = _Made(key)
                self._made.append(made)
        with made.lock:
            if not made.values:
                made.values.append(make(self._stack))
        value: _T = made.values[0]
        return value


class SharedLayers(LayerCache):
    """Layers, each of which one thread makes while the others that want it wait."""

    def __init__(self, root: Path, compression: Compression, *, locks: KeyedLocks) -> None:
        super().__init__(root, compression)
        self._locks = locks

    def make(self, recipe: Recipe, *, mtime: int = MTIME, emit: Emit = ignore) -> LayerRecord:
        """See `LayerCache.make`."""
        with self._locks.of("layer", recipe.key):
            return super().make(recipe, mtime=mtime, emit=emit)
