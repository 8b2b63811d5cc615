"""Signed statements as attachments, where cosign 3 and policy controllers look for them.

attach(client, image.descriptor, repository, signed_attachment(statement, signer))
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pycontainer.attest.signing.bundle import MEDIA_TYPE
from pycontainer.image import Attachment

if TYPE_CHECKING:
    from pycontainer.attest.statement import Statement


class StatementSigner(Protocol):
    """Signs with a key, or as an identity."""

    def sign(self, statement: Statement) -> bytes:
        """The bundle of a statement."""
        ...


def signed_attachment(statement: Statement, signer: StatementSigner) -> Attachment:
    """Sign a statement.

    Raises:
        PyContainerError: What the signer raises.
    """
    return Attachment(
        artifact_type=MEDIA_TYPE,
        media_type=MEDIA_TYPE,
        content=signer.sign(statement),
        annotations={
            "dev.sigstore.bundle.content": "dsse-envelope",
            "dev.sigstore.bundle.predicateType": statement.predicate_type,
        },
    )
