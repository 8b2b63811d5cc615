"""The target `container`: `hatch build -t container`, and `hatchling build -t container` where there is no Hatch."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.plugin.interface import BuilderInterface
from hatchling.plugin.manager import PluginManager

from hatch_pycontainer.formats import DEFAULT, FORMATS, TARGET, clean

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from hatchling.builders.hooks.plugin.interface import BuildHookInterface

    from hatch_pycontainer.wheels import WheelMaker
    from pycontainer.config.values import ExtraFile


class ContainerConfig(BuilderConfig):
    """The target's table, as far as Hatch reads it."""

    @property
    def force_include(self) -> dict[str, str]:
        """Files for anywhere in the image; those of all targets are for wheels, and come with the wheel."""
        return super().force_include if "force-include" in self.target_config else {}


class ContainerBuilder(BuilderInterface[ContainerConfig, PluginManager]):
    """Builds images; a version of the target is a format."""

    PLUGIN_NAME = TARGET

    @classmethod
    def get_config_class(cls) -> type[ContainerConfig]:
        """The class of `config`."""
        return ContainerConfig

    def get_version_api(self) -> dict[str, Callable[..., str]]:
        """What makes each format."""
        return {name: partial(self._make, name) for name in FORMATS}

    def get_default_versions(self) -> list[str]:
        """The format where nothing asks for others."""
        return [DEFAULT]

    def get_build_hooks(self, directory: str) -> dict[str, BuildHookInterface[Any]]:
        """The hooks of this target; those of all targets run when the wheel is built, and not twice."""
        own = self.target_config.get("hooks", {})
        return {name: hook for name, hook in super().get_build_hooks(directory).items() if name in own}

    def clean(self, directory: str, versions: list[str]) -> None:  # noqa: ARG002 - all formats, as for wheels
        """Remove images of earlier builds, of this project alone."""
        name = self.normalize_file_name_component(self.metadata.core.name)
        clean(Path(directory), name, warn=self.app.display_warning)

    def build(
        self,
        *,
        directory: str | None = None,
        versions: list[str] | None = None,
        hooks_only: bool | None = None,
        clean: bool | None = None,
        clean_hooks_after: bool | None = None,
        clean_only: bool | None = False,
    ) -> Generator[str, None, None]:
        """Build every format that is asked for; what is wrong with the table ends it with a message."""
        from hatch_pycontainer.wheels import WheelMaker  # noqa: PLC0415 - not to list the target

        self._formats = self._checked(versions)
        self._references: dict[str, str] = {}
        self._make_wheel: WheelMaker = WheelMaker(self, clean=clean, clean_after=clean_hooks_after)
        yield from super().build(
            directory=directory,
            versions=self._formats,
            hooks_only=hooks_only,
            clean=clean,
            clean_hooks_after=clean_hooks_after,
            clean_only=clean_only,
        )

    def _checked(self, versions: list[str] | None) -> list[str]:
        """The formats, each once. Hatchling raises what it finds, which would be a traceback."""
        try:
            _ = self.config.force_include
            asked = list(dict.fromkeys(versions or self.config.versions))
        except (TypeError, ValueError) as error:
            self.app.abort(str(error))
        if unknown := [name for name in asked if name not in FORMATS]:
            known = ", ".join(f"`{name}`" for name in FORMATS)
            self.app.abort(f"`{unknown[0]}` is not a format of the target `{TARGET}`\n  formats: {known}")
        return asked

    def _make(self, name: str, directory: str, **build_data: Any) -> str:
        """The reference of a format. The first that is asked for builds all, so that they are one image."""
        del build_data
        if name not in self._references:
            self._references = self._build(Path(directory))
        return self._references[name]

    def _build(self, directory: Path) -> dict[str, str]:
        from hatch_pycontainer.display import failing_cleanly  # noqa: PLC0415 - not for `--hooks-only`
        from hatch_pycontainer.images import Order, build_image  # noqa: PLC0415 - as above
        from hatch_pycontainer.options import TargetTable  # noqa: PLC0415 - as above

        table = TargetTable.of(self.metadata)
        with failing_cleanly(self.app, table.spell):
            order = Order(
                metadata=self.metadata,
                table=table,
                formats=self._formats,
                directory=directory,
                make_wheel=self._make_wheel,
                files=list(self._forced_files(f"{table.name}.force-include")),
            )
            return build_image(order, self.app)

    def _forced_files(self, option: str) -> Iterator[ExtraFile]:
        from pycontainer.config.values import ExtraFile  # noqa: PLC0415 - as above
        from pycontainer.errors import ConfigError  # noqa: PLC0415 - as above

        try:
            for file in self.recurse_forced_files(self.config.get_force_include()):
                path = file.distribution_path.replace("\\", "/")
                yield ExtraFile(source=file.path, destination=f"/{path.lstrip('/')}")
        except FileNotFoundError as error:
            raise ConfigError(str(error), hint=f"Correct `{option}`") from error
