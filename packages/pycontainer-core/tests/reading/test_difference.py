from __future__ import annotations

from collections.abc import Callable

import pytest

from pycontainer.image import Image
from pycontainer.reading import Difference, ImageReader, OpenedImage, compare, inspect
from pycontainer.reading.difference import ConfigChange, FileChange, compare_files
from pycontainer.testing.images import File, Gone, Link, alpine_like, debian_like, forge_layer

Open = Callable[[Image], OpenedImage]
Distribution = Callable[..., list[File]]


@pytest.fixture
def differ(reader: ImageReader, opened: Open) -> Callable[[Image, Image], Difference]:
    """Compare two images, files too."""

    def difference(before: Image, after: Image) -> Difference:
        one, other = opened(before), opened(after)
        return compare(inspect(reader, one), inspect(reader, other), files=compare_files(one, other))

    return difference


def test_an_image_is_the_same_as_itself(differ: Callable[[Image, Image], Difference]) -> None:
    found = differ(debian_like(), debian_like())
    assert (found.same, found.pull.bytes, found.packages, found.config, found.files) == (True, 0, (), (), ())


def test_packages_config_and_bytes_are_compared(
    differ: Callable[[Image, Image], Difference], distribution: Distribution
) -> None:
    stay = forge_layer([*distribution("same"), *distribution("grown", "1.0", metadata=["License-Expression: MIT"])])
    gone = forge_layer(distribution("gone"))
    new = forge_layer(
        [
            *distribution("new"),
            *distribution("grown", "2.0", metadata=["License-Expression: ISC"]),
            Gone(f"{_SITE}/grown-1.0.dist-info"),
        ]
    )
    base = debian_like()
    before = base.append([stay, gone]).with_config(user="1000", env=("A=1", "B=1"))
    after = base.append([stay, new]).with_config(user="1000", env=("A=2", "C=1"))
    found = differ(before, after)
    assert [(each.change, each.name, each.before, each.after) for each in found.packages] == [
        ("removed", "gone", "1.0", None),
        ("changed", "grown", "1.0", "2.0"),
        ("added", "new", None, "1.0"),
    ]
    assert (found.packages[1].license_before, found.packages[1].license_after) == ("MIT", "ISC")
    assert found.config == (
        ConfigChange(field="env.A", before="1", after="2"),
        ConfigChange(field="env.B", before="1"),
        ConfigChange(field="env.C", after="1"),
    )
    assert (found.pull.layers_shared, found.pull.layers_new) == (3, 1)
    own = after.descriptor.size + after.config_blob.descriptor.size
    assert found.pull.bytes == own + new.descriptor.size
    assert found.pull.total == found.pull.bytes + sum(each.descriptor.size for each in (*base.layers, stay))


def test_a_layer_above_another_one_that_differs_is_shared_by_digest_and_not_in_order(
    differ: Callable[[Image, Image], Difference],
) -> None:
    one, two, top = (forge_layer([File(name, bytes(3000))]) for name in ("one", "two", "top"))
    base = debian_like()
    pull = differ(base.append([one, top]), base.append([two, top])).pull
    assert (pull.layers_shared, pull.layers_in_order, pull.layers_new) == (3, 2, 1)
    assert pull.bytes_in_order == pull.bytes + top.descriptor.size


def test_files_are_compared_as_a_container_sees_them(differ: Callable[[Image, Image], Difference]) -> None:
    base = debian_like()
    before = base.append(
        [
            forge_layer([File("a", b"old"), File("same", b"x"), File("mode", b"x"), Link("l", "a"), File("kind", b"")]),
            forge_layer([Gone("etc/group"), File("hidden", b"1")]),
        ]
    )
    after = base.append(
        [
            forge_layer([File("hidden", b"2")]),
            forge_layer([File("a", b"new!"), File("same", b"x"), File("mode", b"x", 0o755), Link("l", "b")]),
            forge_layer([Link("kind", "a"), File("hidden", b"1"), File("ä\udcff", b"")]),
        ]
    )
    found = differ(before, after)
    assert found.files == (
        FileChange(change="changed", path="/a", size_before=3, size_after=4),
        FileChange(change="added", path="/etc/group", size_after=10),
        FileChange(change="changed", path="/kind", size_before=0, size_after=0),
        FileChange(change="changed", path="/l", size_before=0, size_after=0),
        FileChange(change="changed", path="/mode", size_before=1, size_after=1),
        FileChange(change="added", path="/ä\ufffd", size_after=0),
    )


def test_another_distribution_is_told(differ: Callable[[Image, Image], Difference]) -> None:
    found = differ(debian_like(), alpine_like())
    assert {(each.change, each.name) for each in found.os_packages} == {
        ("removed", "libc6"),
        ("added", "musl"),
        ("added", "python3"),
    }
    assert found.pull.layers_shared == 0
    assert found.pull.bytes == found.pull.total


_SITE = "app/.venv/lib/python3.12/site-packages"
