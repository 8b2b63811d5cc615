"""What is being worked on is gone after the work, however it ends."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pycontainer.unfinished import temporary_folder, unfinished

CUT_OFF = """
import os, sys, threading
from pathlib import Path
from pycontainer.unfinished import remove_unfinished, temporary_folder, unfinished

def write_on(folder):
    for number in range(100_000):
        try:
            (folder / str(number)).write_bytes(b"x")
        except FileNotFoundError:
            return

with temporary_folder() as folder, unfinished(Path("image.part")) as part:
    part.write_bytes(b"half")
    threading.Thread(target=write_on, args=[folder], daemon=True).start()
    (folder / "sub").mkdir()
    remove_unfinished()
    os._exit(7)
"""

CUT_OFF_WHILE_REMOVING = """
import os, shutil, threading
from pycontainer.unfinished import remove_unfinished, temporary_folder

removing = threading.Event()
remove = shutil.rmtree

def stand_still(*arguments, **options):
    if threading.current_thread() is threading.main_thread():
        removing.set()
        threading.Event().wait()
    remove(*arguments, **options)

def end():
    removing.wait()
    remove_unfinished()
    os._exit(7)

shutil.rmtree = stand_still
threading.Thread(target=end).start()
with temporary_folder() as folder:
    (folder / "file").write_bytes(b"x")
"""


def test_a_temporary_folder_is_gone_with_all_that_is_in_it() -> None:
    with pytest.raises(KeyError), temporary_folder() as folder:  # noqa: PT012 - what stays is the point
        (folder / "sub").mkdir()
        (folder / "sub" / "file").write_bytes(b"x")
        raise KeyError
    assert not folder.exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows opens no folder")
def test_a_file_that_comes_while_its_folder_is_removed_goes_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread had found the folder before it was out of the way, and makes its file after all is listed."""
    folder = tmp_path / "work"
    folder.mkdir()
    found = os.open(folder, os.O_RDONLY)
    remove = os.rmdir

    def make_the_file_first(*arguments: Any, **options: Any) -> None:
        monkeypatch.setattr(os, "rmdir", remove)
        os.close(os.open("late", os.O_CREAT | os.O_WRONLY, dir_fd=found))
        remove(*arguments, **options)

    with unfinished(folder):
        monkeypatch.setattr(os, "rmdir", make_the_file_first)
    os.close(found)
    assert os.rmdir is remove, "the file came"
    assert not list(tmp_path.iterdir())


def test_what_was_renamed_stays(tmp_path: Path) -> None:
    with unfinished(tmp_path / "part") as part:
        part.write_bytes(b"x")
        part.rename(tmp_path / "whole")
    assert [path.name for path in tmp_path.iterdir()] == ["whole"]


def test_a_link_is_removed_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with unfinished(tmp_path / "link") as link:
        link.symlink_to(tmp_path / "folder")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


@pytest.mark.parametrize("program", [CUT_OFF, CUT_OFF_WHILE_REMOVING], ids=["writing", "removing"])
def test_a_process_that_ends_at_once_leaves_nothing_even_while_a_thread_is_at_it(tmp_path: Path, program: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        timeout=60,
        check=False,
    )
    assert done.returncode == 7
    assert not list(tmp_path.iterdir())
