from __future__ import annotations

from pathlib import Path

import pytest

from pycontainer.errors import LockError
from pycontainer.sources.locks import find_lock, read_lock

ORDER = ["uv.lock", "pylock.toml", "poetry.lock", "pdm.lock", "requirements.txt"]


def touch(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def workspace(root: Path, table: str = 'members = ["packages/*"]') -> None:
    root.mkdir(parents=True, exist_ok=True)
    (root / "pyproject.toml").write_text(f"[tool.uv.workspace]\n{table}\n")


def test_locks_are_found_in_the_documented_order(tmp_path: Path) -> None:
    assert find_lock(tmp_path) is None
    for name in reversed(ORDER):
        touch(tmp_path, name)
        assert find_lock(tmp_path) == tmp_path / name


def test_the_named_lock_wins_and_must_exist(tmp_path: Path) -> None:
    touch(tmp_path, "uv.lock", "deps/prod.txt")
    assert find_lock(tmp_path, "deps/prod.txt") == tmp_path / "deps/prod.txt"
    assert find_lock(tmp_path, tmp_path / "deps/prod.txt") == tmp_path / "deps/prod.txt"
    with pytest.raises(LockError, match=r"`absent\.lock` does not exist"):
        find_lock(tmp_path, "absent.lock")


def test_a_member_has_the_lock_of_its_workspace_and_not_a_stale_one(tmp_path: Path) -> None:
    workspace(tmp_path)
    member = tmp_path / "packages/api"
    touch(member, "pyproject.toml", "uv.lock", "requirements.txt")
    assert find_lock(member) == member / "requirements.txt"
    touch(tmp_path, "uv.lock")
    assert find_lock(member) == tmp_path / "uv.lock"
    assert find_lock(tmp_path) == tmp_path / "uv.lock"


@pytest.mark.parametrize(
    ("table", "place", "is_member"),
    [
        ('members = ["packages/*"]', "packages/api", True),
        ('members = ["packages/*"]', "packages/deep/api", False),
        ('members = ["**"]', "packages/deep/api", True),
        ('members = ["./packages/api"]', "packages/api", True),
        ('members = ["packages/*"]\nexclude = ["packages/api"]', "packages/api", False),
        ("members = []", "packages/api", False),
        ("members = 5", "packages/api", False),
    ],
)
def test_membership_is_decided_by_the_globs_of_the_workspace(
    tmp_path: Path, table: str, place: str, *, is_member: bool
) -> None:
    workspace(tmp_path, table)
    member = tmp_path / place
    touch(member, "pyproject.toml", "uv.lock")
    touch(tmp_path, "uv.lock")
    assert find_lock(member) == (tmp_path if is_member else member) / "uv.lock"


def test_the_nearest_workspace_counts(tmp_path: Path) -> None:
    workspace(tmp_path, 'members = ["**"]')
    workspace(tmp_path / "inner", 'members = ["api"]')
    touch(tmp_path, "uv.lock", "inner/uv.lock", "inner/api/pyproject.toml")
    assert find_lock(tmp_path / "inner/api") == tmp_path / "inner/uv.lock"
    assert find_lock(tmp_path / "inner") == tmp_path / "inner/uv.lock"


def test_a_broken_pyproject_above_is_no_workspace(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[[[")
    touch(tmp_path, "uv.lock", "sub/pyproject.toml")
    assert find_lock(tmp_path / "sub") is None


@pytest.mark.parametrize("name", ["lock.json", "conda-lock.yml", "pylock.lock", "environment"])
def test_an_unknown_format_is_refused_with_those_that_are_known(tmp_path: Path, name: str) -> None:
    touch(tmp_path, name)
    with pytest.raises(LockError, match="not a lock file of a known format") as caught:
        read_lock(tmp_path / name)
    assert all(known in caught.value.facts[1] for known in ORDER)


def test_pipfile_lock_is_refused_with_a_way_out(tmp_path: Path) -> None:
    touch(tmp_path, "Pipfile.lock")
    with pytest.raises(LockError, match="not supported") as caught:
        read_lock(tmp_path / "Pipfile.lock")
    assert "pipenv requirements --hash" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("name", "text", "format_"),
    [
        ("uv.lock", "version = 1", "uv.lock"),
        ("pylock.prod.toml", 'lock-version = "1.0"', "pylock.toml"),
        ("poetry.lock", '[metadata]\nlock-version = "2.1"', "poetry.lock"),
        ("pdm.lock", '[metadata]\nlock_version = "4.5.0"\nstrategy = ["inherit_metadata"]', "pdm.lock"),
        ("prod-requirements.txt", "", "requirements.txt"),
    ],
)
def test_the_reader_is_chosen_by_name(tmp_path: Path, name: str, text: str, format_: str) -> None:
    (tmp_path / name).write_text(text)
    lock = read_lock(tmp_path / name)
    assert lock.format == format_
    assert lock.path == tmp_path / name
    assert str(lock.digest).startswith("sha256:")
