"""The build hook `container`: whoever builds the wheel gets an image of exactly that wheel, where it is turned on.

[tool.hatch.build.targets.wheel.hooks.container]
enable-by-default = false
dependencies = ["hatch-pycontainer"]

$ HATCH_BUILD_HOOK_ENABLE_CONTAINER=1 uv build --wheel
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

from hatchling.builders.config import BuilderConfig
from hatchling.builders.constants import BuildEnvVars
from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.builders.plugin.interface import BuilderInterface

from hatch_pycontainer.formats import DEFAULT, FORMATS, TARGET, clean

# What Hatch reads in the table of any hook, and the formats.
_KEYS: Final = frozenset(
    {"dependencies", "enable-by-default", "require-runtime-dependencies", "require-runtime-features", "versions"}
)


class ContainerBuildHook(BuildHookInterface[BuilderConfig]):
    """Makes the image of a wheel; the options are those of the target `container`."""

    PLUGIN_NAME = TARGET

    def clean(self, versions: list[str]) -> None:
        """Remove images of earlier builds, of this project alone."""
        del versions
        name = BuilderInterface.normalize_file_name_component(self.metadata.core.name)
        clean(self._directory, name, warn=self.app.display_warning)

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Look at the hook's own table, before the wheel is made."""
        del build_data
        if not self._makes_images(version):
            return
        if wrong := [key for key in self.config if key not in _KEYS]:
            hint = f"hint: Options stand in the table of the target `{TARGET}`; the hook has `versions` alone"
            self.app.abort(f"`{wrong[0]}` is not an option of the build hook `{TARGET}`\n\n{hint}")
        formats = self._formats
        if not isinstance(formats, list) or not formats or not all(name in FORMATS for name in formats):
            known = ", ".join(f"`{name}`" for name in FORMATS)
            self.app.abort(f"`versions` of the build hook `{TARGET}` must be a list of formats\n  formats: {known}")

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Make the image of the wheel."""
        del build_data
        if not self._makes_images(version):
            return
        from hatch_pycontainer.display import failing_cleanly  # noqa: PLC0415 - not for wheels alone
        from hatch_pycontainer.images import Order, build_image  # noqa: PLC0415 - as above
        from hatch_pycontainer.options import TargetTable  # noqa: PLC0415 - as above

        table = TargetTable.of(self.metadata)
        with failing_cleanly(self.app, table.spell):
            order = Order(
                metadata=self.metadata,
                table=table,
                formats=list(dict.fromkeys(self._formats)),
                directory=self._directory,
                make_wheel=lambda _: Path(artifact_path),
            )
            for reference in build_image(order, self.app).values():
                self.app.display_info(reference)

    def _makes_images(self, version: str) -> bool:
        """Only of a wheel that is to be installed elsewhere, which an editable one is not."""
        return self.target_name == "wheel" and version == "standard"

    @property
    def _formats(self) -> Any:
        return self.config.get("versions", [DEFAULT])

    @property
    def _directory(self) -> Path:
        """Where Hatch is configured to build. Other tools build wheels in a folder that is gone afterwards."""
        place = os.environ.get(BuildEnvVars.LOCATION)
        configured = self.build_config
        return Path(configured.normalize_build_directory(place) if place else configured.directory)
