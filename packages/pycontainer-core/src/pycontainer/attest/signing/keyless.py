"""Signing and checking with an identity instead of a key: Sigstore, through its own library.

    bundle = IdentitySigner.of(trust=None, environment=os.environ).sign(statement)
    IdentityVerifier(identity="https://github.com/acme/…", issuer="https://…", trust=None).verify(read_bundle(bundle))

The identity is that of the CI job (GitHub, GitLab, Google Cloud, Buildkite), or what `SIGSTORE_ID_TOKEN` holds. Which
servers issue certificates and keep the log, Sigstore's trust root says; an installation of one's own has another, in
the form of the *client trust config* that `--sigstore-trust` names.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from pycontainer.errors import ConfigError, DeniedError, NetworkError, SignatureError, ToolError

try:
    from sigstore.dsse import Statement as SigstoreStatement
    from sigstore.errors import Error as SigstoreError
    from sigstore.errors import VerificationError
    from sigstore.models import Bundle as SigstoreBundle
    from sigstore.models import ClientTrustConfig
    from sigstore.oidc import IdentityError, IdentityToken, detect_credential
    from sigstore.sign import SigningContext
    from sigstore.verify import Verifier
    from sigstore.verify.policy import Identity
except ImportError as error:
    raise ToolError(
        "Signatures with an identity need the library sigstore", hint="Install `pycontainer-core[sigstore]`"
    ) from error

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from typing_extensions import Self

    from pycontainer.attest.signing.bundle import Bundle
    from pycontainer.attest.statement import Statement

TOKEN_VARIABLE: Final = "SIGSTORE_ID_TOKEN"  # noqa: S105 - the name of a variable
_MAX_TRUST: Final = 4 << 20


@dataclass(frozen=True, kw_only=True, repr=False)
class IdentitySigner:
    """Signs statements as whoever a token says."""

    context: SigningContext
    token: IdentityToken

    @classmethod
    def of(cls, *, trust: Path | None, environment: Mapping[str, str]) -> Self:
        """The signer of this process.

        Args:
            trust: A client trust config; none means Sigstore's public installation.
            environment: Where `SIGSTORE_ID_TOKEN` is read; CI services have variables of their own.

        Raises:
            ConfigError: There is no identity, the token is malformed or expired, or the trust config is none.
            NetworkError: The trust root cannot be fetched.
        """
        raw = environment.get(TOKEN_VARIABLE) or _ambient()
        if not raw:
            raise ConfigError(
                "There is no identity to sign as",
                facts=[f"`{TOKEN_VARIABLE}` is not set", "no CI service that gives out identities was found"],
                hint=f"Set `{TOKEN_VARIABLE}` as `sigstore get-identity-token` gives it, or {{sign_key}}",
            )
        try:
            token = IdentityToken(raw)
        except IdentityError:
            raise ConfigError("The identity token is malformed or has expired") from None  # it may be quoted
        return cls(context=SigningContext.from_trust_config(_trust(trust)), token=token)

    def sign(self, statement: Statement) -> bytes:
        """The bundle of a statement, with certificate and log entry.

        Raises:
            DeniedError: Sigstore does not take the identity.
            NetworkError: Sigstore cannot be reached or refuses.
        """
        try:
            with self.context.signer(self.token) as signer:
                bundle = signer.sign_dsse(SigstoreStatement(statement.to_bytes()))
        except IdentityError:
            raise DeniedError("Sigstore does not take the identity token") from None
        except Exception as error:  # the library has errors of its own that it does not name
            raise NetworkError("Sigstore did not sign", facts=[f"reason: {type(error).__name__}"]) from error
        return bundle.to_json().encode()


@dataclass(frozen=True, kw_only=True)
class IdentityVerifier:
    """Checks bundles against an identity.

    Attributes:
        identity: The subject of the certificate: an address, or the URI of a workflow.
        issuer: Who vouched for it.
        trust: A client trust config; none means Sigstore's public installation.
    """

    identity: str
    issuer: str
    trust: Path | None = None

    def verify(self, bundle: Bundle) -> str:
        """Check the signature, certificate and log entry of a bundle and say who made it.

        Raises:
            SignatureError: It was not made by this identity, or over something else.
            NetworkError: The trust root cannot be fetched.
        """
        if bundle.key_hint is not None:
            raise SignatureError("It is signed with a key, not by an identity")
        verifier = self._verifier
        try:
            # Offline: what the bundle itself proves has to be enough, whoever answers on the network.
            _, payload = verifier.verify_dsse(
                SigstoreBundle.from_json(bundle.content), Identity(identity=self.identity, issuer=self.issuer)
            )
        except VerificationError as error:
            raise SignatureError("It was not made by this identity", facts=[str(error)]) from error
        except (SigstoreError, ValueError) as error:
            raise SignatureError("It is no valid signature", facts=[type(error).__name__]) from error
        if payload != bundle.envelope.payload:
            raise SignatureError("It signs something else than its bundle says")
        return f"identity {self.identity} ({self.issuer})"

    @cached_property
    def _verifier(self) -> Verifier:
        """Made once for all bundles of an image: the trust root may have to be fetched for it."""
        return Verifier(trusted_root=_trust(self.trust).trusted_root)


def _ambient() -> str | None:
    try:
        return detect_credential()
    except (IdentityError, OSError):
        return None


def _trust(path: Path | None) -> ClientTrustConfig:
    if path is None:
        try:
            return ClientTrustConfig.production()
        except (SigstoreError, OSError) as error:
            raise NetworkError(
                "Sigstore's trust root cannot be fetched",
                facts=[f"reason: {type(error).__name__}"],
                hint="Set {sigstore_trust} to a client trust config on this host",
            ) from error
    try:
        with path.open("rb") as file:
            return ClientTrustConfig.from_json(file.read(_MAX_TRUST).decode())
    except OSError as error:
        raise ConfigError(f"The trust config cannot be read: {error.strerror}", facts=[f"file: {path}"]) from error
    except (SigstoreError, ValueError, KeyError, TypeError) as error:
        raise ConfigError("The trust config is malformed", facts=[f"file: {path}"]) from error
