"""An image, and all that is said about it, looked at from the outside.

report = verify_image(name, descriptor, source, attachments, signer=signer, required=["provenance"])
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pycontainer.attest import FORMATS
from pycontainer.attest.statement import PROVENANCE, SIGNED
from pycontainer.attest.verification.contents import check_contents, parts_of
from pycontainer.attest.verification.evidence import Signed, check_evidence
from pycontainer.attest.verification.provenance import check_provenance
from pycontainer.attest.verification.report import Finding, Report, Verdict
from pycontainer.oci import Index

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from pycontainer.attest.verification.contents import Part
    from pycontainer.attest.verification.evidence import Attachments, Signer
    from pycontainer.oci import Descriptor
    from pycontainer.sources.base.variant import Contents

# What somebody may ask for, and the predicate types that are it.
KINDS: Final[Mapping[str, frozenset[str]]] = {
    "signature": frozenset({SIGNED}),
    "sbom": frozenset(form.predicate_type for form in FORMATS.values()),
    "provenance": frozenset({PROVENANCE}),
}


def verify_image(
    name: str,
    descriptor: Descriptor,
    source: Contents,
    attachments: Attachments,
    *,
    signer: Signer | None = None,
    required: Collection[str] = (),
) -> Report:
    """Look at everything: contents against digests, signatures against a signer, documents against the image.

    Args:
        name: What the image was asked for as.
        descriptor: Of its manifest or index.
        source: Where it is.
        attachments: What is attached there.
        signer: Whose signatures count; none means that only digests are looked at.
        required: Kinds of documents that the signer must have signed, beside the image: `sbom`, `provenance`.

    Raises:
        PyContainerError: The image cannot be read, or its manifests are not what their digests say.
    """
    parts = parts_of(source, descriptor)
    contents = tuple(check_contents(source, parts))
    evidence: list[Finding] = []
    signed: list[Signed] = []
    for part in parts:
        for found in check_evidence(part, attachments, signer):
            if isinstance(found, Signed):
                signed.append(found)
            else:
                evidence.append(found)
    for each in signed:
        if each.statement.predicate_type in KINDS["provenance"] and not isinstance(each.part.document, Index):
            evidence += check_provenance(each.part, each.statement)
    if signer is not None:
        evidence += _missing(parts, signed, {"signature", *required})
    return Report(name=name, digest=descriptor.digest, contents=contents, evidence=tuple(evidence))


def _missing(parts: Sequence[Part], signed: Sequence[Signed], required: Collection[str]) -> Iterator[Finding]:
    """What the signer should have signed and has not. A signed bill of materials alone releases no image."""
    images = [part for part in parts if not isinstance(part.document, Index)]
    for kind in sorted(required):
        # A bill of materials is about one platform; what is said of the index is said of all that it names.
        wanted = images if kind == "sbom" else parts[:1]
        types = KINDS[kind]
        for part in wanted:
            if not any(each.part is part and each.statement.predicate_type in types for each in signed):
                yield Finding(
                    subject=f"{kind} of {part.name}",
                    verdict=Verdict.FAILS,
                    text="Nobody who counts has signed it" if kind == "signature" else "There is none that is signed",
                    digest=part.descriptor.digest,
                )
