"""Where a package was installed from, as `direct_url.json` records it (PEP 610, *Direct URL data structure*)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from pycontainer.sources.locks import Url, Vcs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pycontainer.sources.locks import Chosen


def direct_url(chosen: Chosen) -> Mapping[str, Any] | None:
    """The document for a package from a commit or an address; none for one from an index.

    Packages from this host have none either: the path of a build machine says nothing in an image.
    """
    source = chosen.package.source
    if isinstance(source, Vcs):
        info = {"vcs": source.kind, "commit_id": source.commit}
        if source.requested:
            info["requested_revision"] = source.requested
        document: dict[str, Any] = {"url": _public(source.url), "vcs_info": info}
    elif isinstance(source, Url) and chosen.artifact is not None:
        document = {
            "url": _public(source.url),
            "archive_info": {"hashes": dict(sorted(chosen.artifact.hashes.items()))},
        }
    else:
        return None
    return {**document, "subdirectory": source.subdirectory} if source.subdirectory else document


def _public(url: str) -> str:
    """The address without the user part, which must not be recorded, and without a fragment."""
    parts = urlsplit(url)
    userinfo, _, host = parts.netloc.rpartition("@")
    if parts.scheme == "ssh" and userinfo and ":" not in userinfo:  # `git@` is part of the address, not a secret
        host = f"{userinfo}@{host}"
    return urlunsplit(parts._replace(netloc=host, fragment=""))
