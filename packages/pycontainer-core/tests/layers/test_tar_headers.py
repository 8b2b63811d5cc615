from __future__ import annotations

import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycontainer.errors import DocumentError
from pycontainer.layers.entries import MTIME, Entry, Kind, checked_path, contained_path
from pycontainer.layers.tar import END, header, padding, read_entries

NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/"), min_size=1, max_size=60).filter(
    lambda name: name not in {".", ".."} and not name.startswith(".wh.") and len(name.encode()) <= 255
)
PATHS = st.lists(NAMES, min_size=1, max_size=8).map("/".join)


def read_back(raw: bytes) -> tarfile.TarInfo:
    with tarfile.open(fileobj=io.BytesIO(raw + END), mode="r:") as archive:
        (member,) = archive.getmembers()
        return member


@given(
    path=PATHS,
    mode=st.integers(0, 0o7777),
    uid=st.integers(0, 2**31 - 1),
    gid=st.integers(0, 2**31 - 1),
    mtime=st.integers(0, 8**11 - 1),
)
def test_python_and_our_reader_see_what_was_written(path: str, mode: int, uid: int, gid: int, mtime: int) -> None:
    raw = header(path, Kind.FILE, mode=mode, uid=uid, gid=gid, mtime=mtime)
    assert len(raw) % 512 == 0
    member = read_back(raw)
    assert (member.name, member.mode, member.uid, member.gid, member.mtime) == (path, mode, uid, gid, mtime)
    assert (member.uname, member.gname, member.size, member.type) == ("", "", 0, tarfile.REGTYPE)
    ((entry, _),) = read_entries(io.BytesIO(raw + END))
    assert entry == Entry(path=path, kind=Kind.FILE, mode=mode, uid=uid, gid=gid, mtime=mtime)


@given(path=PATHS, target=PATHS)
def test_links_and_directories_come_back(path: str, target: str) -> None:
    link = read_back(header(path, Kind.SYMLINK, target=target))
    assert (link.name, link.linkname, link.issym()) == (path, target, True)
    folder = read_back(header(path, Kind.DIRECTORY))
    assert (folder.name, folder.isdir()) == (path, True)
    ((entry, _),) = read_entries(io.BytesIO(header(path, Kind.SYMLINK, target=target) + END))
    assert (entry.path, entry.target) == (path, target)


@pytest.mark.parametrize("size", [0, 1, 8**11 - 1, 8**11, 9 << 30, 2**40])
def test_sizes_beyond_eight_gigabytes_get_a_pax_record(size: int) -> None:
    raw = header("app/large", Kind.FILE, size=size)
    member = tarfile.TarInfo.frombuf(raw[:512], "utf-8", "strict")
    if size < 8**11:
        assert (len(raw), member.size) == (512, size)
    else:
        assert member.type == tarfile.XHDTYPE
        assert b" size=%d\n" % size in raw[512:1024]
        assert tarfile.TarInfo.frombuf(raw[1024:], "utf-8", "strict").size == 0


@pytest.mark.parametrize(
    ("path", "blocks"),
    [
        ("a" * 100, 1),
        ("p" * 155 + "/" + "n" * 100, 1),
        ("p" * 156 + "/" + "n" * 99, 3),
        ("p/" + "n" * 101, 3),
        ("ü", 3),
    ],
)
def test_pax_records_only_where_ustar_has_no_room(path: str, blocks: int) -> None:
    raw = header(path, Kind.FILE)
    assert len(raw) == 512 * blocks
    assert read_back(raw).name == path


def test_a_record_counts_its_own_digits() -> None:
    for length in range(80, 130):
        assert read_back(header("n" * length, Kind.FILE)).name == "n" * length


def test_the_time_of_entries_can_be_put_into_a_zip_everywhere() -> None:
    """Zip archives begin on 1 January 1980, local time, and no local time is more than a day behind."""
    assert MTIME - 24 * 3600 == 315_532_800


@pytest.mark.parametrize("wrong", [{"mode": -1}, {"uid": -1}, {"gid": -5}, {"mtime": -1}, {"mtime": 8**11}])
def test_impossible_numbers_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="negative"):
        header("x", Kind.FILE, **wrong)  # type: ignore[arg-type]  # only numbers


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/etc/passwd",
        "..",
        "../x",
        "a/../b",
        "a/..",
        ".",
        "./a",
        "a/./b",
        "a//b",
        "a/",
        "a\0b",
        ".wh.a",
        "a/.wh.b",
        "a/.wh..wh..opq",
        ".wh.a/b",
        "a" * 256,
        "é" * 128,
        "/".join(["a" * 100] * 41),
        "\udcff",
    ],
)
def test_paths_that_have_no_place_in_a_layer(path: str) -> None:
    with pytest.raises(DocumentError, match="cannot be a path"):
        checked_path(path)


@pytest.mark.parametrize(
    "path", ["a", ".venv", "..a", "a..", "...", "a/..b", "wh.a", "-rf", "a\\b", " ", "a\nb", "é" * 127]
)
def test_odd_paths_that_have_one(path: str) -> None:
    assert checked_path(path) == path


@pytest.mark.parametrize(
    ("path", "contained"),
    [("/etc/x", "etc/x"), ("./a/./b", "a/b"), ("a/../../../b", "b"), ("..", ""), ("./", ""), ("a//b/", "a/b")],
)
def test_foreign_paths_stay_inside_a_virtual_root(path: str, contained: str) -> None:
    assert contained_path(path) == contained


def test_padding_fills_a_block() -> None:
    assert [padding(size) for size in (0, 1, 511, 512, 513)] == [0, 511, 1, 0, 511]
