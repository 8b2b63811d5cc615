"""Facts of base images, remembered by the digest of the manifest, so that the next build reads no layer.

cache = FactsCache(folder)
facts = cache.get(digest) or cache.put(digest, find_facts(…))
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pycontainer.blobs.records import load_record, save_record
from pycontainer.sources.base.facts import BaseFacts

if TYPE_CHECKING:
    from pathlib import Path

    from pycontainer.oci import Digest

# Raised whenever facts are found in another way: what older versions remembered is then found anew.
_VERSION = 3


class FactsCache:
    """A folder of facts: `bases/<version>-<manifest>.json`."""

    def __init__(self, root: Path) -> None:
        self._root = root / "bases"

    def get(self, manifest: Digest) -> BaseFacts | None:
        """The facts, or none where they are not known or damaged."""
        content = load_record(self._path(manifest))
        try:
            return None if content is None else msgspec.json.decode(content, type=BaseFacts)
        except msgspec.MsgspecError:
            return None

    def put(self, manifest: Digest, facts: BaseFacts) -> BaseFacts:
        """Remember facts.

        Raises:
            StoreError: The disk does not take them.
        """
        save_record(self._path(manifest), msgspec.json.encode(facts))
        return facts

    def _path(self, manifest: Digest) -> Path:
        return self._root / f"{_VERSION}-{manifest.hex}.json"
