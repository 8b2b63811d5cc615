"""What base images know of Debian, remembered by the digest of the manifest, as their facts are.

states = StateCache(folder)
state = states.get(digest) or states.put(digest, read_state(…))

Apart from the facts, because it is some megabytes and only builds with operating system packages need it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from pycontainer.blobs.records import recall, remember
from pycontainer.sources.debian.state import DebianState

if TYPE_CHECKING:
    from pathlib import Path

    from pycontainer.blobs.records import SharedDocuments
    from pycontainer.oci import Digest

# Raised whenever a state is found in another way: what older versions remembered is then found anew.
_VERSION: Final = 2
# Made once, by the thread that imports: msgspec looks at a type when it first decodes it, and two at once crash.
_DECODER: Final = msgspec.msgpack.Decoder(DebianState)


class StateCache:
    """A folder of states: `bases/debian-<version>-<manifest>.msgpack`.

    Args:
        root: The folder's.
        shared: As of `FactsCache`.
    """

    def __init__(self, root: Path, *, shared: SharedDocuments | None = None) -> None:
        self._root = root / "bases"
        self._shared = shared

    def get(self, manifest: Digest) -> DebianState | None:
        """The state, or none where it is not known or damaged."""
        content = recall(self._path(manifest), _name(manifest), self._shared)
        try:
            return None if content is None else _DECODER.decode(content)
        except (msgspec.MsgspecError, RecursionError):
            return None

    def put(self, manifest: Digest, state: DebianState) -> DebianState:
        """Remember a state.

        Raises:
            StoreError: The disk does not take it.
        """
        remember(self._path(manifest), _name(manifest), msgspec.msgpack.encode(state), self._shared)
        return state

    def _path(self, manifest: Digest) -> Path:
        return self._root / f"{_name(manifest)}.msgpack"


def _name(manifest: Digest) -> str:
    return f"debian-{_VERSION}-{manifest.hex}"
