"""`ImageVerifier`: finds an image with the options' registries and credentials, and has it looked at.

report = ImageVerifier(BuildConfig(), emit=show).verify("ghcr.io/acme/api:1.4", Expected(key=Path("signing.pub")))
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pycontainer.attest.verification.report import Report, Verdict
from pycontainer.builder.session import Session
from pycontainer.errors import ConfigError
from pycontainer.events import ignore
from pycontainer.plan import host_platform

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from pycontainer.attest.verification.evidence import Signer
    from pycontainer.config import BuildConfig
    from pycontainer.events import Emit

__all__ = ["Expected", "ImageVerifier", "Report", "Verdict", "unclear"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Expected:
    """Whose signatures count: those of a key, or those of an identity.

    Attributes:
        key: Its public key, PEM.
        identity: The subject of the certificate: an address, or the URI of a workflow.
        issuer: Who vouched for that identity.

    Raises:
        ConfigError: Neither is stated, or both, or an identity without its issuer.
    """

    key: Path | None = None
    identity: str | None = None
    issuer: str | None = None

    def __post_init__(self) -> None:
        if bool(self.key) == bool(self.identity or self.issuer):
            raise unclear()
        if not self.key and not (self.identity and self.issuer):
            raise ConfigError(
                "An identity is a name and who vouched for it", hint="Write `--identity NAME --issuer URL`"
            )

    def signer(self, config: BuildConfig) -> Signer:
        """What checks such signatures.

        Raises:
            ConfigError: The key or the trust config cannot be read.
            ToolError: The library that checks is not installed.
        """
        if self.key is not None:
            from pycontainer.attest.signing.keys import KeyVerifier  # noqa: PLC0415 - slow to import

            return KeyVerifier.read(self.key)
        from pycontainer.attest.signing.keyless import IdentityVerifier  # noqa: PLC0415 - slow to import

        trust = None if config.sigstore_trust is None else config.path(config.sigstore_trust)
        return IdentityVerifier(identity=self.identity or "", issuer=self.issuer or "", trust=trust)


def unclear() -> ConfigError:
    """What to raise where somebody said nothing, or more than one thing."""
    return ConfigError(
        "It must be said, once, whose signature counts",
        hint="Write `--key FILE`, or `--identity NAME --issuer URL`, or `--digests-only`",
    )


class ImageVerifier:
    """Checks images from the outside.

    Args:
        config: How registries are spoken to.
        emit: Hears what happens.
    """

    def __init__(self, config: BuildConfig, *, emit: Emit = ignore) -> None:
        self._config = config
        self._emit = emit

    def verify(self, image: str, expected: Expected | None, *, required: Collection[str] = ()) -> Report:
        """Check everything about an image.

        Args:
            image: A reference, or where a layout or archive is (`ImageReader.open`).
            expected: Whose signatures count; none means that digests alone are looked at.
            required: Documents that must be signed beside the image: `sbom`, `provenance`.

        Raises:
            PyContainerError: The image is not there, or its manifests are not what their digests say.
        """
        from pycontainer.attest.verification.verify import verify_image  # noqa: PLC0415 - no build needs it
        from pycontainer.reading import ImageReader  # noqa: PLC0415 - as above

        signer = None if expected is None else expected.signer(self._config)
        with Session(self._config, self._emit) as session:
            # Without a cache: what is checked is what is there.
            found = ImageReader(session.registry, home=None, platform=host_platform(), emit=self._emit).find(image)
            return verify_image(
                found.name, found.top, found.contents, found.attachments, signer=signer, required=required
            )
