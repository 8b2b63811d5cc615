"""How a fake registry behaves where registries differ."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - dataclasses keep their annotations readable
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """What this registry does.

    Attributes:
        authentication: `none`, `basic` (challenges itself) or `token` (sends clients to its token server).
        users: Passwords by user.
        identity_tokens: Refresh tokens that its token server takes in an OAuth exchange.
        oauth: Whether the token server knows that exchange; else it answers 404.
        anonymous_pull: Whether reading needs no user.
        token_lifetime: Seconds it states as `expires_in`, or nothing.
        token_uses: Requests a token serves before it expires, or no limit.
        token_key: The field of the token: `token` or `access_token`.
        realm: The challenge's realm instead of this server's own.
        mounts: Whether blobs can be mounted; else the answer is `mount_refusal`.
        mount_refusal: 202 begins an upload; others refuse.
        chunks: Whether PATCH is known.
        chunk_minimum: `OCI-Chunk-Min-Length`.
        chunk_limit: The most bytes of a PATCH; more is 413.
        whole_uploads: Whether a PUT may carry the blob; else it is 405.
        digest_headers: Whether `Docker-Content-Digest` is sent.
        relative_locations: Whether `Location` is a path.
        immutable_tags: Whether a tag can be put once only, as with ECR.
        ranges: Whether `Range` requests of blobs are served.
        referrers: Whether the referrers API is known, as since version 1.1 of the specification; else it answers 404.
        referrers_page: The most entries of a page of referrers, or no limit.
        referrers_filter: Whether referrers are filtered by `artifactType` here; else that is the client's task.
        etags: Whether manifests have an `ETag`, and a tag is put only if it is what `If-Match` says.
        manifest_limit: The most bytes of a manifest; more is 413.
        warning: A `Warning` header on every answer.
    """

    authentication: str = "none"
    users: Mapping[str, str] = field(default_factory=dict)
    identity_tokens: frozenset[str] = frozenset()
    oauth: bool = True
    anonymous_pull: bool = False
    token_lifetime: int | None = 300
    token_uses: int | None = None
    token_key: str = "token"  # noqa: S105 - a field's name
    realm: str | None = None
    mounts: bool = True
    mount_refusal: int = 202
    chunks: bool = True
    chunk_minimum: int | None = None
    chunk_limit: int | None = None
    whole_uploads: bool = True
    digest_headers: bool = True
    relative_locations: bool = False
    immutable_tags: bool = False
    ranges: bool = True
    referrers: bool = True
    referrers_page: int | None = None
    referrers_filter: bool = False
    etags: bool = False
    manifest_limit: int = 4 * 1024 * 1024
    warning: str | None = None
