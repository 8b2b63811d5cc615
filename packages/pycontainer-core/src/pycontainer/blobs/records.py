"""Small files of the cache that say what is known: a line with their checksum, then their content.

save_record(folder / "key.json", b"{}")
load_record(folder / "key.json")            # b"{}", or none where nothing usable is there

recall(folder / "key.json", "name-key", shared)     # as above, else what others know under the name
remember(folder / "key.json", "name-key", b"{}", shared)

A flipped bit in what is believed without looking would end up in images: the checksum guards against it.
"""

from __future__ import annotations

import hashlib
import shutil
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

import msgspec

from pycontainer.blobs.store import atomic_file, mark_used

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_Decoded = TypeVar("_Decoded")

_MAX_SIZE: Final = 64 << 20
MAX_CONTENT: Final = _MAX_SIZE - 2 * hashlib.sha256().digest_size - 1
"""Bytes that a record can hold: of a larger one not all would be read."""


class SharedDocuments(Protocol):
    """What builds on other hosts have found out, by names that say what it is about."""

    def get(self, name: str) -> bytes | None:
        """What is known under a name, or none."""
        ...

    def put(self, name: str, content: bytes) -> None:
        """Tell the others, unless they know."""
        ...


def recall(path: Path, name: str, shared: SharedDocuments | None) -> bytes | None:
    """The content of a record: of this host's, which the others are told then, else what they know under its name."""
    content = load_record(path)
    if shared is None:
        return content
    if content is None:
        return shared.get(name)
    shared.put(name, content)
    return content


def remember(path: Path, name: str, content: bytes, shared: SharedDocuments | None) -> None:
    """Write a record, and tell the others.

    Raises:
        StoreError: The disk does not take it.
    """
    save_record(path, content)
    if shared is not None:
        shared.put(name, content)


def load_record(path: Path, *, use: bool = True) -> bytes | None:
    """The content of a record, none where it is absent, cannot be read or is damaged; using it makes it recent."""
    try:
        with path.open("rb") as file:
            checksum, _, content = file.read(_MAX_SIZE).partition(b"\n")
    except OSError:
        return None
    if checksum != _checksum(content):
        return None
    if use:
        mark_used(path)
    return content


def load_decoded(path: Path, decode: Callable[[bytes], _Decoded]) -> _Decoded | None:
    """What the content of a record decodes to, none where it is absent, damaged or something else."""
    content = load_record(path)
    try:
        return None if content is None else decode(content)
    except msgspec.MsgspecError:
        return None


def is_record_intact(path: Path) -> bool:
    """Whether a record is what was written; looking does not make it recent.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        checksum, _, content = file.read(_MAX_SIZE).partition(b"\n")
    return checksum == _checksum(content)


def save_record(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Write a record, in place of whatever is there; one that is not durable may be gone after a loss of power.

    Raises:
        StoreError: The disk does not take it.
    """
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    with atomic_file(path, durable=durable) as file:
        file.write(_checksum(content) + b"\n" + content)


def _checksum(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()
