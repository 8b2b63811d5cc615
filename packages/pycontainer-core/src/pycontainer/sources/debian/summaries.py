"""Summaries of packages, remembered by the hash of the `.deb`: a layer from the cache does not read it again.

summaries = SummaryCache(folder)
DebsRecipe(debs=debs, base=state, keep=summaries.put)
summaries.find(deb)             # from the cache, else from the `.deb`
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from pycontainer.blobs.records import load_record, save_record
from pycontainer.sources.debian.examination import summarize
from pycontainer.sources.debian.summary import DebSummary

if TYPE_CHECKING:
    from pathlib import Path

    from pycontainer.sources.debian.recipe import DebInput

# Raised whenever summaries are made in another way.
_VERSION: Final = 2
# Made once, by the thread that imports: msgspec looks at a type when it first decodes it, and two at once crash.
_DECODER: Final = msgspec.msgpack.Decoder(DebSummary)


class SummaryCache:
    """A folder of summaries: `debs/<version>-<sha256>.msgpack`."""

    def __init__(self, root: Path) -> None:
        self._root = root / "debs"

    def find(self, deb: DebInput) -> DebSummary:
        """The summary of a package, which is fetched and read where nobody remembers it.

        Raises:
            PyContainerError: As from `summarize`.
        """
        content = load_record(self._path(deb.package.sha256))
        if content is not None:
            try:
                summary = _DECODER.decode(content)
            except msgspec.MsgspecError:
                pass
            else:
                if summary.package.sha256 == deb.package.sha256:
                    return summary
        return self.put(summarize(deb.open_path(), deb.package))

    def put(self, summary: DebSummary) -> DebSummary:
        """Remember a summary; one whose package has no hash is not remembered.

        Raises:
            StoreError: The disk does not take it.
        """
        if summary.package.sha256:
            save_record(self._path(summary.package.sha256), msgspec.msgpack.encode(summary))
        return summary

    def _path(self, sha256: str) -> Path:
        if not sha256.isalnum():
            return self._root / "none"
        return self._root / f"{_VERSION}-{sha256}.msgpack"
