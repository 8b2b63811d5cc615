"""Facts of base images, remembered by the digest of the manifest, so that the next build reads no layer.

cache = FactsCache(folder)
facts = cache.get(digest) or cache.put(digest, find_facts(…))
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec

from pycontainer.blobs.store import atomic_file, mark_used
from pycontainer.sources.base.facts import BaseFacts

if TYPE_CHECKING:
    from pathlib import Path

    from pycontainer.oci import Digest

# Raised whenever facts are found in another way: what older versions remembered is then found anew.
_VERSION = 1


class FactsCache:
    """A folder of facts: `bases/<version>-<manifest>.json`."""

    def __init__(self, root: Path) -> None:
        self._root = root / "bases"

    def get(self, manifest: Digest) -> BaseFacts | None:
        """The facts, or none where they are not known or damaged."""
        try:
            checksum, _, body = self._path(manifest).read_bytes().partition(b"\n")
            if checksum.decode("ascii", "replace") != hashlib.sha256(body).hexdigest():
                return None
            facts = msgspec.json.decode(body, type=BaseFacts)
        except (OSError, msgspec.MsgspecError):
            return None
        mark_used(self._path(manifest))
        return facts

    def put(self, manifest: Digest, facts: BaseFacts) -> BaseFacts:
        """Remember facts.

        Raises:
            StoreError: The disk does not take them.
        """
        body = msgspec.json.encode(facts)
        with atomic_file(self._path(manifest)) as file:
            file.write(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
        return facts

    def _path(self, manifest: Digest) -> Path:
        return self._root / f"{_VERSION}-{manifest.hex}.json"
