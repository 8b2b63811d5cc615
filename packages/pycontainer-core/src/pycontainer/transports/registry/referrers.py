"""Referrers: manifests that name another one as their subject (distribution-spec 1.1).

    referrers = client.referrers(repository)
    referrers.put(manifest)                                         # pushed, and found from then on
    referrers.of(image.digest, artifact_type="application/spdx+json")

A registry with the referrers API keeps the list itself. For one without it clients do: `ReferrersTag`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from pycontainer.errors import DocumentError, NetworkError
from pycontainer.image.attachment import describe_artifact
from pycontainer.oci import Index, media_types
from pycontainer.oci.document import MAX_DOCUMENT_SIZE
from pycontainer.transports.http.failures import status_error
from pycontainer.transports.http.urls import check_server_url, resolve
from pycontainer.transports.registry.auth import Need
from pycontainer.transports.registry.manifests import put_manifest
from pycontainer.transports.registry.referrers_tag import ReferrersTag
from pycontainer.transports.registry.session import FORBIDDEN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycontainer.oci import Descriptor, Digest, Manifest, Reference
    from pycontainer.transports.http import Response
    from pycontainer.transports.registry.session import Session

_OK: Final = 200
# How registries that do not know the API say so; the specification has 404 alone.
_UNKNOWN: Final = frozenset({400, 404, 405, 406, 501})
_NEXT: Final = re.compile(r'<([^<>]*)>\s*;[^,<]*\brel="?next\b')
# More pages, of at least one entry each, has no image; a server that sends us in circles must not hold us.
_MAX_PAGES: Final = 1000


class Referrers:
    """What refers to the manifests of one repository.

    Args:
        session: The registry.
        repository: Its tag and digest are not looked at.
    """

    def __init__(self, session: Session, repository: Reference) -> None:
        self._session = session
        self._repository = repository

    def of(self, subject: Digest, *, artifact_type: str | None = None) -> tuple[Descriptor, ...]:
        """The manifests that refer to one, each once, in the order of the registry.

        A list that is malformed counts as none, as the specification asks.

        Args:
            subject: The digest of the manifest or index.
            artifact_type: Only those of this kind.

        Raises:
            DeniedError: Reading there is not allowed.
            NetworkError: The registry cannot be reached or does not answer.
        """
        listed = self._listed(subject, artifact_type)
        if listed is None:
            listed = self._tag(subject).read()
        unique: dict[Digest, Descriptor] = {}
        for entry in listed:
            if artifact_type in {None, entry.artifact_type}:
                unique.setdefault(entry.digest, entry)
        return tuple(unique.values())

    def put(self, manifest: Manifest) -> Descriptor:
        """Push a manifest that has a subject, and see to it that it is listed.

        Its blobs are there already; its subject need not be.

        Returns:
            What it is listed as.

        Raises:
            DeniedError: Pushing there is not allowed.
            DocumentError: It has no subject, or the tag for its subject's referrers is something else.
            NetworkError: The registry refuses it or cannot be reached, or other clients write the list all the time.
        """
        if manifest.subject is None:
            raise DocumentError("A manifest without a subject refers to nothing")
        subject, entry = manifest.subject.digest, describe_artifact(manifest)
        by_digest = self._repository.with_tag(None).with_digest(entry.digest)
        said = put_manifest(self._session, by_digest, manifest.to_bytes(), media_types.MANIFEST)
        # ECR promised to list what it did not (sigstore-js 1183), so a registry that promises is asked once.
        if said.get("oci-subject", "").strip() != str(subject) or self._listed(subject, entry.artifact_type) is None:
            self._tag(subject).add(entry)
        return entry

    def _tag(self, subject: Digest) -> ReferrersTag:
        return ReferrersTag(self._session, self._repository, subject)

    def _listed(self, subject: Digest, artifact_type: str | None) -> Sequence[Descriptor] | None:
        """What the API lists, all pages of it; none where there is no API (*Listing Referrers*)."""
        asked = f"?artifactType={quote(artifact_type, safe='')}" if artifact_type else ""
        url = self._session.endpoint.url(self._repository.repository, f"referrers/{subject}{asked}")
        found: list[Descriptor] = []
        for _ in range(_MAX_PAGES):
            response = self._get(url)
            if response is None:
                return None
            url = _next_page(response, self._session)
            index = _index(response)
            if index is None:
                return None
            found += index.manifests
            if not url:
                return found
        raise NetworkError(f"`{self._repository.registry}` lists referrers without an end", facts=[f"of: `{subject}`"])

    def _get(self, url: str) -> Response | None:
        need = Need(self._session.endpoint.repository(self._repository.repository))
        response = self._session.request("GET", url, need, headers={"Accept": media_types.INDEX})
        if response.status in _UNKNOWN:
            response.drain()
            return None
        if response.status == FORBIDDEN:
            raise self._session.denied(response, need)
        if response.status != _OK:
            raise status_error(response)
        return response


def _index(response: Response) -> Index | None:
    """The list in an answer; none where it is something else, such as a page to sign in (soci-snapshotter 512)."""
    typed = response.headers.media_type
    raw = response.content(limit=MAX_DOCUMENT_SIZE)
    try:
        index = Index.from_bytes(raw)
    except DocumentError:
        return None
    return index if typed in {media_types.INDEX, "application/json", ""} else None


def _next_page(response: Response, session: Session) -> str:
    """Where the list goes on (RFC 8288); empty at its end."""
    found = _NEXT.search(response.headers.get("link", ""))
    if found is None:
        return ""
    url = resolve(response.url, found.group(1))
    check_server_url(
        url,
        sender=session.endpoint.origin,
        allowed_hosts=session.http.settings.allowed_hosts,
        what="next page of referrers",
    )
    return url
