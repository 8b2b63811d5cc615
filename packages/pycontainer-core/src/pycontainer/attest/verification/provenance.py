"""What provenance says of an image, against what the image says of itself.

for finding in check_provenance(part, statement):
    ...

A signature tells who says it, not that it is so. What can be compared is: the base image by its digest, and the
platform.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pycontainer.attest.verification.report import Finding, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycontainer.attest.statement import Statement
    from pycontainer.attest.verification.contents import Part

_BASE_DIGEST: Final = "org.opencontainers.image.base.digest"


def check_provenance(part: Part, statement: Statement) -> Iterator[Finding]:
    """What becomes of the claims of a statement of provenance about a platform's image."""
    definition = statement.predicate.get("buildDefinition")
    if not isinstance(definition, dict):
        yield _finding(part, Verdict.FAILS, "It has no build definition")
        return
    stated = part.document.annotations.get(_BASE_DIGEST)
    bases = {digest for resource in _resources(definition) for digest in _digests(resource)}
    if stated and bases:
        if stated in bases:
            yield _finding(part, Verdict.HOLDS, "It names the base that the image names")
        else:
            facts = (f"image: `{stated}`", f"provenance: {', '.join(f'`{each}`' for each in sorted(bases))}")
            yield _finding(part, Verdict.FAILS, "It names another base than the image", *facts)
    platforms = _table(definition, "externalParameters", "configuration").get("platform")
    if isinstance(platforms, list) and part.name not in platforms:
        facts = (f"image: {part.name}", f"provenance: {', '.join(map(str, platforms))}")
        yield _finding(part, Verdict.FAILS, "It names other platforms than the image", *facts)


def _finding(part: Part, verdict: Verdict, text: str, *facts: str) -> Finding:
    return Finding(
        subject=f"provenance of {part.name}", verdict=verdict, text=text, digest=part.descriptor.digest, facts=facts
    )


def _resources(definition: dict[str, Any]) -> list[dict[str, Any]]:
    resources = definition.get("resolvedDependencies")
    found = resources if isinstance(resources, list) else []
    return [each for each in found if isinstance(each, dict) and each.get("name") == "base"]


def _digests(resource: dict[str, Any]) -> Iterator[str]:
    """The digests that a base goes by: of its manifest, and of the index that it was found in."""
    for algorithm, value in _table(resource, "digest").items():
        yield f"{algorithm}:{value}"
    index = _table(resource, "annotations").get("index")
    if isinstance(index, str):
        yield index


def _table(table: dict[str, Any], *keys: str) -> dict[str, Any]:
    for key in keys:
        value = table.get(key)
        table = value if isinstance(value, dict) else {}
    return table
