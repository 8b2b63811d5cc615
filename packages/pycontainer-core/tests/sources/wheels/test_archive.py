"""Zips that lie: FAILURES, *Wheel*, rows 1, 6 to 13 and 21."""

from __future__ import annotations

import hashlib
import io
import os
import struct
import sys
import tracemalloc
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pycontainer.errors import WheelError
from pycontainer.sources.wheels import Limits
from pycontainer.sources.wheels.archive import Archive
from pycontainer.sources.wheels.defects import WheelDefect
from pycontainer.sources.wheels.wheel import WheelFile
from pycontainer.testing.wheels import ForgedMember, WheelForge, forge_zip

FORGE = WheelForge()
DATA = b"x = 1\n" * 40


def refused(path: Path, content: bytes, match: str, **options: Any) -> None:
    path.write_bytes(content)
    with pytest.raises(WheelError, match=match) as caught:
        Archive(path, **options)
    assert path.name in caught.value.message
    assert "\x00" not in str(caught.value)


def opened(path: Path, content: bytes) -> dict[str, bytes]:
    path.write_bytes(content)
    with Archive(path) as archive:
        return {name: archive.read(name) for name in archive.files}


def member(name: str | bytes = "demo.py", **fields: Any) -> ForgedMember:
    return ForgedMember(**{"name": name, "content": DATA, **fields})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / FORGE.filename


def test_a_forged_wheel_is_read_as_zipfile_reads_it(path: Path) -> None:
    content = FORGE.build()
    with zipfile.ZipFile(io.BytesIO(content)) as expected:
        assert opened(path, content) == {name: expected.read(name) for name in expected.namelist()}


def test_a_wheel_with_another_hash_is_never_looked_into(path: Path) -> None:
    refused(path, b"not even a zip", "its sha256 is", sha256="0" * 64)
    content = FORGE.build()
    path.write_bytes(content)
    WheelFile(path, sha256=hashlib.sha256(content).hexdigest()).close()


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("../x.py", "not a plain relative path"),
        ("a/../../x.py", "not a plain relative path"),
        ("/etc/passwd", "not a plain relative path"),
        ("C:/x.py", "not a plain relative path"),
        ("a:b.py", "not a plain relative path"),
        ("C:\\x.py", "not a plain relative path"),
        ("a\\..\\b.py", "not a plain relative path"),
        ("a//b.py", "not a plain relative path"),
        ("a/./b.py", "not a plain relative path"),
        (".", "not a plain relative path"),
        ("", "not a plain relative path"),
        ("a\0.py", "not a plain relative path"),
        ("a\nb.py", "not a plain relative path"),
        ("a/.wh.b", "not a plain relative path"),
        (".wh..wh..opq", "not a plain relative path"),
        ("a" * 256 + ".py", "longer than 255|not a plain"),
        ("é" * 128, "longer than 255"),
        (b"\xff\xfe.py", "not UTF-8"),
    ],
)
def test_names_that_leave_the_archive_are_refused(path: Path, name: str | bytes, match: str) -> None:
    flags = 1 << 11 if isinstance(name, bytes) else 0
    refused(path, forge_zip([member("first.py"), member(name, flags=flags)]), match)


@pytest.mark.parametrize("name", ["a b.py", "a..py", "...", ".hidden/x", "a.b/c.d", "-x", "é.py", "ab:c.py", "x" * 255])
def test_names_that_only_look_odd_are_taken(path: Path, name: str) -> None:
    assert opened(path, forge_zip([member(name)])) == {name: DATA}


def test_bytes_that_are_not_marked_as_utf8_are_refused(path: Path) -> None:
    refused(path, forge_zip([member("é.py", local={"flags": 0}, central={"flags": 0})]), "not marked as UTF-8")


def test_a_name_stands_in_it_once(path: Path) -> None:
    refused(path, forge_zip([member("a.py"), member("a.py")]), "stands in it twice")
    refused(path, forge_zip([member("caf\u00e9.py"), member("cafe\u0301.py")]), "in two Unicode forms")
    refused(path, forge_zip([member("a"), member("a/b.py")]), "other members lie below it")


def test_of_several_files_that_others_lie_below_the_first_is_told(path: Path) -> None:
    members = [member(f"m{number}{name}") for number in range(40) for name in ("", "/b.py")]
    refused(path, forge_zip(members), "the member `m0` is a file")


def test_names_that_differ_in_case_only_are_warned_of(path: Path) -> None:
    path.write_bytes(forge_zip([member("a.py"), member("A.py")]))
    with Archive(path) as archive:
        assert archive.warnings == ("names that differ in case only: `a.py`, `A.py`",)


@pytest.mark.parametrize("field", ["name", "size", "compressed_size", "crc32", "method", "flags"])
@pytest.mark.parametrize("where", ["local", "central"])
def test_both_headers_must_say_the_same(path: Path, field: str, where: str) -> None:
    lies: dict[str, int | bytes] = {
        "name": b"other.py",
        "size": 1,
        "compressed_size": 3,
        "crc32": 1,
        "method": 0,
        "flags": 1 << 11,
    }
    headers: dict[str, Any] = {where: {field: lies[field]}}
    refused(path, forge_zip([member(**headers), member("b.py")]), "has another|belong to|two sizes")


@pytest.mark.parametrize(
    ("lie", "match"),
    [
        ({"before": b"#!/bin/sh\n"}, "10 bytes before the member `a.py`"),
        ({"between": b"hidden"}, "belong to nothing|directory"),
        ({"after": b"x"}, "do not end where the file ends"),
        ({"after": FORGE.build()}, "does not end where its end record begins"),
        ({"comment": b"PK\5\6" + bytes(18)}, "directory|end record"),
        ({"comment": b"x", "end": {"comment_length": 0}}, "do not end where the file ends"),
        ({"end": {"count": 1}}, "after the last entry"),
        ({"end": {"count": 3}}, "too short|cut off"),
        ({"end": {"offset": 0}}, "does not end where"),
        ({"end": {"size": 10}}, "does not end where"),
        ({"zip64": {"locator": 0}}, "does not point to"),
        ({"zip64": {"disks": 2}}, "does not point to"),
        ({"zip64": {"count": 1}}, "after the last entry"),
        ({"zip64": {"offset": 1}}, "does not end where"),
        ({"zip64": {}, "end": {"count": 1}}, "say different things|several parts"),
    ],
)
def test_no_byte_stands_where_nobody_looks(path: Path, lie: dict[str, Any], match: str) -> None:
    refused(path, forge_zip([member("a.py"), member("b.py")], **lie), match)


def test_junk_in_front_is_refused_even_when_all_offsets_allow_for_it(path: Path) -> None:
    shifted = forge_zip([member()], before=b"junk")
    end = len(shifted) - 22
    start = struct.unpack_from("<L", shifted, end + 16)[0]
    assert shifted[start : start + 4] == b"PK\1\2"
    refused(path, shifted, "4 bytes before the member `demo.py` belong to nothing")


def test_a_gap_between_members_is_refused(path: Path) -> None:
    refused(path, forge_zip([member("a.py", after=b"hidden"), member("b.py")]), "6 bytes after the member `a.py`")


def test_overlapping_members_are_refused(path: Path) -> None:
    first = member("a.py")
    inside: dict[str, int | bytes] = {"offset": 0, "name": b"a.py"}
    refused(path, forge_zip([first, replace(first, central=inside)]), "overlaps|twice")
    longer = {"compressed_size": len(first.stored) + 10}
    refused(path, forge_zip([member(local=longer, central=longer), member("b.py")]), "overlaps")


def test_data_descriptors_must_be_true(path: Path) -> None:
    zeros = {"crc32": 0, "size": 0, "compressed_size": 0}
    late = member(flags=8, local=zeros)
    for right in (late.descriptor(), late.descriptor(magic=False)):
        assert opened(path, forge_zip([replace(late, after=right), member("b.py")]))["demo.py"] == DATA
    other = member(content=DATA + b"evil")
    for wrong in (b"", other.descriptor(), late.descriptor() + b"x", late.descriptor(wide=True), b"x" * 16):
        refused(path, forge_zip([replace(late, after=wrong), member("b.py")]), "data descriptor")
    refused(path, forge_zip([replace(late, local={"crc32": 5}, after=late.descriptor())]), "another CRC or size")


def test_zip64_fields_are_read_and_must_agree(path: Path) -> None:
    plain = member()
    sizes = (len(DATA), len(plain.stored))
    wide = {"size": 0xFFFFFFFF, "compressed_size": 0xFFFFFFFF, "extra": struct.pack("<HHQQ", 1, 16, *sizes)}
    assert opened(path, forge_zip([member(local=wide, central=wide)], zip64={})) == {"demo.py": DATA}
    assert opened(path, forge_zip([member(local=wide)])) == {"demo.py": DATA}
    lie = {**wide, "extra": struct.pack("<HHQQ", 1, 16, 7, 7)}
    refused(path, forge_zip([member(local=lie, central=wide)]), "another size")
    refused(path, forge_zip([member(local=wide, central={"extra": wide["extra"]})]), "zip64 field")
    refused(path, forge_zip([member(local={"extra": b"\1\0\x10\0"})]), "malformed")


def test_what_zipfile_streams_is_read(path: Path) -> None:
    class Unseekable(io.RawIOBase):
        def __init__(self) -> None:
            self.content = b""

        def writable(self) -> bool:
            return True

        def write(self, data: Any, /) -> int:
            self.content += bytes(data)
            return len(data)

    sink = Unseekable()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/b.py", DATA)
        with archive.open("large.py", "w", force_zip64=True) as file:
            file.write(DATA)
    assert opened(path, sink.content) == {"a/b.py": DATA, "large.py": DATA}


@pytest.mark.parametrize(("number", "payload"), [(0x5455, b"\1\0\0\0\0"), (0x7875, b"\1\4\0\0\0\0\4\0\0\0\0")])
def test_harmless_extra_fields_are_taken(path: Path, number: int, payload: bytes) -> None:
    extra = {"extra": struct.pack("<HH", number, len(payload)) + payload}
    assert opened(path, forge_zip([member(local=extra, central=extra)])) == {"demo.py": DATA}


def test_a_second_name_in_an_extra_field_is_refused(path: Path) -> None:
    payload = struct.pack("<BL", 1, zlib.crc32(b"demo.py")) + b"../x.py"
    extra = {"extra": struct.pack("<HH", 0x7075, len(payload)) + payload}
    refused(path, forge_zip([member(central=extra)]), "second, other name")
    refused(path, forge_zip([member(local=extra)]), "second, other name")


@pytest.mark.parametrize(
    ("fields", "match"),
    [
        ({"flags": 1}, "encrypted"),
        ({"flags": 1 << 6}, "encrypted"),
        ({"flags": 1 << 5}, "no use for"),
        ({"method": 12}, "method 12"),
        ({"method": 93}, "method 93"),
        ({"method": 99}, "method 99"),
        ({"central": {"needed": 64}}, "no use for"),
    ],
)
def test_what_needs_another_program_is_refused(path: Path, fields: dict[str, Any], match: str) -> None:
    refused(path, forge_zip([member(**fields)]), match)


@pytest.mark.parametrize(
    ("mode", "match"),
    [(0o120777, "symbolic link"), (0o020666, "neither a file"), (0o010644, "neither a file"), (0o040755, "neither")],
)
def test_links_and_devices_are_refused(path: Path, mode: int, match: str) -> None:
    refused(path, forge_zip([member(mode=mode)]), match)


def test_a_directory_with_content_is_refused(path: Path) -> None:
    refused(path, forge_zip([member("a/", mode=0o40755)]), "has content")


@pytest.mark.parametrize(
    ("mode", "expected"),
    [(0o100644, 0o644), (0o104755, 0o755), (0o102644, 0o644), (0o101777, 0o755), (0o100640, 0o644), (0o100700, 0o755)],
)
def test_modes_become_two(path: Path, mode: int, expected: int) -> None:
    path.write_bytes(forge_zip([member(mode=mode)]))
    with Archive(path) as archive:
        assert archive.members[0].mode == expected


def test_bombs_are_refused_by_what_they_announce_and_by_what_they_give(path: Path) -> None:
    zeros = bytes(1 << 20)
    bomb = ForgedMember(name="zeros", content=zeros)
    limits = Limits(ratio_free=1000)
    refused(path, forge_zip([bomb]), "more than 250 times its size", limits=limits)
    refused(path, forge_zip([bomb]), "more than the 1000 allowed", limits=Limits(size=1000))
    refused(path, forge_zip([member(f"{n}") for n in range(11)]), "more than the 10 allowed", limits=Limits(entries=10))
    lie = {"size": 10}
    path.write_bytes(forge_zip([replace(bomb, local=lie, central=lie)]))
    with Archive(path) as archive, pytest.raises(WheelError, match="more than the 10 bytes"):
        b"".join(archive.content(archive.members[0]).chunks("zeros"))


def test_a_bomb_takes_little_memory(path: Path) -> None:
    deflater = zlib.compressobj(9, wbits=-15)
    stream = b"".join(deflater.compress(bytes(1 << 24)) for _ in range(16)) + deflater.flush()
    bomb = ForgedMember(name="zeros", compressed=stream, local={"size": 10}, central={"size": 10})
    path.write_bytes(forge_zip([bomb]))
    tracemalloc.start()
    try:
        with Archive(path) as archive, pytest.raises(WheelError):
            b"".join(archive.content(archive.members[0]).chunks("zeros"))
        assert tracemalloc.get_traced_memory()[1] < 80 << 20
    finally:
        tracemalloc.stop()


def resident(path: Path) -> int:
    """Bytes of a file that count as this program's memory, in Linux's own words."""
    maps, mapped = Path("/proc/self/smaps").read_text().splitlines(), False
    for line in maps:
        if line.endswith(str(path)):
            mapped = True
        elif mapped and line.startswith("Rss:"):
            return int(line.split()[1]) << 10
    raise AssertionError(f"{path} is not mapped")


@pytest.mark.skipif(sys.platform != "linux", reason="Linux tells of memory in `smaps`")
@pytest.mark.parametrize("read", ["slices", "chunks"])
def test_a_large_member_gives_memory_back_while_it_is_read(path: Path, read: str) -> None:
    noise = os.urandom(24 << 20)
    path.write_bytes(forge_zip([ForgedMember(name="demo/large.so", content=noise)]))
    with Archive(path) as archive:
        content = archive.content(archive.members[0])
        pieces = content.slices() if read == "slices" else content.chunks("demo/large.so")
        # To ask after each piece would take half a minute.
        assert max(resident(path) for number, _ in enumerate(pieces) if number % 16 == 15) < 12 << 20


def test_damaged_content_is_found(path: Path) -> None:
    for broken in (
        member(compressed=b"\xff" * 10),
        member(compressed=member().stored + b"hidden"),
        member(compressed=member().stored[:-3]),
        member(local={"crc32": 1}, central={"crc32": 1}),
        member(local={"size": 1}, central={"size": 1}),
    ):
        path.write_bytes(forge_zip([broken]))
        with Archive(path) as archive, pytest.raises(WheelDefect):
            archive.read("demo.py")


def test_empty_and_cut_wheels_are_refused(path: Path) -> None:
    refused(path, b"", "it is empty")
    content = FORGE.build()
    for size in (1, 21, 22, len(content) // 2, len(content) - 1):
        refused(path, content[:size], "cut off|end record|where the file ends|directory")
    refused(path, b"<html>404</html>" * 100, "no zip archive")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(WheelError, match="cannot be read"):
        Archive(tmp_path / FORGE.filename)


@settings(
    max_examples=10 * settings().max_examples,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(at=st.floats(0, 1, exclude_max=True), value=st.integers(0, 255) | st.none())
def test_a_changed_byte_is_refused_or_changes_nothing_that_matters(path: Path, at: float, value: int | None) -> None:
    original = FORGE.build()
    place = int(at * len(original))
    changed = original[:place] if value is None else original[:place] + bytes([value]) + original[place + 1 :]
    try:
        found = opened(path, changed)
    except (WheelError, WheelDefect):
        return
    # Times, versions, attributes: the content is the same, and so it is for others who read the archive.
    assert list(found.values()) == list(opened(path, original).values())
    with zipfile.ZipFile(io.BytesIO(changed)) as others:
        assert {name: others.read(name) for name in others.namelist()} == found
