"""What of the lock goes into the image, and the files of it that fit a target."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from pycontainer.sources.locks import Choice, RememberedLock, SourcePolicy, choose_wheels
from pycontainer.sources.locks.filenames import normalize

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pycontainer.config import BuildConfig
    from pycontainer.project import Project
    from pycontainer.sources.locks import Chosen, Lock, LockedPackage
    from pycontainer.sources.target import Target

    # Completes packages whose files the lock does not list.
    ListFiles: TypeAlias = Callable[[Lock, Sequence[LockedPackage]], Sequence[LockedPackage]]


def choice_of(config: BuildConfig, *, package: str | None) -> Choice:
    """The extras, groups and member that the options choose."""
    return Choice(
        extras=frozenset(config.extras),
        groups=frozenset(config.groups),
        all_extras=config.all_extras,
        all_groups=config.all_groups,
        only_groups=config.only_groups,
        package=package,
    )


def policy_of(config: BuildConfig) -> SourcePolicy:
    """What the options allow besides wheels from indexes over https."""
    return SourcePolicy(
        no_build=config.no_build,
        build_sdists=frozenset(map(normalize, config.build_sdists)) if config.build_sdists else None,
        allow_outside=config.allow_outside,
        insecure_hosts=frozenset(config.allow_http),
    )


def select(
    lock: Lock | None, project: Project, target: Target, config: BuildConfig, list_files: ListFiles
) -> tuple[Chosen, ...]:
    """The packages of the lock for a target, each with the file to use.

    Raises:
        LockError: The lock holds nothing that fits, or not what the options choose; one error lists all packages.
    """
    if lock is None:
        return ()
    # A workspace has one lock for all members; which of them is meant, their own folder says.
    member = project.metadata.name if lock.path.parent != project.root and lock.format == "uv.lock" else None
    choice = Choice() if lock.is_resolved else choice_of(config, package=member and normalize(member))
    policy = policy_of(config)

    def choose() -> tuple[Chosen, ...]:
        return choose_wheels(list_files(lock, lock.select(target, choice)), target, policy)

    return lock.chosen([target, choice, policy], choose) if isinstance(lock, RememberedLock) else choose()
