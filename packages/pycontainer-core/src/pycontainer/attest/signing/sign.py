"""An image with signatures: on itself, and on every document that is attached to it.

image = sign_image(image, KeySigner.read(path, passphrase=None))

The index is signed, and every platform's manifest too: whoever checks what a node runs has only the latter's digest.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, TypeVar

from pycontainer.attest import FORMATS
from pycontainer.attest.signing.attachments import signed_attachment
from pycontainer.attest.statement import PAYLOAD_TYPE, SIGNED, Statement
from pycontainer.image import Image, ImageIndex
from pycontainer.value import replace

if TYPE_CHECKING:
    from pycontainer.attest.signing.attachments import StatementSigner
    from pycontainer.image import Attachment
    from pycontainer.oci import Digest

    _Part = TypeVar("_Part", Image, ImageIndex)

# What cosign calls the predicate of a document of this kind.
_PREDICATES: Final = {form.media_type: form.predicate_type for form in FORMATS.values()}


def sign_image(image: Image | ImageIndex, signer: StatementSigner) -> Image | ImageIndex:
    """The image with a signature on each of its manifests and on each document that is attached to one.

    Raises:
        PyContainerError: What the signer raises.
    """
    if isinstance(image, Image):
        return _signed(image, signer)
    return _signed(replace(image, images=tuple(_signed(each, signer) for each in image.images)), signer)


def _signed(part: _Part, signer: StatementSigner) -> _Part:
    statements = [Statement.about(part.digest, predicate_type=SIGNED, predicate={})]
    statements += [said for each in part.attachments if (said := _statement(each, part.digest)) is not None]
    return part.with_attachments(signed_attachment(statement, signer) for statement in statements)


def _statement(attachment: Attachment, digest: Digest) -> Statement | None:
    """What a document says, as a statement; none where it is of a kind that nobody signs, a signature above all."""
    if attachment.media_type == PAYLOAD_TYPE:
        return Statement.read(attachment.content)
    predicate_type = _PREDICATES.get(attachment.artifact_type)
    if predicate_type is None:
        return None
    return Statement.about(digest, predicate_type=predicate_type, predicate=json.loads(attachment.content))
