"""From a project of Hatch to its image, in every format that is asked for: what target and hook have in common.

order = Order(metadata=…, table=…, formats=("oci-layout",), directory=Path("dist"), make_wheel=…)
with failing_cleanly(app, table.spell):
    build_image(order, app)["oci-layout"]       # oci:dist/my_app-1.0.oci@sha256:…
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hatchling.builders.plugin.interface import BuilderInterface

from hatch_pycontainer.display import Display
from hatch_pycontainer.formats import REGISTRY, outputs
from hatch_pycontainer.options import version_tag
from hatch_pycontainer.project import HatchProject
from pycontainer.builder import ImageBuilder
from pycontainer.config.load import load_config
from pycontainer.config.option import Origin
from pycontainer.config.options import OPTIONS
from pycontainer.config.sources import Setting, Source
from pycontainer.events import Noted, Warned
from pycontainer.sources.locks.filenames import normalize
from pycontainer.value import replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from hatchling.bridge.app import Application
    from hatchling.metadata.core import ProjectMetadata

    from hatch_pycontainer.options import TargetTable
    from pycontainer.config import BuildConfig
    from pycontainer.config.load import Loaded
    from pycontainer.config.values import ExtraFile
    from pycontainer.project import Project
    from pycontainer.project.standalone import StandaloneProject

_NOTHING_BUILT: Final = "nothing is built: `PYCONTAINER_DRY_RUN` is set"


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """An image that Hatch asks for.

    Attributes:
        metadata: Of the project.
        table: The target's options.
        formats: Names of `FORMATS`, each once.
        directory: Where files go.
        make_wheel: Puts the project's wheel into a directory.
        files: To put anywhere in the image.
    """

    metadata: ProjectMetadata[Any]
    table: TargetTable
    formats: Sequence[str]
    directory: Path
    make_wheel: Callable[[Path], Path]
    files: Sequence[ExtraFile] = ()

    @property
    def root(self) -> Path:
        """The project's directory."""
        return Path(self.metadata.root)

    @property
    def outputs(self) -> dict[str, str]:
        """What the core writes, by format."""
        name = BuilderInterface.normalize_file_name_component(self.metadata.core.name)
        return outputs(self.formats, self.directory, f"{name}-{self.metadata.version}")


def build_image(order: Order, app: Application) -> dict[str, str]:
    """Build the image once, write it in every format, and return its digest reference by format.

    Raises:
        PyContainerError: It cannot be built or written.
    """
    loaded = load_config(_asked(order), environment=os.environ, directory=order.root, tables=[order.table.source()])
    config = _completed(loaded.config, order)
    with Display(app, order.table.spell, config) as emit:
        for warning in _warnings(loaded):
            emit(warning)
        builder = ImageBuilder(config, adapt=lambda found: _adapted(found, order, config), emit=emit)
        if config.dry_run:
            app.display(builder.plan().describe())
            return dict.fromkeys(order.formats, _NOTHING_BUILT)
        result = builder.build()
        shown = [reference.replace(f"{order.root}{os.sep}", "", 1) for reference in result.references]
        references = dict(zip([*order.outputs, REGISTRY], shown, strict=False))
        if REGISTRY in references and REGISTRY not in order.formats:  # an option asked for it, and no format
            emit(Noted(message=f"pushed {references.pop(REGISTRY)}"))
        emit(Noted(message=str(result.ledger)))
    return references


def _warnings(loaded: Loaded) -> Iterator[Warned]:
    for warning in loaded.warnings:
        yield Warned(message=warning)
    if os.environ.get(variable := OPTIONS["output"].variable):
        yield Warned(message=f"`{variable}` says nothing to Hatch, which takes formats", hint="Set {output}")


def _adapted(found: StandaloneProject, order: Order, config: BuildConfig) -> Project:
    """The project as Hatch knows it; of another member of its workspace Hatch knows nothing."""
    is_own = found.root == order.root.resolve()
    return HatchProject(found, order.metadata, config, order.make_wheel) if is_own else found


def _asked(order: Order) -> Source:
    """What Hatch says and no option can change: the project, and where its image goes."""
    origin = Origin(f"{order.table.name}.versions")
    settings = [
        Setting(option=OPTIONS["context_path"], value=str(order.root), origin=Origin("Hatch")),
        Setting(option=OPTIONS["output"], value=list(order.outputs.values()), origin=origin),
    ]
    if REGISTRY in order.formats:
        settings.append(Setting(option=OPTIONS["push"], value=True, origin=origin))
    return Source(settings=tuple(settings), base=order.root)


def _completed(config: BuildConfig, order: Order) -> BuildConfig:
    """The options with what Hatch alone knows: the version, for the name of the image, and files of the target."""
    changes: dict[str, Any] = {"extra_files": (*config.extra_files, *order.files)}
    if not config.tag and (config.registry or not config.push):  # else a push would need a name
        name = normalize(order.metadata.core.name)
        changes["tag"] = f"{name}:{version_tag(order.metadata.version)}"
    return replace(config, **changes)
