"""The same project gives the same image, whoever builds it, wherever, whenever and with whatever Python."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from real.command import Pycontainer
from real.programs import run

ROOT = Path(__file__).parents[2]
# A project of plain files, one whose wheel setuptools builds, one with a sibling, whose wheels hatchling builds, and
# one on a base that is made of packages of Debian's archive, with more of them.
CASES = {
    "fastapi": ("fastapi", ()),
    "src-scripts": ("src-scripts", ()),
    "workspace": ("workspace", ("--package", "api")),
    "os-packages": ("src-scripts", ("--base-image", "deb:bookworm", "--os-package", "libpq5,procps")),
}
A_YEAR_AGO = 1_700_000_000


@dataclass(frozen=True, kw_only=True)
class Circumstance:
    """What is different about a build, and must not show in the image.

    Attributes:
        name: Completes "an image does not depend on ...".
        env: Variables of the build.
        prefix: A program that runs the build.
        umask: Also the project's files are made under it.
        change: What is done to the copy of the project.
        shares_cache: Whether the first build's cache is used, instead of none.
        folder: What the project's folder is called.
    """

    name: str
    env: Mapping[str, str] = field(default_factory=dict)
    prefix: tuple[str, ...] = ()
    umask: int = 0o022
    change: Callable[[Path], None] | None = None
    shares_cache: bool = False
    folder: str = "project"


def _touch(project: Path) -> None:
    for path in project.rglob("*"):
        os.utime(path, (A_YEAR_AGO, A_YEAR_AGO), follow_symlinks=False)


def _litter(project: Path) -> None:
    """Leave what editors, tests and earlier builds leave."""
    (project / "__pycache__").mkdir()
    (project / "__pycache__" / "app.cpython-39.pyc").write_bytes(b"stale")
    (project / ".pytest_cache").mkdir()
    (project / ".pytest_cache" / "README.md").write_text("cache")
    (project / ".env").write_text("SECRET=1")


CIRCUMSTANCES = (
    Circumstance(name="the day", prefix=("faketime", "-f", "+2d"), env={"UV_OFFLINE": "1"}),
    Circumstance(name="the times of files", change=_touch),
    Circumstance(name="the path", folder="a much/longer path than before, with spaces/ü"),
    Circumstance(name="the user", prefix=("unshare", "--user", "--map-user=1234", "--map-group=1234")),
    Circumstance(name="the umask", umask=0o077),
    Circumstance(name="the home directory", env={"HOME": "/nowhere"}),
    Circumstance(name="the time zone", env={"TZ": "Pacific/Kiritimati"}),
    Circumstance(name="the locale", env={"LC_ALL": "C", "LANG": "tr_TR.UTF-8", "PYTHONUTF8": "0"}),
    Circumstance(name="the hash seed", env={"PYTHONHASHSEED": "4242"}),
    Circumstance(name="what lies about", change=_litter),
)


def _together(circumstances: Sequence[Circumstance]) -> Circumstance:
    """All of them at once."""

    def change(project: Path) -> None:
        for each in circumstances:
            if each.change:
                each.change(project)

    return Circumstance(
        name="any of these",
        env={name: value for each in circumstances for name, value in each.env.items()},
        prefix=tuple(word for each in circumstances for word in each.prefix),
        umask=max(each.umask for each in circumstances),
        change=change,
        folder=next(each.folder for each in circumstances if each.folder != Circumstance.folder),
    )


def _pythons() -> dict[str, Path]:
    """Every Python that the test command has installed pycontainer for, by version."""
    venvs = {path.parents[1].name: path for path in sorted((ROOT / ".work" / "venvs").glob("*/bin/python"))}
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    return {version: path for version, path in venvs.items() if version != running and _has_command(path)}


def _has_command(python: Path) -> bool:
    return (python.parent / "pycontainer").exists()


@pytest.fixture(scope="module")
def build(
    locked: Callable[[str], Path], base_image: str, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, Circumstance, Path], str]:
    """Build a sample under a circumstance with a Python and give the digest that the command prints."""
    shared = tmp_path_factory.mktemp("shared")

    def build_with(name: str, circumstance: Circumstance, python: Path) -> str:
        directory = tmp_path_factory.mktemp(name)
        project = directory / circumstance.folder
        cache = shared if circumstance.shares_cache else directory / "cache"
        before = os.umask(circumstance.umask)
        try:
            sample, more = CASES[name]
            shutil.copytree(
                locked(sample), project, copy_function=shutil.copyfile, ignore=shutil.ignore_patterns("dist")
            )
            if circumstance.change:
                circumstance.change(project)
            command = Pycontainer(cache=cache, python=python, prefix=circumstance.prefix)
            options = ("--base-image", base_image, "--tag", "sample:1", *more)
            return command.build(project, *options, env=circumstance.env).stdout.strip().rpartition("@")[2]
        finally:
            os.umask(before)

    return build_with


@pytest.fixture(scope="module")
def first(build: Callable[[str, Circumstance, Path], str]) -> Callable[[str], str]:
    """Give the digest of a sample's first build, with nothing in any cache."""
    digests: dict[str, str] = {}

    def digest(name: str) -> str:
        if name not in digests:
            digests[name] = build(name, Circumstance(name="nothing", shares_cache=True), Path(sys.executable))
            assert digests[name].startswith("sha256:")
        return digests[name]

    return digest


@pytest.mark.parametrize("name", CASES)
def test_an_image_does_not_depend_on_circumstances(
    name: str, first: Callable[[str], str], build: Callable[[str, Circumstance, Path], str]
) -> None:
    """One build under all of them; only where it differs, one under each, to tell which it was."""
    digest, python = first(name), Path(sys.executable)

    if build(name, _together(CIRCUMSTANCES), python) != digest:
        named = [each.name for each in CIRCUMSTANCES if build(name, each, python) != digest]
        pytest.fail(f"the image depends on {', '.join(named) or 'several of these together'}")


@pytest.mark.parametrize("name", CASES)
def test_an_image_does_not_depend_on_the_cache(
    name: str, first: Callable[[str], str], build: Callable[[str, Circumstance, Path], str]
) -> None:
    digest = first(name)

    assert build(name, Circumstance(name="the cache", shares_cache=True), Path(sys.executable)) == digest


@pytest.mark.parametrize("version", _pythons())
@pytest.mark.parametrize("name", CASES)
def test_an_image_does_not_depend_on_the_python_that_builds_it(
    name: str, version: str, first: Callable[[str], str], build: Callable[[str, Circumstance, Path], str]
) -> None:
    python = _pythons()[version]
    assert run(python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])").stdout.strip() == version

    assert build(name, Circumstance(name="the Python"), python) == first(name)


@pytest.mark.parametrize("name", CASES)
def test_a_changed_file_changes_the_digest(
    name: str, first: Callable[[str], str], build: Callable[[str, Circumstance, Path], str]
) -> None:
    def change(project: Path) -> None:
        source = min(project.rglob("*.py"))
        source.write_text(f"{source.read_text()}\n# changed\n")

    digest = first(name)

    # Whatever the first build has left in the cache.
    changed = Circumstance(name="a change", change=change, shares_cache=True)
    assert build(name, changed, Path(sys.executable)) != digest
