"""Layers laid over each other give the tree that an engine would unpack, and nothing of this host."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pycontainer.errors import DocumentError
from pycontainer.layers.entries import Kind
from pycontainer.layers.tar import read_entries
from pycontainer.sources.base.rootfs import RootFS
from pycontainer.testing.images import File, Folder, Forged, Gone, Link, Opaque, forge_tar


def tree(*layers: list[Forged]) -> RootFS:
    root = RootFS()
    for layer in layers:
        root.apply(read_entries(io.BytesIO(forge_tar(layer))), keep=lambda _, content: content.read())
    return root


def where(root: RootFS, path: str) -> str | None:
    found = root.find(path)
    return found.path if found else None


def test_the_upper_layer_wins() -> None:
    root = tree([File("etc/passwd", b"old")], [File("etc/passwd", b"new")])
    assert root.content("/etc/passwd") == b"new"


def test_links_are_followed_inside_the_image() -> None:
    root = tree(
        [File("usr/bin/python3.11"), Link("usr/bin/python3", "../../usr/bin/python3.11"), Link("bin", "/usr/bin")]
    )
    assert where(root, "/bin/python3") == "/usr/bin/python3.11"


@pytest.mark.parametrize("target", ["../../../../../../etc/passwd", "/../../etc/passwd", "/etc/../../etc/passwd"])
def test_what_climbs_above_the_root_ends_at_the_root(target: str) -> None:
    assert root_content(target) == b"of the image"


def root_content(target: str) -> bytes | None:
    return tree([File("etc/passwd", b"of the image"), Link("a/b/link", target)]).content("/a/b/link")


@pytest.mark.parametrize("path", ["../../etc/passwd", "/etc/passwd", "./etc/../etc/passwd", "a/../../etc/passwd"])
def test_entry_paths_are_contained(path: str) -> None:
    assert tree([File(path, b"here")]).content("/etc/passwd") == b"here"


def test_files_below_a_linked_directory_land_where_the_link_leads() -> None:
    root = tree([Folder("usr/lib"), Link("lib", "usr/lib")], [File("lib/libc.so.6", b"2.36")])
    assert where(root, "/lib/libc.so.6") == "/usr/lib/libc.so.6"
    assert root.names("/usr/lib") == ("libc.so.6",)


def test_a_directory_replaces_a_link() -> None:
    root = tree([File("usr/lib/a"), Link("lib", "usr/lib")], [Folder("lib"), File("lib/b")])
    assert root.names("/lib") == ("b",)
    assert root.names("/usr/lib") == ("a",)


def test_whiteouts_remove_what_lower_layers_have() -> None:
    root = tree([File("opt/py/bin/python3"), File("opt/other")], [Gone("opt/py")])
    assert root.names("/opt") == ("other",)


@pytest.mark.parametrize("opaque_first", [True, False])
def test_an_opaque_directory_hides_lower_layers_wherever_it_stands(opaque_first: bool) -> None:  # noqa: FBT001
    own: list[Forged] = [File("etc/new"), File("etc/deep/new")]
    layer: list[Forged] = [Opaque("etc"), *own] if opaque_first else [*own, Opaque("etc")]
    root = tree([File("etc/old"), File("etc/deep/old")], layer)
    assert root.names("/etc") == ("deep", "new")
    assert root.names("/etc/deep") == ("new",)


@pytest.mark.parametrize("gone_first", [True, False])
def test_a_whiteout_spares_what_its_own_layer_has(gone_first: bool) -> None:  # noqa: FBT001
    layer: list[Forged] = [File("etc/a/new")]
    layer = [Gone("etc/a"), *layer] if gone_first else [*layer, Gone("etc/a")]
    assert tree([File("etc/a/old")], layer).names("/etc/a") == ("new",)


def test_a_whiteout_follows_a_linked_directory() -> None:
    root = tree([File("usr/lib/a"), Link("lib", "usr/lib")], [Gone("lib/a")])
    assert root.names("/usr/lib") == ()


def test_hard_links_share_what_was_kept() -> None:
    root = tree([File("usr/bin/python3.12", b"ELF", 0o755), Link("usr/bin/python3", "usr/bin/python3.12", hard=True)])
    found = root.find("/usr/bin/python3")
    assert found is not None
    assert found.is_program
    assert found.node.content == b"ELF"


def test_a_hard_link_out_of_the_image_is_an_empty_file_in_it() -> None:
    root = tree([Link("shadow", "../../../../etc/shadow", hard=True)])
    assert root.content("/shadow") is None


def test_circles_lead_nowhere() -> None:
    root = tree([Link("a", "b"), Link("b", "a")])
    assert root.find("/a/x") is None


def test_a_file_below_circles_is_refused() -> None:
    with pytest.raises(DocumentError, match="circles"):
        tree([Link("a", "b"), Link("b", "a"), File("a/x")])


def test_a_whiteout_of_nothing_is_refused() -> None:
    with pytest.raises(DocumentError, match="whiteout of nothing"):
        tree([File("etc/.wh.")])


def test_a_deep_tree_exhausts_nothing() -> None:
    deep = "/".join(["d"] * 2000)
    root = tree([File(f"{deep}/file")], [Gone("d")])
    assert root.names("/") == ()


def test_links_to_links_are_bounded() -> None:
    links: list[Forged] = [Link(f"l{number}", f"l{number + 1}") for number in range(100)]
    assert tree([*links, File("l100")]).find("/l0") is None


NAMES = st.sampled_from(["a", "b", "..", ".", "c"])
PATHS = st.lists(NAMES, min_size=1, max_size=5).map("/".join)
FORGED = st.one_of(
    PATHS.map(File), PATHS.map(Folder), PATHS.map(Gone), PATHS.map(Opaque), st.builds(Link, PATHS, PATHS, st.booleans())
)


@settings(deadline=None)  # other work on the host is no failure
@given(st.lists(st.lists(FORGED, max_size=12), max_size=4), PATHS)
def test_any_layers_give_a_tree_or_a_document_error(layers: list[list[Forged]], path: str) -> None:
    try:
        root = tree(*layers)
    except DocumentError:
        return
    found = root.find(path)
    assert found is None or ".." not in found.path.split("/")
    assert found is None or found.node.kind in Kind
