from __future__ import annotations

import io
import subprocess
import tarfile
import zlib
from typing import TYPE_CHECKING, Protocol

import pytest

from pycontainer.layers.member import DEFLATED, STORED, DeflatedMember
from pycontainer.layers.writer import LayerWriter
from pycontainer.oci import Digest

if TYPE_CHECKING:
    from collections.abc import Callable

    from pycontainer.oci import Descriptor


class MakeMember(Protocol):
    def __call__(self, content: bytes, *, level: int = 6, stored: bool = False) -> DeflatedMember: ...


@pytest.fixture(scope="session")
def make_member() -> MakeMember:
    """A member as a zip has it."""

    def make(content: bytes, *, level: int = 6, stored: bool = False) -> DeflatedMember:
        packer = zlib.compressobj(level, zlib.DEFLATED, -15)
        data = content if stored else packer.compress(content) + packer.flush()
        method = STORED if stored else DEFLATED
        return DeflatedMember(data=memoryview(data), method=method, size=len(content), crc32=zlib.crc32(content))

    return make


class Written:
    """A layer that was written, and every way to look at it."""

    def __init__(self, blob: bytes, descriptor: Descriptor, diff_id: Digest) -> None:
        self.blob = blob
        self.descriptor = descriptor
        self.tar = subprocess.run(["gzip", "-dc"], input=blob, stdout=subprocess.PIPE, check=True).stdout
        assert descriptor.digest == Digest.of(blob)
        assert descriptor.size == len(blob)
        assert diff_id == Digest.of(self.tar)
        self.members: dict[str, tarfile.TarInfo] = {}
        self.contents: dict[str, bytes] = {}
        with tarfile.open(fileobj=io.BytesIO(self.tar), mode="r:") as archive:
            for member in archive:
                assert member.name not in self.members
                self.members[member.name] = member
                file = archive.extractfile(member) if member.isfile() else None
                if file is not None:
                    self.contents[member.name] = file.read()

    @property
    def gzip_members(self) -> int:
        """How many gzip members the layer has."""
        count, rest = 0, self.blob
        while rest:
            reader = zlib.decompressobj(31)
            reader.decompress(rest)
            rest = reader.unused_data
            count += 1
        return count


@pytest.fixture(scope="session")
def write_layer() -> Callable[[Callable[[LayerWriter], object]], Written]:
    """Write a layer and read it back with gzip and tarfile."""

    def write(entries: Callable[[LayerWriter], object]) -> Written:
        sink = io.BytesIO()
        with LayerWriter(sink) as writer:
            entries(writer)
            descriptor, diff_id = writer.finish()
        return Written(sink.getvalue(), descriptor, diff_id)

    return write
