"""What is attached to an image: who signed it, and whether it is about this very digest.

    for found in check_evidence(part, attachments, signer):
        ...

Whoever may push to a repository may attach to its images. So what others attached is no failure, and nothing that is
attached counts before the signer who is asked for has signed it. A failure is what contradicts itself: bytes that are
not what their digest says, a signature that bears the signer's name and is not the signer's, a statement that was moved
to another image.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from pycontainer.attest import FORMATS
from pycontainer.attest.signing.bundle import MEDIA_TYPE, read_bundle
from pycontainer.attest.statement import PAYLOAD_TYPE, PROVENANCE, SIGNED, Statement
from pycontainer.attest.verification.report import Finding, Verdict
from pycontainer.errors import DocumentError, IntegrityError, PyContainerError, SignatureError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pycontainer.attest.verification.contents import Part
    from pycontainer.oci import Descriptor, Digest

# Kinds of documents, by the predicate types of statements and by media types, and what people call them.
_NAMES: Final = {
    SIGNED: "signature",
    PROVENANCE: "provenance",
    **{
        kind: f"bill of materials ({form.name})"
        for form in FORMATS.values()
        for kind in (form.predicate_type, form.media_type)
    },
    PAYLOAD_TYPE: "statement",
    MEDIA_TYPE: "signature",
}


class Signer(Protocol):
    """Whose signatures count."""

    def verify(self, bundle: Any) -> str:
        """Who made the signature of a bundle.

        Raises:
            SignatureError: Somebody else.
        """
        ...


class Attachments(Protocol):
    """What is attached to the manifests of an image."""

    def of(self, digest: Digest) -> Sequence[Descriptor]:
        """The manifests of what is attached to one, each with its kind."""
        ...

    def read(self, descriptor: Descriptor) -> bytes:
        """The document of such a manifest, its digest verified."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Signed:
    """A statement about a part of the image that the right signer made."""

    part: Part
    statement: Statement
    by: str


def check_evidence(part: Part, attachments: Attachments, signer: Signer | None) -> Iterator[Finding | Signed]:
    """What becomes of everything that is attached to a part; what is rightly signed is given out beside its finding.

    Args:
        part: The manifest or index.
        attachments: What is attached to it.
        signer: Whose signatures count; none means that signatures are told of and not checked.
    """
    documents: list[tuple[Descriptor, bytes]] = []
    signed: list[Signed] = []
    for descriptor in attachments.of(part.descriptor.digest):
        name = _name(descriptor.artifact_type or "")
        try:
            content = attachments.read(descriptor)
        except PyContainerError as error:
            yield Finding.failure(f"{name} of {part.name}", error, descriptor.digest)
            continue
        if descriptor.artifact_type != MEDIA_TYPE:
            documents.append((descriptor, content))
            continue
        found = _check_bundle(part, descriptor, content, signer)
        if isinstance(found, Signed):
            signed.append(found)
            yield _holds(found, descriptor)
        yield found
    for descriptor, content in documents:
        yield _check_document(part, descriptor, content, signed)


def _check_bundle(part: Part, descriptor: Descriptor, content: bytes, signer: Signer | None) -> Finding | Signed:
    """The signed statement of a bundle, or what is wrong with it."""
    subject = f"signature on {part.name}"
    try:
        bundle = read_bundle(content)
        statement = Statement.read(bundle.envelope.payload)
        subject = f"{_name(statement.predicate_type)} of {part.name}"
        if signer is None:
            return Finding(
                subject=subject,
                verdict=Verdict.OPEN,
                text="Nobody said whose signature counts",
                digest=descriptor.digest,
            )
        by = signer.verify(bundle)
        if not statement.is_about(part.descriptor.digest):
            facts = [f"expected: `{part.descriptor.digest}`"]
            raise IntegrityError("It is signed, and about another image", facts=facts)
    except SignatureError as error:  # somebody else's
        return Finding(
            subject=subject, verdict=Verdict.OPEN, text=error.message, digest=descriptor.digest, facts=error.facts
        )
    except PyContainerError as error:
        return Finding.failure(subject, error, descriptor.digest)
    return Signed(part=part, statement=statement, by=by)


def _holds(signed: Signed, descriptor: Descriptor) -> Finding:
    return Finding(
        subject=f"{_name(signed.statement.predicate_type)} of {signed.part.name}",
        verdict=Verdict.HOLDS,
        text=f"It is signed with {signed.by}" if signed.by.startswith("key") else f"It is signed by {signed.by}",
        digest=descriptor.digest,
    )


def _check_document(part: Part, descriptor: Descriptor, content: bytes, signed: Sequence[Signed]) -> Finding:
    """A document that is attached as it is: it counts where the same one is signed too."""
    name = _name(_kind(descriptor, content))
    same = any(_name(each.statement.predicate_type) == name and _same(each.statement, content) for each in signed)
    return Finding(
        subject=f"{name} of {part.name}",
        verdict=Verdict.HOLDS if same else Verdict.OPEN,
        text="It is the one that is signed" if same else "It is not signed",
        digest=descriptor.digest,
    )


def _kind(descriptor: Descriptor, content: bytes) -> str:
    """What kind of document it is; of a statement, what it states."""
    if descriptor.artifact_type == PAYLOAD_TYPE:
        with suppress(DocumentError):
            return Statement.read(content).predicate_type
    return descriptor.artifact_type or ""


def _same(statement: Statement, content: bytes) -> bool:
    try:
        document = json.loads(content)
    except ValueError:
        return False
    return bool(document in (statement.predicate, json.loads(statement.to_bytes())))


def _name(kind: str) -> str:
    return _NAMES.get(kind, f"`{kind[:80]}`" if kind else "attachment")
