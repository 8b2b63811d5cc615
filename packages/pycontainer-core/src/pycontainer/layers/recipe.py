"""Recipes: what a layer will hold, named by digest before a byte of it is read."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from pycontainer.oci import canonical_json
from pycontainer.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pycontainer.layers.record import LayerContents
    from pycontainer.layers.writer import LayerWriter

# Part of every key: raised whenever any recipe writes other bytes for the same inputs.
RECIPE_VERSION = 2


class Recipe(Protocol):
    """How one layer is made. Equal keys mean equal bytes, on any host, at any time."""

    @property
    def key(self) -> str:
        """`recipe_key` of all that the bytes depend on: 64 hexadecimal digits."""
        ...

    @property
    def title(self) -> str:
        """What the layer holds, for people: `numpy 2.1.0`, `14 packages`, `project myapp`."""
        ...

    def write(self, writer: LayerWriter) -> LayerContents:
        """Write the entries of the layer and say what they are.

        Raises:
            PyContainerError: An input is missing, damaged or not what its digest says.
        """
        ...


class RecipeInput(Value, frozen=True, kw_only=True):
    """A file that a layer is made of.

    Attributes:
        sha256: Of its bytes, in hexadecimal.
        size: In bytes; 0 where nobody knows.
        fetch: Brings it to this host, and gives its path.
    """

    sha256: str
    size: int
    fetch: Callable[[], Path]


@runtime_checkable
class FileRecipe(Recipe, Protocol):
    """A recipe whose layer is made of files that may have to be fetched."""

    @property
    def inputs(self) -> Sequence[RecipeInput]:
        """The files."""
        ...


@runtime_checkable
class LaterRecipe(Recipe, Protocol):
    """A recipe whose layer is made from what others leave behind."""

    @property
    def after(self) -> Sequence[str]:
        """The keys of those others, each of which stands below it in every image that has it."""
        ...


def recipe_key(kind: str, inputs: Any) -> str:
    """The key of a recipe: a hash over the kind, the recipe version and the inputs, all of them JSON values."""
    return hashlib.sha256(canonical_json([kind, RECIPE_VERSION, inputs])).hexdigest()
