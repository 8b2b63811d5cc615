"""Where a package was installed from, as `direct_url.json` records it (PEP 610, *Direct URL data structure*)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pycontainer.sources.locks import Url, Vcs
from pycontainer.sources.locks.addresses import public_url

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
        document: dict[str, Any] = {"url": public_url(source.url), "vcs_info": info}
    elif isinstance(source, Url) and chosen.artifact is not None:
        document = {
            "url": public_url(source.url),
            "archive_info": {"hashes": dict(sorted(chosen.artifact.hashes.items()))},
        }
    else:
        return None
    return {**document, "subdirectory": source.subdirectory} if source.subdirectory else document
