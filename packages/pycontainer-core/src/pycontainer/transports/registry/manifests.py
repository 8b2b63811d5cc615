"""Manifests and indexes as a registry sends and takes them: checked before anything is believed.

fetched = check_manifest(raw, content_type="application/vnd.oci.image.index.v1+json", reference=…, header_digest=…)
fetched.document            # a `Manifest` or an `Index`, with its bytes
put_manifest(session, reference, raw, media_type)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pycontainer.errors import DocumentError, IntegrityError, NetworkError
from pycontainer.oci import Descriptor, Digest, Index, Manifest, media_types
from pycontainer.oci.document import strict_json
from pycontainer.transports.documents import ambiguity
from pycontainer.transports.http.failures import status_error
from pycontainer.transports.registry.auth import Need
from pycontainer.transports.registry.session import FORBIDDEN
from pycontainer.value import Value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pycontainer.oci import Reference
    from pycontainer.transports.http import Headers
    from pycontainer.transports.registry.session import Session

ACCEPT = f"{media_types.INDEX}, {media_types.MANIFEST}, {media_types.DOCKER_INDEX}, {media_types.DOCKER_MANIFEST}"
_KNOWN = media_types.INDEXES | media_types.MANIFESTS
# What a server says that does not know the type: file servers, older registries.
_UNTYPED = frozenset({"", "application/json", "application/octet-stream", "text/plain"})
_STORED = frozenset({200, 201, 202, 204})
_TOO_LARGE = 413


class FetchedManifest(Value, frozen=True, kw_only=True):
    """A manifest or index that a registry sent.

    Attributes:
        reference: What was asked for, with the digest of what came: the same bytes for the rest of the build.
        descriptor: Media type, digest and size of the bytes.
        document: What they say.
    """

    reference: Reference
    descriptor: Descriptor
    document: Manifest | Index


def check_manifest(
    raw: bytes, *, content_type: str, reference: Reference, header_digest: str | None
) -> FetchedManifest:
    """Read a manifest or index.

    Args:
        raw: The body.
        content_type: `Content-Type` without parameters, in lower case.
        reference: What was asked for; its digest, if any, is that of the bytes or nothing is.
        header_digest: `Docker-Content-Digest`, which must be right where it is sent, and is believed nowhere.

    Raises:
        IntegrityError: Other bytes than the digest's.
        DocumentError: Not a manifest or index, one that can be read in two ways, or one of Docker's schema 1.
        NetworkError: An HTML page.
    """
    if content_type in {"text/html", "application/xhtml+xml"}:
        raise NetworkError(
            f"`{reference.registry}` is not a registry",
            facts=[f"asked for: `{reference}`", "the answer is a web page, perhaps one to sign in"],
        )
    digest = _check_digest(raw, reference, header_digest)
    value = strict_json(raw, what="manifest")
    if not isinstance(value, dict):
        raise _unsuitable(reference, "it is not a JSON object")
    media_type = _media_type(value, content_type, reference)
    kind = Index if media_type in media_types.INDEXES else Manifest
    return FetchedManifest(
        reference=reference.with_digest(digest),
        descriptor=Descriptor(media_type=media_type, digest=digest, size=len(raw)),
        document=kind.from_bytes(raw),
    )


def put_manifest(
    session: Session, reference: Reference, raw: bytes, media_type: str, *, headers: Mapping[str, str] | None = None
) -> Headers:
    """Store a manifest or index under the reference's digest or tag.

    Args:
        session: The registry.
        reference: Where; a digest is that of the bytes.
        raw: The manifest.
        media_type: Its type.
        headers: More than `Content-Type`: conditions (RFC 9110, 13.1).

    Returns:
        What the registry says of it.

    Raises:
        DeniedError: Pushing there is not allowed.
        IntegrityError: The registry stored other bytes.
        HTTPStatusError: The registry refuses it (413: too large; 412: a condition does not hold).
        NetworkError: The registry cannot be reached.
    """
    need = Need(reference.repository, ("pull", "push"))
    url = session.endpoint.url(reference.repository, f"manifests/{reference.identifier}")
    sent = {"Content-Type": media_type, **(headers or {})}
    response = session.request("PUT", url, need, headers=sent, body=raw, retry=True)
    if response.status not in _STORED:
        if response.status == FORBIDDEN:
            raise session.denied(response, need)
        too_large = f"`{reference.registry}` takes no manifest of {len(raw)} bytes"
        what = too_large if response.status == _TOO_LARGE else f"`{reference.registry}` did not take `{reference}`"
        raise status_error(response, what)
    response.drain()
    digest = reference.digest or Digest.of(raw)
    stored = response.headers.get("docker-content-digest")
    if stored is not None and stored != str(digest):
        raise IntegrityError(
            f"`{reference.registry}` stored something else than was sent",
            facts=[f"sent: `{digest}`", f"stored: `{stored[:150]}`"],
        )
    return response.headers


def _check_digest(raw: bytes, reference: Reference, header_digest: str | None) -> Digest:
    if reference.digest is not None:
        found = Digest.of(raw, reference.digest.algorithm)
        if found != reference.digest:
            raise IntegrityError(f"`{reference}` is something else", facts=[f"the digest of what was sent: `{found}`"])
        return found
    if header_digest is not None:
        try:
            claimed = Digest.parse(header_digest.strip())
        except DocumentError as error:
            raise IntegrityError(
                f"The digest that came with `{reference}` is malformed", facts=[error.message]
            ) from error
        if (found := Digest.of(raw, claimed.algorithm)) != claimed:
            raise IntegrityError(
                f"`{reference}` is not what its registry says it is",
                facts=[f"announced: `{claimed}`", f"the digest of what was sent: `{found}`"],
            )
    return Digest.of(raw)


def _media_type(value: dict[str, object], content_type: str, reference: Reference) -> str:
    """The one media type that header, body and shape agree on (CVE-2021-41190)."""
    if reason := ambiguity(value):
        raise _unsuitable(reference, reason)
    if value.get("schemaVersion") == 1 or "fsLayers" in value or content_type in media_types.DOCKER_SCHEMA1:
        raise DocumentError(
            f"`{reference.familiar}` is in Docker's schema 1, which registries gave up years ago",
            hint="Push the image again with a current tool",
        )
    shape = media_types.INDEXES if "manifests" in value else media_types.MANIFESTS
    stated = value.get("mediaType")
    if stated is not None and stated not in _KNOWN:
        raise _unsuitable(reference, f"its media type is `{str(stated)[:80]}`")
    if content_type not in _UNTYPED and content_type not in _KNOWN:
        raise _unsuitable(reference, f"its content type is `{content_type[:80]}`")
    typed = content_type if content_type in _KNOWN else None
    if stated is not None and typed is not None and stated != typed:
        raise _unsuitable(reference, f"its media type is `{stated}`, its content type `{typed}`")
    found = str(stated or typed or (media_types.INDEX if "manifests" in value else media_types.MANIFEST))
    if found not in shape:
        raise _unsuitable(reference, f"it is called `{found}` but is not made like one")
    return found


def _unsuitable(reference: Reference, reason: str) -> DocumentError:
    return DocumentError(f"`{reference.familiar}` is not an image that can be used", facts=[reason])
