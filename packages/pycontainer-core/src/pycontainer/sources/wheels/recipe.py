"""Layers made of wheels.

recipe = WheelsRecipe(wheels=(wheel,), environment=environment)
recipe.key                      # known before a wheel is downloaded
cache.make(recipe)              # now they are
"""

from __future__ import annotations

from contextlib import ExitStack
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import msgspec

from pycontainer.errors import WheelError
from pycontainer.layers.recipe import RecipeInput, recipe_key
from pycontainer.layers.record import LayerContents, PackageContents
from pycontainer.sources.locks.filenames import normalize
from pycontainer.sources.wheels.collisions import Collision, collision_warnings, find_collisions
from pycontainer.sources.wheels.environment import Directories, Environment
from pycontainer.sources.wheels.limits import Limits
from pycontainer.value import Value, field

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from pycontainer.layers.writer import LayerWriter
    from pycontainer.sources.wheels.install import Claim, Installation

# Part of every key: changed whenever records tell more of the same bytes, so that no older record stands for them.
_TOLD: Final = "components"


class WheelInput(Value, frozen=True, kw_only=True):
    """A wheel to install, known by its hash.

    Attributes:
        name: Normalised name of the project.
        version: As locked; empty where only the wheel tells.
        filename: Of the wheel.
        sha256: Of the wheel, in hexadecimal.
        open_path: Gives the file, and fetches it first where it is not there. It is hashed again before it is used.
        direct_url: Where it came from, if from no index (PEP 610). It becomes part of the image, so a path on this
            host does not belong into it.
        size: Bytes of the wheel; 0 where nobody knows.
    """

    _unshown = ("open_path",)

    name: str
    version: str
    filename: str
    sha256: str
    open_path: Callable[[], Path]
    direct_url: Mapping[str, Any] | None = None
    size: int = 0


class WheelsRecipe(Value, frozen=True, kw_only=True, dict=True):
    """A layer of one or several wheels, installed into an environment.

    Attributes:
        wheels: In the order of the lock: of two files with one path, the later one stays.
        environment: Its skeleton is another layer, `EnvironmentRecipe`.
        lenient: Names of packages whose `RECORD` may be incomplete or wrong.
        strict: Whether two wheels with different files of one path are an error.
        limits: What a wheel may unpack to.
    """

    wheels: tuple[WheelInput, ...]
    environment: Environment
    lenient: frozenset[str] = frozenset()
    strict: bool = False
    limits: Limits = field(default_factory=Limits)

    @cached_property
    def _claims(self) -> list[tuple[str, Mapping[str, Claim]]]:
        """Of a layer that was written: nobody has to open its wheels again."""
        return []

    @cached_property
    def key(self) -> str:
        """The key over wheels and environment; a new patch release of the base's Python leaves it as it is."""
        environment = self.environment
        return recipe_key(
            "wheels",
            {
                "wheels": [self._inputs(wheel) for wheel in self.wheels],
                "prefix": environment.prefix,
                "python": environment.python_directory,
                "owner": list(environment.owner),
                "told": _TOLD,
                # What is refused by one of two builds must not come from the cache of the other.
                **({"strict": True} if self.strict else {}),
            },
        )

    @property
    def title(self) -> str:
        """`numpy 2.1.0`, or `14 packages`."""
        if len(self.wheels) == 1:
            return f"{self.wheels[0].name} {self.wheels[0].version}".rstrip()
        return f"{len(self.wheels)} packages"

    @property
    def inputs(self) -> tuple[RecipeInput, ...]:
        """The wheels' files."""
        return tuple(RecipeInput(sha256=wheel.sha256, size=wheel.size, fetch=wheel.open_path) for wheel in self.wheels)

    def write(self, writer: LayerWriter) -> LayerContents:
        """Check all wheels, then write them one after the other.

        Raises:
            WheelError: A wheel must not be used, or is not the one that was asked for.
        """
        with ExitStack() as stack:
            installations = [self._prepare(wheel, stack) for wheel in self.wheels]
            claims = self._claims[:] = [(each.label, each.claims) for each in installations]
            collisions = find_collisions(claims)
            warnings = collision_warnings(collisions, strict=self.strict)
            directories = Directories(writer, self.environment)
            packages = [
                self._write(wheel, installation, writer, directories, self._replaced(claims[index:]))
                for index, (wheel, installation) in enumerate(zip(self.wheels, installations, strict=True))
            ]
            odd = tuple(warning for installation in installations for warning in installation.warnings)
        return LayerContents(
            packages=tuple(packages),
            files=sum(package.files for package in packages) - len(collisions),
            size=sum(package.size for package in packages),
            warnings=(*odd, *warnings),
        )

    def claims(self) -> list[tuple[str, Mapping[str, Claim]]]:
        """What each wheel writes, for `find_collisions`; opens the wheels unless they were written just now.

        Raises:
            WheelError: As from `write`.
        """
        if self._claims:
            return list(self._claims)
        with ExitStack() as stack:
            installations = [self._prepare(wheel, stack) for wheel in self.wheels]
            return [(installation.label, installation.claims) for installation in installations]

    def _inputs(self, wheel: WheelInput) -> list[Any]:
        lenient = wheel.name in self.lenient
        return [wheel.filename, wheel.sha256, wheel.direct_url, *(["lenient"] if lenient else [])]

    def _prepare(self, wheel: WheelInput, stack: ExitStack) -> Installation:
        from pycontainer.sources.wheels.install import Installation  # noqa: PLC0415 - not for a layer that is cached
        from pycontainer.sources.wheels.metadata import same_version  # noqa: PLC0415 - as above
        from pycontainer.sources.wheels.wheel import WheelFile  # noqa: PLC0415 - as above

        file = stack.enter_context(
            WheelFile(
                wheel.open_path(),
                filename=wheel.filename,
                sha256=wheel.sha256,
                lenient=wheel.name in self.lenient,
                limits=self.limits,
            )
        )
        found = f"{file.name} {file.identity.version}"
        same = not wheel.version or same_version(file.identity.version, wheel.version)
        if file.name != normalize(wheel.name) or not same:
            raise WheelError(
                f"The wheel `{wheel.filename}` is not what was asked for",
                facts=[f"asked for: `{wheel.name} {wheel.version}`", f"found: `{found}`"],
            )
        return Installation(file, self.environment, direct_url=wheel.direct_url)

    @staticmethod
    def _replaced(claims: Sequence[tuple[str, Mapping[str, Claim]]]) -> frozenset[str]:
        """The paths of the first package that a later one writes."""
        (_, mine), *later = claims
        return frozenset(path for _, theirs in later for path in mine.keys() & theirs.keys())

    @staticmethod
    def _write(
        wheel: WheelInput,
        installation: Installation,
        writer: LayerWriter,
        directories: Directories,
        replaced: frozenset[str],
    ) -> PackageContents:
        contents = installation.write(writer, directories, skip=replaced)
        return msgspec.structs.replace(contents, sha256=wheel.sha256)


def collisions_between(recipes: Sequence[WheelsRecipe]) -> tuple[Collision, ...]:
    """The paths that packages of *different* layers write; those within one layer are among its own warnings.

    A layer that comes from a cache is not written again, so nobody looks at its wheels: whoever wants to know for sure,
    because `strict` is set, has to ask here. It takes some 20 µs a file.

    Args:
        recipes: Lowest layer first.

    Raises:
        WheelError: A wheel must not be used.
    """
    each = [recipe.claims() for recipe in recipes]
    within = {collision for claims in each for collision in find_collisions(claims)}
    among_all = find_collisions([claim for claims in each for claim in claims])
    return tuple(collision for collision in among_all if collision not in within)
