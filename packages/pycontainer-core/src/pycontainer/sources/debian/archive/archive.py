"""An archive of packages, or several: its index, verified, and its packages, by hash.

    archive = Archive(sources, http=http, store=store, folder=cache / "apt", keyrings=keyrings, emit=emit)
    index = archive.index("amd64")
    archive.releases                              # what a lock remembers
    path = archive.fetch(package)                 # needs neither index nor signature: the sha256 is the trust

Everything may come over plain http: a release is signed, the indexes are hashed in the release and the packages in the
indexes, so that a connection nobody can read adds nothing to them. Hence the client is one of its own, made with
`archive_settings`, which lets http go to the archives and nowhere else.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timezone
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from pycontainer.blobs.lock import KeyedLocks
from pycontainer.errors import NetworkError, PackageError, PyContainerError
from pycontainer.events import Warned, ignore
from pycontainer.sources.debian.archive.credentials import Credentials
from pycontainer.sources.debian.archive.debs import Places, deb_descriptor
from pycontainer.sources.debian.archive.downloads import Downloads, is_absent
from pycontainer.sources.debian.archive.in_release import Releases
from pycontainer.sources.debian.archive.indexes import Indexes
from pycontainer.sources.debian.index import PackageIndex
from pycontainer.sources.fetch import gather
from pycontainer.transports.http.urls import Origin
from pycontainer.value import replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from pycontainer.blobs.store import BlobStore
    from pycontainer.events import Emit
    from pycontainer.sources.debian.archive.apt_sources import AptSource
    from pycontainer.sources.debian.archive.indexes import IndexFile
    from pycontainer.sources.debian.archive.keyrings import Keyrings
    from pycontainer.sources.debian.archive.release import Release
    from pycontainer.sources.debian.archive.verifier import Verifier
    from pycontainer.sources.debian.package import BinaryPackage
    from pycontainer.transports.http import HttpClient, HttpSettings

_SCHEMES: Final = ("http", "https")
_PARALLEL: Final = 8


class Archive:
    """The packages of some apt sources; safe to share between threads.

    Args:
        sources: Where they are.
        http: Sends the requests; see `archive_settings`.
        store: Keeps indexes and packages, by sha256.
        folder: Keeps the releases that were verified.
        keyrings: Tells whose signature counts.
        credentials: Who may read the archives; those in the addresses of the sources where none are given.
        verifier: Checks signatures; gpgv or pysequoia where none is given.
        dates: What releases may not be older than, by `Release.identity`; and, where no index was read, the times to
            ask the snapshot service for: those of a lock.
        snapshots: Addresses of snapshot services besides those that the sources name, with `{time}` in them.
        parallel: How many downloads run at once.
        clock: Tells the time.
        emit: Hears of downloads and of archives that do not answer.
    """

    def __init__(
        self,
        sources: Sequence[AptSource],
        *,
        http: HttpClient,
        store: BlobStore,
        folder: Path,
        keyrings: Keyrings,
        credentials: Credentials | None = None,
        verifier: Verifier | None = None,
        dates: Mapping[str, datetime] | None = None,
        snapshots: Sequence[str] = (),
        parallel: int = _PARALLEL,
        clock: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
        emit: Emit = ignore,
    ) -> None:
        self._sources = tuple(source for source in sources if urlsplit(source.uri).scheme in _SCHEMES)
        self._passed_over = tuple(source for source in sources if source not in self._sources)
        self._parallel = parallel
        self._clock = clock
        self._emit = emit
        self._dates = dict(dates or {})
        headers = (credentials or Credentials.of(self._sources)).headers
        self._all = Releases(
            http,
            folder,
            keyrings=keyrings,
            verifier=verifier,
            headers=headers,
            dates=self._dates,
            clock=clock,
            emit=emit,
        )
        self._downloads = Downloads(http, store, headers=headers, emit=emit)
        self._indexes = Indexes(self._downloads, folder)
        self._places = Places(self._sources, snapshots=snapshots)
        self._releases: dict[tuple[str, str], Release] = {}
        # Architectures do not wait for each other; who wants the same one, does.
        self._locks = KeyedLocks()
        self._known: dict[str, tuple[PackageIndex, tuple[str, ...]]] = {}
        self._origins: dict[str, str] = {}

    @property
    def releases(self) -> tuple[Release, ...]:
        """The releases that `index` used, in the order of the sources."""
        known = dict(self._releases)
        keys = dict.fromkeys((source.uri, source.suite) for source in self._sources)
        return tuple(known[key] for key in keys if key in known)

    def index(self, architecture: str) -> PackageIndex:
        """The packages for an architecture, verified; of two equal ones that of the first source counts.

        Raises:
            PackageError: There is no archive, suite, component or architecture like this, or its release is refused.
            IntegrityError: A signature or a hash is wrong.
            NetworkError: An archive does not answer, and nothing usable is remembered of it.
            DocumentError: Something in it is malformed.
            ToolError: Nothing on this host can check signatures.
        """
        with self._locks.of(architecture):
            if architecture not in self._known:
                files = self._index_files(architecture)
                index = PackageIndex.of(files, sources=[file.title for file in files.values()])
                self._known[architecture] = (index, tuple(file.uri for file in files.values()))
            return self._known[architecture][0]

    def settle(self, packages: Iterable[BinaryPackage]) -> None:
        """Remember which archive has these packages, and let go of the indexes, which take some 90 MB of memory."""
        for package in packages:
            if (uri := self._uri(package)) is not None:
                self._origins[package.sha256] = uri
        self._known.clear()

    def _index_files(self, architecture: str) -> dict[Path, IndexFile]:
        sources = self._sources_for(architecture)
        tasks = [partial(self._index_of, source, architecture) for source in sources]
        found = gather(tasks, self._parallel, interrupt=self.stop)
        files: dict[Path, IndexFile] = {}
        for source, outcome in zip(sources, found, strict=True):
            if isinstance(outcome, PyContainerError):
                raise outcome
            release, listed = outcome
            if release is not None:
                self._releases[source.uri, source.suite] = release
            for file in listed:
                files.setdefault(file.path, file)  # mirrors of the same archive have the same files
        return files

    def fetch(self, package: BinaryPackage) -> Path:
        """The file of a package, its bytes checked just now.

        Raises:
            PackageError: No archive has it any more, or the index does not say where it is.
            IntegrityError: What the archives have is another file.
            NetworkError: They do not answer.
        """
        descriptor = deb_descriptor(package)
        title = package.filename.rpartition("/")[2]
        try:
            path, url = self._downloads.fetch(
                descriptor, title=title, urls=self._places.of(package, self._uri(package))
            )
        except NetworkError as error:
            past = list(self._places.of_past(package, self._known_dates(), now=self._clock()))
            if not past:
                raise _left(package, error) if is_absent(error) else error from None
            try:
                return self._downloads.fetch(descriptor, title=title, urls=past)[0]
            except NetworkError as other:
                raise _left(package, other) if is_absent(error) and is_absent(other) else error from other
        self._places.learn(package, url)
        return path

    def fetch_all(self, packages: Sequence[BinaryPackage]) -> tuple[Path, ...]:
        """The files of many packages, in their order.

        Raises:
            PyContainerError: As for `fetch`; where several fail, one error that names all of them.
        """
        tasks = [partial(self.fetch, package) for package in packages]
        return tuple(gather(tasks, self._parallel, interrupt=self.stop))

    def stop(self) -> None:
        """Let downloads end soon, with an error: nobody wants them any more."""
        self._downloads.stop()

    def _uri(self, package: BinaryPackage) -> str | None:
        """The archive whose index has a package; none where no index was read, as in a build from a lock."""
        for index, uris in tuple(self._known.values()):
            with suppress(KeyError):
                return uris[index.origin(package)]
        return self._origins.get(package.sha256)

    def _sources_for(self, architecture: str) -> tuple[AptSource, ...]:
        for source in self._passed_over:
            self._emit(Warned(message=f"The apt source `{source}` is passed over: only http and https can be read"))
        found = [item for item in self._sources if not item.architectures or architecture in item.architectures]
        if not found:
            raise PackageError(
                f"No archive of packages for `{architecture}` is known",
                facts=[f"apt source: {source}, of {source.file or 'the options'}" for source in self._sources],
                hint="Set {os_archive} to the address of one, or build from a lock",
            )
        return tuple(found)

    def _index_of(
        self, source: AptSource, architecture: str
    ) -> tuple[Release | None, list[IndexFile]] | PyContainerError:
        """A release and its indexes, or what is wrong with them: of many archives one error says enough."""
        try:
            release = self._all.of(source)
            return release, self._indexes.of(release, source, architecture)
        except PackageError as error:
            if source.guessed and is_absent(error.__cause__ or error):
                return None, []
            return error
        except PyContainerError as error:
            return error

    def _known_dates(self) -> list[datetime]:
        return sorted({*self._dates.values(), *(release.date for release in self._releases.values())})


def archive_settings(
    settings: HttpSettings, sources: Iterable[AptSource], *, snapshots: Iterable[str] = ()
) -> HttpSettings:
    """The settings of a client for these archives: as others, but plain http may go to their hosts.

    Signatures and hashes protect what an archive gives, and http is what Debian's own sources say.
    """
    uris = [uri for source in sources for uri in (source.uri, *source.mirrors, source.snapshot or "")]
    hosts = {Origin.of(uri).authority for uri in (*uris, *snapshots) if uri.startswith("http://")}
    return replace(settings, allowed_hosts=settings.allowed_hosts | hosts)


def _left(package: BinaryPackage, error: NetworkError) -> PackageError:
    return PackageError(
        f"No archive has `{package}` any more",
        facts=error.facts,
        hint="Lock again, or set {os_snapshot} to a snapshot service, which keeps what has left the archive",
    )
