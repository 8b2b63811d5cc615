"""A file of an archive, wherever it is: one address after the other, by hash and size into the store.

path = downloads.fetch(descriptor, title="libpq5_15.14-0+deb12u1_amd64.deb", urls=[first, second])
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, BinaryIO, Final

from pycontainer.blobs.cached import CachedBlob
from pycontainer.blobs.lock import KeyedLocks
from pycontainer.errors import HTTPStatusError, IntegrityError, NetworkError
from pycontainer.events import TaskAdvanced, TaskFinished, Verb
from pycontainer.sources.debian.archive.answers import refuse_denied
from pycontainer.transports.http.resume import ResumingReader
from pycontainer.transports.secrets import redact_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from pycontainer.blobs.store import BlobStore
    from pycontainer.events import Emit, Event
    from pycontainer.oci import Descriptor
    from pycontainer.transports.http import HttpClient, Response

_NOT_FOUND: Final = 404


class Downloads:
    """Brings files by their digest; safe to share between threads.

    Args:
        http: Sends the requests.
        store: Where the files are kept.
        headers: Gives the `Authorization` for an address.
        emit: Hears of every download.
    """

    def __init__(
        self, http: HttpClient, store: BlobStore, *, headers: Callable[[str], Mapping[str, str]], emit: Emit
    ) -> None:
        self.store = store
        self._http = http
        self._headers = headers
        self._emit = emit
        self._stopped = threading.Event()
        # Packages for all architectures are wanted by the builds of each.
        self._locks = KeyedLocks()

    def stop(self) -> None:
        """Let downloads end soon, with an error: nobody wants them any more."""
        self._stopped.set()

    def fetch(self, descriptor: Descriptor, *, title: str, urls: Iterable[str]) -> tuple[Path, str | None]:
        """The path of the file, its bytes checked just now, and the address it came from; none where it was there.

        Raises:
            IntegrityError: What every address has is another file.
            NetworkError: No address has it; HTTPStatusError with the status 404 where all of them say so.
        """
        with self._locks.of(str(descriptor.digest)):
            return self._fetch(descriptor, title, urls)

    def _fetch(self, descriptor: Descriptor, title: str, urls: Iterable[str]) -> tuple[Path, str | None]:
        stored = self.store.blob(descriptor)
        if stored.use():
            self._emit(TaskFinished(verb=Verb.DOWNLOAD, name=title, size=descriptor.size, reused=True))
            return self.store.path(descriptor.digest), None
        failures: list[NetworkError | IntegrityError] = []
        for url in urls:
            remote = _RemoteFile(descriptor, url, self._open)
            try:
                CachedBlob(remote, self.store, emit=self._hears(title), title=title).fetch()
            except (NetworkError, IntegrityError) as error:
                if self._stopped.is_set():
                    raise
                failures.append(_named(error, title, url))
                continue
            return self.store.path(descriptor.digest), url
        raise _worst(failures, title)

    def _hears(self, title: str) -> Emit:
        def emit(event: Event) -> None:
            if isinstance(event, TaskAdvanced) and self._stopped.is_set():
                raise NetworkError(f"The download of `{title}` was interrupted")
            self._emit(event)

        return emit

    def _open(self, url: str) -> BinaryIO:
        headers = self._headers(url)

        def open_at(offset: int) -> Response:
            ranged = {"Range": f"bytes={offset}-"} if offset else {}
            response = self._http.request("GET", url, headers={**headers, **ranged})
            refuse_denied(response)
            return response

        reader = ResumingReader(open_at, self._http.settings.retries)
        reader.begin()
        return reader.stream


class _RemoteFile:
    """A blob at an address."""

    def __init__(self, descriptor: Descriptor, url: str, opener: Callable[[str], BinaryIO]) -> None:
        self.descriptor = descriptor
        self._url = url
        self._opener = opener

    def open(self) -> BinaryIO:
        """Ask for it."""
        return self._opener(self._url)


def _named(error: NetworkError | IntegrityError, title: str, url: str) -> NetworkError | IntegrityError:
    """The error, saying which file it is about."""
    if isinstance(error, IntegrityError):
        facts = [error.message, *error.facts, f"from: {redact_url(url)}"]
        return IntegrityError(
            f"`{title}` is not the file that its archive or the lock names",
            facts=facts,
            hint="Try again in some minutes, since it may be updated just now; else set {os_archive} to another mirror",
        )
    return error


def _worst(failures: list[NetworkError | IntegrityError], title: str) -> NetworkError | IntegrityError:
    """One error for all addresses: the first that says more than that the file is not there."""
    if not failures:
        return NetworkError(f"No archive is known that could have `{title}`")
    chosen = next((error for error in failures if not is_absent(error)), failures[0])
    if not is_absent(chosen):
        return chosen
    facts = [fact for error in failures for fact in error.facts]
    return HTTPStatusError(f"No archive has `{title}`", status=_NOT_FOUND, facts=facts)


def is_absent(error: BaseException) -> bool:
    """Whether a server says that it has no such file."""
    return isinstance(error, HTTPStatusError) and error.status == _NOT_FOUND
