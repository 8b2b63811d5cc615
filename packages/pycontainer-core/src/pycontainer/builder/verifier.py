"""`ImageVerifier`: finds an image with the options' registries and credentials, and has it looked at.

report = ImageVerifier(BuildConfig(), emit=show).verify("ghcr.io/acme/api:1.4", signer=signer)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pycontainer.builder.session import Session
from pycontainer.events import ignore
from pycontainer.plan import host_platform

if TYPE_CHECKING:
    from collections.abc import Collection

    from pycontainer.attest.verification.evidence import Signer
    from pycontainer.attest.verification.report import Report
    from pycontainer.config import BuildConfig
    from pycontainer.events import Emit


class ImageVerifier:
    """Checks images from the outside.

    Args:
        config: How registries are spoken to.
        emit: Hears what happens.
    """

    def __init__(self, config: BuildConfig, *, emit: Emit = ignore) -> None:
        self._config = config
        self._emit = emit

    def verify(self, image: str, *, signer: Signer | None, required: Collection[str] = ()) -> Report:
        """Check everything about an image.

        Args:
            image: A reference, or where a layout or archive is (`ImageReader.open`).
            signer: Whose signatures count; none means that digests alone are looked at.
            required: Documents that must be signed beside the image: `sbom`, `provenance`.

        Raises:
            PyContainerError: The image is not there, or its manifests are not what their digests say.
        """
        from pycontainer.attest.verification.verify import verify_image  # noqa: PLC0415 - no build needs it
        from pycontainer.reading import ImageReader  # noqa: PLC0415 - as above

        with Session(self._config, self._emit) as session:
            # Without a cache: what is checked is what is there.
            found = ImageReader(session.registry, home=None, platform=host_platform(), emit=self._emit).find(image)
            return verify_image(
                found.name, found.top, found.contents, found.attachments, signer=signer, required=required
            )
