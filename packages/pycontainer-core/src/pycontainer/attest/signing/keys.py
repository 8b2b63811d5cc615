"""Signing and checking with a key of one's own.

    bundle = KeySigner.read(Path("signing.key"), passphrase=Redacted("…")).sign(statement)
    payload = KeyVerifier.read(Path("signing.pub")).verify(read_bundle(bundle))

Keys are PEM: PKCS #8 for the private one, encrypted or not, SubjectPublicKeyInfo for the public one, as `openssl`
writes them. ECDSA on P-256, P-384 and P-521, each with the hash of its size, Ed25519, and RSA (PKCS #1 v1.5, SHA-256,
2048 bits or more): what cosign takes.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from pycontainer.attest.signing.bundle import Bundle, Envelope, key_bundle, pre_authentication
from pycontainer.errors import ConfigError, IntegrityError, SignatureError, ToolError

try:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
except ImportError as error:
    raise ToolError(
        "Signatures with keys need the library cryptography", hint="Install `pycontainer-core[sign]`"
    ) from error

if TYPE_CHECKING:
    from pathlib import Path

    from typing_extensions import Self

    from pycontainer.attest.statement import Statement
    from pycontainer.transports.secrets import Redacted

PrivateKey: TypeAlias = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey
PublicKey: TypeAlias = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey

_MAX_SIZE: Final = 64 << 10
_CURVES: Final[dict[str, hashes.HashAlgorithm]] = {
    "secp256r1": hashes.SHA256(),
    "secp384r1": hashes.SHA384(),
    "secp521r1": hashes.SHA512(),
}
_MIN_RSA: Final = 2048
_MAKE_ONE: Final = (
    "Make one with `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -aes256 -out signing.key`"
)


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class KeySigner:
    """Signs statements with a private key."""

    key: PrivateKey

    @classmethod
    def read(cls, path: Path, *, passphrase: Redacted | None) -> Self:
        """Read the private key of a file.

        Raises:
            ConfigError: It cannot be read, is no private key of a known kind, or the passphrase is missing or wrong.
        """
        content = _content(path, "private")
        if b"SIGSTORE PRIVATE KEY" in content or b"COSIGN PRIVATE KEY" in content:
            raise ConfigError(
                "The signing key has cosign's own form, which only cosign reads",
                facts=[f"file: {path}"],
                hint=f"{_MAKE_ONE}; `cosign import-key-pair` takes it too",
            )
        secret = passphrase.reveal().encode() if passphrase is not None else None
        if secret is not None and b"ENCRYPTED" not in content:
            secret = None  # a passphrase that is not needed is no mistake
        try:
            key = serialization.load_pem_private_key(content, password=secret)
        except TypeError:
            raise ConfigError(
                "The signing key is encrypted, and no passphrase is set",
                facts=[f"file: {path}"],
                hint="Set {sign_key_password}",
            ) from None
        except (ValueError, UnsupportedAlgorithm):
            problem = "cannot be decrypted with this passphrase" if secret else "is not a PEM file with a private key"
            raise ConfigError(f"The signing key {problem}", facts=[f"file: {path}"], hint=_MAKE_ONE) from None
        if not isinstance(key, (ec.EllipticCurvePrivateKey, ed25519.Ed25519PrivateKey, rsa.RSAPrivateKey)):
            raise ConfigError("The signing key is of an unknown kind", facts=[f"file: {path}"], hint=_MAKE_ONE)
        _check_strength(key.public_key(), path)
        return cls(key=key)

    def sign(self, statement: Statement) -> bytes:
        """The bundle of a statement, the same for the same one: signing again attaches nothing new."""
        payload = statement.to_bytes()
        signature = _signature(self.key, pre_authentication(payload))
        envelope = Envelope(payload=payload, signature=signature)
        return key_bundle(envelope, hint=key_hint(self.key.public_key()))


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class KeyVerifier:
    """Checks bundles with a public key."""

    key: PublicKey

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the public key of a file.

        Raises:
            ConfigError: It cannot be read, or is no public key of a known kind.
        """
        content = _content(path, "public")
        try:
            key = serialization.load_pem_public_key(content)
        except (ValueError, UnsupportedAlgorithm):
            hint = "Use the public key: `openssl pkey -in signing.key -pubout`" if b"PRIVATE KEY" in content else None
            raise ConfigError(
                "The key is not a PEM file with a public key", facts=[f"file: {path}"], hint=hint
            ) from None
        if not isinstance(key, (ec.EllipticCurvePublicKey, ed25519.Ed25519PublicKey, rsa.RSAPublicKey)):
            raise ConfigError("The key is of a kind that is not supported", facts=[f"file: {path}"])
        _check_strength(key, path)
        return cls(key=key)

    def verify(self, bundle: Bundle) -> str:
        """Check the signature of a bundle and say who made it; what the statement says is for the caller to check.

        Raises:
            SignatureError: It was made with another key, or by an identity.
            IntegrityError: It names this key and was not made with it, or signs something else.
        """
        if bundle.key_hint is None:
            raise SignatureError("It is signed by an identity, not with a key")
        signed, signature = pre_authentication(bundle.envelope.payload), bundle.envelope.signature
        try:
            if isinstance(self.key, ec.EllipticCurvePublicKey):
                self.key.verify(signature, signed, ec.ECDSA(_curve_hash(self.key)))
            elif isinstance(self.key, rsa.RSAPublicKey):
                self.key.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
            else:
                self.key.verify(signature, signed)
        except InvalidSignature:
            if bundle.key_hint != key_hint(self.key):
                raise SignatureError("It is signed with another key") from None
            raise IntegrityError("It names this key and was not made with it, or what it signs was changed") from None
        return f"key {key_hint(self.key)}"


def key_hint(key: PublicKey) -> str:
    """What bundles call a key: the SHA-256 of its SubjectPublicKeyInfo in base64, as cosign does."""
    encoded = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(encoded).digest()).decode()


def _signature(key: PrivateKey, content: bytes) -> bytes:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(content, ec.ECDSA(_curve_hash(key.public_key()), deterministic_signing=True))  # RFC 6979
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(content, padding.PKCS1v15(), hashes.SHA256())
    return key.sign(content)


def _curve_hash(key: ec.EllipticCurvePublicKey) -> hashes.HashAlgorithm:
    return _CURVES[key.curve.name]


def _check_strength(key: PublicKey, path: Path) -> None:
    problem = None
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name not in _CURVES:
        problem = f"The key's curve `{key.curve.name}` is not supported"
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < _MIN_RSA:
        problem = f"The key has {key.key_size} bits, too few for RSA"
    if problem:
        raise ConfigError(problem, facts=[f"file: {path}"], hint=_MAKE_ONE)


def _content(path: Path, kind: str) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_SIZE + 1)
    except OSError as error:
        raise ConfigError(f"The {kind} key cannot be read: {error.strerror}", facts=[f"file: {path}"]) from error
    if len(content) > _MAX_SIZE:
        raise ConfigError(f"The file of the {kind} key is too large to be one", facts=[f"file: {path}"])
    return content
