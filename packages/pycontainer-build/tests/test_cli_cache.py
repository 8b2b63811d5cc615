from __future__ import annotations

import io
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from pycontainer.blobs.store import BlobStore

Run: TypeAlias = Callable[..., Any]


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A cache with a store of layers, one of them not used for two days, facts, and somebody's notes."""
    home = tmp_path / "cache"
    layers = BlobStore(home / "layers")
    old = layers.add(io.BytesIO(b"o" * 1000))
    layers.add(io.BytesIO(b"n" * 500))
    os.utime(layers.path(old), (time.time() - 2 * 86400,) * 2)
    facts = home / "facts" / "bases" / f"1-{'0' * 64}.json"
    facts.parent.mkdir(parents=True)
    facts.write_text("{}")
    others = home / "layers" / "notes.txt"
    others.write_text("not ours")
    os.utime(others, (1, 1))
    return home


def test_info_tells_what_is_kept(run: Run, cache: Path) -> None:
    done = run("cache", "info", "--cache-dir", str(cache))
    assert done.out.splitlines()[0] == f"{cache}  1.5 kB"
    found = json.loads(run("cache", "info", "--json", environment={"PYCONTAINER_CACHE_DIR": str(cache)}).out)
    assert found["folders"]["layers"] == {"files": 2, "size": 1500}
    assert found["folders"]["facts"] == {"files": 1, "size": 2}
    assert sorted(found["folders"]) == ["bases", "built", "debian", "facts", "files", "layers", "locks", "wheels"]
    assert found["directory"] == str(cache)


def test_prune_leaves_what_a_running_build_may_use(run: Run, cache: Path) -> None:
    done = run("cache", "prune", "--cache-dir", str(cache))
    assert done.out == f"{cache}  removed 1.0 kB, kept 502 B\n"
    assert len(list(BlobStore(cache / "layers").entries())) == 1
    found = json.loads(run("cache", "prune", "--json", "--cache-dir", str(cache)).out)
    assert found == {"directory": str(cache), "removed": 0, "kept": 502}
    assert (cache / "layers" / "notes.txt").exists()


def test_a_cache_that_does_not_exist_yet_is_empty_and_stays_absent(run: Run, tmp_path: Path) -> None:
    for command in ("info", "prune"):
        assert run("cache", command, "--cache-dir", str(tmp_path / "none")).code == 0
    assert not (tmp_path / "none").exists()


def test_without_options_it_is_the_users_own(run: Run) -> None:
    found = json.loads(run("cache", "info", "--json").out)
    assert Path(found["directory"]).is_relative_to(Path.home())
