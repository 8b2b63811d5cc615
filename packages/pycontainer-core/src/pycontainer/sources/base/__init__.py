"""Base images and what an application on them must know."""

from pycontainer.sources.base.base import Base, resolve_base
from pycontainer.sources.base.default import default_base_image
from pycontainer.sources.base.facts import BaseFacts

__all__ = ["Base", "BaseFacts", "default_base_image", "resolve_base"]
