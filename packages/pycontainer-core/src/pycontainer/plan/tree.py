"""Which files go where in the image."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from pycontainer.errors import ConfigError
from pycontainer.sources.files import IgnoreRules, PlacedFile, collect_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pycontainer.blobs.fingerprints import Fingerprints
    from pycontainer.config import BuildConfig
    from pycontainer.config.values import ExtraFile
    from pycontainer.project import Pyproject
    from pycontainer.sources.files import SourceFile


def project_files(
    config: BuildConfig,
    pyproject: Pyproject,
    workdir: str,
    *,
    skip: Sequence[Path] = (),
    fingerprints: Fingerprints | None = None,
) -> tuple[PlacedFile, ...]:
    """The project's files in the working directory: those that are included, or all of a project that is no package.

    Raises:
        ProjectError: A file that cannot stand in an image.
    """
    if pyproject.is_package and not config.include_paths:
        return ()
    memory = fingerprints.folder if fingerprints else None
    rules = IgnoreRules.of(pyproject.root, exclude=config.exclude_paths, memory=memory)
    files = collect_files(
        pyproject.root, rules=rules, include=config.include_paths, skip=skip, fingerprints=fingerprints
    )
    rules.keep()
    return tuple(PlacedFile(file=file, destination=f"{workdir.rstrip('/')}/{file.path}") for file in files)


def added_files(config: BuildConfig, *, fingerprints: Fingerprints | None = None) -> tuple[PlacedFile, ...]:
    """The files that the options add, each at its destination.

    Raises:
        ConfigError: A source that does not exist.
        ProjectError: A file that cannot stand in an image.
    """
    return tuple(
        placed
        for extra in config.added_files
        for placed in _added(extra, config.path(extra.source).resolve(), fingerprints)
    )


def _added(extra: ExtraFile, source: Path, fingerprints: Fingerprints | None) -> Iterator[PlacedFile]:
    if not source.exists():
        raise ConfigError(
            f"The file `{extra.source}` does not exist", facts=[f"looked for: {source}"], hint="Correct {extra_files}"
        )
    destination = PurePosixPath(extra.destination)
    into_folder = extra.destination.endswith("/")
    for file, place in _below(source, destination, into_folder=into_folder, fingerprints=fingerprints):
        uid, gid = extra.owner or (0, 0)
        yield PlacedFile(file=file, destination=str(place), mode=extra.mode, uid=uid, gid=gid)


def _below(
    source: Path, destination: PurePosixPath, *, into_folder: bool, fingerprints: Fingerprints | None
) -> Iterator[tuple[SourceFile, PurePosixPath]]:
    """Every file of a folder below the destination; a single file at it, or in it where it ends with a slash."""
    if source.is_dir():
        for file in collect_files(source, rules=IgnoreRules(source), fingerprints=fingerprints):
            yield file, destination / file.path
        return
    (file,) = collect_files(source.parent, rules=IgnoreRules(source.parent), include=[source.name])
    yield file, destination / source.name if into_folder else destination
