"""Operating system packages of one build: chosen by the lock or the archive, fetched, and made into recipes.

system = SystemSupply(session)
base = system.compose("bookworm", platform)           # a base `deb:bookworm`
choice = system.choose(base, platform)                # what is added to any other base, or none
recipes = system.recipes(choice, accounts={})
"""

from __future__ import annotations

import threading
from contextlib import closing
from functools import cached_property, partial
from typing import TYPE_CHECKING

import msgspec

from pycontainer.blobs.store import BlobStore
from pycontainer.builder.bytecode import BytecodeSupply
from pycontainer.builder.damage import with_whole_layers
from pycontainer.builder.layers import make_layers
from pycontainer.errors import ConfigError
from pycontainer.events import PhaseStarted
from pycontainer.image import Image
from pycontainer.sources.base import composed_base, debian_state
from pycontainer.sources.bytecode import Places
from pycontainer.sources.debian.architecture import debian_architecture
from pycontainer.sources.debian.archive import (
    Archive,
    Credentials,
    HostApt,
    Keyring,
    Keyrings,
    archive_settings,
    choose_sources,
    read_apt_sources,
    read_host_apt,
)
from pycontainer.sources.debian.choose import Wishes, choose_from_archive, choose_from_lock
from pycontainer.sources.debian.compose import (
    FoundationRecipe,
    base_config,
    base_wishes,
    empty_state,
    packaged_python,
    standard_library,
)
from pycontainer.sources.debian.grouping import group_debs
from pycontainer.sources.debian.recipe import DebInput, DebsRecipe
from pycontainer.sources.debian.summaries import SummaryCache
from pycontainer.sources.debian.system import SystemRecipe
from pycontainer.sources.fetch import gather
from pycontainer.transports.http import HttpClient

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pycontainer.builder.session import Session
    from pycontainer.layers.recipe import Recipe
    from pycontainer.oci import Platform
    from pycontainer.sources.base import Base
    from pycontainer.sources.debian.choose import PackageChoice
    from pycontainer.sources.debian.image_lock import LockedSystem
    from pycontainer.sources.debian.package import BinaryPackage
    from pycontainer.sources.debian.state import DebianState


class SystemSupply:
    """Supplies operating system packages for every platform of a build.

    Args:
        session: The services of the build. Packages are taken from its lock where that fits. Where it locks anew they
            are not, but no archive may be older than the lock even so.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._locked: LockedSystem | None = session.image_lock.system if session.image_lock else None
        self._archives: dict[tuple[str, str], Archive] = {}
        self._opening = threading.Lock()
        session.stop_with(self.stop)

    def choose(self, base: Base, platform: Platform) -> PackageChoice | None:
        """The packages that the options add to a base; none where they add none.

        Raises:
            BaseImageError: It is not made of Debian packages.
            PackageError: They cannot be had.
            LockError: The lock does not fit, and only the lock will do.
        """
        config = self._session.config
        if not config.os_packages:
            return None
        wishes = Wishes(
            packages=tuple(config.os_packages),
            exclude=tuple(config.os_exclude),
            upgrades=tuple(config.os_allow_upgrades),
            unconfigured=frozenset(config.os_unconfigured),
        )
        return self._choose(wishes, self._state(base), platform)

    def compose(self, suite: str, platform: Platform) -> Base:
        """A base that is made of packages, its layers written.

        Raises:
            PyContainerError: It cannot be made.
        """
        choice = self.choose_base(suite, platform)
        self._session.emit(PhaseStarted(name="base"))
        recipes = [FoundationRecipe(tree=choice.state.tree), *self.recipes(choice)]
        recipes += self._bytecode(choice, recipes)
        session = self._session

        def compose() -> Base:
            layers = make_layers(session, [recipes])
            image = Image(config=base_config(platform)).append([layers[recipe.key] for recipe in recipes])
            return composed_base(
                image,
                choice.packages,
                reference=f"deb:{suite}",
                cache_dir=session.facts,
                shared=session.shared,
                emit=session.emit,
            )

        return with_whole_layers(session, compose)

    def _state(self, base: Base) -> DebianState:
        return debian_state(base, cache_dir=self._session.facts, shared=self._session.shared)

    def _bytecode(self, choice: PackageChoice, recipes: Sequence[Recipe]) -> list[Recipe]:
        """The layer of the bytecode of Debian's Python and its packages, where it is wanted."""
        python = packaged_python(choice.packages)
        if not self._session.config.compile_bytecode or python is None:
            return []
        packages = [recipe for recipe in recipes if isinstance(recipe, DebsRecipe)]
        places = Places(imported=standard_library(python))
        bytecode = BytecodeSupply(self._session)
        return [bytecode.recipe(packages, f"Python {python}", python=bytecode.python(python), places=places)]

    def choose_base(self, suite: str, platform: Platform) -> PackageChoice:
        """The packages of such a base, with those that the options add.

        Raises:
            PackageError: They cannot be had.
            LockError: The lock does not fit, and only the lock will do.
        """
        config = self._session.config
        wishes = base_wishes(
            packages=config.base_packages,
            added=config.os_packages,
            exclude=config.os_exclude,
            unconfigured=frozenset(config.os_unconfigured),
        )
        return self._choose(wishes, empty_state(suite, debian_architecture(platform)), platform)

    def recipes(self, choice: PackageChoice, accounts: Mapping[str, bytes] | None = None) -> list[Recipe]:
        """The layers of the packages, lowest first; the last one holds what their installation leaves behind.

        Args:
            choice: What to install.
            accounts: Account files that differ from the base's in a lower layer, by path relative to the root.
        """
        debs = [
            DebInput(package=package, open_path=partial(self._fetch, choice.state, package))
            for package in choice.packages
        ]
        state = msgspec.structs.replace(choice.state, files={**choice.state.files, **(accounts or {})})
        packages = [
            DebsRecipe(debs=group, base=choice.state, upgraded=choice.upgraded, keep=self._summaries.put)
            for group in group_debs(debs)
        ]
        return [
            *packages,
            SystemRecipe(
                packages=choice.packages,
                state=state,
                unconfigured=choice.wishes.unconfigured,
                after=tuple(recipe.key for recipe in packages),
                summaries=lambda: gather(
                    [partial(self._summaries.find, deb) for deb in debs], self._session.jobs, interrupt=self.stop
                ),
            ),
        ]

    def archive(self, state: DebianState) -> Archive:
        """The archive that a base's packages come from; one for all bases of a release.

        Raises:
            PackageError: None is known.
            ConfigError: The options name none that can be used.
        """
        with self._opening:
            key = state.distribution, state.codename
            if key not in self._archives:
                self._archives[key] = self._open_archive(state)
            return self._archives[key]

    def _choose(self, wishes: Wishes, state: DebianState, platform: Platform) -> PackageChoice:
        if not self._session.relock:
            locked = choose_from_lock(
                wishes,
                state,
                self._locked,
                platform=str(platform),
                required=self._session.config.locked,
                emit=self._session.emit,
            )
            if locked is not None:
                return locked
        archive = self.archive(state)
        choice = choose_from_archive(wishes, state, archive.index(state.architecture))
        archive.settle(choice.packages)
        return choice

    def _open_archive(self, state: DebianState) -> Archive:
        config, session = self._session.config, self._session
        sources = choose_sources(
            given=config.os_archive,
            base=read_apt_sources(state.files),
            host=self._host,
            distribution=state.distribution,
            codename=state.codename,
        )
        snapshots = (config.os_snapshot,) if config.os_snapshot else ()
        http = HttpClient(archive_settings(session.http_settings, sources, snapshots=snapshots), emit=session.emit)
        session.close_later(closing(http))
        return Archive(
            sources,
            http=http,
            store=self._store,
            folder=self._folder,
            keyrings=Keyrings(given=self._given_keys, base=state.files, host=self._host.files),
            credentials=Credentials.of(sources, self._host.files),
            dates=self._locked.dates if self._locked else {},
            snapshots=snapshots,
            parallel=session.jobs,
            emit=session.emit,
        )

    def _fetch(self, state: DebianState, package: BinaryPackage) -> Path:
        return self.archive(state).fetch(package)

    def stop(self) -> None:
        """Let downloads that are under way end soon."""
        for archive in self._archives.values():
            archive.stop()

    @cached_property
    def _host(self) -> HostApt:
        return read_host_apt()

    @property
    def _given_keys(self) -> Sequence[Keyring]:
        config = self._session.config
        if config.os_keyring is None:
            return ()
        try:
            keys = config.path(config.os_keyring).read_bytes()
        except OSError as error:
            raise ConfigError(
                f"The keyring `{config.os_keyring}` cannot be read",
                facts=[error.strerror or str(error)],
                hint="Set {os_keyring} to a file with the archive's keys",
            ) from error
        return (Keyring.parse(str(config.os_keyring), keys),)

    @property
    def _folder(self) -> Path:
        return self._session.home / "debian"

    @cached_property
    def _store(self) -> BlobStore:
        return BlobStore(self._folder)

    @cached_property
    def _summaries(self) -> SummaryCache:
        return SummaryCache(self._folder)
