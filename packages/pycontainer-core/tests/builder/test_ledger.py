"""The ledger counts what events tell and passes them on."""

from __future__ import annotations

import pytest

from pycontainer.builder.ledger import Ledger, LedgerKeeper, format_size
from pycontainer.destinations.destination import Written
from pycontainer.events import Event, TaskAdvanced, TaskFinished, Verb
from pycontainer.oci import Digest


def test_bytes_are_counted_by_what_became_of_them() -> None:
    seen: list[Event] = []
    keeper = LedgerKeeper(seen.append)
    keeper(TaskAdvanced(verb=Verb.DOWNLOAD, name="a", count=5))
    keeper(TaskAdvanced(verb=Verb.UPLOAD, name="a", count=7))
    keeper(TaskFinished(verb=Verb.MAKE_LAYER, name="a", size=11))
    keeper(TaskFinished(verb=Verb.MAKE_LAYER, name="b", size=13, reused=True))
    written = Written(digest=Digest.of(b""), reference="x", moved=17, total=19)
    assert keeper.close([written]) == Ledger(downloaded=5, made=11, reused=13, moved=17, total=19)
    assert len(seen) == 4


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (41_200, "41.2 kB"), (1_900_000_000, "1.9 GB"), (123_456, "123 kB")],
)
def test_sizes_are_written_as_people_read_them(count: int, text: str) -> None:
    assert format_size(count) == text
