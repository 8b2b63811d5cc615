"""Package URLs, `pkg:pypi/foo-bar@1.0` (ECMA-427), in their canonical form.

purl("oci", "app", "sha256:…", arch="amd64")     # pkg:oci/app@sha256:…?arch=amd64
canonical_purl("pkg:PyPI/Foo_Bar@1.0")           # pkg:pypi/foo-bar@1.0
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote

from pycontainer.sources.locks.filenames import normalize

if TYPE_CHECKING:
    from collections.abc import Mapping

_PURL: Final = re.compile(
    r"pkg:/*(?P<kind>[A-Za-z][A-Za-z0-9.-]*)/(?:(?P<namespace>[^?#]+)/)?(?P<name>[^/@?#]+)"
    r"(?:@(?P<version>[^?#]+))?(?:\?(?P<qualifiers>[^#]*))?(?:#.*)?"
)
_KEY: Final = re.compile(r"[a-z][a-z0-9._-]*")


def purl(
    kind: str, name: str, version: str | None = None, *, namespace: str | None = None, **qualifiers: str | None
) -> str:
    """A package URL; qualifiers that are none or empty are left out, the others sorted.

    Args:
        kind: `pypi`, `deb`, `oci`, `generic`.
        name: Normalised as the kind asks: by PEP 503 for `pypi`, lower case for `oci`.
        version: Of an image its digest.
        namespace: Of a Debian package the distribution; several names have `/` between them.
        qualifiers: What else tells it apart, by the names that the kind knows.
    """
    return _written(kind, name, version, namespace, qualifiers)


def canonical_purl(text: str) -> str | None:
    """What somebody else wrote, in canonical form and without subpath; none where it is no package URL."""
    found = _PURL.fullmatch(text)
    if found is None or not text.isprintable():
        return None
    kind, name = found["kind"].lower(), unquote(found["name"])
    pairs = (pair.partition("=") for pair in (found["qualifiers"] or "").split("&"))
    qualifiers = {key.lower(): unquote(value) for key, _, value in pairs if _KEY.fullmatch(key.lower())}
    namespace = "/".join(part for part in unquote(found["namespace"] or "").split("/") if part)
    if not name.strip("/ "):
        return None
    own = normalize(name) if kind == "pypi" else name
    return _written(kind, own, unquote(found["version"] or ""), namespace, qualifiers)


def _written(
    kind: str, name: str, version: str | None, namespace: str | None, qualifiers: Mapping[str, str | None]
) -> str:
    within = f"{_encoded(namespace)}/" if namespace else ""
    at = f"@{_encoded(version)}" if version else ""
    pairs = [f"{key}={_encoded(value)}" for key, value in sorted(qualifiers.items()) if value]
    return f"pkg:{kind}/{within}{quote(name, safe='')}{at}{'?' if pairs else ''}{'&'.join(pairs)}"


def _encoded(text: str) -> str:
    return quote(text, safe=":/")
