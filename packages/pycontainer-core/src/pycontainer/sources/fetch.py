"""Downloads what a lock pins: every byte hashed while it arrives, and published only when the hash is the locked one.

    fetcher = ArtifactFetcher(BlobStore(cache), http, lookup, headers=credentials.headers, emit=emit)
    path = fetcher.fetch(artifact)              # in the store, by sha256
    paths = fetcher.fetch_all(artifacts)        # in parallel; one error names all that failed

Files that were fetched before are hashed again and used again; a damaged one is fetched anew. Two threads that want
the same file share one download.
"""

from __future__ import annotations

import hashlib
import threading
from concurrent.futures import Future, ThreadPoolExecutor, as_completed, wait
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, TypeVar

from pycontainer.blobs.lock import KeyedLocks
from pycontainer.errors import (
    DeniedError,
    IntegrityError,
    LockError,
    NetworkError,
    PackageError,
    PyContainerError,
    StoreError,
)
from pycontainer.events import TaskAdvanced, TaskFinished, TaskStarted, Verb, ignore
from pycontainer.oci import Descriptor, Digest
from pycontainer.transports.secrets import redact_url
from pycontainer.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from pycontainer.blobs.store import BlobStore
    from pycontainer.events import Emit
    from pycontainer.sources.indexes import IndexLookup
    from pycontainer.sources.locks import Artifact
    from pycontainer.transports.http import HttpClient, Response

_SLICE = 1 << 20
_STRONG = ("sha256", "sha512", "sha384", "blake2b")
_UNAUTHORIZED, _FORBIDDEN = 401, 403
# Of a file whose size nobody told; the largest on any public index have some 4 GB.
_MAX_SIZE = 32 << 30
_T = TypeVar("_T")


class Fetched(Value, frozen=True, kw_only=True):
    """A file in the store.

    Attributes:
        path: Named by the digest, not by the file's own name.
        sha256: Of its bytes, hexadecimal; where the lock has no hash, it is the one that was seen.
        size: In bytes.
    """

    path: Path
    sha256: str
    size: int


class ArtifactFetcher:
    """Brings files to this host; safe to share between threads.

    Args:
        store: Where they are kept.
        http: Sends the requests.
        lookup: Finds files whose address the lock does not tell.
        headers: Gives the `Authorization` for a URL.
        parallel: How many downloads run at once.
        locks: Shared with other fetchers of the same store, so that what one downloads the others wait for.
        emit: Hears of every download.
    """

    def __init__(
        self,
        store: BlobStore,
        http: HttpClient,
        lookup: IndexLookup,
        *,
        headers: Callable[[str], Mapping[str, str]] = lambda url: {},  # noqa: ARG005
        parallel: int = 8,
        locks: KeyedLocks | None = None,
        emit: Emit = ignore,
    ) -> None:
        self.store = store
        self._http = http
        self._lookup = lookup
        self._headers = headers
        self._parallel = parallel
        self._emit = emit
        self._locks = locks or KeyedLocks()
        self._lock = threading.Lock()
        self._running: dict[tuple[object, ...], Future[Fetched]] = {}
        self._stopped = threading.Event()

    def fetch(self, artifact: Artifact) -> Path:
        """The path of the file, its bytes checked just now.

        Raises:
            IntegrityError: Its size or hash is not the locked one.
            NetworkError: It cannot be downloaded; DeniedError where credentials are missing or wrong.
            LockError: No index has it, or it is not where the lock says on this host.
            StoreError: It cannot be stored.
        """
        return self.fetched(artifact).path

    def fetched(self, artifact: Artifact) -> Fetched:
        """As `fetch`, with the digest and the size."""
        key = (artifact.filename, artifact.url, artifact.path, tuple(sorted(artifact.hashes.items())))
        with self._lock:
            future = self._running.get(key)
            mine = future is None
            if future is None:
                future = self._running[key] = Future()
        if not mine:
            return future.result()
        try:
            with self._locks.of("file", *artifact.hashes.values(), artifact.filename):
                future.set_result(self._fetched(artifact))
        except BaseException as error:
            with self._lock:
                del self._running[key]
            future.set_exception(error)
            raise
        return future.result()

    def fetch_all(self, artifacts: Sequence[Artifact]) -> tuple[Path, ...]:
        """The paths of many files, in their order.

        Raises:
            PyContainerError: As for `fetch`; when several fail, one error that names all of them.
        """
        tasks = [partial(self.fetch, artifact) for artifact in artifacts]
        return tuple(gather(tasks, self._parallel, interrupt=self.stop))

    def stop(self) -> None:
        """Let downloads end soon, with an error: nobody wants them any more."""
        self._stopped.set()

    def _fetched(self, artifact: Artifact) -> Fetched:
        known = self._stored(artifact)
        if known is not None:
            self._emit(TaskFinished(verb=Verb.DOWNLOAD, name=artifact.filename, size=known.size, reused=True))
            return known
        artifact = self._lookup.locate(artifact)
        total = artifact.size
        self._emit(TaskStarted(verb=Verb.DOWNLOAD, name=artifact.filename, total=total))
        found = self._from_disk(artifact) if artifact.path is not None else self._download(artifact)
        self._emit(TaskFinished(verb=Verb.DOWNLOAD, name=artifact.filename, size=found.size))
        return found

    def _stored(self, artifact: Artifact) -> Fetched | None:
        """What is in the store already, hashed again: a bit may have fallen over since."""
        locked = artifact.hashes.get("sha256")
        if locked is None:
            return None
        digest = Digest("sha256", locked.lower())
        size = self.store.size(digest)
        if size is None or artifact.size not in {None, size}:
            return None
        descriptor = Descriptor(media_type="application/octet-stream", digest=digest, size=size)
        if not self.store.blob(descriptor).use():
            return None
        return Fetched(path=self.store.path(digest), sha256=digest.hex, size=size)

    def _from_disk(self, artifact: Artifact) -> Fetched:
        assert artifact.path is not None  # noqa: S101 - the caller looked
        try:
            with artifact.path.open("rb") as stream:
                return self._take(artifact, stream, str(artifact.path))
        except OSError as error:
            raise LockError(
                f"`{artifact.filename}` is not where the lock says",
                facts=[f"{artifact.path}: {error.strerror or error}"],
            ) from error

    def _download(self, artifact: Artifact) -> Fetched:
        assert artifact.url is not None  # noqa: S101 - `locate` gave it one
        url = artifact.url.partition("#")[0]
        headers = self._headers(url)

        def open_at(offset: int) -> Response:
            ranged = {"Range": f"bytes={offset}-"} if offset else {}
            response = self._http.request("GET", url, headers={**headers, **ranged})
            if response.status in {_UNAUTHORIZED, _FORBIDDEN}:
                raise _denied(artifact, response)
            return response

        from pycontainer.transports.http.resume import ResumingReader  # noqa: PLC0415 - most builds fetch nothing

        with ResumingReader(open_at, self._http.settings.retries) as reader:
            return self._take(artifact, reader.stream, redact_url(url))

    def _take(self, artifact: Artifact, stream: BinaryIO, where: str) -> Fetched:
        """Copy a stream into the store and check it on the way; nothing is published that is not what is locked."""
        if artifact.hashes and not artifact.hashes.keys() & set(_STRONG):
            raise _mismatch(artifact, where, ["the lock has no strong hash of it"])
        limit = artifact.size if artifact.size is not None else _MAX_SIZE
        # The writer hashes with sha256 in any case.
        others = [name for name in artifact.hashes if name in _STRONG and name != "sha256"]
        hashes = {name: hashlib.new(name, usedforsecurity=False) for name in others}
        with self.store.writer() as writer:
            while data := stream.read(_SLICE):
                if self._stopped.is_set():
                    raise NetworkError(f"The download of `{artifact.filename}` was interrupted")
                writer.write(data)
                for each in hashes.values():
                    each.update(data)
                if writer.size > limit:
                    raise _mismatch(artifact, where, [f"it has more than the {limit} bytes that are locked"])
                self._emit(TaskAdvanced(verb=Verb.DOWNLOAD, name=artifact.filename, count=len(data)))
            if artifact.size not in {None, writer.size}:
                raise _mismatch(artifact, where, [f"it has {writer.size} bytes, {artifact.size} in the lock"])
            found = {"sha256": writer.digest.hex, **{name: each.hexdigest() for name, each in hashes.items()}}
            for name, digest in found.items():
                locked = artifact.hashes.get(name, digest)
                if digest != locked.lower():
                    facts = [f"locked: {name}:{locked}", f"found: {name}:{digest}"]
                    raise _mismatch(artifact, where, facts)
            size = writer.size
            stored = writer.commit()
        return Fetched(path=self.store.path(stored), sha256=stored.hex, size=size)


def gather(
    tasks: Sequence[Callable[[], _T]], parallel: int, *, interrupt: Callable[[], object] = lambda: None
) -> list[_T]:
    """The results of tasks that run at once, in their order.

    Args:
        tasks: What to run.
        parallel: How many at once.
        interrupt: Called on Ctrl-C, for the tasks that run to end soon; what has not begun never will.

    Raises:
        PyContainerError: The error of the one task that failed, or one error about all that did. Where nothing but the
            network fails, as many as run at once are enough: a server that is away would be asked for each in turn.
    """
    workers = max(1, min(parallel, len(tasks)))
    with ThreadPoolExecutor(max_workers=workers) as pool:
        futures = [pool.submit(task) for task in tasks]
        try:
            _wait(futures, enough=workers)
        except BaseException:
            interrupt()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    begun = [future for future in futures if not future.cancelled()]
    failures = [error for future in begun if (error := future.exception()) is not None]
    if failures:
        raise _joined(failures, untried=len(futures) - len(begun))
    return [future.result() for future in futures]


def _wait(futures: Sequence[Future[_T]], *, enough: int) -> None:
    """Until all have ended, or those that were begun where the first ones, `enough` of them, had no answer."""
    for count, future in enumerate(as_completed(futures), 1):
        if not isinstance(future.exception(), NetworkError):
            break
        if count == enough:
            for each in futures:
                each.cancel()
            break
    wait(futures)


def _joined(failures: Sequence[BaseException], *, untried: int) -> BaseException:
    ours = [error for error in failures if isinstance(error, PyContainerError)]
    if len(failures) == 1 or len(ours) < len(failures):
        return next((error for error in failures if not isinstance(error, PyContainerError)), failures[0])
    kinds = (StoreError, IntegrityError, DeniedError, NetworkError, LockError, PackageError)
    kind = next((kind for kind in kinds if any(isinstance(error, kind) for error in ours)), PyContainerError)
    hints = list(dict.fromkeys(error.hint for error in ours if error.hint))
    facts = [*_facts(ours), *([f"{untried} more were not asked for"] if untried else [])]
    return kind(f"{len(ours)} files could not be fetched", facts=facts, hint="; ".join(hints[:3]) or None)


def _facts(errors: Sequence[PyContainerError]) -> Iterator[str]:
    for error in errors:
        yield error.message
        yield from (f"  {fact}" for fact in error.facts)


def _denied(artifact: Artifact, response: Response) -> DeniedError:
    from pycontainer.transports.http.failures import status_fact  # noqa: PLC0415 - only where it fails

    fact, _ = status_fact(response)
    return DeniedError(
        f"The download of `{artifact.filename}` was denied",
        facts=[fact],
        hint="Give the credentials of its index as `UV_INDEX_<NAME>_USERNAME` and `UV_INDEX_<NAME>_PASSWORD`, by "
        "`poetry config http-basic.<name>`, or in "
        "`.netrc`",
    )


def _mismatch(artifact: Artifact, where: str, facts: Sequence[str]) -> IntegrityError:
    return IntegrityError(f"`{artifact.filename}` is not the file that is locked", facts=[*facts, f"from: {where}"])
