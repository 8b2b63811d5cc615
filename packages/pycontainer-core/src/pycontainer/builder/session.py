"""Everything that one build works with, made when it is first needed: stores, clients, builders.

with Session(config, emit) as session:
    session.bases([Platform.parse("linux/amd64")])
    session.fetcher.fetch(artifact)
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from functools import cached_property
from typing import TYPE_CHECKING

from pycontainer.blobs.fingerprints import Fingerprints
from pycontainer.blobs.store import BlobStore
from pycontainer.builder.cache_home import cache_home
from pycontainer.builder.together import SharedLayers, Together
from pycontainer.layers.forms import Compression
from pycontainer.layers.recipe import FileRecipe
from pycontainer.oci import Digest
from pycontainer.project.standalone import StandaloneProject, find_project
from pycontainer.sources.locks import LockMemory
from pycontainer.transports.http import HttpClient
from pycontainer.unfinished import temporary_folder
from pycontainer.value import replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

    from pycontainer.builder.footprints import Footprints
    from pycontainer.builder.known import KnownLayers
    from pycontainer.builder.shared import SharedCache
    from pycontainer.config import BuildConfig
    from pycontainer.events import Emit
    from pycontainer.layers.cache import LayerCache
    from pycontainer.layers.recipe import Recipe
    from pycontainer.project import Pyproject
    from pycontainer.sources.builds.builder import WheelBuilder
    from pycontainer.sources.bytecode import HostPythons
    from pycontainer.sources.debian.image_lock import ImageLock
    from pycontainer.sources.fetch import ArtifactFetcher
    from pycontainer.sources.indexes import IndexCredentials, IndexLookup, IndexSettings
    from pycontainer.sources.locks import Indexes, Lock
    from pycontainer.sources.target import Target
    from pycontainer.sources.uv import Uv
    from pycontainer.transports.http import HttpSettings
    from pycontainer.transports.registry import RegistryClient, RegistrySettings

_DEFAULT_JOBS = 8


class Session:
    """The services of one build. What is slow to import is imported by whoever needs it first.

    Args:
        config: The options.
        emit: Hears of everything.
        relock: Whether base image and operating system packages are chosen anew, whatever `pycontainer.lock` says.
        indexes: What the tool of a front end says of Python indexes.
        together: What it shares with other builds of this run; none where there are no others.
    """

    def __init__(
        self,
        config: BuildConfig,
        emit: Emit,
        *,
        relock: bool = False,
        indexes: IndexSettings | None = None,
        together: Together | None = None,
    ) -> None:
        self.config = config
        self.relock = relock
        self.emit = emit
        self._stack = ExitStack()
        self.together = together or self._stack.enter_context(Together())
        self._stoppers: list[Callable[[], object]] = []
        self._stated_indexes: Indexes | None = None
        self._tool_indexes = indexes

    def __enter__(self) -> Self:
        chosen = None if self.config.cache_dir is None else self.config.path(self.config.cache_dir).resolve()
        enabled = self.config.cache
        self.home = self.together.once(
            ("home", chosen, enabled),
            lambda stack: stack.enter_context(cache_home(chosen=chosen, enabled=enabled, emit=self.emit)),
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close connections and remove what was temporary."""
        self._stack.close()

    @property
    def jobs(self) -> int:
        """How much happens at a time."""
        return self.config.jobs or _DEFAULT_JOBS

    @cached_property
    def folder(self) -> Path:
        """A folder that is gone when the build ends."""
        return self._stack.enter_context(temporary_folder())

    @cached_property
    def layers(self) -> LayerCache:
        """Layers by the keys of their recipes."""
        return SharedLayers(self.home / "layers", Compression(self.config.compression), locks=self.together.locks)

    @cached_property
    def known(self) -> KnownLayers:
        """Layers that nobody has to make."""
        from pycontainer.builder.known import KnownLayers  # noqa: PLC0415

        return KnownLayers(
            self.layers,
            shared=self.shared,
            fetch=self.fetch_inputs,
            is_here=lambda file: Digest("sha256", file.sha256) in self.downloads,
            emit=self.emit,
        )

    @cached_property
    def footprints(self) -> Footprints:
        """What layers of wheels write."""
        from pycontainer.builder.footprints import Footprints  # noqa: PLC0415

        return Footprints(self.layers.root / "records", shared=self.shared)

    @cached_property
    def shared(self) -> SharedCache | None:
        """The cache that others share, where the options name one. Without a cache, nothing of any is taken."""
        repository = self.config.cache_repository
        if repository is None or not self.config.cache:
            return None
        from pycontainer.builder.shared import open_shared  # noqa: PLC0415

        return open_shared(
            repository,
            self.config,
            settings=self.registry_settings,
            connect=self.registry_client,
            kept=self.layers.root / "records",
            emit=self.emit,
        )

    @cached_property
    def downloads(self) -> BlobStore:
        """Wheels and sdists, by digest."""
        return BlobStore(self.home / "wheels", durable=False)

    @cached_property
    def fingerprints(self) -> Fingerprints:
        """What is known of the project's files from earlier builds."""
        return Fingerprints(self.home / "files")

    @cached_property
    def http(self) -> HttpClient:
        """The client for indexes and files; registries have one of their own."""
        settings = self.indexes.apply_to(self.http_settings)

        def make(stack: ExitStack) -> HttpClient:
            client = HttpClient(settings, emit=self.emit)
            stack.callback(client.close)
            return client

        return self.together.once(("http", settings), make)

    @cached_property
    def registry(self) -> RegistryClient:
        """The client for registries."""
        from pycontainer.transports.registry import RegistryClient  # noqa: PLC0415

        def make(stack: ExitStack) -> RegistryClient:
            client = RegistryClient(self.registry_settings, emit=self.emit)
            stack.callback(client.close)
            return client

        return self.together.once(("registry", self.registry_settings), make).telling(self.emit)

    def registry_client(self, settings: RegistrySettings, emit: Emit) -> RegistryClient:
        """A client that is closed when the build ends."""
        from pycontainer.transports.registry import RegistryClient  # noqa: PLC0415

        client = RegistryClient(settings, emit=emit)
        self._stack.callback(client.close)
        return client

    @property
    def registry_settings(self) -> RegistrySettings:
        """How registries are spoken to, as far as the options say."""
        from pycontainer.config.registries import registry_settings  # noqa: PLC0415

        own = self.config.references if self.config.push else ()
        return registry_settings(self.config, own={reference.registry for reference in own})

    def use_indexes_of(self, lock: Lock) -> None:
        """Let what a lock says of its indexes count; before any index is asked."""
        self._stated_indexes = lock.indexes

    @cached_property
    def indexes(self) -> IndexSettings:
        """Where packages come from: the options, the front end's tool, the lock, the settings of uv, pip and Poetry."""
        from pycontainer.sources.indexes import Index, IndexSettings, load_index_settings  # noqa: PLC0415

        settings = load_index_settings(self.config.root, environment=os.environ, stated=self._stated_indexes)
        if self._tool_indexes is not None:
            settings = self._tool_indexes.over(settings)
        if self.config.index_url:
            stated = Index.parse(self.config.index_url, source="the options", tool="options")
            settings = IndexSettings(default=stated).over(settings)
        return replace(settings, insecure_hosts=settings.insecure_hosts | frozenset(self.config.allow_http))

    def default_index(self) -> str | None:
        """The URL of the index that is asked where a lock names none, as far as it is set up."""
        default = self.indexes.default
        return default.url if default else None

    @cached_property
    def uv(self) -> Uv | None:
        """The program uv, where it is installed."""
        from pycontainer.sources.uv import find_uv  # noqa: PLC0415

        return find_uv(os.environ, self.indexes)

    @cached_property
    def pythons(self) -> HostPythons:
        """The Pythons of this host that compile bytecode."""
        from pycontainer.sources.bytecode import HostPythons  # noqa: PLC0415

        return HostPythons(os.environ, ask_uv=lambda name: self.uv.find_python(name) if self.uv else None)

    @cached_property
    def credentials(self) -> IndexCredentials:
        """Who we are to indexes."""
        from pycontainer.sources.indexes import IndexCredentials  # noqa: PLC0415

        return IndexCredentials(self.indexes, environment=os.environ, emit=self.emit)

    @cached_property
    def lookup(self) -> IndexLookup:
        """Finds files whose address the lock does not tell."""
        from pycontainer.sources.indexes import IndexLookup  # noqa: PLC0415
        from pycontainer.transports.index_pages import IndexPages  # noqa: PLC0415

        return IndexLookup(
            self.indexes,
            IndexPages(self.http, authorize=self.credentials.headers),
            default=lambda: self.uv.default_index() if self.uv else None,
            allowed_hosts=frozenset(self.config.allow_http),
        )

    @cached_property
    def fetcher(self) -> ArtifactFetcher:
        """Brings locked files to this host."""
        from pycontainer.sources.fetch import ArtifactFetcher  # noqa: PLC0415

        # Threads that want it at the same time must have the same one: what one of them fetches, the others wait for.
        return self.together.once(
            ("fetcher", self),
            lambda _: ArtifactFetcher(
                self.downloads,
                self.http,
                self.lookup,
                headers=self.credentials.headers,
                parallel=self.jobs,
                locks=self.together.locks,
                emit=self.emit,
            ),
        )

    def fetch_inputs(self, recipes: Iterable[Recipe]) -> None:
        """Bring the files that layers are made of to this host; whoever makes one meanwhile waits for the same.

        Raises:
            PyContainerError: They cannot be had; one error names all of them.
        """
        from pycontainer.sources.fetch import gather  # noqa: PLC0415

        files = {file.sha256: file for recipe in recipes if isinstance(recipe, FileRecipe) for file in recipe.inputs}
        gather([file.fetch for file in files.values()], self.jobs, interrupt=self.stop_downloads)

    def stop_downloads(self) -> None:
        """Let downloads that are under way end soon."""
        if "fetcher" in self.__dict__:  # not made for this
            self.fetcher.stop()
        for stop in self._stoppers:
            stop()

    @cached_property
    def builder(self) -> WheelBuilder:
        """Builds wheels of sources."""
        from pycontainer.sources.builds.builder import WheelBuilder  # noqa: PLC0415

        # As above; and what it has built of a tree, it gives for other platforms, too.
        return self.together.once(
            ("builder", self),
            lambda _: WheelBuilder(
                self.home / "built",
                find_uv=lambda: self.uv,
                fetch=lambda artifact: self.fetcher.fetch(artifact),  # noqa: PLW0108 - made only when an sdist is built
                root=self.config.root,
                environment=os.environ,
                fingerprints=self.fingerprints,
                insecure_hosts=frozenset(self.config.allow_http),
                locks=self.together.locks,
                emit=self.emit,
            ),
        )

    @property
    def image_lock_path(self) -> Path:
        """Where `pycontainer.lock` is, or would be: in the project's directory."""
        return self.config.root / "pycontainer.lock"

    @cached_property
    def image_lock(self) -> ImageLock | None:
        """`pycontainer.lock`, where there is one."""
        if not self.image_lock_path.exists():
            return None
        from pycontainer.sources.debian.image_lock import read_image_lock  # noqa: PLC0415

        return read_image_lock(self.image_lock_path)

    def project(self) -> tuple[StandaloneProject, Pyproject]:
        """The project of the options: that of the context, or a member of its workspace."""
        config = self.config
        pyproject = find_project(config.root, config.package)
        lock = config.lock
        project = StandaloneProject(
            pyproject=pyproject,
            resolve=self._resolve,
            build=self._build,
            chooses=bool(config.extras or config.groups or config.all_extras or config.all_groups),
            lock_file=None if lock is None else config.path(lock).resolve(),
            locked=config.locked,
            memory=LockMemory(self.home / "locks"),
            emit=self.emit,
        )
        return project, pyproject

    def _resolve(self, pyproject: Pyproject, target: Target) -> Lock:
        from pycontainer.plan.dependencies import choice_of  # noqa: PLC0415
        from pycontainer.sources.resolve import resolve  # noqa: PLC0415

        return resolve(
            pyproject.root,
            target.python,
            choice_of(self.config, package=None),
            uv=self.uv,
            no_build=self.config.no_build,
            emit=self.emit,
        )

    def _build(self, pyproject: Pyproject, directory: Path, target: Target) -> Path:
        return self.builder.build_tree(pyproject.root, target, name=pyproject.metadata.name).copy_to(directory)

    @property
    def facts(self) -> Path:
        """Where what is known of base images is remembered."""
        return self.home / "facts"

    def stop_with(self, stop: Callable[[], object]) -> None:
        """Call this, too, when downloads are to end soon."""
        self._stoppers.append(stop)

    def close_later(self, service: AbstractContextManager[object]) -> None:
        """Close something when the build ends."""
        self._stack.enter_context(service)

    @property
    def http_settings(self) -> HttpSettings:
        """How every client speaks HTTP, as far as the options say."""
        from pycontainer.config.registries import http_settings  # noqa: PLC0415

        return http_settings(self.config)
