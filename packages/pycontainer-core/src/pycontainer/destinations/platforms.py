"""Which image of an index an engine is given: it keeps one platform."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pycontainer.errors import ConfigError
from pycontainer.events import Emit, Warned
from pycontainer.image import Image

if TYPE_CHECKING:
    from collections.abc import Callable

    from pycontainer.image import ImageIndex
    from pycontainer.oci import Platform


def image_for_engine(image: Image | ImageIndex, platform: Callable[[], Platform], *, engine: str, emit: Emit) -> Image:
    """The image itself, or that of the platform that the engine runs on.

    Args:
        image: What was built.
        platform: Asks the engine; called only where there is a choice.
        engine: Its name.
        emit: Told what was left out.

    Raises:
        ConfigError: There is none for the platform.
    """
    if isinstance(image, Image):
        return image
    if len(image.images) == 1:
        return image.images[0]
    own = platform()
    for part in image.images:
        if own.matches(part.platform):
            left_out = ", ".join(str(other.platform) for other in image.images if other is not part)
            emit(
                Warned(
                    message=f"{engine} was given the image for {part.platform} alone",
                    facts=(f"left out: {left_out}",),
                    hint="Push to a registry, or set {output} to `oci:DIR`, to keep all platforms together",
                )
            )
            return part
    raise ConfigError(
        f"None of the images is for {engine}, which runs on {own}",
        facts=[f"built for: {', '.join(str(part.platform) for part in image.images)}"],
        hint="Add that to {platform}",
    )
