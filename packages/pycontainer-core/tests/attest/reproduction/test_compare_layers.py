"""Two layers that should be the same: the difference that was planted is the one that is told."""

from __future__ import annotations

import pytest

from pycontainer.attest.reproduction.files import Difference, compare_layers
from pycontainer.testing.images import File, Folder, Forged, Link, forge_layer

SAME: list[Forged] = [Folder("app"), File("app/main.py", b"print('hello')\n" * 9000), Link("app/link", "main.py")]


def differences(*rebuilt: Forged, compress: bool = True) -> list[Difference]:
    return list(compare_layers(forge_layer(SAME).blob, forge_layer(rebuilt, compress=compress).blob))


def test_the_first_byte_of_a_changed_file_is_named() -> None:
    content = bytearray(b"print('hello')\n" * 9000)
    content[100_000:100_001] = b"?"
    (found,) = differences(SAME[0], File("app/main.py", bytes(content)), SAME[2])
    assert (found.path, found.text) == ("app/main.py", "Its content differs")
    assert found.facts[0] == "first byte that differs: 100000"
    assert "?" in found.facts[2]
    assert "?" not in found.facts[1]


def test_a_file_that_is_longer_differs_where_the_shorter_one_ends() -> None:
    (found,) = differences(SAME[0], File("app/main.py", b"print('hello')\n" * 9001), SAME[2])
    assert "size: 135000 published, 135015 rebuilt" in found.facts
    assert "first byte that differs: 135000" in found.facts


@pytest.mark.parametrize(
    ("rebuilt", "path", "text"),
    [
        (SAME[:2], "app/link", "It is in the published image alone"),
        ([*SAME, File("app/new.py", b"")], "app/new.py", "It is in the rebuilt image alone"),
        ([*SAME[:2], Link("app/link", "other.py")], "app/link", "Its attributes differ"),
        (
            [SAME[0], File("app/main.py", b"print('hello')\n" * 9000, mode=0o755), SAME[2]],
            "app/main.py",
            "Its attributes differ",
        ),
    ],
)
def test_what_else_can_differ(rebuilt: list[Forged], path: str, text: str) -> None:
    assert [(found.path, found.text) for found in differences(*rebuilt)] == [(path, text)]


def test_the_same_files_in_another_packing_are_told_as_such() -> None:
    assert [found.text for found in differences(*SAME, compress=False)] == ["The same files are packed in another way"]
    assert [found.text for found in differences(SAME[0], SAME[2], SAME[1])] == ["The same files stand in another order"]
