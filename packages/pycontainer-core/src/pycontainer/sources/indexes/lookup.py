"""Where a locked file is: indexes are asked by name, and believed by hash.

    lookup = IndexLookup(settings, pages, default=uv.default_index)
    packages = lookup.list_files(packages)          # those of `requirements.txt`, which names no files
    artifact = lookup.locate(artifact)              # one of `poetry.lock`, which has names and hashes but no addresses

A file counts only when it has the locked name and, where the page tells a hash of the same kind, the locked hash. So
any mirror will do, and none can slip in another file.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import msgspec

from pycontainer.errors import ConfigError, DeniedError, IntegrityError, LockError, NetworkError, PyContainerError
from pycontainer.sources.indexes.model import Index
from pycontainer.sources.locks import Artifact
from pycontainer.sources.locks.filenames import normalize, parse_wheel
from pycontainer.transports.http.urls import Origin, check_scheme, check_server_url
from pycontainer.transports.index_pages import local_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from packaging.version import Version

    from pycontainer.sources.indexes.model import IndexSettings
    from pycontainer.sources.locks import LockedPackage
    from pycontainer.transports.index_pages import IndexFile, IndexPages

_PARALLEL = 8
_SDIST_SUFFIXES = (".tar.gz", ".zip", ".tar.bz2", ".tar.xz", ".tgz")
_NO_INDEX_HINT = (
    "Set `UV_DEFAULT_INDEX` or `PIP_INDEX_URL`, add `[[tool.uv.index]]` to `pyproject.toml`, or install uv, "
    "whose own default index is then used"
)


class IndexLookup:
    """Finds files on the indexes of the settings.

    Args:
        settings: The indexes.
        pages: Reads their pages.
        default: Tells the default index where the settings name none; asked at most once.
        allowed_hosts: `host` or `host:port` that plain http may be spoken to, and that links may lead to.
    """

    def __init__(
        self,
        settings: IndexSettings,
        pages: IndexPages,
        *,
        default: Callable[[], str | None] = lambda: None,
        allowed_hosts: frozenset[str] = frozenset(),
    ) -> None:
        self._settings = settings
        self._pages = pages
        self._ask_default = default
        self._allowed_hosts = allowed_hosts | settings.insecure_hosts
        self._lock = threading.Lock()
        self._default: Index | None = settings.default
        self._asked = settings.default is not None

    def locate(self, artifact: Artifact) -> Artifact:
        """The artifact with its address; unchanged where it has one.

        Raises:
            LockError: No index has a file of this name.
            IntegrityError: One has, but with another hash than the locked one.
            NetworkError: An index failed and no other has the file.
            ConfigError: There is no index to ask.
        """
        if artifact.url is not None or artifact.path is not None:
            return artifact
        name, _ = split_filename(artifact.filename)
        search = _Search(artifact)
        for index, file in self._candidates(name, artifact.index, search.failures):
            if search.accepts(index, file):
                return self._at(artifact, file)
        raise search.error(self._asked_for(artifact.index))

    def list_files(self, packages: Sequence[LockedPackage]) -> tuple[LockedPackage, ...]:
        """The packages, those whose files are not listed completed with what the first index that knows them has.

        Raises:
            LockError: No index has the version of a package; NetworkError, ConfigError: as for `locate`.
        """
        with ThreadPoolExecutor(_PARALLEL) as pool:
            return tuple(pool.map(self._completed, packages))

    def _completed(self, package: LockedPackage) -> LockedPackage:
        if package.files_listed:
            return package
        failures: list[PyContainerError] = []
        found: dict[str, tuple[Version, IndexFile]] = {}
        answered: Index | None = None
        for index, file in self._candidates(package.name, package.index, failures):
            # Only the first index that has the version: a second one must not be able to offer a newer build of it.
            if answered is not None and index is not answered and index not in self._settings.find_links:
                break
            version = _wanted_version(file, package)
            if version is not None:
                found.setdefault(file.filename, (version, file))
                answered = index if index not in self._settings.find_links else answered
        if not found:
            if failures:
                raise failures[0]
            raise LockError(
                f"No index has a file of `{package.name}` {package.version}",
                facts=self._asked_for(package.index),
                hint=_NO_INDEX_HINT if not self._asked_for(package.index) else None,
            )
        # `==2.1` is met by `2.1+cpu` too, which counts as newer (PEP 440): one of them, not a mixture.
        newest = max(version for version, _ in found.values())
        blank = Artifact(filename="x")
        files = [self._at(blank, file) for version, file in found.values() if version == newest]
        completed = package.with_files(files)
        if not completed.wheels and completed.sdist is None:
            raise IntegrityError(
                f"No file of `{package.name}` {package.version} has a hash that the lock knows",
                facts=self._asked_for(package.index),
            )
        return completed

    def _candidates(
        self, name: str, stated: str | None, failures: list[PyContainerError]
    ) -> Iterator[tuple[Index, IndexFile]]:
        """Every file of a project, index by index; an index that fails is noted and passed over."""
        for place in self._settings.find_links:
            for file in self._tried(lambda place=place: self._pages.links(place.url), failures):  # type: ignore[misc]
                if split_filename(file.filename)[0] == name:
                    yield place, file
        for index in self._indexes(stated):
            for file in self._tried(lambda index=index: self._pages.project(index.url, name), failures):  # type: ignore[misc]
                yield index, file

    def _tried(
        self, read: Callable[[], Sequence[IndexFile] | None], failures: list[PyContainerError]
    ) -> Sequence[IndexFile]:
        try:
            return read() or ()
        except NetworkError as error:
            failures.append(error)
            return ()

    def _indexes(self, stated: str | None) -> Iterator[Index]:
        """The index that the lock names, then the others in their order."""
        first = Index.parse(stated, source="the lock file") if stated else None
        if first is not None:
            yield first
        if self._settings.no_index:
            return
        for index in self._settings.extra:
            if not index.explicit and (first is None or index.url.rstrip("/") != first.url.rstrip("/")):
                yield index
        default = self._default_index()
        if default is not None and (first is None or default.url.rstrip("/") != first.url.rstrip("/")):
            yield default

    def _default_index(self) -> Index | None:
        with self._lock:
            if not self._asked:
                url = self._ask_default()
                self._default = Index.parse(url, source="uv's default") if url else None
                self._asked = True
            return self._default

    def _asked_for(self, stated: str | None) -> list[str]:
        """The places that were asked, for an error's facts."""
        places = [*self._settings.find_links, *self._indexes(stated)]
        return [f"asked: {place}, from {place.source}" for place in places]

    def _at(self, artifact: Artifact, file: IndexFile) -> Artifact:
        if file.url is not None:
            self._check_link(file)
        return msgspec.structs.replace(
            artifact,
            filename=file.filename,
            url=file.url,
            path=file.path,
            size=artifact.size if artifact.size is not None else file.size,
            hashes={**file.hashes, **artifact.hashes},
        )

    def _check_link(self, file: IndexFile) -> None:
        """A page may not send us to places that its own host could not reach by itself, nor down to plain http."""
        assert file.url is not None  # noqa: S101 - the caller looked
        sender = Origin.of(file.page) if local_path(file.page) is None else None
        if sender is None or sender.is_private:
            check_scheme(file.url, self._allowed_hosts)
        else:
            check_server_url(file.url, sender=sender, allowed_hosts=self._allowed_hosts, what="link")


class _Search:
    """One file that is looked for, and what was found instead of it."""

    def __init__(self, artifact: Artifact) -> None:
        self.artifact = artifact
        self.failures: list[PyContainerError] = []
        self._others: list[str] = []

    def accepts(self, index: Index, file: IndexFile) -> bool:
        """Whether this is the file; one of the same name with another hash is remembered."""
        if file.filename != self.artifact.filename:
            return False
        different = _difference(self.artifact.hashes, file.hashes)
        if different:
            self._others.append(f"{index} has it with {different}")
        return not different

    def error(self, asked: list[str]) -> PyContainerError:
        """What to say when no index has it."""
        filename = self.artifact.filename
        if self._others:
            locked = ", ".join(f"{algorithm}:{value}" for algorithm, value in sorted(self.artifact.hashes.items()))
            return IntegrityError(
                f"`{filename}` is not on any index with its locked hash", facts=[f"locked: {locked}", *self._others]
            )
        if self.failures:
            return next((error for error in self.failures if isinstance(error, DeniedError)), self.failures[0])
        if not asked:
            return ConfigError("No Python index is configured", facts=[f"wanted: `{filename}`"], hint=_NO_INDEX_HINT)
        return LockError(f"No index has `{filename}`", facts=asked)


def _difference(locked: Mapping[str, str], listed: Mapping[str, str]) -> str | None:
    """The first hash that the page lists and the lock has otherwise."""
    for algorithm, value in listed.items():
        if algorithm in locked and locked[algorithm].lower() != value:
            return f"{algorithm}:{value}"
    return None


def split_filename(filename: str) -> tuple[str, str]:
    """The normalised project and the version that a wheel's or an sdist's name tells; empty where it tells none."""
    if filename.endswith(".whl"):
        wheel = parse_wheel(filename)
        return (wheel.name, wheel.version) if wheel else ("", "")
    suffix = next((suffix for suffix in _SDIST_SUFFIXES if filename.endswith(suffix)), None)
    if suffix is None:
        return "", ""
    name, _, version = filename[: -len(suffix)].rpartition("-")
    return normalize(name), version


def _wanted_version(file: IndexFile, package: LockedPackage) -> Version | None:
    """The version of the file where it is the package's, with or without a local part."""
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 - only for locks that list no files

    name, text = split_filename(file.filename)
    try:
        version, wanted = Version(text.replace("_", "-")), Version(package.version or "")
    except InvalidVersion:
        return None
    same = version == wanted or (wanted.local is None and version.public == wanted.public)
    return version if same and name == package.name else None
