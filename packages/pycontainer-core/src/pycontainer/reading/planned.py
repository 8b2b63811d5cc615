"""Why something will be in an image that is not built yet: what its plan and its lock say.

    explain_plan(plan, "anyio", lock=lock)
    explain_plan(plan, "app/main.py", lock=lock).path      # "/app/app/main.py"

Which files a package brings, and what it weighs, only its wheel tells: that is asked of an image.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pycontainer.errors import ConfigError
from pycontainer.reading.explain import FileExplanation, PackageExplanation, entries_of, no_package
from pycontainer.sources.locks import Directory, Vcs
from pycontainer.sources.locks.addresses import public_url
from pycontainer.sources.locks.filenames import normalize
from pycontainer.sources.locks.markers import Markers

if TYPE_CHECKING:
    from pycontainer.plan import BuildPlan, PlatformPlan
    from pycontainer.reading.lock_view import LockView
    from pycontainer.sources.files import PlacedFile
    from pycontainer.sources.locks import Chosen


def explain_plan(
    plan: BuildPlan, subject: str, *, lock: LockView | None = None
) -> PackageExplanation | FileExplanation:
    """Why a package or a file of the project will be in the image of a plan's first platform.

    Args:
        plan: What will be done.
        subject: The name of a package; or a path, of the project or in the image.
        lock: What the project's lock says of who needs whom.

    Raises:
        ConfigError: There is no such thing in the plan.
    """
    platform = plan.platforms[0]
    chosen = (*platform.packages, *platform.local_packages)
    for each in chosen:
        if "/" not in subject and each.package.name == normalize(subject):
            return _explain_package(platform, each, lock)
    for placed in (*plan.files, *plan.extra_files):
        if subject in {placed.file.path, placed.destination, str(placed.file.source)}:
            return _explain_file(placed)
    if "/" in subject:
        raise ConfigError(
            f"There is no file `{subject[:200]}` in the plan",
            facts=["a plan knows the files that are copied, not those that packages bring"],
            hint="Build the image, and name it with `--image`",
        )
    raise no_package(subject, (each.package.name for each in chosen), where="the plan")


def _explain_package(platform: PlatformPlan, chosen: Chosen, lock: LockView | None) -> PackageExplanation:
    package = chosen.package
    markers = Markers(platform.target.environment)
    installed = {each.package.name for each in (*platform.packages, *platform.local_packages)}
    graph = lock.graph if lock else None
    return PackageExplanation(
        name=package.name,
        version=package.version,
        prefix=platform.environment.prefix,
        lock=lock.name if lock else None,
        source=_source(chosen),
        needed_by=graph.needed_by(package.name, installed=installed, markers=markers) if graph else (),
        chains=entries_of(graph.chains(package.name, installed=installed, markers=markers)) if graph else (),
    )


def _source(chosen: Chosen) -> str:
    """What is installed, as anyone may read it: without credentials."""
    source = chosen.package.source
    if isinstance(source, Directory):
        return f"the directory {source.path}"
    if isinstance(source, Vcs):
        return f"{public_url(source.url)} at {source.commit}"
    name = chosen.artifact.filename if chosen.artifact else "a file"
    index = chosen.package.index
    return f"{name}, from {public_url(index)}" if index and "://" in index else name


def _explain_file(placed: PlacedFile) -> FileExplanation:
    file = placed.file
    return FileExplanation(
        path=placed.destination,
        type="file" if file.target is None else "link",
        size=file.size,
        mode=f"{file.mode if placed.mode is None else placed.mode:04o}",
        target=file.target or "",
        source=str(file.source),
    )
