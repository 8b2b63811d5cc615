"""Layer records found by the layer that they describe, where nobody knows the recipe: an image from anywhere.

find_records(home / "layers", [descriptor.digest])      # {digest: LayerRecord}
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from pycontainer.blobs.records import load_record
from pycontainer.errors import DocumentError
from pycontainer.layers.record import LayerRecord
from pycontainer.oci import Digest

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path


def find_records(root: Path, digests: Collection[Digest]) -> dict[Digest, LayerRecord]:
    """The records in a cache of layers that describe these blobs, by the digest of the blob.

    The cache is left as it is: looking at an image makes nothing recent, and the layers need not be there.

    Args:
        root: The folder of the `LayerCache`; there need not be one.
        digests: Of the compressed layers.
    """
    found: dict[Digest, LayerRecord] = {}
    wanted = {digest: str(digest).encode() for digest in digests}
    for path in sorted(root.glob("records/*.json")) if wanted else ():
        content = load_record(path, use=False) or b""
        # Looking for the text is quicker than decoding everything that is known.
        if any(text in content for text in wanted.values()):
            with suppress(msgspec.MsgspecError, DocumentError, RecursionError):
                record = _DECODER.decode(content)
                if record.descriptor.digest in wanted:
                    found[record.descriptor.digest] = record
    return found


def _decode(kind: type, value: object) -> Digest:
    if kind is not Digest or not isinstance(value, str):
        raise ValueError(f"no {kind.__name__}")
    return Digest.parse(value)


# Made once, by the thread that imports: msgspec looks at a type when it first decodes it, and two at once crash.
_DECODER = msgspec.json.Decoder(LayerRecord, dec_hook=_decode)
