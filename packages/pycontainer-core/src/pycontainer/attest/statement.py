"""In-toto statements: a predicate, and the digest that it is about.

    statement = Statement.about(digest, predicate_type=SIGNED, predicate={})
    statement.to_bytes(), Statement.from_bytes(payload).is_about(digest)

Format: in-toto attestation framework, *Statement v1*.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

import msgspec

from pycontainer.errors import DocumentError
from pycontainer.oci import Document

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Self

    from pycontainer.oci import Digest

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
# What `cosign sign` says of an image; the predicate is empty.
SIGNED: Final = "https://sigstore.dev/cosign/sign/v1"
PROVENANCE: Final = "https://slsa.dev/provenance/v1"


class Subject(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a statement is about: algorithm → hexadecimal digest, and a name, which nobody relies on."""

    digest: dict[str, str]
    name: str | None = None


class Statement(Document, frozen=True, kw_only=True):
    """Something said about digests."""

    what: ClassVar[str] = "An in-toto statement"
    limit: ClassVar[int] = 64 << 20  # a bill of materials is a predicate too

    type_: str = msgspec.field(name="_type")
    subject: tuple[Subject, ...]
    predicate_type: str
    predicate: dict[str, Any]

    @classmethod
    def about(
        cls, *digests: Digest, predicate_type: str, predicate: Mapping[str, Any], name: str | None = None
    ) -> Self:
        """A statement about digests.

        Args:
            digests: What it is about.
            predicate_type: What kind of thing is said.
            predicate: It.
            name: Of the subjects. Some readers want one; none means the digest, since an image may have several names,
                of which none is part of what is said.
        """
        subject = tuple(Subject(name=name or str(each), digest={each.algorithm: each.hex}) for each in digests)
        return cls(type_=STATEMENT_TYPE, subject=subject, predicate_type=predicate_type, predicate=dict(predicate))

    @classmethod
    def read(cls, payload: bytes) -> Self:
        """The statement of an envelope's payload.

        Raises:
            DocumentError: It is none, or of another version.
        """
        statement = cls.from_bytes(payload)
        if statement.type_ != STATEMENT_TYPE:
            raise DocumentError("A statement has another version", facts=[f"expected: `{STATEMENT_TYPE}`"])
        return statement

    def is_about(self, digest: Digest) -> bool:
        """Whether this digest is among its subjects: what is said is said of each of them."""
        return any(each.digest.get(digest.algorithm) == digest.hex for each in self.subject)
