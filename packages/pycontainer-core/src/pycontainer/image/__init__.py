"""Images: config and layers, immutable; a change gives a new one."""

from pycontainer.image.image import Image, ImageIndex

__all__ = ["Image", "ImageIndex"]
