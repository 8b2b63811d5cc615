from __future__ import annotations

import datetime as dt
import io
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from pycontainer.blobs.records import save_record
from pycontainer.blobs.store import BlobStore
from pycontainer.builder.cache_limit import limited

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
    assert done.out.splitlines()[0] == f"{cache}  1.5 kB of 5.0 GB"
    assert [line.split()[0] for line in done.out.splitlines()[1:]] == ["layers", "base"]
    found = json.loads(run("cache", "info", "--json", environment={"PYCONTAINER_CACHE_DIR": str(cache)}).out)
    assert found["kinds"]["base facts"]["files"] == 1
    layers = found["kinds"]["layers"]
    assert (layers["files"], layers["size"]) == (2, 1500)
    age = time.time() - dt.datetime.fromisoformat(layers["oldest_use"].replace("Z", "+00:00")).timestamp()
    assert age == pytest.approx(2 * 86400, abs=120)
    assert found["kinds"]["wheels"] == {"files": 0, "size": 0, "oldest_use": None}
    assert (found["directory"], found["size"], found["limit"]) == (str(cache), 1502, 5 * 10**9)


def test_prune_leaves_what_a_running_build_may_use(run: Run, cache: Path) -> None:
    done = run("cache", "prune", "--cache-dir", str(cache))
    assert done.out == f"{cache}  removed 1.0 kB, kept 502 B\n"
    assert len(list(BlobStore(cache / "layers").entries())) == 1
    found = json.loads(run("cache", "prune", "--json", "--cache-dir", str(cache)).out)
    assert found == {"directory": str(cache), "removed": 0, "kept": 502}
    assert (cache / "layers" / "notes.txt").exists()


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        (["--all"], 0),
        (["--older-than", "3d"], 1502),
        (["--older-than", "36h"], 502),
        (["--max-size", "1.2kB"], 502),
        (["--max-size", "2 KiB"], 1502),
    ],
)
def test_prune_takes_what_it_is_told(run: Run, cache: Path, words: list[str], kept: int) -> None:
    found = json.loads(run("cache", "prune", "--json", "--cache-dir", str(cache), *words).out)
    assert (found["removed"], found["kept"]) == (1502 - kept, kept)
    assert (cache / "layers" / "notes.txt").exists()


@pytest.mark.parametrize(("flag", "text"), [("--older-than", "soon"), ("--max-size", "2 bananas"), ("--max-size", "")])
def test_what_is_no_quantity_is_refused(run: Run, cache: Path, flag: str, text: str) -> None:
    done = run("cache", "prune", flag, text or "-1GB", "--cache-dir", str(cache))
    assert (done.code, flag in done.err) == (2, True)
    assert len(list(BlobStore(cache / "layers").entries())) == 2


@pytest.mark.skipif(os.name != "posix", reason="without shared locks nobody knows")
def test_everything_is_not_removed_while_a_build_runs(run: Run, cache: Path) -> None:
    with limited(cache):
        done = run("cache", "prune", "--all", "--cache-dir", str(cache))
    assert (done.code, "is in use" in done.err) == (1, True)
    assert len(list(BlobStore(cache / "layers").entries())) == 2


def test_verify_names_and_removes_what_is_damaged_and_nothing_else(run: Run, cache: Path) -> None:
    facts = cache / "facts" / "bases" / f"1-{'0' * 64}.json"
    save_record(facts, b"{}")
    assert run("cache", "verify", "--cache-dir", str(cache)).code == 0
    layer = next(path for path in (cache / "layers/blobs/sha256").iterdir() if path.stat().st_size == 500)
    for path in (layer, facts):
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    link = cache / "wheels/blobs/sha256" / ("0" * 64)
    link.parent.mkdir(parents=True)
    link.symlink_to("/etc/hostname")
    done = run("cache", "verify", "--json", "--cache-dir", str(cache))
    found = json.loads(done.out)
    assert done.code == 1
    damaged = {(each["kind"], each["path"]) for each in found["damaged"]}
    paths = [("layers", layer), ("base facts", facts), ("wheels", link)]
    assert damaged == {(kind, str(path.relative_to(cache))) for kind, path in paths}
    assert not any(path.exists() or path.is_symlink() for _, path in paths)
    assert found["files"] == 4
    assert run("cache", "verify", "--cache-dir", str(cache)).out == f"{cache}  1 files, 1.0 kB, 0 damaged\n"


def test_a_cache_that_does_not_exist_yet_is_empty_and_stays_absent(run: Run, tmp_path: Path) -> None:
    for command in ("info", "prune", "verify"):
        assert run("cache", command, "--cache-dir", str(tmp_path / "none")).code == 0
    assert not (tmp_path / "none").exists()


def test_without_options_it_is_the_users_own(run: Run) -> None:
    found = json.loads(run("cache", "info", "--json").out)
    assert Path(found["directory"]).is_relative_to(Path.home())
