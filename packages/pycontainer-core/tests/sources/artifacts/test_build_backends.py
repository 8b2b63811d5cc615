"""Real backends from a real index: their wheels must not tell where, when and by whom they were built."""

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from pycontainer.blobs.store import BlobStore
from pycontainer.events import TaskFinished
from pycontainer.oci import Platform
from pycontainer.sources.builds.builder import WheelBuilder
from pycontainer.sources.builds.store import BuiltWheel
from pycontainer.sources.fetch import ArtifactFetcher
from pycontainer.sources.indexes import IndexCredentials, IndexLookup, load_index_settings
from pycontainer.sources.locks import Choice, SourcePolicy, choose_wheels
from pycontainer.sources.resolve import resolve
from pycontainer.sources.target import Libc, PythonVersion, Target
from pycontainer.sources.uv import find_uv
from pycontainer.transports.http import HttpClient, HttpSettings
from pycontainer.transports.index_pages import IndexPages

pytestmark = [
    pytest.mark.network,
    pytest.mark.skipif(find_uv(os.environ) is None, reason="uv is not installed"),
]

PROJECT = '[project]\nname = "demo"\nversion = "1.0"\ndescription = "x"\n'
BACKENDS = {
    "hatchling": f'[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n{PROJECT}',
    "setuptools": f'[build-system]\nrequires = ["setuptools>=70"]\nbuild-backend = "setuptools.build_meta"\n{PROJECT}'
    '[tool.setuptools.packages.find]\nwhere = ["src"]\n[tool.setuptools.package-data]\ndemo = ["*.sh", "*.txt"]\n',
    "poetry": f'[build-system]\nrequires = ["poetry-core>=2"]\nbuild-backend = "poetry.core.masonry.api"\n{PROJECT}'
    '[tool.poetry]\npackages = [{include = "demo", from = "src"}]\n',
    "flit": f'[build-system]\nrequires = ["flit_core>=3.9"]\nbuild-backend = "flit_core.buildapi"\n{PROJECT}',
    "uv": f'[build-system]\nrequires = ["uv_build>=0.8"]\nbuild-backend = "uv_build"\n{PROJECT}',
}


def project(path: Path, pyproject: str, mode: int = 0o644) -> Path:
    package = path / "src" / "demo"
    package.mkdir(parents=True)
    (path / "pyproject.toml").write_text(pyproject)
    for name, text in {
        "__init__.py": '"""Demo."""\n',
        "b.py": "b = 1\n",
        "a.txt": "x" * 3000,
        "run.sh": "#!/bin/sh\n",
    }.items():
        (package / name).write_text(text)
        (package / name).chmod(mode | (0o111 if name.endswith(".sh") else 0))
    return path


@pytest.fixture
def build(tmp_path: Path) -> Callable[..., BuiltWheel]:
    def build(tree: Path, cache: str = "cache", **variables: str) -> BuiltWheel:
        environment = {**os.environ, **variables}
        builder = WheelBuilder(
            tmp_path / cache,
            find_uv=lambda: find_uv(environment),
            fetch=lambda artifact: artifact.path or Path(),
            root=tree,
            environment=environment,
        )
        return builder.build_tree(tree)

    return build


def names(wheel: BuiltWheel) -> list[str]:
    with zipfile.ZipFile(wheel.path) as archive:
        return archive.namelist()


@pytest.mark.parametrize("backend", BACKENDS)
def test_path_umask_times_and_locale_leave_no_trace(
    tmp_path: Path, build: Callable[..., BuiltWheel], backend: str
) -> None:
    one = build(project(tmp_path / "one", BACKENDS[backend]), "cache-1")
    mask = os.umask(0o077)
    try:
        tree = project(tmp_path / "a much" / "longer path", BACKENDS[backend], mode=0o600)
        for number, path in enumerate(sorted(tree.rglob("*"))):
            os.utime(path, (1_000_000_000 + number,) * 2)
        two = build(tree, "cache-2", TZ="Asia/Tokyo", LC_ALL="C", PYTHONHASHSEED="77")
    finally:
        os.umask(mask)
    assert "demo/run.sh" in names(one)
    assert (one.filename, one.sha256) == (two.filename, two.sha256)


@pytest.mark.parametrize("backend", BACKENDS)
def test_nothing_is_left_in_the_tree_and_nothing_old_is_taken_from_it(
    tmp_path: Path, build: Callable[..., BuiltWheel], backend: str
) -> None:
    tree = project(tmp_path / "tree", BACKENDS[backend])
    clean = build(tree)
    before = sorted(tree.rglob("*"))
    stale = tree / "build" / "lib" / "demo"
    stale.mkdir(parents=True)
    (stale / "stale.py").write_text("")
    egg = tree / "src" / "demo.egg-info"
    egg.mkdir()
    (egg / "SOURCES.txt").write_text("src/demo/stale.txt\n")
    assert build(tree, "another-cache").sha256 == clean.sha256
    shutil.rmtree(tree / "build")
    shutil.rmtree(egg)
    assert sorted(tree.rglob("*")) == before


def test_a_second_build_of_the_same_tree_asks_no_backend(tmp_path: Path, build: Callable[..., BuiltWheel]) -> None:
    tree = project(tmp_path / "tree", BACKENDS["hatchling"])
    first = build(tree)
    nowhere = WheelBuilder(
        tmp_path / "cache", find_uv=lambda: None, fetch=lambda _: Path(), root=tree, environment=os.environ
    )
    assert nowhere.build_tree(tree) == first
    (tree / "src" / "demo" / "b.py").write_text("b = 2\n")
    changed = build(tree)
    assert changed.sha256 != first.sha256


def test_it_works_offline_when_uv_has_the_backend(tmp_path: Path, build: Callable[..., BuiltWheel]) -> None:
    online = build(project(tmp_path / "one", BACKENDS["hatchling"]), "cache-1")
    offline = build(project(tmp_path / "two", BACKENDS["hatchling"]), "cache-2", UV_OFFLINE="1")
    assert online.sha256 == offline.sha256


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
@pytest.mark.parametrize("backend", ["hatchling", "setuptools"])
def test_versions_from_git_are_those_of_the_checkout(
    tmp_path: Path, build: Callable[..., BuiltWheel], backend: str
) -> None:
    extra = {
        "hatchling": ('requires = ["hatchling"', '[tool.hatch.version]\nsource = "vcs"\n', '"hatch-vcs"'),
        "setuptools": ('requires = ["setuptools>=70"', "[tool.setuptools_scm]\n", '"setuptools-scm>=8"'),
    }[backend]
    text = (
        BACKENDS[backend]
        .replace('version = "1.0"', 'dynamic = ["version"]')
        .replace(extra[0], f"{extra[0]}, {extra[2]}")
    )
    tree = project(tmp_path / "tree", text + extra[1])
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "-m", "x"], ["tag", "v3.2"]):
        user = ["-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *user, *command], cwd=tree, check=True)
    assert build(tree).filename == "demo-3.2-py3-none-any.whl" or build(tree).filename.startswith("demo-3.2-")
    (tree / "src" / "demo" / "b.py").write_text("b = 2\n")
    assert build(tree).filename.startswith("demo-3.3.dev0+g")


def test_what_git_ignores_but_a_backend_wants_is_in_the_wheel(tmp_path: Path, build: Callable[..., BuiltWheel]) -> None:
    """Generated code: `protoc` wrote it, nobody committed it, `uv sync` would install it."""
    tree = project(tmp_path / "tree", BACKENDS["setuptools"])
    subprocess.run(["git", "init", "--quiet"], cwd=tree, check=True)
    (tree / ".gitignore").write_text("*_pb2.py\n")
    (tree / "src" / "demo" / "api_pb2.py").write_text("x = 1\n")
    assert "demo/api_pb2.py" in names(build(tree))


def test_a_real_sdist_from_a_real_index(tmp_path: Path) -> None:
    """docopt 0.6.2 has had nothing but an sdist since 2014."""
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "app"\nversion = "1"\ndependencies = ["docopt==0.6.2"]\n'
    )
    python = PythonVersion(sys.version_info.major, sys.version_info.minor)
    target = Target(platform=Platform("linux", "arm64"), python=python, libc=Libc("musl", 1, 2))
    settings = load_index_settings(tmp_path, environment=os.environ)
    uv = find_uv(os.environ, settings)
    assert uv is not None
    lock = resolve(tmp_path, python, Choice(), uv=uv)
    [chosen] = choose_wheels(lock.select(target, Choice()), target, SourcePolicy())
    http = HttpClient(settings.apply_to(HttpSettings()))
    credentials = IndexCredentials(settings, environment=os.environ)
    lookup = IndexLookup(settings, IndexPages(http, authorize=credentials.headers), default=uv.default_index)
    fetcher = ArtifactFetcher(BlobStore(tmp_path / "files"), http, lookup, headers=credentials.headers)
    heard: list[object] = []
    builder = WheelBuilder(
        tmp_path / "built",
        find_uv=lambda: uv,
        fetch=fetcher.fetch,
        root=tmp_path,
        environment=os.environ,
        emit=heard.append,
    )
    wheel = builder.build(chosen, target)
    http.close()
    assert wheel.filename.startswith("docopt-0.6.2-py")
    assert "docopt.py" in names(wheel)
    assert isinstance(heard[-1], TaskFinished)
