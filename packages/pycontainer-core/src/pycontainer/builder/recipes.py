"""The recipes of an image, from what changes least to what changes most.

for recipe in order_recipes(plan, platform, wheels): cache.make(recipe)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from pycontainer.errors import ConfigError
from pycontainer.sources.files import DirectoryRecipe, FilesRecipe
from pycontainer.sources.files.recipe import parents
from pycontainer.sources.locks.filenames import normalize
from pycontainer.sources.wheels import EnvironmentRecipe, WheelsRecipe, group_wheels
from pycontainer.sources.wheels.environment import BASE_DIRECTORIES
from pycontainer.value import Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycontainer.layers.recipe import Recipe
    from pycontainer.plan import BuildPlan, PlatformPlan
    from pycontainer.sources.files import PlacedFile
    from pycontainer.sources.wheels import WheelInput

    class Compiling(Protocol):
        """Gives the recipe of the bytecode of other recipes' files."""

        def __call__(self, recipes: Sequence[Recipe], subject: str, *, covers: bool) -> Recipe:
            """Of recipes from the lowest layer up; `covers` where lower ones may have files of the same paths."""
            ...


# Docker's overlay driver mounts at most 128 directories, and the container's own is one of them.
_MAX_LAYERS: Final = 127
_DIRECTORY: Final = 0o755
_PRIVATE: Final = 0o700


class Wheels(Value, frozen=True, kw_only=True):
    """The wheels of one platform, fetched or built.

    Attributes:
        packages: Third-party packages, in the order of the lock.
        local: Packages from directories beside the project.
        project: The project's own, where it is a package.
    """

    packages: tuple[WheelInput, ...] = ()
    local: tuple[WheelInput, ...] = ()
    project: WheelInput | None = None


def order_recipes(
    plan: BuildPlan,
    platform: PlatformPlan,
    wheels: Wheels,
    *,
    system: Sequence[Recipe] = (),
    compiling: Compiling | None = None,
) -> list[Recipe]:
    """The recipes of one platform's image, lowest layer first.

    Args:
        plan: What will be done.
        platform: For which platform.
        wheels: Its wheels.
        system: The recipes of operating system packages.
        compiling: Gives the recipe of the bytecode of others: of third-party packages, then of what is the project's.

    Raises:
        ConfigError: Base and project together have more layers than an engine can mount.
    """
    environment = platform.environment

    def install(wheels: tuple[WheelInput, ...]) -> WheelsRecipe:
        lenient = frozenset(map(normalize, plan.config.lenient_wheels))
        return WheelsRecipe(wheels=wheels, environment=environment, strict=plan.config.strict, lenient=lenient)

    account = account_recipe(platform, plan.layout.workdir)
    below: list[Recipe] = [account, *system, EnvironmentRecipe(environment=environment)]
    above: list[Recipe] = []
    if wheels.local:
        above.append(install(wheels.local))
    if wheels.project is not None:
        above.append(install((wheels.project,)))
    if plan.files:
        above.append(files_recipe("project files", plan.files, platform, plan.layout.workdir))
    if plan.extra_files:
        above.append(files_recipe("added files", plan.extra_files, platform, plan.layout.workdir))
    if compiling is not None and above:
        above.append(compiling(above, "the project", covers=True))
    groups: list[Recipe] = []
    if wheels.packages:
        compiled = int(compiling is not None)
        budget = _room(plan, platform, taken=len(below) + len(above) + compiled)
        groups = [install(group) for group in group_wheels(wheels.packages, budget)]
        if compiling is not None:
            groups.append(compiling(groups, install(wheels.packages).title, covers=False))
    return [*below, *groups, *above]


def account_recipe(platform: PlatformPlan, workdir: str) -> DirectoryRecipe:
    """The layer that makes the user one with a name, a home, and a working directory of its own."""
    account = platform.account
    directories = dict.fromkeys(_owned(workdir), (_DIRECTORY, account.uid, account.gid))
    if account.home:
        directories[account.home] = (_PRIVATE, account.uid, account.gid)
    return DirectoryRecipe(title=f"user {account.user}", directories=directories, contents=account.files)


def files_recipe(title: str, files: Sequence[PlacedFile], platform: PlatformPlan, workdir: str) -> FilesRecipe:
    """A layer of files and the folders on their way; those that a base owns stay as they are there."""
    account = platform.account
    owned = dict.fromkeys(_owned(workdir), (_DIRECTORY, account.uid, account.gid))
    places = {placed.destination.rpartition("/")[0] for placed in files}
    directories = {
        folder: owned.get(folder, (_DIRECTORY, 0, 0))
        for place in sorted(places)
        for folder in parents(f"{place}/")
        if folder not in BASE_DIRECTORIES
    }
    return FilesRecipe(title=title, files=tuple(files), directories=directories)


def _owned(workdir: str) -> list[str]:
    """The working directory and those above it that are not the base's: they are the user's."""
    return [path for path in (*parents(workdir), workdir) if path not in BASE_DIRECTORIES]


def _room(plan: BuildPlan, platform: PlatformPlan, *, taken: int) -> int:
    """How many layers are left for third-party packages."""
    base = len(platform.base.image.layers)
    room = min(plan.config.layer_budget, _MAX_LAYERS - base) - taken
    if room < 1:
        raise ConfigError(
            f"There is no room for the layers of the dependencies: the base image has {base} of {_MAX_LAYERS}",
            facts=[f"layer budget: {plan.config.layer_budget}", f"taken by user, environment and project: {taken}"],
            hint="Raise {layer_budget}, or set {base_image} to an image with fewer layers",
        )
    return room
