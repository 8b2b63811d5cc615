"""Temporary."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from pycontainer.layers.recipe import recipe_key
from pycontainer.layers.record import LayerContents
from pycontainer.sources.debian.database import database_files

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pycontainer.layers.writer import LayerWriter
    from pycontainer.sources.debian.package import BinaryPackage
    from pycontainer.sources.debian.state import DebianState
    from pycontainer.sources.debian.summary import DebSummary


@dataclass(frozen=True, kw_only=True)
class SystemRecipe:
    packages: Sequence[BinaryPackage]
    state: DebianState = field(repr=False)
    unconfigured: frozenset[str]
    summaries: Callable[[], Sequence[DebSummary]] = field(repr=False, compare=False)
    after: tuple[str, ...] = ()
    title: str = "operating system"

    @cached_property
    def key(self) -> str:
        return recipe_key("x", [[p.sha256 for p in self.packages], self.state.ground])

    def write(self, writer: LayerWriter) -> LayerContents:
        change = database_files(self.state, self.summaries(), unconfigured=self.unconfigured)
        for path, file in change.files.items():
            writer.file(path, file.content, mode=file.mode)
        return LayerContents()
