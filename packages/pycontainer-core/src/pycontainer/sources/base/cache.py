"""Facts of base images, remembered by the digest of the manifest, so that the next build reads no layer.

cache = FactsCache(folder, shared=shared)       # what this host does not know, others may
facts = cache.get(digest) or cache.put(digest, find_facts(…))
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pycontainer.blobs.records import recall, remember
from pycontainer.sources.base.facts import BaseFacts

if TYPE_CHECKING:
    from pathlib import Path

    from pycontainer.blobs.records import SharedDocuments
    from pycontainer.oci import Digest

# Raised whenever facts are found in another way: what older versions remembered is then found anew.
_VERSION = 3
# Made once, by the thread that imports: msgspec looks at a type when it first decodes it, and two at once crash.
_DECODER = msgspec.json.Decoder(BaseFacts)


class FactsCache:
    """A folder of facts: `bases/<version>-<manifest>.json`.

    Args:
        root: The folder's.
        shared: Asked for what is not there, and told what is found out.
    """

    def __init__(self, root: Path, *, shared: SharedDocuments | None = None) -> None:
        self._root = root / "bases"
        self._shared = shared

    def get(self, manifest: Digest) -> BaseFacts | None:
        """The facts, or none where they are not known or damaged."""
        content = recall(self._path(manifest), _name(manifest), self._shared)
        try:
            return None if content is None else _DECODER.decode(content)
        except (msgspec.MsgspecError, RecursionError):
            return None

    def put(self, manifest: Digest, facts: BaseFacts) -> BaseFacts:
        """Remember facts.

        Raises:
            StoreError: The disk does not take them.
        """
        remember(self._path(manifest), _name(manifest), msgspec.json.encode(facts), self._shared)
        return facts

    def _path(self, manifest: Digest) -> Path:
        return self._root / f"{_VERSION}-{manifest.hex}.json"


def _name(manifest: Digest) -> str:
    return f"facts-{_VERSION}-{manifest.hex}"
