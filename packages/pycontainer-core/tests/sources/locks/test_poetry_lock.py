from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycontainer.errors import LockError
from pycontainer.sources.locks import Choice, Directory, File, Lock, Registry, Url, Vcs
from pycontainer.sources.locks.poetry import content_hash
from pycontainer.sources.locks.poetry_constraints import allows
from pycontainer.sources.target import Target

LockAt = Callable[..., Lock]
TAIL = '[metadata]\nlock-version = "{}"\npython-versions = "^3.10"\ncontent-hash = "x"\n'
NEW, OLD, OLDEST = TAIL.format("2.1"), TAIL.format("2.0"), TAIL.format("1.1")


def package(name: str, version: str = "1.0", more: str = "", *, files: bool = True) -> str:
    file = f"{name}-{version}-py3-none-any.whl"
    entry = f'files = [\n    {{file = "{file}", hash = "sha256:{"a" * 64}"}},\n]\n' if files else ""
    head = f'[[package]]\nname = "{name}"\nversion = "{version}"\noptional = false\npython-versions = ">=3.8"\n'
    return f"{head}{entry}{more}\n"


def names(lock: Lock, target: Target, **choice: Any) -> list[str]:
    fields: dict[str, Any] = {
        key: frozenset(value) if isinstance(value, set) else value for key, value in choice.items()
    }
    return [str(each) for each in lock.select(target, Choice(**fields))]


MAIN, DEV, BOTH = 'groups = ["main"]\n', 'groups = ["dev"]\n', 'groups = ["main", "dev"]\n'


def test_groups_and_markers_of_the_packages_are_followed(lock_at: LockAt, target: Target) -> None:
    lock = lock_at(
        "poetry.lock",
        package("a", more=MAIN)
        + package("b", more=BOTH + "markers = \"sys_platform == 'win32'\"")
        + package("c", more=BOTH + "markers = {dev = \"sys_platform == 'linux'\", main = \"sys_platform == 'win32'\"}")
        + package("d", more=DEV)
        + package("p", more=MAIN + "markers = \"extra == 'pg' and python_version >= '3.12'\"")
        + package("n", "1", more=MAIN + "markers = \"python_version < '3.12'\"")
        + package("n", "2", more=MAIN + "markers = \"python_version >= '3.12'\"")
        + '[extras]\npg = ["p"]\nnothing = []\n'
        + NEW,
    )
    assert names(lock, target) == ["a 1.0", "n 2"]
    assert names(lock, target, extras={"PG"}) == ["a 1.0", "n 2", "p 1.0"]
    assert names(lock, target, groups={"dev"}) == ["a 1.0", "c 1.0", "d 1.0", "n 2"]
    assert names(lock, target, groups={"dev"}, only_groups=True) == ["c 1.0", "d 1.0"]
    assert names(lock, target, extras={"nothing"}) == ["a 1.0", "n 2"]
    assert len(names(lock, target, all_extras=True, all_groups=True)) == 5
    with pytest.raises(LockError, match="no group `docs`"):
        names(lock, target, groups={"docs"})
    (first, _) = lock.select(target, Choice())
    assert first.source == Registry(url=None)
    assert first.wheels[0].filename == "a-1.0-py3-none-any.whl"
    assert first.wheels[0].url is None


def test_every_kind_of_source_is_understood(lock_at: LockAt, target: Target, tmp_path: Path) -> None:
    def source(kind: str, url: str, more: str = "") -> str:
        return f'groups = ["main"]\ndevelop = true\n[package.source]\ntype = "{kind}"\nurl = "{url}"\n{more}'

    commit = "c" * 40
    reference = f'reference = "main"\nresolved_reference = "{commit}"\nsubdirectory = "py"\n'
    lock = lock_at(
        "poetry.lock",
        package("idx", more=source("legacy", "https://index.example/simple", 'reference = "corp"\n'))
        + package("git", more=source("git", "https://git.example/r", reference))
        + package("url", more=source("url", "https://files.example/url-1.0-py3-none-any.whl"))
        + package("file", more=source("file", "w/file-1.0-py3-none-any.whl"))
        + package("tree", more=source("directory", "../tree"))
        + NEW,
    )
    found = {each.name: each for each in lock.select(target, Choice())}
    assert found["idx"].index == "https://index.example/simple"
    assert found["git"].source == Vcs(url="https://git.example/r", commit=commit, requested="main", subdirectory="py")
    assert found["url"].source == Url(url="https://files.example/url-1.0-py3-none-any.whl")
    assert found["url"].wheels[0].url == "https://files.example/url-1.0-py3-none-any.whl"
    assert found["file"].source == File(path=tmp_path / "w/file-1.0-py3-none-any.whl")
    assert found["file"].wheels[0].path == tmp_path / "w/file-1.0-py3-none-any.whl"
    assert found["tree"].source == Directory(path=tmp_path.parent / "tree", editable=True, outside=True)


PYPROJECT = """
[tool.poetry.dependencies]
python = "^3.10"
a = {version = "*", extras = ["x"]}
w = {version = "*", markers = "sys_platform == 'win32'"}
py2 = {version = "*", python = "<3.0"}
p = {version = "*", optional = true}
n = [{version = "<2", python = "<3.12"}, {version = ">=2", python = ">=3.12"}]
[tool.poetry.dev-dependencies]
d = "*"
[tool.poetry.group.docs.dependencies]
o = "^1.0"
"""


@pytest.mark.parametrize("old", [OLD, OLDEST])
def test_locks_from_before_markers_are_followed_from_the_project(lock_at: LockAt, target: Target, old: str) -> None:
    edges = (
        '[package.dependencies]\nb = ">=1"\n'
        'ax = {version = "*", optional = true, markers = "extra == \'x\'"}\n'
        'ay = {version = "*", optional = true, markers = "extra == \'y\'"}\n'
    )
    packages = [("a", "1.0", edges), ("b", "1.0", ""), ("ax", "1.0", ""), ("w", "1.0", ""), ("py2", "1.0", "")]
    packages += [("p", "1.0", ""), ("n", "1.5", ""), ("n", "2.5", ""), ("d", "1.0", ""), ("o", "1.0", "")]
    text = "".join(package(name, version, more, files=old is OLD) for name, version, more in packages)
    text += '[extras]\npg = ["p (>=1)"]\n' + old
    if old is OLDEST:
        text += "[metadata.files]\n" + "".join(
            f'{name} = [\n    {{file = "{name}-1.0-py3-none-any.whl", hash = "sha256:{"a" * 64}"}},\n]\n'
            for name in sorted({each[0] for each in packages})
        )
    lock = lock_at("poetry.lock", text, pyproject_toml=PYPROJECT)
    assert names(lock, target) == ["a 1.0", "ax 1.0", "b 1.0", "n 2.5"]
    assert names(lock, target, extras={"pg"}) == ["a 1.0", "ax 1.0", "b 1.0", "n 2.5", "p 1.0"]
    assert names(lock, target, groups={"dev", "docs"}, only_groups=True) == ["d 1.0", "o 1.0"]
    assert lock.select(target, Choice())[0].wheels[0].filename == "a-1.0-py3-none-any.whl"


def test_a_python_the_lock_is_not_for_is_refused(lock_at: LockAt, target: Target) -> None:
    with pytest.raises(LockError, match=r"for Python \^3.13 but the base image has 3.12.4"):
        names(lock_at("poetry.lock", NEW.replace("^3.10", "^3.13")), target)


@pytest.mark.parametrize("version", ["3.0", "0.1", "two", ""])
def test_another_version_of_the_format_is_refused(lock_at: LockAt, version: str) -> None:
    with pytest.raises(LockError, match="only 1 and 2 are supported"):
        lock_at("poetry.lock", TAIL.format(version))


def test_a_newer_minor_version_is_a_warning(lock_at: LockAt) -> None:
    assert "2.9" in lock_at("poetry.lock", TAIL.format("2.9")).warnings[0]


def test_freshness_is_the_content_hash(lock_at: LockAt) -> None:
    pyproject = {
        "project": {"dependencies": ["a"]},
        "dependency-groups": {"dev": ["b"]},
        "tool": {"poetry": {"name": "x"}},
    }
    for with_groups in (True, False):
        expected = content_hash(pyproject, with_groups=with_groups)
        lock_at("poetry.lock", NEW.replace('"x"', f'"{expected}"')).check_fresh(pyproject)
    with pytest.raises(LockError, match="older than"):
        lock_at("poetry.lock", NEW).check_fresh(pyproject)


@pytest.mark.parametrize(
    ("constraint", "inside", "outside"),
    [
        ("^1.2.3", ["1.2.3", "1.9"], ["1.2.2", "2.0"]),
        ("^0.2.3", ["0.2.3", "0.2.9"], ["0.3", "0.2.2"]),
        ("^0.0.3", ["0.0.3"], ["0.0.4", "0.1"]),
        ("^0.0", ["0.0.5"], ["0.1"]),
        ("^3", ["3.0", "3.99"], ["4", "2.9"]),
        ("^0", ["0.9"], ["1.0"]),
        ("~1.2.3", ["1.2.3", "1.2.9"], ["1.3"]),
        ("~1", ["1.0", "1.9"], ["2.0"]),
        ("~=1.2", ["1.2", "1.9"], ["2.0"]),
        ("1.*", ["1.0", "1.9"], ["2.0"]),
        ("*", ["0", "99"], []),
        ("1.2", ["1.2", "1.2.0"], ["1.3"]),
        ("=1.2", ["1.2"], ["1.3"]),
        (">=1,<2", ["1", "1.5"], ["2", "0.9"]),
        (">=1 <2", ["1", "1.5"], ["2"]),
        ("<1 || >=2, !=2.5", ["0.5", "2.0"], ["1.5", "2.5"]),
        ("!=3.0.*,>=2.7", ["2.7", "3.1"], ["3.0.4"]),
        (">=3.8,<3.9.0|>=3.10", ["3.8.1", "3.11"], ["3.9.1"]),
    ],
)
def test_constraints_mean_what_poetry_documents(constraint: str, inside: list[str], outside: list[str]) -> None:
    assert [version for version in inside if not allows(constraint, version)] == []
    assert [version for version in outside if allows(constraint, version)] == []


@given(st.text(alphabet="^~<>=!*.,| 0123456789abc", max_size=20))
def test_any_text_is_a_constraint_or_refused(text: str) -> None:
    try:
        assert allows(text, "3.12.4") in {True, False}
    except LockError as error:
        assert "not a version constraint" in str(error)  # noqa: PT017 - either outcome is right
