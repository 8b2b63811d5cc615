"""The newest release of a suite: asked for, checked, and remembered.

    releases = Releases(http, folder, keyrings=keyrings, verifier=verifier)
    release = releases.of(source)

An archive is asked each time whether there is a newer one, in a request that costs nothing where it knows `ETag` or
`Last-Modified`. One that does not answer is no reason to stop: what was verified before and has not expired is used.
"""

from __future__ import annotations

import hashlib
import threading
from concurrent.futures import Future
from contextlib import suppress
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Final

import msgspec

from pycontainer.blobs.records import load_record, save_record
from pycontainer.errors import DeniedError, HTTPStatusError, IntegrityError, NetworkError, PackageError
from pycontainer.events import Warned, ignore
from pycontainer.sources.debian.archive.answers import refuse_denied
from pycontainer.sources.debian.archive.downloads import is_absent
from pycontainer.sources.debian.archive.keyrings import fingerprints
from pycontainer.sources.debian.archive.release import Release
from pycontainer.sources.debian.archive.signatures import find_verifier, open_signed
from pycontainer.transports.http.failures import status_error
from pycontainer.transports.secrets import redact_url

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pycontainer.events import Emit
    from pycontainer.sources.debian.archive.apt_sources import AptSource
    from pycontainer.sources.debian.archive.keyrings import Keyrings
    from pycontainer.sources.debian.archive.verifier import Verifier
    from pycontainer.transports.http import HttpClient

# Debian's largest has 0.2 MB.
_MAX_SIZE: Final = 16 << 20
_OK, _NOT_MODIFIED, _FIRST_SERVER_ERROR = 200, 304, 500


class _Remembered(msgspec.Struct, frozen=True, kw_only=True):
    """An `InRelease` whose signature was good, and what the archive said of it."""

    content: bytes
    date: datetime
    etag: str = ""
    modified: str = ""


# Made once, by the thread that imports: msgspec looks at a type when it first decodes it, and two at once crash.
_DECODER: Final = msgspec.json.Decoder(_Remembered)


class Releases:
    """The releases of suites; safe to share between threads.

    Args:
        http: Sends the requests.
        folder: Keeps what was verified.
        keyrings: Tells whose signature counts.
        verifier: Checks signatures; found when it is needed first where none is given.
        headers: Gives the `Authorization` for an address.
        dates: Releases may not be older than this, by `Release.identity`: those of a lock.
        clock: Tells the time.
        emit: Hears of an archive that does not answer.
    """

    def __init__(
        self,
        http: HttpClient,
        folder: Path,
        *,
        keyrings: Keyrings,
        verifier: Verifier | None = None,
        headers: Callable[[str], Mapping[str, str]] = lambda url: {},  # noqa: ARG005
        dates: Mapping[str, datetime] | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
        emit: Emit = ignore,
    ) -> None:
        self._http = http
        self._folder = folder
        self._keyrings = keyrings
        self._verifier = verifier
        self._headers = headers
        self._dates = dict(dates or {})
        self._clock = clock
        self._emit = emit
        self._lock = threading.Lock()
        self._known: dict[tuple[object, ...], Future[Release]] = {}

    def of(self, source: AptSource) -> Release:
        """The newest release of a source's suite; asked for once, however often it is wanted.

        Raises:
            PackageError: There is no such suite, its release is expired, of tomorrow, of another suite or older than
                one that was seen; or there are no keys to check it with.
            IntegrityError: It is not signed by a key that counts.
            DocumentError: It is malformed.
            NetworkError: The archive does not answer and nothing usable is remembered.
            ToolError: Nothing on this host can check signatures.
        """
        key = (source.uri, source.suite, source.signed_by)
        with self._lock:
            future = self._known.get(key)
            mine = future is None
            if future is None:
                future = self._known[key] = Future()
        if mine:
            try:
                future.set_result(self._find(source))
            except BaseException as error:  # noqa: BLE001 - those who wait for it get it, too
                with self._lock:
                    del self._known[key]
                future.set_exception(error)
        return future.result()

    def _find(self, source: AptSource) -> Release:
        failures: list[NetworkError | IntegrityError | PackageError] = []
        for uri in (source.uri, *source.mirrors):
            try:
                return self._ask(source, uri)
            except (NetworkError, IntegrityError, PackageError) as error:  # noqa: PERF203 - a mirror is tried for it
                failures.append(error)
        first = failures[0]
        if _is_out_of_reach(first):
            for uri in (source.uri, *source.mirrors):
                remembered = self._load(uri, source.suite)
                if remembered is not None:
                    return self._offline(source, uri, remembered, first)
        if is_absent(first):
            raise _no_suite(source, first) from first
        raise first

    def _ask(self, source: AptSource, uri: str) -> Release:
        url = release_url(uri, source)
        remembered = self._load(uri, source.suite)
        # A cache on the way that gives yesterday's release would look like somebody who holds back updates.
        headers = {"Cache-Control": "max-age=0", **self._headers(url)}
        if remembered is not None and remembered.etag:
            headers["If-None-Match"] = remembered.etag
        if remembered is not None and remembered.modified:
            headers["If-Modified-Since"] = remembered.modified
        with self._http.request("GET", url, headers=headers) as response:
            if response.status == _NOT_MODIFIED and remembered is not None:
                return self._open(source, uri, remembered.content, remembered)
            refuse_denied(response)
            if response.status != _OK:
                raise status_error(response)
            etag, modified = response.headers.get("etag", ""), response.headers.get("last-modified", "")
            content = response.content(limit=_MAX_SIZE)
        release = self._open(source, uri, content, remembered)
        new = _Remembered(content=content, date=release.date, etag=etag, modified=modified)
        if new != remembered:
            save_record(self._path(uri, source.suite), msgspec.json.encode(new))
        return release

    def _offline(
        self, source: AptSource, uri: str, remembered: _Remembered, error: NetworkError | IntegrityError | PackageError
    ) -> Release:
        release = self._open(source, uri, remembered.content, remembered)
        self._emit(
            Warned(
                message=f"The archive of `{source.suite}` does not answer; its release of "
                f"{release.date:%Y-%m-%d %H:%M} UTC is used, which was verified before",
                facts=(error.message, *error.facts),
            )
        )
        return release

    def _open(self, source: AptSource, uri: str, content: bytes, remembered: _Remembered | None) -> Release:
        """The release of an `InRelease`, everything checked."""
        now = self._clock()
        with self._lock:
            verifier = self._verifier = self._verifier or find_verifier(self._http.settings.environment or None)
        text = open_signed(
            content,
            self._keyrings.of(source),
            verifier=verifier,
            now=now,
            name=redact_url(release_url(uri, source)),
            only=fingerprints(source),
        )
        release = Release.parse(text, source=source, uri=uri, in_release=content)
        seen = [self._dates.get(release.identity), remembered.date if remembered is not None else None]
        release.check(source, now=now, seen=max((date for date in seen if date is not None), default=None))
        return release

    def _load(self, uri: str, suite: str) -> _Remembered | None:
        content = load_record(self._path(uri, suite))
        with suppress(msgspec.MsgspecError):
            return _DECODER.decode(content) if content is not None else None
        return None

    def _path(self, uri: str, suite: str) -> Path:
        name = hashlib.sha256(f"{uri}\n{suite}".encode()).hexdigest()
        return self._folder / "releases" / f"{name}.json"


def release_url(uri: str, source: AptSource, path: str = "InRelease") -> str:
    """The address of a file beside the `Release` of a suite."""
    if source.is_flat:
        folder = "/".join(part for part in source.suite.split("/") if part not in {"", "."})
        return "/".join(part for part in (uri, folder, path) if part)
    return f"{uri}/dists/{source.suite}/{path}"


def _is_out_of_reach(error: BaseException) -> bool:
    """Whether an archive gave no answer at all, or only that it cannot give one now."""
    if isinstance(error, HTTPStatusError):
        return error.status >= _FIRST_SERVER_ERROR
    return isinstance(error, NetworkError) and not isinstance(error, DeniedError)


def _no_suite(source: AptSource, error: BaseException) -> PackageError:
    facts = getattr(error, "facts", ())
    return PackageError(
        f"The archive has no signed release of `{source.suite}`",
        facts=[*facts, *([f"named by: {source.file}"] if source.file else [])],
        hint="Releases that are no longer supported move to another archive: set {os_archive} to one that has "
        f"`{source.suite}`, or build from a lock",
    )
