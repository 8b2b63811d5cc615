"""Blobs of a registry: lazy, verified, resumed where the connection breaks, and from the next server in the end."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, BinaryIO, cast

from pycontainer.blobs.hashing import VerifyingReader
from pycontainer.errors import IntegrityError, NetworkError
from pycontainer.oci import media_types
from pycontainer.transports.http.failures import status_error
from pycontainer.transports.http.urls import check_server_url
from pycontainer.transports.registry.auth import Need
from pycontainer.transports.registry.session import FORBIDDEN
from pycontainer.transports.secrets import redact_url
from pycontainer.value import replace

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pycontainer.oci import Descriptor, Reference
    from pycontainer.transports.http import Response, RetryPolicy
    from pycontainer.transports.registry.session import Session

_OK, _PARTIAL, _NOT_FOUND = 200, 206, 404


class RegistryBlob:
    """A blob that a repository has; nothing is requested before it is opened.

    Args:
        reference: The repository.
        descriptor: Media type, digest and size.
        sessions: The repository's mirrors and registry, asked in this order.
    """

    def __init__(self, reference: Reference, descriptor: Descriptor, sessions: Sequence[Session]) -> None:
        self.reference = reference
        self.descriptor = descriptor
        self._sessions = tuple(sessions)

    def open(self) -> BinaryIO:
        """The bytes, size and digest verified while they are read.

        Raises:
            HTTPStatusError: Neither mirror nor registry has it.
            DeniedError: Reading it is not allowed.
            IntegrityError: Another size is announced; later, while reading: other bytes.
            NetworkError: No server can be reached.
        """
        return cast("BinaryIO", VerifyingReader(self._raw(), self.descriptor))

    def _raw(self) -> BinaryIO:
        # A mirror that breaks is asked once more, and not as often as the registry: somebody else has the rest.
        *mirrors, registry = self._sessions
        policy = registry.http.settings.retries
        once = replace(policy, count=min(policy.count, 1))
        sources: list[Callable[[int], BinaryIO]] = [partial(self._from, mirror, once) for mirror in mirrors]
        sources.append(partial(self._from, registry, policy))
        if self.descriptor.media_type in media_types.NONDISTRIBUTABLE and self.descriptor.urls:
            sources.append(self._from_urls)
        from pycontainer.transports.registry.relay import RelayReader  # noqa: PLC0415 - most blobs are never opened

        reader = RelayReader(sources, self.descriptor.size)
        reader.begin()
        return reader.stream

    def _from(self, session: Session, retries: RetryPolicy, position: int) -> BinaryIO:
        need = Need(session.endpoint.repository(self.reference.repository))
        url = session.endpoint.url(self.reference.repository, f"blobs/{self.descriptor.digest}")

        def open_at(offset: int) -> Response:
            headers = {"Range": f"bytes={offset}-"} if offset else {}
            response = session.request("GET", url, need, headers=headers)
            if response.status == FORBIDDEN and session.is_from_registry(response):
                raise session.denied(response, need)
            return self._checked(response)

        return _resuming(open_at, retries, position)

    def _from_urls(self, position: int) -> BinaryIO:
        """A layer its maker hosts: fetched from its descriptor's URL, without credentials (CVE-2020-15157)."""
        http = self._sessions[-1].http
        url = self.descriptor.urls[0]
        if not url.startswith("https://"):
            raise NetworkError(
                f"The layer `{self.descriptor.digest}` is offered over something other than https",
                facts=[f"URL: {redact_url(url)}"],
            )

        check_server_url(
            url, sender=self._sessions[-1].endpoint.origin, allowed_hosts=http.settings.allowed_hosts, what="layer"
        )

        def open_at(offset: int) -> Response:
            headers = {"Range": f"bytes={offset}-"} if offset else {}
            return self._checked(http.request("GET", url, headers=headers))

        return _resuming(open_at, http.settings.retries, position)

    def _checked(self, response: Response) -> Response:
        if response.status == _NOT_FOUND:
            raise status_error(response, f"`{self.reference.name}` has no blob `{self.descriptor.digest}`")
        if response.status not in {_OK, _PARTIAL}:
            raise status_error(response)
        length = response.headers.content_length
        if response.status == _OK and length is not None and length != self.descriptor.size:
            response.close()
            raise IntegrityError(
                f"The blob `{self.descriptor.digest}` has another size than its descriptor says",
                facts=[f"descriptor: {self.descriptor.size} bytes", f"{redact_url(response.url)}: {length} bytes"],
            )
        return response


def _resuming(open_at: Callable[[int], Response], retries: RetryPolicy, position: int) -> BinaryIO:
    from pycontainer.transports.http.resume import ResumingReader  # noqa: PLC0415 - as above

    reader = ResumingReader(open_at, retries, position=position)
    reader.begin()
    return reader.stream
