"""Blobs to a registry: mounted, whole, or in chunks (distribution-spec, *Pushing blobs*).

    upload = BlobUpload(session, need, blob, retries=policy, advance=advance)
    upload.exists() or upload.mount("library/python") or upload.send()

An attempt that fails is not repeated in its session: what the registry has of it is unknown, and some (ECR) refuse a
second first byte. The next attempt asks with HEAD whether the blob arrived after all, and begins a new session if not.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, BinaryIO, cast

from pycontainer.errors import DeniedError, IntegrityError, NetworkError
from pycontainer.transports.http.connections import TransientNetworkError
from pycontainer.transports.http.failures import status_error
from pycontainer.transports.http.retries import RETRIED_STATUSES
from pycontainer.transports.http.urls import check_server_url, resolve
from pycontainer.transports.registry.auth import Need
from pycontainer.transports.registry.counted import CountedReader, HighWater
from pycontainer.transports.registry.session import FORBIDDEN, UNAUTHORIZED
from pycontainer.transports.secrets import redact_url

if TYPE_CHECKING:
    from collections.abc import Callable

    from pycontainer.blobs.blob import Blob
    from pycontainer.transports.http import Response, RetryPolicy
    from pycontainer.transports.registry.session import Session

OK, CREATED, ACCEPTED, NO_CONTENT = 200, 201, 202, 204
NOT_FOUND, METHOD_NOT_ALLOWED, TOO_LARGE, RANGE_NOT_SATISFIABLE, NOT_IMPLEMENTED = 404, 405, 413, 416, 501
_DONE = frozenset({OK, CREATED, NO_CONTENT})
# Answers to a whole upload that chunks may cure: a proxy's limit on bodies, a registry without monolithic uploads.
_TRY_CHUNKS = frozenset({METHOD_NOT_ALLOWED, TOO_LARGE, NOT_IMPLEMENTED})
_NEW_SESSION = RETRIED_STATUSES | {NOT_FOUND, RANGE_NOT_SATISFIABLE, UNAUTHORIZED}
# GHCR's limit on a chunk; also small enough to be sent again.
DEFAULT_CHUNK = 4 * 1024 * 1024


class BlobUpload:
    """One blob on its way to one repository.

    Args:
        session: The registry.
        need: The repository, for pushing.
        blob: Opened anew for each attempt; read in constant memory.
        retries: How many further attempts there may be.
        chunk_size: Send chunks of this many bytes at once, instead of when a whole upload is refused.
        advance: Told of bytes that left, each byte once however often it is sent.
    """

    def __init__(
        self,
        session: Session,
        need: Need,
        blob: Blob,
        *,
        retries: RetryPolicy,
        chunk_size: int | None = None,
        advance: Callable[[int], None],
    ) -> None:
        self._session = session
        self._need = need
        self._blob = blob
        self._retries = retries
        self._chunk_size = chunk_size
        self._progress = HighWater(advance)
        self._digest = blob.descriptor.digest
        self._location: str | None = None

    def exists(self) -> bool:
        """Whether the repository has the blob.

        Raises:
            DeniedError: Pushing there is not allowed.
            HTTPStatusError: Neither yes nor no.
        """
        return head_blob(self._session, self._need, self._digest)

    def mount(self, repository: str) -> bool:
        """Take the blob from another repository of the registry.

        Where it will not, nothing is lost: the session it began may be used by `send`, and refusals (Harbor answers 401
        for a project that does not exist) mean no more than "send it yourself".
        """
        need = Need(self._need.repository, self._need.actions, mount_from=repository)
        url = self._url(f"blobs/uploads/?mount={self._digest}&from={repository}")
        try:
            response = self._session.request("POST", url, need, headers={"Content-Length": "0"}, retry=True)
        except DeniedError:
            return False
        with response:
            response.drain()
            if response.status == CREATED:
                self._check_digest(response)
                return True
            if response.status == ACCEPTED:
                self._location = upload_location(self._session, response)
            return False

    def send(self) -> None:
        """Send the bytes.

        Raises:
            DeniedError: Not allowed.
            HTTPStatusError: Refused for another reason.
            IntegrityError: The blob is not what its descriptor says, or the registry stored something else.
            NetworkError: The connection broke too often.
        """
        try:
            self._send()
        except Exception:
            self._abort()
            raise

    def _send(self) -> None:
        refused = False
        for failures in range(1, self._retries.count + 2):
            failure: NetworkError
            retry_after = None
            try:
                response = self._attempt()
                if response.status in _DONE:
                    response.drain()
                    self._check_digest(response)
                    return
                retry_after = response.headers.get("retry-after")
                unauthorized = response.status == UNAUTHORIZED
                failure = self._failure(response)
                if response.status not in _NEW_SESSION or (unauthorized and refused):
                    raise failure
                refused = unauthorized
            except TransientNetworkError as error:
                failure, refused = error, False
            if failures > self._retries.count:
                raise failure
            if not refused:  # else the token has just been renewed
                self._retries.wait(failures, retry_after)
            self._location = None
            if self.exists():  # it arrived, and only the answer was lost
                return

    def _attempt(self) -> Response:
        """One session to its end: the answer to its closing request, or the one that stopped it."""
        minimum = 0
        if self._location is None:
            self._location, minimum = self._begin()
        if self._chunk_size is not None:
            return self._send_chunks(self._location, max(self._chunk_size, minimum))
        response = self._send_whole(self._location)
        if response.status in _TRY_CHUNKS and self._blob.descriptor.size > DEFAULT_CHUNK:
            response.drain()
            self._chunk_size = DEFAULT_CHUNK
            self._abort()
            return self._attempt()
        return response

    def _begin(self) -> tuple[str, int]:
        """A new session: its URL and the least size of a chunk."""
        algorithm = self._digest.algorithm
        query = "" if algorithm == "sha256" else f"?digest-algorithm={algorithm}"
        url = self._url(f"blobs/uploads/{query}")
        response = self._session.request("POST", url, self._need, headers={"Content-Length": "0"}, retry=True)
        if response.status != ACCEPTED:
            raise self._failure(response)
        response.drain()
        minimum = response.headers.get("oci-chunk-min-length", "")
        return upload_location(self._session, response), int(minimum) if minimum.isascii() and minimum.isdigit() else 0

    def _send_whole(self, location: str) -> Response:
        size = self._blob.descriptor.size
        self._progress.restart()
        return self._session.request(
            "PUT",
            self._with_digest(location),
            self._need,
            headers={"Content-Type": "application/octet-stream"},
            body=lambda: cast("BinaryIO", CountedReader(self._blob.open(), self._blob.descriptor, self._progress)),
            size=size,
            retry=False,
            answer_challenge=False,
        )

    def _send_chunks(self, location: str, chunk_size: int) -> Response:
        from pycontainer.transports.registry.chunks import ChunkedSender  # noqa: PLC0415 - most uploads are whole

        sender = ChunkedSender(
            self._session,
            self._need,
            self._blob,
            retries=self._retries,
            progress=self._progress,
            follow=lambda response: upload_location(self._session, response),
        )
        stopped = sender.send(location, chunk_size)
        self._location = sender.location
        if stopped is not None:
            return stopped
        return self._session.request(
            "PUT",
            self._with_digest(sender.location),
            self._need,
            headers={"Content-Length": "0", "Content-Type": "application/octet-stream"},
            retry=False,
        )

    def _abort(self) -> None:
        """Tell the registry that the session is over; whether it listens does not matter."""
        if self._location is not None:
            with contextlib.suppress(NetworkError):
                self._session.request("DELETE", self._location, self._need, retry=False).drain()
            self._location = None

    def _failure(self, response: Response) -> NetworkError:
        if response.status in {UNAUTHORIZED, FORBIDDEN}:
            return self._session.denied(response, self._need)
        size = self._blob.descriptor.size
        if response.status == TOO_LARGE:
            return status_error(response, f"`{self._session.endpoint.registry}` takes no blob of {size} bytes")
        return status_error(response, f"`{self._session.endpoint.registry}` did not take the blob `{self._digest}`")

    def _with_digest(self, location: str) -> str:
        return f"{location}{'&' if '?' in location else '?'}digest={self._digest}"

    def _url(self, path: str) -> str:
        return self._session.endpoint.url(self._need.repository, path)

    def _check_digest(self, response: Response) -> None:
        stored = response.headers.get("docker-content-digest")
        if stored is not None and stored != str(self._digest):
            raise IntegrityError(
                "The registry stored something else than was sent",
                facts=[f"sent: `{self._digest}`", f"stored: `{stored[:150]}`"],
            )


def upload_location(session: Session, response: Response) -> str:
    """The URL of an upload for its next request, as the registry wrote it, absolute or relative.

    Raises:
        NetworkError: There is none, or one that must not be followed.
    """
    location = response.headers.get("location")
    registry = session.endpoint
    if not location:
        raise NetworkError(
            f"`{registry.registry}` does not say where to send the blob",
            facts=[f"{response.method} {redact_url(response.url)}: {response.status} without `Location`"],
        )
    target = resolve(response.url, location)
    check_server_url(target, sender=registry.origin, allowed_hosts=session.http.settings.allowed_hosts, what="upload")
    return target


def head_blob(session: Session, need: Need, digest: object) -> bool:
    """Whether a repository has a blob: HEAD, its headers not needed.

    Raises:
        DeniedError: Reading there is not allowed.
        HTTPStatusError: Neither yes nor no.
    """
    url = session.endpoint.url(need.repository, f"blobs/{digest}")
    response = session.request("HEAD", url, need)
    with response:
        if response.status == OK:
            return True
        if response.status == NOT_FOUND:
            return False
        if response.status == FORBIDDEN and session.is_from_registry(response):
            raise session.denied(response, need)
        raise status_error(response)
