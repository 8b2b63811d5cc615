"""Images: config and layers, immutable; a change gives a new one. What is attached to them."""

from pycontainer.image.attachment import Attachment
from pycontainer.image.image import Image, ImageIndex, join_platforms

__all__ = ["Attachment", "Image", "ImageIndex", "join_platforms"]
