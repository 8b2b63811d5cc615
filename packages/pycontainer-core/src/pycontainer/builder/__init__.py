"""Runs a plan: the only orchestrator.

from pycontainer.builder import ImageBuilder
from pycontainer.config import BuildConfig

ImageBuilder(BuildConfig(tag="myapp:latest")).build()
"""

from pycontainer.builder.builder import ImageBuilder
from pycontainer.builder.ledger import Ledger
from pycontainer.builder.result import BuildResult

__all__ = ["BuildResult", "ImageBuilder", "Ledger"]
