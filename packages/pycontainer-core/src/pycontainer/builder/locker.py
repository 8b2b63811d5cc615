"""`ImageLocker`: what a build would take below Python, written down in `pycontainer.lock`.

locker = ImageLocker(BuildConfig(os_packages=["libpq5"], platform=["linux/amd64", "linux/arm64"]))
result = locker.lock()              # asks registry and archive, and writes the file where it changes
for row in locker.outdated(): ...   # what is newer now than the file says
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pycontainer.builder.bases import find_bases, suite_of
from pycontainer.builder.session import Session
from pycontainer.builder.system import SystemSupply
from pycontainer.errors import ConfigError, LockError
from pycontainer.events import PhaseStarted, ignore
from pycontainer.oci import Platform
from pycontainer.plan import host_platform
from pycontainer.sources.base import default_base_image
from pycontainer.sources.debian.choose import installed_digest
from pycontainer.sources.debian.image_lock import (
    FILENAME,
    ImageLock,
    LockedBase,
    LockedPlatform,
    LockedRelease,
    LockedSystem,
    write_image_lock,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pycontainer.config import BuildConfig
    from pycontainer.events import Emit
    from pycontainer.project import Project
    from pycontainer.sources.debian.choose import PackageChoice


@dataclass(frozen=True, kw_only=True, slots=True)
class LockResult:
    """A lock, and whether it differs from what was there."""

    path: Path
    lock: ImageLock
    changed: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Outdated:
    """One thing that is another one now.

    Attributes:
        name: A package, or the base image.
        platform: For which it is so; none for the base image, which is one for all.
        locked: Version or digest in the lock; none for a package that comes anew.
        available: Version or digest now; none for a package that is no longer needed.
    """

    name: str
    platform: str | None
    locked: str | None
    available: str | None


class ImageLocker:
    """Writes and compares `pycontainer.lock`.

    Args:
        config: The options of the build: base image, platforms, packages.
        project: The project as a front end sees it; none means what is found in `config.context_path`.
        emit: Hears what happens.
    """

    def __init__(self, config: BuildConfig, project: Project | None = None, *, emit: Emit = ignore) -> None:
        self._config = config
        self._project = project
        self._emit = emit

    def lock(self, *, write: bool = True) -> LockResult:
        """Choose everything anew, and write it down.

        Args:
            write: Whether to; else the result only tells whether the file would change.

        Raises:
            ConfigError: There is nothing to lock.
            PyContainerError: The base image or a package cannot be had; the old lock is as it was.
        """
        with Session(self._config, self._emit, relock=True) as session:
            known = session.image_lock
            lock = self._made(session, self._platforms(known))
            path = session.image_lock_path
            changed = write_image_lock(path, lock) if write else lock != known
            return LockResult(path=path, lock=lock, changed=changed)

    def outdated(self) -> tuple[Outdated, ...]:
        """What is newer now than the lock says.

        Raises:
            LockError: There is no lock.
            PyContainerError: Registry or archive cannot be asked.
        """
        with Session(self._config, self._emit, relock=True) as session:
            known = session.image_lock
            if known is None:
                raise LockError(
                    f"There is no `{FILENAME}`",
                    facts=[f"looked for: {session.image_lock_path}"],
                    hint="Write it with `pycontainer lock`",
                )
            return tuple(_differences(known, self._made(session, self._platforms(known))))

    def _platforms(self, known: ImageLock | None) -> tuple[Platform, ...]:
        """Those of the options, else those that the lock has already, else this host's."""
        if self._config.platforms:
            return self._config.platforms
        locked = known.system.platforms if known and known.system else {}
        return tuple(map(Platform.parse, locked)) or (host_platform(),)

    def _made(self, session: Session, platforms: Sequence[Platform]) -> ImageLock:
        session.emit(PhaseStarted(name="lock"))
        project = self._project or session.project()[0]
        text = self._config.base or default_base_image(project.root, project.metadata.requires_python)
        system = SystemSupply(session)
        suite = suite_of(text)
        if suite is not None:
            return ImageLock(system=_system(system, {each: system.choose_base(suite, each) for each in platforms}))
        bases = find_bases(session, lambda: system, text, platforms)
        chosen = {
            platform: choice
            for platform, base in zip(platforms, bases, strict=True)
            if (choice := system.choose(base, platform)) is not None
        }
        # Files on this host are no names that others could look up.
        named = bases[0].registry_reference is not None
        if not named and not chosen:
            raise ConfigError(
                "There is nothing to lock",
                facts=[f"base image: `{text}`, which is not in a registry", "operating system packages: none"],
            )
        return ImageLock(
            base=LockedBase(image=text, digest=str(bases[0].top)) if named else None,
            system=_system(system, chosen) if chosen else None,
        )


def _system(system: SystemSupply, choices: dict[Platform, PackageChoice]) -> LockedSystem:
    one = next(iter(choices.values()))
    releases = {
        release.identity: LockedRelease(
            name=release.identity, date=f"{release.date:%Y-%m-%dT%H:%M:%SZ}", sha256=release.sha256
        )
        for choice in choices.values()
        for release in system.archive(choice.state).releases
    }
    return LockedSystem(
        distribution=one.state.distribution,
        suite=one.state.codename,
        packages=one.wishes.packages,
        exclude=one.wishes.exclude,
        upgrades=one.wishes.upgrades,
        releases=tuple(releases[name] for name in sorted(releases)),
        platforms={
            str(platform): LockedPlatform(
                installed=installed_digest(choice.state.packages),
                packages=choice.debs,
            )
            for platform, choice in sorted(choices.items(), key=lambda item: str(item[0]))
        },
    )


def _differences(known: ImageLock, now: ImageLock) -> Iterator[Outdated]:
    if known.base != now.base:
        yield Outdated(
            name=(now.base or known.base or LockedBase(image="", digest="")).image,
            platform=None,
            locked=known.base.digest if known.base else None,
            available=now.base.digest if now.base else None,
        )
    before, after = ({} if lock.system is None else lock.system.platforms for lock in (known, now))
    for platform in sorted({*before, *after}):
        olds, news = (
            {deb.name: deb.version for deb in platforms[platform].packages} if platform in platforms else {}
            for platforms in (before, after)
        )
        for name in sorted({*olds, *news}):
            if olds.get(name) != news.get(name):
                yield Outdated(name=name, platform=platform, locked=olds.get(name), available=news.get(name))
