"""What layers of wheels write, remembered by their keys: most builds see without a wheel that no two collide.

footprints = Footprints(folder, shared=shared)
footprints.put(recipe)              # once its wheels were open anyway
footprints.may_collide(recipes)     # True, too, where nobody knows
"""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from pycontainer.blobs.records import load_record, recall, remember
from pycontainer.sources.wheels import footprint, may_collide

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pycontainer.blobs.records import SharedDocuments
    from pycontainer.sources.wheels import WheelsRecipe

_AT_ONCE: Final = 16


class Footprints:
    """A folder of footprints.

    Args:
        root: The folder, which may hold other things.
        shared: Asked for what is not there, and told what is found out.
    """

    def __init__(self, root: Path, *, shared: SharedDocuments | None = None) -> None:
        self._root = root
        self._shared = shared

    def put(self, recipe: WheelsRecipe) -> None:
        """Remember what a layer's wheels write, unless it is; opens them where they were not written just now.

        Raises:
            StoreError: The disk does not take it.
            WheelError: A wheel must not be used.
        """
        name = _name(recipe)
        if load_record(self._path(name)) is None:
            remember(self._path(name), name, footprint(recipe.claims()), self._shared)

    def may_collide(self, recipes: Sequence[WheelsRecipe]) -> bool:
        """Whether two layers may have different files of one path, as far as anybody knows."""
        if len(recipes) < 2:  # noqa: PLR2004 - it takes two
            return False
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="footprint") as pool:
            known = pool.map(self._get, recipes)
            footprints = [content for content in known if content is not None]
        return len(footprints) < len(recipes) or may_collide(footprints)

    def _get(self, recipe: WheelsRecipe) -> bytes | None:
        name = _name(recipe)
        return recall(self._path(name), name, self._shared)

    def _path(self, name: str) -> Path:
        return self._root / f"{hashlib.sha256(name.encode()).hexdigest()}.msgpack"


def _name(recipe: WheelsRecipe) -> str:
    return f"footprint-{recipe.key}"
