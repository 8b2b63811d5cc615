"""Who signs the images of a build, where the options ask for it.

signer = open_signer(config, environment=os.environ)
image = sign(image, signer)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pycontainer.attest.signing.attachments import StatementSigner
    from pycontainer.config import BuildConfig
    from pycontainer.image import Image, ImageIndex


def open_signer(config: BuildConfig, *, environment: Mapping[str, str]) -> StatementSigner | None:
    """The signer that the options name; asked for before anything is built, so that a mistake costs no build.

    Raises:
        ConfigError: The key cannot be read, or there is no identity to sign as.
        ToolError: The library that signs is not installed.
        NetworkError: Sigstore's trust root cannot be fetched.
    """
    if config.sign_key is not None:
        from pycontainer.attest.signing.keys import KeySigner  # noqa: PLC0415 - slow, and few builds sign
        from pycontainer.transports.secrets import Redacted  # noqa: PLC0415 - as above

        secret = config.sign_key_password
        passphrase = secret if isinstance(secret, Redacted) else None  # the form in which it is stored
        return KeySigner.read(config.path(config.sign_key), passphrase=passphrase)
    if config.sign:
        from pycontainer.attest.signing.keyless import IdentitySigner  # noqa: PLC0415 - slower still

        trust = None if config.sigstore_trust is None else config.path(config.sigstore_trust)
        return IdentitySigner.of(trust=trust, environment=environment)
    return None


def sign(image: Image | ImageIndex, signer: StatementSigner | None) -> Image | ImageIndex:
    """The image with its signatures, where somebody signs.

    Raises:
        PyContainerError: What the signer raises.
    """
    if signer is None:
        return image
    from pycontainer.attest.signing.sign import sign_image  # noqa: PLC0415 - few builds sign

    return sign_image(image, signer)
