"""Sigstore bundles with DSSE envelopes: a signed payload, and what is needed to check the signature.

    bundle = key_bundle(envelope, hint=hint)        # the bytes that are stored
    read_bundle(content).envelope.payload

Formats: Sigstore bundle 0.3, DSSE 1.0. Only what a key signs is made here; bundles with certificates and log entries
are made and checked by the sigstore library, and are read here as far as telling the two apart takes.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any, Final

from pycontainer.attest.statement import PAYLOAD_TYPE
from pycontainer.errors import DocumentError
from pycontainer.oci import canonical_json
from pycontainer.oci.document import strict_json

MEDIA_TYPE: Final = "application/vnd.dev.sigstore.bundle.v0.3+json"
# A bill of materials of some ten thousand files, in base64.
MAX_SIZE: Final = 64 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Envelope:
    """A payload and one signature over it (DSSE, *envelope.md*).

    Attributes:
        payload: The statement's bytes, as they were signed.
        signature: Over `pre_authentication(payload)`.
    """

    payload: bytes
    signature: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Bundle:
    """A bundle that was read.

    Attributes:
        content: Its bytes.
        envelope: What is signed.
        key_hint: Which key signed it, where it was a key; none where it was an identity with a certificate.
    """

    content: bytes
    envelope: Envelope
    key_hint: str | None


def pre_authentication(payload: bytes, payload_type: str = PAYLOAD_TYPE) -> bytes:
    """What is signed: type and payload, each with its length (DSSE, *protocol.md*, PAE)."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def key_bundle(envelope: Envelope, *, hint: str) -> bytes:
    """The bundle of what a key signed; `hint` says which, to whoever has several."""
    document = {
        "mediaType": MEDIA_TYPE,
        "verificationMaterial": {"publicKey": {"hint": hint}},
        "dsseEnvelope": {
            "payload": base64.b64encode(envelope.payload).decode(),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"sig": base64.b64encode(envelope.signature).decode()}],
        },
    }
    return canonical_json(document)


def read_bundle(content: bytes) -> Bundle:
    """Read a bundle.

    Raises:
        DocumentError: It is none, holds no in-toto statement, or more signatures than one.
    """
    document = strict_json(content, what="A signature bundle", limit=MAX_SIZE)
    envelope = _table(document, "dsseEnvelope")
    signatures = envelope.get("signatures")
    # More than one would leave open which of them counts (Sigstore bundle, *dsse_envelope*).
    if not isinstance(signatures, list) or len(signatures) != 1 or not isinstance(signatures[0], dict):
        raise DocumentError("A signature bundle must have exactly one signature")
    if envelope.get("payloadType") != PAYLOAD_TYPE:
        raise DocumentError("A signature bundle holds no in-toto statement", facts=[f"expected: `{PAYLOAD_TYPE}`"])
    key = _table(document, "verificationMaterial").get("publicKey")
    hint = key.get("hint", "") if isinstance(key, dict) else None
    return Bundle(
        content=content,
        envelope=Envelope(
            payload=_bytes(envelope.get("payload"), "payload"), signature=_bytes(signatures[0].get("sig"), "sig")
        ),
        key_hint=hint if hint is None else str(hint),
    )


def _table(document: Any, key: str) -> dict[str, Any]:
    value = document.get(key) if isinstance(document, dict) else None
    if not isinstance(value, dict):
        raise DocumentError("A signature bundle is malformed", facts=[f"`{key}` is missing"])
    return value


def _bytes(value: Any, name: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (TypeError, ValueError, binascii.Error) as error:
        raise DocumentError("A signature bundle is malformed", facts=[f"`{name}` is not base64"]) from error
