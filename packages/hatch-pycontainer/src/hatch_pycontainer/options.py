"""The table of the target in `pyproject.toml` or `hatch.toml`, read as options of the core.

table = TargetTable.of(metadata)
table.source(), table.spell(OPTIONS["base_image"])      # tool.hatch.build.targets.container.base-image
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hatch_pycontainer.formats import TARGET
from pycontainer.config.options import OPTIONS
from pycontainer.config.problems import Problem
from pycontainer.config.sources import Source, from_table, read_toml_file
from pycontainer.value import replace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hatchling.metadata.core import ProjectMetadata

    from pycontainer.config.option import Option

# What Hatch itself reads in the table of any target, and so does ours.
HATCHS: Final = frozenset(
    {"dependencies", "directory", "force-include", "hooks", "require-runtime-dependencies", "require-runtime-features"}
    | {"versions"}
)
# What Hatch reads there, too, and says something of the wheel alone.
OF_THE_WHEEL: Final = frozenset({"artifacts", "only-include", "packages", "shared-data", "shared-scripts", "sources"})
_NOT_IN_A_TAG: Final = re.compile(r"[^\w.-]", re.ASCII)
_LONGEST_TAG: Final = 128


@dataclass(frozen=True, kw_only=True, slots=True)
class TargetTable:
    """The table of the target.

    Attributes:
        file: Where it stands.
        prefix: What its keys begin with there: `tool.hatch.build.targets`.
        content: What it says; empty where there is none.
        version: Of the project: what `{version}` in a tag stands for.
    """

    file: Path
    prefix: str
    content: Mapping[str, Any]
    version: str

    @classmethod
    def of(cls, metadata: ProjectMetadata[Any]) -> TargetTable:
        """The table of a project. What `hatch.toml` says of builds replaces all that `pyproject.toml` does."""
        root = Path(metadata.root)
        own = root / "hatch.toml"
        is_own = own.is_file() and "build" in read_toml_file(own)
        return cls(
            file=own if is_own else root / "pyproject.toml",
            prefix="build.targets" if is_own else "tool.hatch.build.targets",
            content=metadata.hatch.build_targets.get(TARGET, {}),
            version=metadata.version,
        )

    @property
    def name(self) -> str:
        """`tool.hatch.build.targets.container`."""
        return f"{self.prefix}.{TARGET}"

    def spell(self, option: Option) -> str:
        """What a user of Hatch sets an option with: its key here, else its variable."""
        if option.name == "output":
            return f"{self.name}.versions"
        if not option.in_files:
            return OPTIONS["password"].variable if option.name == "password_stdin" else option.variable
        table = "" if option.table == "build" else f"{option.table}."
        return f"{self.name}.{table}{option.toml_key}"

    def source(self) -> Source:
        """What it says of the core's options."""
        ours = {key: value for key, value in self.content.items() if key not in HATCHS | OF_THE_WHEEL | {"output"}}
        if "tag" in ours:
            ours["tag"] = self._filled_in(ours["tag"])
        source = from_table(ours, name=self._located, base=self.file.parent, build_at_top=True)
        return replace(source, problems=(*source.problems, *self._misplaced()))

    def _misplaced(self) -> list[Problem]:
        hints = dict.fromkeys(OF_THE_WHEEL, f"Move it to `{self.prefix}.wheel`: the image has what the wheel has")
        hints["output"] = f'Set `{self.name}.versions`, such as `versions = ["oci-archive"]`'
        return [
            Problem(option=key, message=f"`{key}` says nothing here", hint=hints[key], origin=self._located(key))
            for key in self.content
            if key in hints
        ]

    def _located(self, key: str) -> str:
        return f"{self.name}.{key} in {self.file.name}"

    def _filled_in(self, tags: Any) -> Any:
        if isinstance(tags, str):
            return tags.replace("{version}", version_tag(self.version))
        return [self._filled_in(tag) for tag in tags] if isinstance(tags, list) else tags


def version_tag(version: str) -> str:
    """A version as a tag, which knows neither `+` nor `!`: `1.2.dev1+g10b2067` is `1.2.dev1-g10b2067`."""
    return _NOT_IN_A_TAG.sub("-", version)[:_LONGEST_TAG]
