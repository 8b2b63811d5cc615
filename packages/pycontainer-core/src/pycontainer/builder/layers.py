"""The layers of all recipes: from the cache, or made side by side while their wheels arrive.

layers = make_layers(session, [order_recipes(plan, platform, wheels)])
layers[recipe.key]
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from pycontainer.events import Warned
from pycontainer.sources.fetch import gather
from pycontainer.sources.wheels import WheelsRecipe, collision_warnings, collisions_between

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycontainer.builder.session import Session
    from pycontainer.layers.layer import Layer
    from pycontainer.layers.recipe import Recipe

_CPUS = os.cpu_count() or 1


def make_layers(session: Session, images: Sequence[Sequence[Recipe]]) -> dict[str, Layer]:
    """Layers by key, of the recipes of every image; equal recipes are made once.

    A wheel is fetched only where a layer that needs it is unknown, and a layer is begun before all wheels are there.

    Raises:
        PyContainerError: A layer cannot be made. Where wheels cannot be had, one error names all of them.
    """
    recipes = {recipe.key: recipe for image in images for recipe in image}
    unknown = [wheels for wheels in map(_of_wheels, images) if _have_to_be_opened(session, wheels)]
    with ThreadPoolExecutor(session.config.jobs or _CPUS, thread_name_prefix="layer") as pool:
        # The largest first, or the others would wait for it at the end.
        ordered = sorted(recipes.items(), key=lambda item: _size(item[1]), reverse=True)
        futures = {key: pool.submit(session.layers.make, recipe, emit=session.emit) for key, recipe in ordered}
        try:
            _fetch(session, unknown)
            records = {key: futures[key].result() for key in recipes}
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    for wheels in unknown:
        _check_collisions(session, _of_wheels([recipes[recipe.key] for recipe in wheels]))
    for record in records.values():
        for warning in record.contents.warnings:
            session.emit(Warned(message=warning))
    return {key: session.layers.layer(record) for key, record in records.items()}


def _of_wheels(recipes: Sequence[Recipe]) -> list[WheelsRecipe]:
    return [recipe for recipe in recipes if isinstance(recipe, WheelsRecipe)]


def _have_to_be_opened(session: Session, recipes: Sequence[WheelsRecipe]) -> bool:
    """Whether the wheels are looked at: not where every layer is known from a build that did, unless in `strict`."""
    return session.config.strict or any(session.layers.get(recipe.key) is None for recipe in recipes)


def _size(recipe: Recipe) -> int:
    return sum(wheel.size for wheel in recipe.wheels) if isinstance(recipe, WheelsRecipe) else 0


def _fetch(session: Session, images: Sequence[Sequence[WheelsRecipe]]) -> None:
    """Bring all wheels to this host; whoever makes a layer meanwhile waits for the same downloads."""
    wheels = {wheel.sha256: wheel for recipes in images for recipe in recipes for wheel in recipe.wheels}
    gather([wheel.open_path for wheel in wheels.values()], session.jobs, interrupt=session.stop_downloads)


def _check_collisions(session: Session, recipes: Sequence[WheelsRecipe]) -> None:
    """Look for files that packages of different layers both bring.

    Raises:
        WheelError: There are such files, and `strict` is set.
    """
    strict = session.config.strict
    for warning in collision_warnings(collisions_between(recipes), strict=strict):
        session.emit(Warned(message=warning))
