from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pycontainer.errors import LockError
from pycontainer.sources.locks import Choice, Directory, File, Lock, Registry, SourcePolicy, Url, Vcs, choose_wheels
from pycontainer.sources.target import Target

LockAt = Callable[..., Lock]
SHA = f'hashes = {{ sha256 = "{"a" * 64}" }}'
HEAD = 'lock-version = "1.0"\ncreated-by = "somebody"\n'


def package(name: str, version: str = "1.0", marker: str = "", more: str = "") -> str:
    marker = f'marker = "{marker}"\n' if marker else ""
    url = f"https://files.example/{name}-{version}-py3-none-any.whl"
    return (
        f'[[packages]]\nname = "{name}"\nversion = "{version}"\n{marker}index = "https://index.example/simple"\n{more}'
        f'wheels = [{{ url = "{url}", size = 5, {SHA} }}]\n'
    )


def names(lock: Lock, target: Target, choice: Choice | None = None) -> list[str]:
    return [str(each) for each in lock.select(target, choice or Choice())]


def test_packages_are_chosen_by_their_markers(lock_at: LockAt, target: Target) -> None:
    lock = lock_at(
        "pylock.toml",
        HEAD
        + package("a")
        + package("w", marker="sys_platform == 'win32'")
        + package("n", "1", marker="python_full_version < '3.12'")
        + package("n", "2", marker="python_full_version >= '3.12'"),
    )
    assert names(lock, target) == ["a 1.0", "n 2"]
    (first, _) = lock.select(target, Choice())
    assert first.source == Registry(url="https://index.example/simple")
    assert first.wheels[0].filename == "a-1.0-py3-none-any.whl"
    assert first.wheels[0].hashes == {"sha256": "a" * 64}


def test_extras_and_groups_stand_in_markers_and_default_groups_are_the_project(lock_at: LockAt, target: Target) -> None:
    lock = lock_at(
        "pylock.dev.toml",
        HEAD
        + 'extras = ["pg"]\ndependency-groups = ["default", "dev", "Docs_all"]\ndefault-groups = ["default"]\n'
        + package("a", marker="'default' in dependency_groups")
        + package("d", marker="'dev' in dependency_groups")
        + package("o", marker="'docs-all' in dependency_groups")
        + package("p", marker="'pg' in extras"),
    )
    assert names(lock, target) == ["a 1.0"]
    assert names(lock, target, Choice(extras=frozenset({"pg"}))) == ["a 1.0", "p 1.0"]
    assert names(lock, target, Choice(groups=frozenset({"docs_all"}))) == ["a 1.0", "o 1.0"]
    assert names(lock, target, Choice(groups=frozenset({"dev"}), only_groups=True)) == ["d 1.0"]
    assert len(names(lock, target, Choice(all_extras=True, all_groups=True))) == 4
    with pytest.raises(LockError, match="no extra `nope`"):
        names(lock, target, Choice(extras=frozenset({"nope"})))


def test_every_kind_of_source_is_understood_and_the_project_left_out(
    lock_at: LockAt, target: Target, tmp_path: Path
) -> None:
    commit = "c" * 40
    lock = lock_at(
        "pylock.toml",
        HEAD
        + '[[packages]]\nname = "app"\ndirectory = { path = ".", editable = true }\n'
        + '[[packages]]\nname = "tree"\ndirectory = { path = "libs\\\\tree", subdirectory = "py" }\n'
        + '[[packages]]\nname = "git"\n'
        + f'vcs = {{ type = "git", url = "https://git.example", requested-revision = "v1", commit-id = "{commit}" }}\n'
        + '[[packages]]\nname = "arc"\n'
        + f'archive = {{ url = "https://files.example/arc-1.zip", subdirectory = "s", {SHA} }}\n'
        + f'[[packages]]\nname = "file"\narchive = {{ path = "w/file-1-py3-none-any.whl", {SHA} }}\n'
        + '[[packages]]\nname = "sd"\nversion = "1"\n'
        + f'sdist = {{ name = "sd-1.tar.gz", url = "https://files.example/x", {SHA} }}\n'
        + '[[packages]]\nname = "local"\nversion = "1"\n'
        + f'wheels = [{{ url = "{tmp_path.as_uri()}/local-1-py3-none-any.whl", {SHA} }}]\n',
    )
    found = {each.name: each for each in lock.select(target, Choice())}
    assert sorted(found) == ["arc", "file", "git", "local", "sd", "tree"]
    assert found["tree"].source == Directory(path=tmp_path / "libs/tree", subdirectory="py")
    assert found["git"].source == Vcs(url="https://git.example", commit=commit, requested="v1")
    assert found["arc"].source == Url(url="https://files.example/arc-1.zip", subdirectory="s")
    assert found["file"].source == File(path=tmp_path / "w/file-1-py3-none-any.whl")
    assert found["sd"].sdist is not None
    assert found["sd"].sdist.filename == "sd-1.tar.gz"
    assert found["local"].wheels[0].path == tmp_path / "local-1-py3-none-any.whl"
    chosen = choose_wheels(found.values(), target, SourcePolicy())
    assert [each.kind for each in chosen] == ["sdist", "wheel", "vcs", "wheel", "sdist", "directory"]


def test_a_target_the_lock_is_not_for_is_refused(lock_at: LockAt, target: Target) -> None:
    with pytest.raises(LockError, match=r"for Python >=3\.13"):
        names(lock_at("pylock.toml", HEAD + 'requires-python = ">=3.13"\npackages = []\n'), target)
    with pytest.raises(LockError, match="not for linux/amd64"):
        names(lock_at("pylock.toml", HEAD + "environments = [\"sys_platform == 'win32'\"]\npackages = []\n"), target)


@pytest.mark.parametrize("version", ["2.0", "0.9", "1", "", "one"])
def test_another_version_of_the_format_is_refused(lock_at: LockAt, version: str) -> None:
    with pytest.raises(LockError, match="only 1 is supported"):
        lock_at("pylock.toml", f'lock-version = "{version}"\n')


def test_a_newer_minor_version_is_a_warning(lock_at: LockAt) -> None:
    assert "1.7" in lock_at("pylock.toml", 'lock-version = "1.7"\n').warnings[0]


@pytest.mark.parametrize(
    "package",
    [
        'name = "a"\n',
        f'name = "a"\nversion = "1"\nwheels = [{{ {SHA} }}]\n',
        'name = "a"\nvcs = { type = "git", commit-id = "c" }\n',
        f'name = "a"\ndirectory = {{ path = "x" }}\narchive = {{ url = "https://files.example/a.zip", {SHA} }}\n',
        f'name = "a"\ndirectory = {{ path = "x" }}\nwheels = [{{ url = "https://files.example/a.whl", {SHA} }}]\n',
        'name = "a"\ndirectory = { path = "x", subdirectory = "../../y" }\n',
        f'name = "a"\nversion = "1"\nwheels = [{{ name = "../a.whl", url = "https://files.example/a.whl", {SHA} }}]\n',
        'name = "a"\nmarker = "nonsense"\ndirectory = { path = "x" }\n',
        "name = 5\n",
    ],
)
def test_a_package_that_is_described_wrongly_is_refused(lock_at: LockAt, target: Target, package: str) -> None:
    with pytest.raises(LockError):
        names(lock_at("pylock.toml", HEAD + "[[packages]]\n" + package), target)


def test_two_candidates_of_one_package_are_refused(lock_at: LockAt, target: Target) -> None:
    with pytest.raises(LockError, match="two candidates of `a`"):
        names(lock_at("pylock.toml", HEAD + package("a", "1") + package("a", "2")), target)


def test_it_is_never_found_stale(lock_at: LockAt) -> None:
    lock_at("pylock.toml", HEAD).check_fresh({"project": {"dependencies": ["new"]}})
