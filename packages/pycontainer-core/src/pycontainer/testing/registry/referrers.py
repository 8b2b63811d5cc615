"""The referrers API of a fake registry (distribution-spec 1.1, *Listing Referrers*)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from pycontainer.testing.registry.reply import Reply

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pycontainer.testing.registry.rules import Rules
    from pycontainer.testing.registry.store import Repository

_INDEX = "application/vnd.oci.image.index.v1+json"


def subject_of(document: Mapping[str, Any]) -> str | None:
    """The digest that a manifest or index refers to."""
    subject = document.get("subject")
    return str(subject["digest"]) if subject else None


def list_referrers(
    rules: Rules, repository: Repository, path: str, digest: str, parameters: Mapping[str, str]
) -> Reply:
    """A page of the manifests that refer to a digest, whether or not there is a manifest of that digest."""
    wanted = parameters.get("artifactType")
    filtered = bool(wanted) and rules.referrers_filter
    found = list(_referrers(repository, digest, wanted if filtered else None))
    begin = int(parameters.get("after", "0"))
    end = len(found) if rules.referrers_page is None else begin + rules.referrers_page
    headers = {"Content-Type": _INDEX}
    if filtered:
        headers["OCI-Filters-Applied"] = "artifactType"
    if end < len(found):
        headers["Link"] = f'<{path}?{urlencode({**parameters, "after": end})}>; rel="next"'
    listed = {"schemaVersion": 2, "mediaType": _INDEX, "manifests": found[begin:end]}
    return Reply(status=200, headers=headers, body=json.dumps(listed).encode())


def _referrers(repository: Repository, digest: str, artifact_type: str | None) -> Iterator[dict[str, Any]]:
    for own, (media_type, content) in repository.manifests.items():
        document = json.loads(content)
        kind = document.get("artifactType") or document.get("config", {}).get("mediaType")
        if subject_of(document) != digest or (artifact_type and kind != artifact_type):
            continue
        entry = {"mediaType": media_type, "digest": own, "size": len(content), "artifactType": kind}
        annotations = document.get("annotations")
        yield {**entry, "annotations": annotations} if annotations else entry
