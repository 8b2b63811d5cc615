"""The list of referrers under a tag, for registries that keep none (distribution-spec 1.1, *Referrers Tag Schema*).

    tag = ReferrersTag(session, repository, subject)      # sha256-<hex>
    tag.read()
    tag.add(entry)

Every client that attaches something reads the list, adds a line and writes it back, and the specification has no lock
for that. What is done against a lost line: clients of one process take turns; where the registry offers an `ETag` the
list is replaced only as it was read (`If-Match`); and every writer reads it again, after a while that grows with the
time which reading and writing took, until it has all the lines of its process and has come to rest. A client that takes
longer than that between its reading and its writing can still lose a line of others where the registry knows no
conditions: the manifest stays, by its digest, but nobody finds it from its subject.
"""

from __future__ import annotations

import random
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any, Final

from pycontainer.errors import DocumentError, HTTPStatusError, NetworkError
from pycontainer.oci import Digest, Index, canonical_json, media_types
from pycontainer.oci.document import MAX_DOCUMENT_SIZE, strict_json
from pycontainer.transports.http.failures import status_error
from pycontainer.transports.registry.auth import Need
from pycontainer.transports.registry.manifests import ACCEPT, check_manifest, put_manifest
from pycontainer.transports.registry.session import FORBIDDEN
from pycontainer.value import Value

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pycontainer.oci import Descriptor, Reference
    from pycontainer.transports.registry.session import Session

_OK, _NOT_FOUND, _PRECONDITION_FAILED = 200, 404, 412
# A tag has at most 128 characters: so many of the algorithm, a hyphen, so many of the value.
_MAX_ALGORITHM, _MAX_VALUE = 32, 64
_TRIES: Final = 12
# Seconds to wait before the list is read again: at least, and at most.
_SHORT, _LONG = 0.1, 5.0

# Who writes which list just now, in this process.
_TURNS: weakref.WeakValueDictionary[tuple[str, Reference], _Turn] = weakref.WeakValueDictionary()
_TURNS_LOCK = threading.Lock()


class _Turn:
    """One list: who may look at it just now, and the lines that this process sees to."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.lines: dict[Digest, Descriptor] = {}
        self.written = False


class _List(Value, frozen=True, kw_only=True):
    """The list as the registry has it."""

    raw: bytes
    etag: str | None

    @property
    def index(self) -> dict[str, Any]:
        found: dict[str, Any] = strict_json(self.raw, what="index")
        return found

    def has(self, digest: Digest) -> bool:
        return any(entry["digest"] == str(digest) for entry in self.index["manifests"])

    def with_lines(self, lines: Iterable[Descriptor]) -> bytes:
        """With more lines; what others wrote stays as they wrote it, fields that nobody here knows too."""
        index = self.index
        return canonical_json({**index, "manifests": [*index["manifests"], *lines]})


_NOTHING: Final = _List(raw=Index(manifests=()).to_bytes(), etag=None)


class ReferrersTag:
    """The list of what refers to one manifest.

    Args:
        session: The registry.
        repository: Its tag and digest are not looked at.
        subject: The digest of the manifest.
    """

    def __init__(self, session: Session, repository: Reference, subject: Digest) -> None:
        self._session = session
        self._reference = repository.with_tag(tag_of(subject))

    def read(self) -> tuple[Descriptor, ...]:
        """The list; empty where there is none, or something that is not one.

        Raises:
            DeniedError: Reading there is not allowed.
            NetworkError: The registry cannot be reached or does not answer.
        """
        try:
            return Index.from_bytes(self._get().raw).manifests
        except DocumentError:
            return ()

    def add(self, entry: Descriptor) -> None:
        """Add a line, unless it is there.

        Raises:
            DeniedError: Pushing there is not allowed.
            DocumentError: The tag is something else than a list of referrers.
            NetworkError: The registry refuses it or cannot be reached, or others write the list all the time.
        """
        turn = _turn(self._session.endpoint.base, self._reference)
        with turn.lock:
            turn.lines[entry.digest] = entry
        seen: bytes | None = None
        for attempt in range(1, _TRIES + 1):
            with turn.lock:
                begin = time.monotonic()
                found = self._get()
                missing = [line for digest, line in turn.lines.items() if not found.has(digest)]
                if not missing and (found.raw == seen or not turn.written):
                    return
                seen = self._put(found, missing) if missing else found.raw
                turn.written = True
                seconds = time.monotonic() - begin
            pause = random.uniform(1, 2) * attempt * max(seconds, _SHORT)  # noqa: S311 - not secret
            self._session.http.settings.retries.sleep(min(pause, _LONG))
        if not self._get().has(entry.digest):
            raise NetworkError(
                f"`{self._reference}`, the list of what is attached, lost a line that was written {_TRIES} times",
                facts=[f"line: `{entry.digest}`", "others seem to write the list all the time"],
            )

    def _put(self, found: _List, lines: Iterable[Descriptor]) -> bytes:
        """Write the list with these lines, unless somebody else has written it since it was read."""
        raw = found.with_lines(lines)
        condition = {"If-Match": found.etag} if found.etag else {}
        try:
            put_manifest(self._session, self._reference, raw, media_types.INDEX, headers=condition)
        except HTTPStatusError as error:
            if error.status != _PRECONDITION_FAILED:
                raise
        return raw

    def _get(self) -> _List:
        need = Need(self._session.endpoint.repository(self._reference.repository))
        url = self._session.endpoint.url(self._reference.repository, f"manifests/{self._reference.tag}")
        response = self._session.request("GET", url, need, headers={"Accept": ACCEPT})
        if response.status == _NOT_FOUND:
            response.drain()
            return _NOTHING
        if response.status == FORBIDDEN:
            raise self._session.denied(response, need)
        if response.status != _OK:
            raise status_error(response)
        headers = response.headers
        raw = response.content(limit=MAX_DOCUMENT_SIZE)
        fetched = check_manifest(
            raw,
            content_type=headers.media_type,
            reference=self._reference,
            header_digest=headers.get("docker-content-digest"),
        )
        if not isinstance(fetched.document, Index) or fetched.descriptor.media_type != media_types.INDEX:
            raise DocumentError(
                f"`{self._reference}` is not a list of referrers, as its name says",
                facts=[f"media type: `{fetched.descriptor.media_type}`"],
                hint="Remove that tag from the registry",
            )
        etag = headers.get("etag", "")
        # A weak one says that two are alike, which is not enough to replace one (RFC 9110, 13.1.1).
        return _List(raw=raw, etag=etag if etag.startswith('"') else None)


def tag_of(subject: Digest) -> str:
    """`sha256-<hex>`, cut to what a tag may have (*Referrers Tag Schema*)."""
    return f"{subject.algorithm[:_MAX_ALGORITHM]}-{subject.hex[:_MAX_VALUE]}"


def _turn(base: str, reference: Reference) -> _Turn:
    with _TURNS_LOCK:
        return _TURNS.setdefault((base, reference), _Turn())
