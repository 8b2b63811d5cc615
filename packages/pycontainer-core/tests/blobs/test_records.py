"""Records: what is believed without looking is whole, or not there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pycontainer.blobs.records import load_record, save_record


def test_a_record_is_read_as_it_was_written_and_becomes_recent(tmp_path: Path) -> None:
    path = tmp_path / "records" / "a.json"
    save_record(path, b'{"a": "\n"}')
    os.utime(path, (1, 1))
    assert load_record(path) == b'{"a": "\n"}'
    assert path.stat().st_mtime > 1


def test_an_absent_record_is_none(tmp_path: Path) -> None:
    assert load_record(tmp_path / "none") is None


def test_any_flipped_bit_makes_a_record_unknown(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    save_record(path, b"{}")
    whole = path.read_bytes()
    for bit in range(len(whole) * 8):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        assert load_record(path) is None, bit
    path.write_bytes(whole)
    assert load_record(path) == b"{}"


@pytest.mark.parametrize("kept", [0, 10, 64, 65, 66])
def test_a_cut_record_is_unknown(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "a.json"
    save_record(path, b"{}")
    os.truncate(path, kept)
    assert load_record(path) is None


def test_a_record_takes_the_place_of_a_directory(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    (path / "in").mkdir(parents=True)
    assert load_record(path) is None
    save_record(path, b"{}")
    assert load_record(path) == b"{}"


@pytest.mark.skipif(os.name != "posix", reason="links need rights on Windows")
def test_a_record_replaces_a_link_and_not_what_it_points_to(tmp_path: Path) -> None:
    outside, path = tmp_path / "outside", tmp_path / "a.json"
    outside.write_bytes(b"mine")
    path.symlink_to(outside)
    save_record(path, b"{}")
    assert not path.is_symlink()
    assert outside.read_bytes() == b"mine"
