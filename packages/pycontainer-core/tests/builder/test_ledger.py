"""The ledger counts what events tell and passes them on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pycontainer.blobs.store import BlobStore
from pycontainer.builder.ledger import Ledger, LedgerKeeper, format_size
from pycontainer.destinations.destination import Moved, Written
from pycontainer.events import Event, TaskAdvanced, TaskFinished, Verb, ignore
from pycontainer.layers.known import Came, KnownBlob
from pycontainer.layers.layer import Layer
from pycontainer.layers.record import LayerRecord
from pycontainer.oci import Digest
from pycontainer.testing.registry.conformance import make_blob, make_image

NOTHING: Any = None  # none of these layers is opened


def test_bytes_are_counted_by_what_became_of_them() -> None:
    seen: list[Event] = []
    keeper = LedgerKeeper(seen.append)
    keeper(TaskAdvanced(verb=Verb.DOWNLOAD, name="a", count=5))
    keeper(TaskAdvanced(verb=Verb.UPLOAD, name="a", count=7))
    keeper(TaskFinished(verb=Verb.MAKE_LAYER, name="a", size=11))
    keeper(TaskFinished(verb=Verb.MAKE_LAYER, name="b", size=13, reused=True))
    written = Written(digest=Digest.of(b""), reference="x", moved=17, total=19)
    assert keeper.close([], [written]) == Ledger(downloaded=5, made=11, moved=17, total=19)
    assert len(seen) == 4


def test_each_layer_says_where_it_came_from_and_what_each_destination_did(tmp_path: Path) -> None:
    made = [_layer(tmp_path, came, size) for came, size in ((Came.MADE, 20), (Came.REUSED, 30), (Came.RECORD, 40))]
    image = make_image(10).append(made)
    base, *_ = digests = [layer.descriptor.digest for layer in image.layers]
    hub = dict(zip(digests, (Moved.STREAMED, Moved.UPLOADED, Moved.MOUNTED, Moved.THERE), strict=True))
    disk = dict.fromkeys(digests, Moved.WRITTEN)
    written = [
        Written(digest=image.digest, reference=name, moved=moved, total=100, blobs=blobs)
        for name, moved, blobs in (("hub", 30, hub), ("disk", 100, disk))
    ]
    ledger = LedgerKeeper(ignore).close([image, image], written)
    assert [(layer.came, layer.moved) for layer in ledger.layers] == [
        ("base", ("streamed", "written")),
        ("made", ("uploaded", "written")),
        ("reused", ("mounted", "written")),
        ("record", ("there", "written")),
    ]
    assert (ledger.reused, ledger.recorded, ledger.moved, ledger.total) == (30, 40, 130, 200)
    assert (ledger.streamed, ledger.uploaded, ledger.mounted, ledger.downloaded) == (10, 20, 30, 10)
    assert str(ledger.layers[0]) == "layer 0 (10 B): base, streamed, written"
    assert ledger.to_json()["layers"][0]["digest"] == str(base)


def _layer(root: Path, came: Came, size: int) -> Layer:
    blob = make_blob(size)
    record = LayerRecord(key="0" * 64, title="", descriptor=blob.descriptor, diff_id=Digest.of(blob.content))
    known = KnownBlob(record, BlobStore(root).blob(blob.descriptor), bring=NOTHING, came=came)
    return Layer(blob=known, diff_id=record.diff_id, title=came.value, key=record.key)


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (41_200, "41.2 kB"), (1_900_000_000, "1.9 GB"), (123_456, "123 kB")],
)
def test_sizes_are_written_as_people_read_them(count: int, text: str) -> None:
    assert format_size(count) == text
