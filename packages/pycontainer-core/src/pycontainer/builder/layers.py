"""The layers of all recipes: from the cache, or made side by side while their wheels arrive.

layers = make_layers(session, [order_recipes(plan, platform, wheels)])
layers[recipe.key]
"""

from __future__ import annotations

import os
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from pycontainer.events import Warned
from pycontainer.layers.recipe import FileRecipe, LaterRecipe
from pycontainer.sources.fetch import gather
from pycontainer.sources.wheels import WheelsRecipe, collision_warnings, collisions_between

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pycontainer.builder.session import Session
    from pycontainer.layers.layer import Layer
    from pycontainer.layers.recipe import Recipe
    from pycontainer.layers.record import LayerRecord

_CPUS = os.cpu_count() or 1


def make_layers(session: Session, images: Sequence[Sequence[Recipe]]) -> dict[str, Layer]:
    """Layers by key, of the recipes of every image; equal recipes are made once.

    A file is fetched only where a layer that needs it is unknown, and a layer is begun before all files are there.

    Raises:
        PyContainerError: A layer cannot be made. Where files cannot be had, one error names all of them.
    """
    recipes = {recipe.key: recipe for image in images for recipe in image}
    unknown = [wheels for wheels in map(_of_wheels, images) if _have_to_be_opened(session, wheels)]
    opened = {recipe.key for wheels in unknown for recipe in wheels}
    with ThreadPoolExecutor(session.config.jobs or _CPUS, thread_name_prefix="layer") as pool:
        # The largest first, or the others would wait for it at the end.
        ordered = sorted(recipes.items(), key=lambda item: _turn(item[1]))
        futures: dict[str, Future[LayerRecord]] = {}
        for key, recipe in ordered:
            # Whatever this one is made after was begun before it: nobody waits for what has no thread.
            before = [futures[other] for other in recipe.after] if isinstance(recipe, LaterRecipe) else []
            futures[key] = pool.submit(_make, session, recipe, before)
        try:
            _fetch(session, [recipes[key] for key in recipes if key in opened or session.layers.get(key) is None])
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


def _turn(recipe: Recipe) -> tuple[bool, int]:
    size = sum(file.size for file in recipe.inputs) if isinstance(recipe, FileRecipe) else 0
    return isinstance(recipe, LaterRecipe), -size


def _make(session: Session, recipe: Recipe, before: Sequence[Future[LayerRecord]]) -> LayerRecord:
    for future in before:
        future.result()
    return session.layers.make(recipe, emit=session.emit)


def _fetch(session: Session, recipes: Iterable[Recipe]) -> None:
    """Bring all files to this host; whoever makes a layer meanwhile waits for the same downloads."""
    files = {file.sha256: file for recipe in recipes if isinstance(recipe, FileRecipe) for file in recipe.inputs}
    gather([file.fetch for file in files.values()], session.jobs, interrupt=session.stop_downloads)


def _check_collisions(session: Session, recipes: Sequence[WheelsRecipe]) -> None:
    """Look for files that packages of different layers both bring.

    Raises:
        WheelError: There are such files, and `strict` is set.
    """
    strict = session.config.strict
    for warning in collision_warnings(collisions_between(recipes), strict=strict):
        session.emit(Warned(message=warning))
