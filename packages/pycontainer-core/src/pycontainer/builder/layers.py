"""The layers of all recipes: known by their records, or made side by side while their wheels arrive.

layers = make_layers(session, [order_recipes(plan, platform, wheels)])
layers[recipe.key]
"""

from __future__ import annotations

import os
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain
from typing import TYPE_CHECKING

from pycontainer.events import TaskFinished, Verb, Warned
from pycontainer.layers.recipe import FileRecipe, LaterRecipe
from pycontainer.sources.wheels import WheelsRecipe, collision_warnings, collisions_between

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pycontainer.builder.session import Session
    from pycontainer.layers.layer import Layer
    from pycontainer.layers.recipe import Recipe

_CPUS = os.cpu_count() or 1


def make_layers(
    session: Session, images: Sequence[Sequence[Recipe]], *, ready: Callable[[str, Layer], None] = lambda _, __: None
) -> dict[str, Layer]:
    """Layers by key, of the recipes of every image; equal recipes are made once.

    What has a record is not made. Files are fetched only for layers that are, which begin before all files are there.

    Args:
        session: Has the caches and fetches files.
        images: The recipes of each.
        ready: Given each layer as soon as it is known or made, with the key of its recipe; from several threads.

    Raises:
        IntegrityError: The shared cache is verified, and has something else.
        PyContainerError: A layer cannot be made. Where files cannot be had, one error names all of them.
    """
    recipes = {recipe.key: recipe for image in images for recipe in image}
    layers = session.known.find(recipes)
    for key, layer in layers.items():
        ready(key, layer)
    with ThreadPoolExecutor(session.config.jobs or _CPUS, thread_name_prefix="layer") as pool:
        # The largest first, or the others would wait for it at the end.
        ordered = sorted((item for item in recipes.items() if item[0] not in layers), key=lambda item: _turn(item[1]))
        futures: dict[str, Future[Layer]] = {}
        for key, recipe in ordered:
            # Whatever this one is made after was begun before it: nobody waits for what has no thread.
            after = recipe.after if isinstance(recipe, LaterRecipe) else ()
            before = [futures[other] for other in after if other in futures]
            futures[key] = pool.submit(_make, session, recipe, before, ready)
        try:
            session.fetch_inputs(recipes[key] for key in futures)
            made = {key: future.result() for key, future in futures.items()}
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    for image in images:
        wheels = _of_wheels([recipes[recipe.key] for recipe in image])
        if session.config.strict or any(recipe.key in made for recipe in wheels):
            _check_collisions(session, wheels)
    _tell(session, recipes, layers)
    session.known.verify([*layers.values(), *made.values()])
    for layer in chain(layers.values(), made.values()):
        for warning in layer.contents.warnings if layer.contents else ():
            session.emit(Warned(message=warning))
    return {**layers, **made}


def _tell(session: Session, recipes: Mapping[str, Recipe], layers: Mapping[str, Layer]) -> None:
    """Tell of layers that nobody had to make."""
    for key, layer in layers.items():
        title, size = recipes[key].title, layer.descriptor.size
        session.emit(TaskFinished(verb=Verb.MAKE_LAYER, name=title, size=size, reused=True))


def _of_wheels(recipes: Sequence[Recipe]) -> list[WheelsRecipe]:
    return [recipe for recipe in recipes if isinstance(recipe, WheelsRecipe)]


def _turn(recipe: Recipe) -> tuple[bool, int]:
    size = sum(file.size for file in recipe.inputs) if isinstance(recipe, FileRecipe) else 0
    return isinstance(recipe, LaterRecipe), -size


def _make(
    session: Session, recipe: Recipe, before: Sequence[Future[Layer]], ready: Callable[[str, Layer], None]
) -> Layer:
    for future in before:
        future.result()
    record = session.layers.make(recipe, emit=session.emit)
    if isinstance(recipe, WheelsRecipe):
        session.footprints.put(recipe)
    layer = session.known.layer(recipe, record)
    ready(recipe.key, layer)
    return layer


def _check_collisions(session: Session, recipes: Sequence[WheelsRecipe]) -> None:
    """Look for files that packages of different layers both bring; wheels are opened only where there may be some.

    Raises:
        WheelError: There are such files, and `strict` is set.
    """
    if not session.footprints.may_collide(recipes):
        return
    session.fetch_inputs(recipes)
    strict = session.config.strict
    for warning in collision_warnings(collisions_between(recipes), strict=strict):
        session.emit(Warned(message=warning))
    for recipe in recipes:
        session.footprints.put(recipe)
