from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pycontainer.errors import LockError
from pycontainer.sources.locks import Choice, Directory, File, Lock, Registry, Url, Vcs
from pycontainer.sources.locks.pdm import content_hash
from pycontainer.sources.target import Target

LockAt = Callable[..., Lock]
HEAD = """
[metadata]
groups = ["default", "dev", "pg"]
strategy = ["inherit_metadata"]
lock_version = "4.5.0"
content_hash = "sha256:x"

[[metadata.targets]]
requires_python = ">=3.10"

"""


def package(name: str, version: str = "1.0", groups: str = '"default"', more: str = "") -> str:
    return (
        f'[[package]]\nname = "{name}"\nversion = "{version}"\nrequires_python = ">=3.8"\ngroups = [{groups}]\n{more}\n'
        f'files = [\n    {{file = "{name}-{version}-py3-none-any.whl", hash = "sha256:{"a" * 64}"}},\n]\n'
    )


def names(lock: Lock, target: Target, choice: Choice | None = None) -> list[str]:
    return [str(each) for each in lock.select(target, choice or Choice())]


def test_groups_and_markers_of_the_packages_are_followed(lock_at: LockAt, target: Target) -> None:
    lock = lock_at(
        "pdm.lock",
        HEAD
        + package("a")
        + package("a", more='extras = ["x"]')
        + package("w", more="marker = \"sys_platform == 'win32'\"")
        + package("d", groups='"dev"')
        + package("p", groups='"default", "pg"', more="marker = \"python_version < '3.12'\"")
        + package("q", groups='"pg"'),
        pyproject_toml='[project.optional-dependencies]\npg = ["q"]\n',
    )
    assert names(lock, target) == ["a 1.0"]
    assert names(lock, target, Choice(extras=frozenset({"pg"}))) == ["a 1.0", "q 1.0"]
    assert names(lock, target, Choice(groups=frozenset({"dev"}), only_groups=True)) == ["d 1.0"]
    assert names(lock, target, Choice(all_extras=True)) == ["a 1.0", "q 1.0"]
    assert names(lock, target, Choice(all_groups=True)) == ["a 1.0", "d 1.0"]
    with pytest.raises(LockError, match="no extra `nope`"):
        names(lock, target, Choice(extras=frozenset({"nope"})))
    (found,) = lock.select(target, Choice())
    assert found.source == Registry()
    assert found.requires_python == ">=3.8"


def test_every_kind_of_source_is_understood(lock_at: LockAt, target: Target, tmp_path: Path) -> None:
    commit = "c" * 40
    address = f'url = "https://files.example/static-1.0-py3-none-any.whl", hash = "sha256:{"a" * 64}"'
    lock = lock_at(
        "pdm.lock",
        HEAD
        + package(
            "git", more=f'git = "https://git.example/r"\nref = "main"\nrevision = "{commit}"\nsubdirectory = "py"'
        )
        + package("url", more='url = "https://files.example/url-1.0-py3-none-any.whl"')
        + package("file", more='path = "./w/file-1.0-py3-none-any.whl"')
        + package("tree", more='path = "./libs/tree"\neditable = true')
        + package("static").replace(f'file = "static-1.0-py3-none-any.whl", hash = "sha256:{"a" * 64}"', address),
    )
    found = {each.name: each for each in lock.select(target, Choice())}
    assert found["git"].source == Vcs(url="https://git.example/r", commit=commit, requested="main", subdirectory="py")
    assert found["url"].source == Url(url="https://files.example/url-1.0-py3-none-any.whl")
    assert found["file"].source == File(path=tmp_path / "w/file-1.0-py3-none-any.whl")
    assert found["file"].wheels[0].path == tmp_path / "w/file-1.0-py3-none-any.whl"
    assert found["tree"].source == Directory(path=tmp_path / "libs/tree", editable=True)
    assert found["static"].wheels[0].url == "https://files.example/static-1.0-py3-none-any.whl"
    assert found["static"].wheels[0].filename == "static-1.0-py3-none-any.whl"


@pytest.mark.parametrize(
    ("platform", "fits"),
    [
        ("manylinux_2_17_x86_64", True),
        ("linux", True),
        ("manylinux_2_17_aarch64", False),
        ("musllinux_1_1_x86_64", False),
        ("alpine", False),
        ("windows_amd64", False),
        ("macos_arm64", False),
    ],
)
def test_a_lock_for_certain_platforms_is_for_no_others(
    lock_at: LockAt, target: Target, platform: str, *, fits: bool
) -> None:
    lock = lock_at("pdm.lock", HEAD + f'[[metadata.targets]]\nrequires_python = ">=3.10"\nplatform = "{platform}"\n')
    assert names(lock, target) == []  # the first target is for all platforms
    lock = lock_at("pdm.lock", HEAD.replace('">=3.10"', f'">=3.10"\nplatform = "{platform}"'))
    if fits:
        assert names(lock, target) == []
    else:
        with pytest.raises(LockError, match="not for linux/amd64"):
            names(lock, target)


def test_a_python_the_lock_is_not_for_is_refused(lock_at: LockAt, target: Target) -> None:
    with pytest.raises(LockError, match="not for linux/amd64"):
        names(lock_at("pdm.lock", HEAD.replace(">=3.10", ">=3.13")), target)


@pytest.mark.parametrize("version", ["3.1", "5.0", "x", ""])
def test_another_version_of_the_format_is_refused(lock_at: LockAt, version: str) -> None:
    with pytest.raises(LockError, match="only 4 is supported"):
        lock_at("pdm.lock", HEAD.replace("4.5.0", version))


def test_a_newer_minor_version_is_a_warning(lock_at: LockAt) -> None:
    assert "4.9" in lock_at("pdm.lock", HEAD.replace("4.5.0", "4.9")).warnings[0]


def test_a_lock_that_does_not_say_what_packages_are_for_is_refused(lock_at: LockAt) -> None:
    with pytest.raises(LockError, match="does not say what each package is for") as caught:
        lock_at("pdm.lock", HEAD.replace('"inherit_metadata"', '"cross_platform"') + package("a"))
    assert "--strategy inherit_metadata" in (caught.value.hint or "")


def test_freshness_is_the_content_hash_but_not_in_a_workspace(lock_at: LockAt) -> None:
    pyproject = {"project": {"dependencies": ["a"]}, "dependency-groups": {"dev": ["b"]}}
    lock_at("pdm.lock", HEAD.replace("sha256:x", content_hash(pyproject))).check_fresh(pyproject)
    stale = lock_at("pdm.lock", HEAD)
    stale.check_fresh({**pyproject, "tool": {"pdm": {"workspace": {}}}})
    with pytest.raises(LockError, match="older than"):
        stale.check_fresh(pyproject)
