"""Base images and what an application on them must know."""

from pycontainer.sources.base.base import Base, composed_base, debian_state, resolve_base
from pycontainer.sources.base.default import default_base_image
from pycontainer.sources.base.facts import BaseFacts

__all__ = ["Base", "BaseFacts", "composed_base", "debian_state", "default_base_image", "resolve_base"]
