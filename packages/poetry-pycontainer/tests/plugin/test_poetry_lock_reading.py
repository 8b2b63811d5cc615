"""Poetry's answer to what an installation has, in the core's words: the core's own reader must say the same."""

from __future__ import annotations

import pytest
from poetry.core.packages.package import Package
from poetry_projects import PoetrySample, locked, source_of

from poetry_pycontainer.indexes import index_of
from poetry_pycontainer.lock import PoetrysLock, read_lock
from pycontainer.errors import LockError
from pycontainer.oci import Platform
from pycontainer.sources.locks import Choice, LockedPackage
from pycontainer.sources.locks import read_lock as read_with_core
from pycontainer.sources.target import Libc, PythonVersion, Target

COMMIT = "0123456789" * 4


PACKAGES = "".join(
    [
        locked("alpha"),
        locked("gamma", markers="'extra == \"pg\"'"),
        locked("delta", groups='"docs"'),
        locked("both", groups='"main", "docs"', markers="{main = \"sys_platform == 'win32'\"}"),
        locked("old", markers="'python_version < \"3.11\"'"),
        locked("fork", markers="'platform_machine == \"aarch64\"'", version="2.0"),
        locked("fork", markers="'platform_machine != \"aarch64\"'"),
        locked("corp-lib", source=source_of(type="legacy", url="https://corp.example/simple", reference="corp")),
        locked("git-lib", source=source_of(type="git", url="https://git.example/a.git", reference="main",
                                         resolved_reference=COMMIT, subdirectory="python")),
        locked("url-lib", source=source_of(type="url", url="https://files.example/url_lib-1.0-py3-none-any.whl")),
        locked("file-lib", source=source_of(type="file", url="wheels/file_lib-1.0-py3-none-any.whl")),
        locked("dir-lib", source=source_of(type="directory", url="libs/dir")),
        locked("beside", source=source_of(type="directory", url="../beside")),
    ]
)  # fmt: skip
CHOICES = {
    "nothing": Choice(),
    "an extra": Choice(extras=frozenset({"pg"})),
    "all extras": Choice(all_extras=True),
    "a group": Choice(groups=frozenset({"docs"})),
    "a group alone": Choice(groups=frozenset({"docs"}), only_groups=True),
}
TARGETS = {
    "amd64": ("linux/amd64", "3.12.4"),
    "arm64, older": ("linux/arm64", "3.10.1"),
}


def target_of(name: str) -> Target:
    platform, python = TARGETS[name]
    return Target(platform=Platform.parse(platform), python=PythonVersion.parse(python), libc=Libc.parse("glibc:2.36"))


@pytest.fixture
def lock(project: PoetrySample) -> PoetrysLock:
    (project.root / "libs/dir").mkdir(parents=True)
    project.write(packages=PACKAGES, extras='pg = ["gamma"]')
    read = read_lock(project.poetry(), own_index=False)
    assert isinstance(read, PoetrysLock)
    return read


@pytest.mark.parametrize("choice", CHOICES.values(), ids=CHOICES)
@pytest.mark.parametrize("target", TARGETS)
def test_poetry_and_the_core_choose_the_same(lock: PoetrysLock, target: str, choice: Choice) -> None:
    def comparable(packages: tuple[LockedPackage, ...]) -> list[str]:
        return [repr(package) + repr(package.wheels) + repr(package.source) for package in packages]

    poetrys = lock.select(target_of(target), choice)

    assert comparable(poetrys) == comparable(read_with_core(lock.path).select(target_of(target), choice))
    assert ("gamma" in {package.name for package in poetrys}) == bool(choice.extras or choice.all_extras)


def test_a_python_that_the_project_is_not_for(lock: PoetrysLock) -> None:
    old = Target(platform=Platform.parse("linux/amd64"), python=PythonVersion.parse("3.9.1"),
                 libc=Libc.parse("glibc:2.36"))  # fmt: skip

    with pytest.raises(LockError, match=r"for Python >=3\.10 but the base image has 3\.9\.1"):
        lock.select(old, Choice())


def test_packages_without_a_source_are_from_where_poetry_takes_them(project: PoetrySample) -> None:
    project.write(packages=PACKAGES)
    pool = project.poetry().pool
    read = read_lock(project.poetry(), own_index=True)
    assert read is not None
    chosen = {package.name: package for package in read.select(target_of("amd64"), Choice())}

    assert chosen["alpha"].wheels[0].index == index_of(Package("alpha", "1.0"), pool)
    assert chosen["corp-lib"].wheels[0].index == "https://corp.example/simple"


def test_a_lock_from_before_poetry_2_is_read_by_the_core(project: PoetrySample) -> None:
    legacy = '[tool.poetry]\nname = "demo"\nversion = "1"\n[tool.poetry.dependencies]\npython = "^3.10"\nalpha = "*"\n'
    project.write(legacy, packages=locked("alpha").replace('groups = ["main"]', ""))
    path = project.root / "poetry.lock"
    path.write_text(path.read_text().replace('lock-version = "2.1"', 'lock-version = "2.0"'))

    read = read_lock(project.poetry(), own_index=True)

    assert read is not None
    assert [str(each) for each in read.select(target_of("amd64"), Choice())] == ["alpha 1.0"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda path: path.unlink(), "poetry.lock does not exist"),
        (lambda path: path.write_text("nonsense"), "poetry.lock cannot be read"),
        (lambda path: path.write_text('[metadata]\nlock-version = "9.0"\n'), "changed significantly|cannot be read"),
        (lambda path: path.write_text(path.read_text().replace("groups = ", "g = ")), "poetry.lock cannot be read"),
        (lambda path: path.write_text(path.read_text().replace("content-hash = ", 'content-hash = "no" # ')),
         "changed significantly since poetry.lock was last generated"),
    ],
    ids=["missing", "no TOML", "another version", "no groups", "stale"],
)  # fmt: skip
def test_a_lock_that_poetry_would_not_install_from(
    project: PoetrySample, lock: PoetrysLock, change: object, message: str
) -> None:
    assert callable(change)
    change(lock.path)

    with pytest.raises(LockError, match=message):
        read_lock(project.poetry(), own_index=True)


def test_a_project_without_dependencies_needs_no_lock(project: PoetrySample) -> None:
    (project.root / "pyproject.toml").write_text('[project]\nname = "demo"\nversion = "1"\n')

    assert read_lock(project.poetry(), own_index=True) is None
