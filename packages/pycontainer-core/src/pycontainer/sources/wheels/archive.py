"""Wheels as zip archives: opened, checked from the first to the last byte of their structure, then read.

    with Archive(path) as archive:
        archive.members                       # in the order in which they lie there
        archive.read("x-1.dist-info/WHEEL")
        writer.deflated("app/x.py", archive.content(member))

Nothing of the archive can be used before the checks of `zipformat` and `members` are through.
"""

from __future__ import annotations

import hashlib
import mmap
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

from pycontainer.errors import WheelError
from pycontainer.layers.member import STORED, DeflatedMember
from pycontainer.sources.wheels.defects import WheelDefect, reported, shown
from pycontainer.sources.wheels.limits import Limits
from pycontainer.sources.wheels.members import Member, check_members
from pycontainer.sources.wheels.zipformat import read_members

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

    from pycontainer.blobs.hashing import BytesLike

_SLICE = 1 << 20
# Bytes of members that may stay in memory after they were used.
_RELEASE = 4 << 20
# Pieces in which about as many bytes of a member are inflated.
_PIECES = 128


class Archive:
    """An archive whose structure holds, mapped into memory.

    Args:
        path: A file that nobody changes while it is used.
        filename: Names it in errors; by default the last part of the path.
        sha256: What the file must hash to, in hexadecimal; checked before anything in it is looked at.
        limits: What it may unpack to.

    Raises:
        WheelError: It cannot be read, is not the file with this hash, or must not be used.
    """

    def __init__(
        self, path: Path, *, filename: str | None = None, sha256: str | None = None, limits: Limits | None = None
    ) -> None:
        self.filename = filename or path.name
        self.limits = limits or Limits()
        self._read = 0
        with reported(self.filename):
            self._data = _mapped(path)
            try:
                self._check_hash(sha256)
                self.members = self._located()
                self._check_size()
                self.warnings = check_members(self.members)
            except BaseException:
                self.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the memory map back; content that was handed out cannot be read any more."""
        # A view that a traceback still holds keeps the map until it goes.
        with suppress(BufferError):
            if isinstance(self._data, mmap.mmap):
                self._data.close()

    @cached_property
    def files(self) -> dict[str, Member]:
        """The members that are no directories, by name."""
        return {member.name: member for member in self.members if not member.is_directory}

    def content(self, member: Member) -> DeflatedMember:
        """The bytes of a member as they lie in the archive; a view of them must be released before `close`."""
        if member.compressed_size > _RELEASE:
            return _LargeMember(self, member)
        return DeflatedMember(data=self.view(member), method=member.method, size=member.size, crc32=member.crc32)

    def view(self, member: Member) -> memoryview:
        """The compressed bytes of a member, in the map."""
        return memoryview(self._data)[member.start : member.start + member.compressed_size]

    def read(self, name: str) -> bytes:
        """The content of a small file.

        Raises:
            WheelDefect: There is none of this name, it is too large to be read at once, or damaged.
        """
        member = self.files.get(name)
        if member is None:
            raise WheelDefect(f"it has no `{shown(name)}`")
        if member.size > self.limits.in_memory:
            raise WheelDefect(f"`{shown(name)}` has {member.size} bytes, more than {self.limits.in_memory}")
        content = self.content(member)
        try:
            return b"".join(content.chunks(name))
        except WheelError as error:
            raise WheelDefect(error.message, *error.facts) from error

    def starts_with(self, member: Member, prefix: bytes) -> bool:
        """Whether the content of a file begins with these bytes."""
        if member.size < len(prefix):
            return False
        try:
            first = next(iter(self.content(member).chunks(member.name)), b"")
        except WheelError as error:
            raise WheelDefect(error.message, *error.facts) from error
        return bytes(first[: len(prefix)]) == prefix

    def used(self, member: Member) -> None:
        """Tell that a member's content is not needed any more: now and then its memory goes back to the system.

        The pages of a map are nobody's but the disk's, yet they count as this program's until they are given back.
        """
        self._read += member.compressed_size
        if self._read > _RELEASE:
            self.release()

    def release(self) -> None:
        """Give the memory of the map back; what is read again comes from the disk's cache."""
        self._read = 0
        if isinstance(self._data, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
            self._data.madvise(mmap.MADV_DONTNEED)

    def _check_hash(self, expected: str | None) -> None:
        if expected is None:
            return
        digest = hashlib.sha256(usedforsecurity=False)
        with memoryview(self._data) as view:
            for start in range(0, len(view), _SLICE):
                digest.update(view[start : start + _SLICE])
                if not start % _RELEASE:
                    self.release()
        if digest.hexdigest() != expected:
            raise WheelDefect(f"its sha256 is {digest.hexdigest()}", f"expected: {expected}")

    def _located(self) -> list[Member]:
        """The members; looking at the header before each takes as much memory as reading the whole archive would."""
        members, released = [], 0
        for member in read_members(self._data, max_entries=self.limits.entries):
            members.append(member)
            if member.start - released > _RELEASE:
                released = member.start
                self.release()
        self.release()
        return members

    def _check_size(self) -> None:
        total = sum(member.size for member in self.members)
        if total > self.limits.size:
            raise WheelDefect(f"it unpacks to {total} bytes, more than the {self.limits.size} allowed")
        if total > self.limits.ratio_free and total > len(self._data) * self.limits.ratio:
            raise WheelDefect(
                f"it unpacks from {len(self._data)} to {total} bytes, more than {self.limits.ratio} times its size"
            )


class _LargeMember(DeflatedMember):
    """A member that gives memory back while it is read, so that a library of 400 MB takes a few MB of it.

    Its data is a new view each time somebody asks, and between times the pages may go.
    """

    __slots__ = ("_archive", "_asked", "_member")
    _archive: Archive
    _asked: int
    _member: Member

    def __init__(self, archive: Archive, member: Member) -> None:
        # The base is frozen, and its `data` is the property below.
        values = {"method": member.method, "size": member.size, "crc32": member.crc32}
        for name, value in {**values, "_archive": archive, "_member": member, "_asked": 0}.items():
            object.__setattr__(self, name, value)

    @property
    def data(self) -> memoryview:
        """The compressed bytes; `LayerWriter` copies one slice of a megabyte after the other from them."""
        self._count(_RELEASE // _SLICE)
        return self._archive.view(self._member)

    def chunks(self, path: str) -> Iterator[BytesLike]:
        """The uncompressed content, piece by piece."""
        most = _RELEASE // _SLICE if self.method == STORED else _PIECES
        for chunk in super().chunks(path):
            yield chunk
            self._count(most)

    def _count(self, most: int) -> None:
        object.__setattr__(self, "_asked", self._asked + 1)
        if self._asked % most == 0:
            self._archive.release()


def _mapped(path: Path) -> mmap.mmap | bytes:
    try:
        with path.open("rb") as file:
            if not file.seek(0, 2):
                return b""  # which cannot be mapped
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise WheelDefect(f"it cannot be read: {error.strerror or error}", f"file: {path}") from error
