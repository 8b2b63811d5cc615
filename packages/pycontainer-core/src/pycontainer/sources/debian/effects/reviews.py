"""The reviews: see `reviewed`."""

from __future__ import annotations

from typing import Final

from pycontainer.sources.debian.effects.reviewed import ReviewedScript

REVIEWS: Final[tuple[ReviewedScript, ...]] = ()
