from __future__ import annotations

import gzip
import lzma
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pycontainer.errors import DocumentError, StoreError
from pycontainer.sources.debian import index as module
from pycontainer.sources.debian.index import PackageIndex

MAIN = b"""\
Package: a
Version: 1
Architecture: amd64
Provides: v, w (= 2), a-alias:any
Description: mentions postfix, and is no field of names

Architecture: all
Package: b
Version: 1.0
Essential: yes
Depends: late | c (>= 2), a

Package: c
Version: 1
Architecture: amd64
Essential: yes
Provides: v
 , x

Package: a
Version: 3
Architecture: amd64
"""
SECURITY = b"""\
Package: a
Version: 2
Architecture: amd64
Provides: v

Package: b
Version: 1.00
Architecture: all
Section: security

Package: late
Version: 1
Architecture: all"""


@pytest.fixture
def index() -> PackageIndex:
    return PackageIndex.of([MAIN, SECURITY], sources=["main", "security"])


def test_versions_descend_and_equal_ones_keep_the_order_of_the_files(index: PackageIndex) -> None:
    assert [package.version for package in index.versions("a")] == ["3", "2", "1"]
    assert [package.version for package in index.versions("b")] == ["1.0", "1.00"]
    assert index.versions("v") == ()
    assert sorted(index.names()) == ["a", "b", "c", "late"]


def test_providers_are_found_in_folded_versioned_and_qualified_fields(index: PackageIndex) -> None:
    def provide(name: str) -> list[str]:
        return [str(package) for package in index.providers(name)]

    assert provide("v") == ["a 1", "c 1", "a 2"]
    assert provide("w") == provide("a-alias") == ["a 1"]
    assert provide("x") == ["c 1"]
    assert provide("a") == provide("") == []


def test_essential_packages_are_listed(index: PackageIndex) -> None:
    assert index.essential() == ["b", "c"]


def test_a_package_knows_the_file_that_it_comes_from(index: PackageIndex) -> None:
    assert [index.origin(package) for package in index.versions("a")] == [0, 1, 0]
    with pytest.raises(KeyError):
        PackageIndex.of([SECURITY]).origin(index.versions("c")[0])


def test_the_first_mention_counts_relations_and_no_prose(index: PackageIndex) -> None:
    mentions = [index.first_mention(name) for name in ("a", "v", "late", "c")]
    assert mentions == sorted(mentions)
    assert mentions[-1][0] == 0
    assert index.first_mention("postfix") == (2, 0)


@pytest.mark.parametrize("pack", [bytes, lzma.compress, gzip.compress])
def test_files_may_be_packed(tmp_path: Path, pack: type[bytes]) -> None:
    path = tmp_path / "Packages"
    path.write_bytes(pack(MAIN))
    for packed in (path, path.read_bytes()):
        assert PackageIndex.of([packed]).versions("c")[0].version == "1"


@pytest.mark.parametrize(
    "packed",
    [lzma.compress(MAIN)[:-20], gzip.compress(MAIN)[:-9], gzip.compress(MAIN)[:20] + b"\xff" * 60],
    ids=["xz cut off", "gzip cut off", "gzip overwritten"],
)
def test_damaged_files_are_refused(packed: bytes) -> None:
    with pytest.raises(DocumentError, match="is damaged"):
        PackageIndex.of([packed])


def test_files_have_a_largest_size(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "_MAX_FILE", 5 << 20)
    bomb = lzma.compress(bytes(20 << 20))
    (tmp_path / "Packages.xz").write_bytes(bomb)
    for file in (bomb, tmp_path / "Packages.xz", gzip.compress(bytes(20 << 20))):
        with pytest.raises(DocumentError, match="larger than 5 MiB"):
            PackageIndex.of([file])


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="missing"):
        PackageIndex.of([tmp_path / "missing"])


def test_a_malformed_paragraph_harms_only_who_asks_for_it() -> None:
    index = PackageIndex.of([b"Package: bad\nVersion: 1\n 2\nno field\n\nPackage: no-version\n\n" + MAIN])
    assert index.versions("a")[0].version == "3"
    for name in ("bad", "no-version"):
        with pytest.raises(DocumentError):
            index.versions(name)


@given(st.binary(max_size=200) | st.text("Package: Provides:\n ab,(=1)", max_size=200).map(str.encode))
@settings(deadline=None)
def test_any_bytes_are_an_index_or_one_kind_of_error(text: bytes) -> None:
    try:
        index = PackageIndex.of([text])
        index.essential()
        index.providers("a")
        for name in index.names():
            index.versions(name)
    except DocumentError:
        pass
