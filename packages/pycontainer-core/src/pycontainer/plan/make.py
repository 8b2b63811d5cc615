"""From configuration and project to a plan.

    plan = make_plan(config, project, pyproject, bases=resolve, choose_system=choose, list_files=complete)

Nothing is written and no wheel is taken: the base's facts, the lock and the project's sources are all that is read.
"""

from __future__ import annotations

import datetime as dt
import platform as host
import re
from typing import TYPE_CHECKING, Final

from pycontainer.errors import BaseImageError, ProjectError
from pycontainer.events import Warned, ignore
from pycontainer.oci import Platform
from pycontainer.plan.account import choose_account
from pycontainer.plan.dependencies import select
from pycontainer.plan.execution import Layout, execution_parameters, image_annotations
from pycontainer.plan.plan import BuildPlan, PlatformPlan
from pycontainer.plan.tree import added_files, project_files
from pycontainer.project import Start, find_start
from pycontainer.project.vcs import source_annotations
from pycontainer.sources.locks.filenames import normalize
from pycontainer.sources.locks.specifiers import satisfies
from pycontainer.sources.target import Target
from pycontainer.sources.wheels import Environment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from pycontainer.blobs.fingerprints import Fingerprints
    from pycontainer.config import BuildConfig
    from pycontainer.events import Emit
    from pycontainer.plan.dependencies import ListFiles
    from pycontainer.project import Project, ProjectMetadata, Pyproject
    from pycontainer.sources.base import Base
    from pycontainer.sources.debian.choose import PackageChoice
    from pycontainer.sources.locks import Chosen, Lock

_EPOCH: Final = "1970-01-01T00:00:00Z"
_REQUIREMENT_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")


def make_plan(
    config: BuildConfig,
    project: Project,
    pyproject: Pyproject,
    *,
    bases: Callable[[Sequence[Platform]], Sequence[Base]],
    choose_system: Callable[[Base, Platform], PackageChoice | None],
    list_files: ListFiles,
    skip: Sequence[Path] = (),
    fingerprints: Fingerprints | None = None,
    emit: Emit = ignore,
) -> BuildPlan:
    """Decide everything that a build will do.

    Args:
        config: The options.
        project: The project as its front end sees it.
        pyproject: The same project's sources, to find how it starts.
        bases: Resolves the base image for platforms and finds its facts.
        choose_system: Chooses the operating system packages that a base gets.
        list_files: Completes packages whose files the lock does not list.
        skip: Paths that are never taken as files of the project: outputs.
        fingerprints: What is known of files from earlier builds.
        emit: Takes warnings.

    Raises:
        PyContainerError: Anything that the build could not do is told here, before a layer is written.
    """
    metadata = project.metadata
    platforms = config.platforms or (host_platform(),)
    targets = [
        (_target(base, platform, config), base) for platform, base in zip(platforms, bases(platforms), strict=True)
    ]
    for target, base in targets:
        _check_python(metadata, target, base)
    lock = project.lock(targets[0][0]) if config.include_deps else None
    selections = [select(lock, project, target, config, list_files) for target, _ in targets]
    start = _start(config, pyproject, metadata, selections[0])
    if start.warning:
        emit(Warned(message=start.warning, hint="Set {entrypoint} to keep it as it is"))
    layout = _layout(config, pyproject)
    annotations = _annotations(config, metadata, project.root, targets[0][1])
    return BuildPlan(
        config=config,
        metadata=metadata,
        lock=None if lock is None else _lock_text(lock),
        start=start,
        layout=layout,
        platforms=tuple(
            _platform_plan(
                config,
                target,
                base,
                chosen,
                system=choose_system(base, target.platform),
                layout=layout,
                start=start,
                labels=annotations,
            )
            for (target, base), chosen in zip(targets, selections, strict=True)
        ),
        installs_project=pyproject.is_package,
        files=project_files(config, pyproject, layout.workdir, skip=skip, fingerprints=fingerprints),
        extra_files=added_files(config, fingerprints=fingerprints),
        annotations={**annotations, **config.annotations},
        created=_created(config) or _EPOCH,
        lock_file=lock,
    )


def host_platform() -> Platform:
    """Linux on the architecture of this host: what somebody means who names no platform."""
    return Platform.parse(f"linux/{host.machine() or 'x86_64'}")


def _lock_text(lock: Lock) -> str:
    return f"{'none, resolved now' if lock.is_resolved else lock.path.name} ({lock.digest})"


def _created(config: BuildConfig) -> str | None:
    """When the image says it was made: what the options say, else now, else nothing where it is to be reproducible."""
    if config.created_at or config.reproducible:
        return config.created_at
    return dt.datetime.now(dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _target(base: Base, platform: Platform, config: BuildConfig) -> Target:
    """What wheels are chosen for: the base's own facts, unless the options say what nobody could find."""
    python = config.target_python or base.facts.python
    libc = config.target_libc or base.facts.libc
    if python is None or base.facts.interpreter is None:
        raise BaseImageError(
            f"No Python was found in the base image `{base.reference}`",
            facts=[f"platform: {platform}"],
            hint="Set {base_image} to an image with Python, such as `python:3.12-slim`",
        )
    if libc is None:
        raise BaseImageError(
            f"No C library was found in the base image `{base.reference}`",
            facts=[f"platform: {platform}"],
            hint="Set {libc}, such as `glibc:2.36`",
        )
    return Target(platform=platform, python=python, libc=libc, free_threaded=base.facts.free_threaded)


def _check_python(metadata: ProjectMetadata, target: Target, base: Base) -> None:
    if not metadata.requires_python:
        return
    try:
        supported = satisfies(metadata.requires_python, target.python.full)
    except ValueError as error:
        raise ProjectError(
            f"`requires-python` is malformed: `{metadata.requires_python}`", facts=["file: pyproject.toml"]
        ) from error
    if not supported:
        raise BaseImageError(
            f"The project needs Python {metadata.requires_python} but the base image has {target.python}",
            facts=["project: `requires-python` in pyproject.toml", f"base image: `{base.reference}`"],
            hint="Set {base_image} to an image with a Python that the project supports",
        )


def _start(config: BuildConfig, pyproject: Pyproject, metadata: ProjectMetadata, chosen: Sequence[Chosen]) -> Start:
    if config.entrypoint:
        return Start(command=tuple(config.entrypoint), reason="the options' entry point")
    installed = {each.package.name for each in chosen} or {
        normalize(match.group(1)) for text in metadata.dependencies if (match := _REQUIREMENT_NAME.match(text))
    }
    port = next((port.number for port in config.exposed_ports), None)
    return find_start(pyproject, installed=installed, port=port, scripts=metadata.scripts)


def _layout(config: BuildConfig, pyproject: Pyproject) -> Layout:
    """Where things go. Files that are not installed are found through `PYTHONPATH`: a script's folder is not enough."""
    workdir = config.workdir
    roots: tuple[str, ...] = ()
    if not pyproject.is_package:
        relative = (root.relative_to(pyproject.root).as_posix() for root in pyproject.module_roots)
        roots = tuple(workdir if name == "." else f"{workdir.rstrip('/')}/{name}" for name in relative)
    return Layout(workdir=workdir, environment=f"{workdir.rstrip('/')}/.venv", python_path=roots)


def _annotations(config: BuildConfig, metadata: ProjectMetadata, root: Path, base: Base) -> dict[str, str]:
    named = {"org.opencontainers.image.base.digest": str(base.top)}
    if base.registry_reference:
        named["org.opencontainers.image.base.name"] = base.registry_reference
    return image_annotations(metadata, source=source_annotations(root), base=named, created=_created(config))


def _platform_plan(
    config: BuildConfig,
    target: Target,
    base: Base,
    chosen: Sequence[Chosen],
    *,
    system: PackageChoice | None,
    layout: Layout,
    start: Start,
    labels: Mapping[str, str],
) -> PlatformPlan:
    facts = base.facts
    account = choose_account(user=config.user, inherited=facts.user, passwd=facts.passwd, group=facts.group)
    execution = execution_parameters(
        base.image.config.config, config, layout=layout, start=start, user=account.user, labels=labels
    )
    return PlatformPlan(
        target=target,
        base=base,
        environment=Environment(
            prefix=layout.environment,
            python=target.python,
            interpreter=facts.interpreter or "",
            free_threaded=target.free_threaded,
            owner=(account.uid, account.gid),
        ),
        packages=tuple(each for each in chosen if each.kind != "directory"),
        local_packages=tuple(each for each in chosen if each.kind == "directory"),
        account=account,
        system=system,
        execution=execution,
    )
