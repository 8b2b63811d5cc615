from __future__ import annotations

import errno
import hashlib
import io
import os
import random
import threading
import zlib
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import pytest

from pycontainer.errors import DocumentError, ProjectError, WheelError
from pycontainer.layers.deflate import gzip_trailer
from pycontainer.layers.entries import MTIME
from pycontainer.layers.forms.spliced import CHUNK
from pycontainer.layers.member import SMALL
from pycontainer.layers.splice import JOIN_MAX
from pycontainer.layers.writer import LayerWriter

if TYPE_CHECKING:
    from collections.abc import Callable

    from pycontainer.layers.member import DeflatedMember

WriteLayer = Any  # the fixture of conftest.py, which test files cannot import


@cache
def words(seed: int) -> bytes:
    numbers = random.Random(seed)  # noqa: S311 - not a secret
    names = b"import return lambda class self value name index result yield".split()
    return b" ".join(numbers.choice(names) + b"%d" % numbers.randrange(10_000) for _ in range(40_000))


def text(size: int, seed: int = 0) -> bytes:
    return (words(seed) * (size // len(words(seed)) + 1))[:size]


def noise(size: int) -> bytes:
    return random.Random(size).randbytes(size)  # noqa: S311 - not a secret


SIZES = [
    0,
    1,
    511,
    512,
    513,
    SMALL,
    SMALL + 1,
    70_000,
    300_000,
    JOIN_MAX + 1,
    CHUNK,
    CHUNK + 1,
    2 * CHUNK + 7,
]


@pytest.mark.parametrize("content_of", [text, noise, bytes], ids=["text", "noise", "zeros"])
@pytest.mark.parametrize("way", ["file", "stream", "deflated", "stored"])
def test_content_of_every_size_comes_back(
    write_layer: WriteLayer, make_member: Any, way: str, content_of: Callable[[int], bytes]
) -> None:
    contents = {f"f{size}": content_of(size) for size in SIZES}

    def entries(writer: LayerWriter) -> None:
        for path, content in contents.items():
            if way == "file":
                writer.file(path, content)
            elif way == "stream":
                writer.stream(path, io.BytesIO(content), len(content))
            else:
                inflated = writer.deflated(path, make_member(content, stored=way == "stored"))
                assert inflated.sha256 == hashlib.sha256(content).digest()
                assert inflated.size == len(content)

    assert write_layer(entries).contents == contents


def test_attributes_are_those_that_were_given(write_layer: WriteLayer) -> None:
    def entries(writer: LayerWriter) -> None:
        writer.directory("home", mode=0o1777, uid=65532, gid=65533)
        writer.file("home/run", b"x", mode=0o755, uid=1, gid=2)
        writer.symlink("home/link", "/usr/bin/../run", uid=3, gid=4)

    members = write_layer(entries).members
    seen = {name: (m.mode, m.uid, m.gid, m.mtime, m.uname, m.linkname) for name, m in members.items()}
    assert seen == {
        "home": (0o1777, 65532, 65533, MTIME, "", ""),
        "home/run": (0o755, 1, 2, MTIME, "", ""),
        "home/link": (0o777, 3, 4, MTIME, "", "/usr/bin/../run"),
    }


def test_a_directory_comes_before_what_is_in_it(write_layer: WriteLayer, make_member: Any) -> None:
    def entries(writer: LayerWriter) -> None:
        for number in range(20):
            writer.directory(f"d{number}")
            writer.file(f"d{number}/small", b"x" * 100)
            writer.directory(f"d{number}/e")
            writer.deflated(f"d{number}/e/large", make_member(text(50_000, number)))

    seen: set[str] = {""}
    for name in write_layer(entries).members:
        assert name.rpartition("/")[0] in seen
        seen.add(name)
    assert len(seen) == 81


def test_streams_of_one_block_do_not_end_the_gzip_member(write_layer: WriteLayer, make_member: Any) -> None:
    """unpigz needs 0.1 ms and more for every member."""
    layer = write_layer(
        lambda writer: [writer.deflated(f"f{number}", make_member(text(40_000, number))) for number in range(50)]
    )
    assert layer.gzip_members == 1


def test_what_does_not_compress_is_not_compressed(write_layer: WriteLayer) -> None:
    layer = write_layer(lambda writer: writer.file("model", noise(3 * CHUNK)))
    assert len(layer.blob) < 3 * CHUNK + 5000


def test_small_files_that_do_not_compress_are_stored_and_do_not_end_the_gzip_member(
    write_layer: WriteLayer, make_member: Any
) -> None:
    pictures = {f"d/picture{number}": noise(2000 + number) for number in range(50)}

    def entries(writer: LayerWriter) -> None:
        writer.directory("d")
        for name, content in pictures.items():
            writer.deflated(name, make_member(content))

    layer = write_layer(entries)
    assert layer.contents == pictures
    assert all(content in layer.blob for content in pictures.values())
    assert layer.gzip_members == 1


def test_the_same_directory_again_is_nothing_new(write_layer: WriteLayer) -> None:
    def entries(writer: LayerWriter) -> None:
        for _ in range(3):
            writer.directory("a", mode=0o700, uid=5)

    assert list(write_layer(entries).members) == ["a"]


CLASHES: dict[str, list[tuple[Any, ...]]] = {
    "a file twice": [("file", "a", b""), ("file", "a", b"")],
    "a directory with other attributes": [("directory", "a"), ("directory", "a", 0o700)],
    "a file and a directory": [("file", "a", b""), ("directory", "a")],
    "a directory and a link": [("directory", "a"), ("symlink", "a", "b")],
    "below a file": [("file", "a", b""), ("file", "a/b", b"")],
    "deep below a file": [("file", "a", b""), ("file", "a/b/c/d", b"")],
    "below a link": [("symlink", "a", "/etc"), ("file", "a/passwd", b"")],
    "a file where something is below": [("file", "a/b/c", b""), ("file", "a/b", b"")],
    "a link where something is below": [("directory", "a/b"), ("symlink", "a", "b")],
    "a directory below a file": [("file", "a", b""), ("directory", "a/b")],
    "an impossible path": [("file", "../a", b"")],
    "an impossible path below a known directory": [("file", "a/b", b""), ("file", "a/..", b"")],
    "a whiteout": [("file", "a/b", b""), ("file", "a/.wh.b", b"")],
    "a link to nothing": [("symlink", "a", "")],
    "a link with NUL": [("symlink", "a", "b\0c")],
    "a link too long": [("symlink", "a", "b" * 4096)],
}


@pytest.mark.parametrize("name", CLASHES)
def test_entries_that_clash_are_refused(name: str) -> None:
    *before, last = CLASHES[name]
    with LayerWriter(io.BytesIO()) as writer:
        for entry in before:
            add(writer, *entry)
        with pytest.raises(DocumentError):
            add(writer, *last)


def add(writer: LayerWriter, kind: str, path: str, *rest: Any) -> None:
    if kind == "directory":
        writer.directory(path, **({"mode": rest[0]} if rest else {}))
    else:
        getattr(writer, kind)(path, *rest)


def damaged(member: DeflatedMember) -> dict[str, DeflatedMember]:
    data = bytes(member.data)
    middle = len(data) // 2
    return {
        "other CRC": replace(member, crc32=member.crc32 ^ 1),
        "larger than it is": replace(member, size=member.size + 1),
        "smaller than it is": replace(member, size=member.size - 1),
        "cut off": replace(member, data=data[:-1]),
        "cut in half": replace(member, data=data[:middle]),
        "nothing": replace(member, data=b""),
        "garbage behind": replace(member, data=data + b"garbage"),
        "a zero behind": replace(member, data=data + b"\0"),
        "an empty block behind": replace(member, data=data + b"\x01\x00\x00\xff\xff"),
        "its own check behind": replace(member, data=data + gzip_trailer(member.crc32, member.size) + b"garbage"),
        "only its own check behind": replace(member, data=data + gzip_trailer(member.crc32, member.size)),
        "more content behind": replace(
            member,
            data=data + b"\x01\x01\x00\xfe\xff!",
            size=member.size + 1,
            crc32=zlib.crc32(b"!", member.crc32),
        ),
        "a wrong bit": replace(member, data=data[:middle] + bytes([data[middle] ^ 16]) + data[middle + 1 :]),
    }


@pytest.mark.parametrize("size", [5, 5000, 50_000, 2_000_000])
def test_a_damaged_member_is_refused_and_named(make_member: Any, size: int) -> None:
    for member in damaged(make_member(text(size))).values():
        with LayerWriter(io.BytesIO()) as writer, pytest.raises(WheelError, match=r"site-packages/x\.py"):
            writer.deflated("site-packages/x.py", member)


@pytest.mark.parametrize("size", [5, 5000, 50_000])
def test_a_damaged_stored_member_is_refused(make_member: Any, size: int) -> None:
    member = make_member(text(size), stored=True)
    wrong = [
        replace(member, crc32=0),
        replace(member, size=size - 1),
        replace(member, size=size + 1),
        replace(member, data=b"!" * size),
    ]
    for other in wrong:
        with LayerWriter(io.BytesIO()) as writer, pytest.raises(WheelError):
            writer.deflated("x", other)


def test_a_bomb_stops_at_the_announced_size(make_member: Any) -> None:
    bomb = make_member(bytes(200 << 20), level=9)
    for announced in (100, 40_000, 1 << 20):
        with LayerWriter(io.BytesIO()) as writer, pytest.raises(WheelError, match="more than"):
            writer.deflated("x", replace(bomb, size=announced))


@pytest.mark.parametrize("size", [100, 3 * CHUNK])
@pytest.mark.parametrize("difference", [-1, 1])
def test_a_file_that_changes_while_it_is_read_is_refused(size: int, difference: int) -> None:
    with LayerWriter(io.BytesIO()) as writer, pytest.raises(ProjectError, match="changed while it was read"):
        writer.stream("x", io.BytesIO(bytes(size + difference)), size)


def test_nine_gigabytes_get_their_size_and_are_refused_when_they_do_not_come() -> None:
    sink = io.BytesIO()
    with LayerWriter(sink) as writer, pytest.raises(ProjectError):
        writer.stream("large", io.BytesIO(bytes(100)), 9 << 30)


def test_the_owner_of_the_memory_may_take_it_back_at_once(make_member: Any) -> None:
    """A memory map cannot be closed while somebody holds a view of it."""
    content = text(900_000)
    memory = bytearray(bytes(make_member(content).data))
    view = memoryview(memory)
    sink = io.BytesIO()
    with LayerWriter(sink) as writer:
        writer.deflated("x", replace(make_member(content), data=view))
        view.release()
        memory[:] = bytes(len(memory))
        writer.finish()
    assert content in zlib_all(sink.getvalue())


def zlib_all(blob: bytes) -> bytes:
    content = b""
    while blob:
        reader = zlib.decompressobj(31)
        content += reader.decompress(blob)
        blob = reader.unused_data
    return content


class Broken(io.RawIOBase):
    def write(self, data: object, /) -> int:  # noqa: ARG002 - as any sink
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_sink_that_fails_fails_the_layer_and_leaves_no_thread() -> None:
    before = set(threading.enumerate())
    with pytest.raises(OSError, match="No space"), LayerWriter(cast("Any", Broken())) as writer:  # noqa: PT012
        for number in range(50):
            writer.file(f"f{number}", noise(1 << 20))
        writer.finish()
    assert set(threading.enumerate()) <= before  # fewer where those of earlier tests end meanwhile


def test_leaving_early_leaves_no_thread() -> None:
    before = set(threading.enumerate())
    with LayerWriter(io.BytesIO()) as writer:
        writer.file("x", noise(3 * CHUNK))
        assert len(set(threading.enumerate()) - before) == 1
    assert set(threading.enumerate()) <= before


def test_finishing_twice_gives_the_same(write_layer: WriteLayer) -> None:
    sink = io.BytesIO()
    with LayerWriter(sink) as writer:
        writer.file("a", b"b")
        assert writer.finish() == writer.finish()
    assert sink.getvalue() == write_layer(lambda writer: writer.file("a", b"b")).blob


def test_an_empty_layer_is_a_layer(write_layer: WriteLayer) -> None:
    assert write_layer(lambda _: None).tar == bytes(1024)


def test_progress_adds_up_to_the_content(make_member: Any) -> None:
    told: list[int] = []
    with LayerWriter(io.BytesIO(), advance=told.append) as writer:
        writer.directory("d")
        writer.file("d/a", bytes(1000))
        writer.stream("d/b", io.BytesIO(bytes(CHUNK + 5)), CHUNK + 5)
        writer.deflated("d/c", make_member(text(2_000_000)))
        writer.deflated("d/d", make_member(text(100)))
        writer.deflated("d/e", make_member(b""))
    assert sum(told) == 1000 + CHUNK + 5 + 2_000_000 + 100


def test_memory_stays_small_whatever_the_size() -> None:
    """No piece larger than a chunk is ever handed on."""

    class Largest:
        largest = 0

        def write(self, data: bytes | bytearray | memoryview, /) -> None:
            self.largest = max(self.largest, len(data))

    sink = Largest()
    with LayerWriter(sink) as writer:
        source = io.BufferedReader(cast("Any", FixedSize(100 << 20)))
        writer.stream("x", source, 100 << 20)
        writer.finish()
    assert sink.largest <= CHUNK + CHUNK // 100


class FixedSize(io.RawIOBase):
    """So many zeros."""

    def __init__(self, size: int) -> None:
        self._left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        count = min(len(buffer), self._left)
        self._left -= count
        return count


@pytest.mark.parametrize("size", [10, 100_000, 9 << 20])
def test_a_hard_link_stands_behind_its_file(write_layer: WriteLayer, make_member: Any, size: int) -> None:
    content = bytes(range(256)) * (size // 256 + 1)

    def write(writer: LayerWriter) -> None:
        writer.file("usr/first", content, mode=0o755, uid=7)
        writer.deflated("usr/member", make_member(content))
        writer.hard_link("usr/second", "usr/first", mode=0o755, uid=7)
        writer.hard_link("usr/third", "usr/second", mode=0o755, uid=7)
        writer.hard_link("usr/fourth", "usr/member")

    written = write_layer(write)
    names = list(written.members)
    for name, target in (("second", "first"), ("third", "second"), ("fourth", "member")):
        link = written.members[f"usr/{name}"]
        assert link.islnk()
        assert link.linkname == f"usr/{target}"
        assert names.index(f"usr/{target}") < names.index(f"usr/{name}")
    assert (written.members["usr/second"].mode, written.members["usr/second"].uid) == (0o755, 7)


@pytest.mark.parametrize("target", ["usr/other", "usr", "", "/usr/first"])
def test_a_hard_link_to_nothing_in_the_layer_is_refused(target: str) -> None:
    with LayerWriter(io.BytesIO()) as writer:
        writer.directory("usr")
        writer.file("usr/first", b"x")
        with pytest.raises(DocumentError, match="which the layer does not have"):
            writer.hard_link("usr/second", target)


def test_a_whiteout_is_an_empty_file_with_a_mark(write_layer: WriteLayer) -> None:
    written = write_layer(lambda writer: (writer.whiteout("usr/gone"), writer.whiteout("gone")))
    assert written.contents == {"usr/.wh.gone": b"", ".wh.gone": b""}


@pytest.mark.parametrize("path", ["", "../x", "usr/.wh.x", "usr/first"])
def test_a_whiteout_of_what_cannot_be_or_was_written_is_refused(path: str) -> None:
    with LayerWriter(io.BytesIO()) as writer:
        writer.file("usr/first", b"x")
        with pytest.raises(DocumentError):
            writer.whiteout(path)
