"""Summaries of packages, remembered by the sha256 of the package: a layer from the cache leaves nothing to read.

summaries = SummaryCache(folder)
summaries.get(sha256) or summaries.put(sha256, summarize(path, package))
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

from pycontainer.blobs.records import load_record, save_record
from pycontainer.sources.debian.summary import DebSummary

if TYPE_CHECKING:
    from pathlib import Path

# Raised whenever a summary says more, or other things, of the same package.
_VERSION: Final = 1
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


class SummaryCache:
    """A folder of summaries: `summaries/<version>-<sha256>.json`."""

    def __init__(self, root: Path) -> None:
        self._root = root / "summaries"

    def get(self, sha256: str) -> DebSummary | None:
        """The summary, or none where it is not known or damaged."""
        content = load_record(self._path(sha256))
        try:
            return None if content is None else msgspec.json.decode(content, type=DebSummary)
        except msgspec.MsgspecError:
            return None

    def put(self, sha256: str, summary: DebSummary) -> DebSummary:
        """Remember a summary.

        Raises:
            StoreError: The disk does not take it.
        """
        save_record(self._path(sha256), msgspec.json.encode(summary))
        return summary

    def _path(self, sha256: str) -> Path:
        if not _SHA256.fullmatch(sha256):
            raise ValueError(f"not a sha256: {sha256!r}")
        return self._root / f"{_VERSION}-{sha256}.json"
