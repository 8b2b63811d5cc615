"""Paths go through the links of a base as dpkg would follow them, and never out of its root."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycontainer.errors import DocumentError
from pycontainer.layers.entries import Kind
from pycontainer.sources.debian.compose import empty_state
from pycontainer.sources.debian.state import DebianState
from pycontainer.sources.debian.tree import BaseTree

TREE = BaseTree(
    directories={"": ("file",), "usr": (), "usr/lib": ("a", "b"), "usr/lib/deep": ("x",)},
    links={
        "lib": "usr/lib",
        "abs": "/usr/lib/deep",
        "up": "../../../usr",
        "usr/lib/short": "deep",
        "chain": "lib/short",
        "loop": "pool",
        "pool": "loop",
        "nowhere": "opt/none",
    },
    others={"usr/pipe": Kind.FIFO},
)


@pytest.mark.parametrize(
    ("path", "canonical"),
    [
        ("lib/a", "usr/lib/a"),
        ("lib", "lib"),
        ("usr/lib/a", "usr/lib/a"),
        ("abs/x", "usr/lib/deep/x"),
        ("up/lib/a", "usr/lib/a"),
        ("chain/x", "usr/lib/deep/x"),
        ("lib/short", "usr/lib/short"),
        ("lib/new/file", "usr/lib/new/file"),
        ("nowhere/x", "opt/none/x"),
        ("file", "file"),
        ("", ""),
    ],
)
def test_links_on_the_way_are_resolved_and_the_last_part_is_not(path: str, canonical: str) -> None:
    assert TREE.canonical(path) == canonical


def test_directories_are_resolved_with_their_last_part() -> None:
    assert TREE.directory("lib") == "usr/lib"
    assert TREE.directory("chain") == "usr/lib/deep"
    assert TREE.directory("up") == "usr"


def test_circles_are_refused() -> None:
    with pytest.raises(DocumentError, match="circles"):
        TREE.canonical("loop/x")
    assert TREE.canonical("loop") == "loop"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("", Kind.DIRECTORY),
        ("usr", Kind.DIRECTORY),
        ("file", Kind.FILE),
        ("usr/lib/b", Kind.FILE),
        ("lib", Kind.SYMLINK),
        ("usr/pipe", Kind.FIFO),
        ("usr/lib/c", None),
        ("none/x", None),
    ],
)
def test_kinds(path: str, kind: Kind | None) -> None:
    assert TREE.kind(path) is kind


def test_a_tree_survives_its_cache_and_has_one_digest() -> None:
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(TREE), type=BaseTree)
    assert again == TREE
    assert again.digest == TREE.digest
    assert msgspec.structs.replace(TREE, links={}).digest != TREE.digest


def test_links_in_a_directory() -> None:
    assert TREE.links_in("usr/lib") == {"short": "deep"}
    assert "lib" in TREE.links_in("")


def test_what_is_composed_from_nothing_has_merged_usr() -> None:
    empty = empty_state("bookworm", "amd64").tree
    assert empty.canonical("lib/x86_64-linux-gnu/libc.so.6") == "usr/lib/x86_64-linux-gnu/libc.so.6"
    assert empty.kind("") is Kind.DIRECTORY
    assert empty.kind("usr") is None


@given(st.text("abc/.", max_size=30), st.dictionaries(st.text("abc/", max_size=4), st.text("abc/.", max_size=8)))
def test_nothing_leaves_the_root(path: str, links: dict[str, str]) -> None:
    tree = BaseTree(directories={"": ()}, links=links)
    try:
        found = tree.directory(path)
    except DocumentError:
        return
    assert not found.startswith("/")
    assert ".." not in found.split("/")


def test_the_tree_of_a_base_has_all_its_paths(base: DebianState) -> None:
    assert base.tree.kind("usr/bin/tool") is Kind.FILE
    assert base.tree.links["lib"] == "usr/lib"
    assert base.tree.kind("usr/share/doc") is Kind.DIRECTORY
