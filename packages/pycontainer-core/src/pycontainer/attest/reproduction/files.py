"""Two layers that should be the same and are not: which files differ, and where in them.

for difference in compare_layers(published, rebuilt):
    difference.path, difference.text, difference.facts

Both are read entry by entry; nothing is unpacked, and of each file only its digest is kept. A file whose content
differs is then read once more, for the first byte that does.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final

from pycontainer.blobs.compression import open_decompressed
from pycontainer.blobs.hashing import HashingReader
from pycontainer.layers.tar_reader import read_entries

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycontainer.blobs.blob import Blob
    from pycontainer.layers.entries import Entry

_SLICE: Final = 64 << 10
_AROUND: Final = 16
# What of an entry is compared, and what it is called.
_FIELDS: Final = {
    "kind": "kind",
    "mode": "mode",
    "uid": "owner",
    "gid": "group",
    "mtime": "time",
    "target": "target",
    "size": "size",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """One thing that is not the same.

    Attributes:
        path: Of the file in the layer; empty where it is about the layer or the image itself.
        text: What differs.
        facts: What it is in the published image, and what in the rebuilt one.
    """

    path: str = ""
    text: str
    facts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Stand:
    """An entry and the digest of its content."""

    entry: Entry
    digest: str


def compare_layers(published: Blob, rebuilt: Blob) -> list[Difference]:
    """Every file that is not the same in both, in the order of the published layer.

    Raises:
        PyContainerError: A layer cannot be read.
    """
    before, after = _stands(published), _stands(rebuilt)
    found = [_compare(path, old, after.get(path), published, rebuilt) for path, old in before.items()]
    found += [Difference(path=path, text="It is in the rebuilt image alone") for path in after if path not in before]
    differences = [difference for difference in found if difference is not None]
    if not differences:
        how = "are packed in another way" if list(before) == list(after) else "stand in another order"
        differences = [Difference(text=f"The same files {how}")]
    return differences


def _compare(path: str, old: _Stand, new: _Stand | None, published: Blob, rebuilt: Blob) -> Difference | None:
    if new is None:
        return Difference(path=path, text="It is in the published image alone")
    facts = tuple(
        f"{name}: {_show(field, old.entry)} published, {_show(field, new.entry)} rebuilt"
        for field, name in _FIELDS.items()
        if getattr(old.entry, field) != getattr(new.entry, field)
    )
    if old.digest != new.digest:
        return Difference(path=path, text="Its content differs", facts=(*facts, *_where(path, published, rebuilt)))
    return Difference(path=path, text="Its attributes differ", facts=facts) if facts else None


def _show(field: str, entry: Entry) -> str:
    value = getattr(entry, field)
    return f"{value:04o}" if field == "mode" else str(getattr(value, "name", value)).lower()


def _stands(blob: Blob) -> dict[str, _Stand]:
    with _entries(blob) as entries:
        return {entry.path: _Stand(entry, _digest(content)) for entry, content in entries}


def _digest(content: BinaryIO) -> str:
    reader = HashingReader(content)
    while reader.read(_SLICE):
        pass
    return str(reader.digest)


def _where(path: str, published: Blob, rebuilt: Blob) -> tuple[str, ...]:
    """The first byte of a file that is not the same in both, and those around it."""
    with _content(published, path) as old, _content(rebuilt, path) as new:
        offset = 0
        while (left := old.read(_SLICE)) == (right := new.read(_SLICE)):
            offset += len(left)
    first = next((place for place, pair in enumerate(zip(left, right, strict=False)) if pair[0] != pair[1]), None)
    first = min(len(left), len(right)) if first is None else first
    window = slice(max(first - _AROUND, 0), first + _AROUND)
    return (
        f"first byte that differs: {offset + first}",
        f"published: {left[window]!r}",
        f"rebuilt:   {right[window]!r}",
    )


@contextmanager
def _content(blob: Blob, path: str) -> Iterator[BinaryIO]:
    with _entries(blob) as entries:
        yield next(content for entry, content in entries if entry.path == path)


@contextmanager
def _entries(blob: Blob) -> Iterator[Iterator[tuple[Entry, BinaryIO]]]:
    with blob.open() as stream, open_decompressed(stream, blob.descriptor.media_type) as tar:
        yield read_entries(tar)
