"""Package URLs, `pkg:pypi/foo-bar@1.0` (ECMA-427), in their canonical form.

purl("oci", "app", "sha256:…", arch="amd64")     # pkg:oci/app@sha256:…?arch=amd64
"""

from __future__ import annotations

from urllib.parse import quote


def purl(kind: str, name: str, version: str | None = None, **qualifiers: str | None) -> str:
    """A package URL without a namespace; qualifiers that are none or empty are left out, the others sorted.

    Args:
        kind: `pypi`, `oci`, `generic`.
        name: Normalised as the kind asks: by PEP 503 for `pypi`, lower case for `oci`.
        version: Of an image its digest.
        qualifiers: What else tells it apart, by the names that the kind knows.
    """
    at = f"@{_encoded(version)}" if version else ""
    pairs = [f"{key}={_encoded(value)}" for key, value in sorted(qualifiers.items()) if value]
    return f"pkg:{kind}/{quote(name, safe='')}{at}{'?' if pairs else ''}{'&'.join(pairs)}"


def _encoded(text: str) -> str:
    return quote(text, safe=":/")
