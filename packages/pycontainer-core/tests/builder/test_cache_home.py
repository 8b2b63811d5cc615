"""Where things are kept: the user's cache, or nowhere when there is none to write to."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pycontainer.builder.cache_home import cache_home, default_cache_home
from pycontainer.errors import StoreError
from pycontainer.events import Event, Warned

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="the convention of another system")


@linux_only
def test_the_xdg_convention() -> None:
    assert default_cache_home({"XDG_CACHE_HOME": "/x", "HOME": "/h"}) == Path("/x/pycontainer")
    assert default_cache_home({"HOME": "/h"}) == Path("/h/.cache/pycontainer")
    assert default_cache_home({}) is None


def test_a_chosen_directory_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    with cache_home(chosen=tmp_path / "a/b", enabled=True, emit=lambda _: None) as home:
        assert home == tmp_path / "a/b"
        if sys.platform != "win32":
            assert home.stat().st_mode & 0o777 == 0o700


def test_a_chosen_directory_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(StoreError, match="cannot be written"),
        cache_home(chosen=tmp_path / "file" / "cache", enabled=True, emit=lambda _: None),
    ):
        pass


def test_a_home_that_cannot_be_written_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    for name in ("XDG_CACHE_HOME", "HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(tmp_path / "file"))
    events: list[Event] = []
    with cache_home(chosen=None, enabled=True, emit=events.append) as home:
        assert home.is_dir()
    assert not home.exists()
    assert isinstance(events[0], Warned)


def test_no_home_at_all_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_CACHE_HOME", "HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    events: list[Event] = []
    with cache_home(chosen=None, enabled=True, emit=events.append) as home:
        assert home.is_dir()
    assert [event.message for event in events if isinstance(event, Warned)] == [
        "Building without a cache: this user has no home directory"
    ]


def test_no_cache_leaves_nothing_behind(tmp_path: Path) -> None:
    with cache_home(chosen=tmp_path / "c", enabled=False, emit=lambda _: None) as home:
        (home / "x").write_text("")
    assert not home.exists()
    assert not (tmp_path / "c").exists()
