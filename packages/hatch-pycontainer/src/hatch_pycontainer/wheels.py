"""The project's wheel, made by hatchling in this process.

make_wheel = WheelMaker(builder)
make_wheel(directory)           # directory / "my_app-1.0-py3-none-any.whl"
"""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatchling.builders.wheel import WheelBuilder
from hatchling.plugin.exceptions import UnknownPluginError

from hatch_pycontainer.formats import TARGET
from pycontainer.errors import WheelBuildError

if TYPE_CHECKING:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
    from hatchling.builders.plugin.interface import BuilderInterface


class OwnWheelBuilder(WheelBuilder):
    """Hatchling's, without the hook that makes an image of every wheel: this wheel is for one."""

    def get_build_hooks(self, directory: str) -> dict[str, BuildHookInterface[Any]]:
        """The hooks of wheels that are configured."""
        return {name: hook for name, hook in super().get_build_hooks(directory).items() if name != TARGET}


class WheelMaker:
    """Makes the wheel once, however many platforms and formats it is for.

    Args:
        builder: The target, whose project it is.
        clean: Whether the hooks of wheels clean up first.
        clean_after: Whether they clean up afterwards.
    """

    def __init__(self, builder: BuilderInterface[Any, Any], *, clean: bool | None, clean_after: bool | None) -> None:
        self._builder = builder
        self._options = {"clean": clean, "clean_hooks_after": clean_after}
        self._made: Path | None = None

    def __call__(self, directory: Path) -> Path:
        """The wheel, in the first directory that was asked for.

        Raises:
            WheelBuildError: Hatchling or a hook failed.
        """
        if self._made is None:
            self._made = self._make(directory)
        return self._made

    def _make(self, directory: Path) -> Path:
        target = self._builder
        wheels = OwnWheelBuilder(
            target.root, plugin_manager=target.plugin_manager, metadata=target.metadata, app=target.app
        )
        try:
            (path,) = wheels.build(directory=str(directory), versions=["standard"], hooks_only=False, **self._options)
        except UnknownPluginError as error:
            raise WheelBuildError(
                f"Hatch has not installed what the wheel's hooks need: {error}",
                hint=f"Name it in the target's `dependencies`, or build both: `hatch build -t wheel -t {TARGET}`",
            ) from error
        except Exception as error:
            raise WheelBuildError("Hatchling cannot build the project's wheel", facts=_facts(error)) from error
        return Path(path)


def _facts(error: Exception) -> list[str]:
    """What a hook raised, and where in whose file."""
    *_, frame = traceback.extract_tb(error.__traceback__)
    return [f"{type(error).__name__}: {error}", f"at: {frame.filename}, line {frame.lineno}"]
