"""The bytecode of one build: which Python compiles, and of which layers.

bytecode = BytecodeSupply(session)
bytecode.recipe(recipes, "14 packages", python=bytecode.python(target.python), places=places)
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pycontainer.blobs.blob import FarBlob
from pycontainer.events import Noted
from pycontainer.sources.bytecode import BytecodeRecipe, HostPython, Places
from pycontainer.sources.debian.compose import standard_library

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pycontainer.builder.recipes import Compiling
    from pycontainer.builder.session import Session
    from pycontainer.layers.layer import Layer
    from pycontainer.layers.recipe import Recipe
    from pycontainer.plan import BuildPlan, PlatformPlan
    from pycontainer.sources.target import PythonVersion


class BytecodeSupply:
    """Supplies bytecode for a platform of a build.

    Args:
        session: The services of the build.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def recipe(
        self, recipes: Sequence[Recipe], subject: str, *, python: HostPython, places: Places, covers: bool = False
    ) -> BytecodeRecipe:
        """The layer of the bytecode of others.

        Args:
            recipes: Of the layers whose files are compiled, lowest first.
            subject: What they hold, for people.
            python: Compiles.
            places: Which files are compiled.
            covers: Whether they may take the place of files in lower layers.
        """
        return BytecodeRecipe(
            sources=tuple(recipe.key for recipe in recipes),
            open_layer=partial(self._layer, {recipe.key: recipe for recipe in recipes}),
            python=python,
            places=places,
            title=f"bytecode of {subject}",
            covers=covers,
            emit=self._session.emit,
        )

    def compiling(self, plan: BuildPlan, platform: PlatformPlan) -> Compiling:
        """What makes the recipes of one platform.

        Raises:
            ToolError: No Python of this host can compile for it.
        """
        environment = platform.environment
        places = Places(
            imported=(
                _inside(plan.layout.workdir),
                _inside(environment.site_packages),
                # Added files may replace a part of it.
                *standard_library(platform.target.python),
            ),
            passed_over=(_inside(environment.prefix),),
        )
        python = self.python(platform.target.python, free_threaded=platform.target.free_threaded)
        return partial(self.recipe, python=python, places=places)

    def python(self, wanted: PythonVersion, *, free_threaded: bool = False) -> HostPython:
        """The Python of this host that compiles for the image's.

        Raises:
            ToolError: There is none.
        """
        found = self._session.pythons.find(wanted, free_threaded=free_threaded)
        self._session.emit(Noted(message=f"CPython {found.version} compiles bytecode ({found.path})", detail=True))
        return found

    def _layer(self, recipes: Mapping[str, Recipe], key: str) -> Layer:
        """A layer that has a record or was made before; brought to this host, and made again where it is damaged."""
        session, recipe = self._session, recipes[key]
        layer = session.known.find({key: recipe}).get(key)
        if layer is None:
            layer = session.known.layer(recipe, session.layers.make(recipe, emit=session.emit))
        if isinstance(layer.blob, FarBlob):
            layer.blob.fetch()
        return layer


def _inside(directory: str) -> str:
    """As `Places` have it."""
    return f"{directory.strip('/')}/".lstrip("/")
