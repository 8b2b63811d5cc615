"""What we choose, against what the tools that made the locks choose; locks are made here, by those tools.

uv and PDM say it as a `pylock.toml` for all platforms, which `packaging` then reads for one target; Poetry says what it
would install on this host, so that only this host is compared.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from packaging.pylock import Package, Pylock
from packaging.utils import parse_wheel_filename

from pycontainer.oci import Platform
from pycontainer.sources.locks import Choice, Directory, SourcePolicy, Vcs, choose_wheels, find_lock, read_lock
from pycontainer.sources.locks.document import parse_toml
from pycontainer.sources.target import Libc, PythonVersion, Target

if TYPE_CHECKING:
    from pycontainer.sources.locks import Lock

pytestmark = pytest.mark.network

POETRY, PDM = "poetry==2.5.1", "pdm"
# PDM's own dependencies are not pinned, and some of their later releases do not go together.
PDM_DATE = "2026-10-15"
BACKEND = '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'

PLAIN = f'[project]\nname = "plain"\nversion = "0.1"\ndependencies = ["sniffio"]\n{BACKEND}'


def run(*command: str | Path, cwd: Path, env: dict[str, str] | None = None) -> str:
    process = subprocess.run(
        list(map(str, command)), cwd=cwd, capture_output=True, text=True, check=False, env={**os.environ, **(env or {})}
    )
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout


def tool(package: str, *command: str | Path, cwd: Path, newest: str | None = None) -> str:
    newer = ["--exclude-newer", newest] if newest else []
    home = {"POETRY_VIRTUALENVS_IN_PROJECT": "true", "PDM_CHECK_UPDATE": "false", "PDM_IGNORE_SAVED_PYTHON": "1"}
    return run("uv", "tool", "run", "-p", sys.executable, *newer, "--from", package, *command, cwd=cwd, env=home)


def write(root: Path, **files: str) -> None:
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_toml", ".toml").replace("_py", ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A package in a subdirectory of a git repository, and its commit."""
    root = tmp_path_factory.mktemp("repository")
    project = f'[project]\nname = "gitlib"\nversion = "0.7"\ndependencies = ["idna"]\n{BACKEND}'
    write(root, py__pyproject_toml=project, py__gitlib_py="")
    author = {
        "GIT_CONFIG_GLOBAL": os.devnull,
        **{f"GIT_{who}_{what}": "a@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }
    run("git", "init", "-q", "-b", "main", cwd=root)
    run("git", "add", ".", cwd=root)
    run("git", "commit", "-q", "-m", "All of it", cwd=root, env=author)
    return root, run("git", "rev-parse", "HEAD", cwd=root).strip()


@pytest.fixture(scope="session")
def uv_workspace(tmp_path_factory: pytest.TempPathFactory, repository: tuple[Path, str]) -> Path:
    """A workspace with forks, extras, conflicts, groups, and every kind of source."""
    root = tmp_path_factory.mktemp("workspace")
    write(
        root,
        pyproject_toml=f"""
[project]
name = "root-app"
version = "1.0"
requires-python = ">=3.10"
dependencies = ["fastapi", "numpy", "lib", "plain", "gitlib", "colorama; sys_platform == 'win32'"]
[project.optional-dependencies]
pg = ["asyncpg"]
old = ["attrs<23"]
new = ["attrs>=24"]
server = ["uvicorn[standard]", "root-app[pg]"]
[dependency-groups]
dev = ["pytest", {{include-group = "lint"}}]
lint = ["pathspec"]
[tool.uv]
conflicts = [[{{extra = "old"}}, {{extra = "new"}}]]
default-groups = []
[tool.uv.sources]
lib = {{workspace = true}}
plain = {{path = "vendor/plain"}}
gitlib = {{git = "{repository[0].as_uri()}", subdirectory = "py"}}
[tool.uv.workspace]
members = ["members/*"]
{BACKEND}""",
        members__api__pyproject_toml="""
[project]
name = "api"
version = "2.0"
requires-python = ">=3.10"
dependencies = ["lib[x]", "starlette", "click; sys_platform == 'win32'"]
[tool.uv.sources]
lib = {workspace = true}
[dependency-groups]
test = ["anyio"]
""",
        members__lib__pyproject_toml=f"""
[project]
name = "lib"
version = "3.0"
requires-python = ">=3.10"
dependencies = ["idna"]
[project.optional-dependencies]
x = ["certifi"]
{BACKEND}""",
        vendor__plain__pyproject_toml=PLAIN,
    )
    run("uv", "lock", "-p", sys.executable, cwd=root)
    return root


@pytest.fixture(scope="session")
def index(uv_workspace: Path) -> str:
    """The index that uv is configured with here, which Poetry has to be told."""
    text = (uv_workspace / "uv.lock").read_text()
    found = re.search(r'registry = "(https?://[^"]+)"', text)
    if found is None:
        pytest.skip("uv resolves from no index over http")
    return found[1]


def frozen(text: str) -> Pylock:
    return Pylock.from_dict(parse_toml_whole(text))


def parse_toml_whole(text: str) -> dict[str, Any]:
    document, files = parse_toml(text.encode(), Path("pylock.toml"))
    for package in document.get("packages", []):
        if isinstance(package.get("wheels"), int):
            package["wheels"] = files.entries(package["wheels"])
    return document


def expected(
    lock: Pylock, target: Target, extras: frozenset[str] = frozenset(), groups: frozenset[str] = frozenset()
) -> set[tuple[str, str]]:
    """Name and file of every package that packaging selects; the best wheel by rank and build number."""
    ranks = {tag: rank for rank, tag in enumerate(target.tags)}
    environment: Any = {**target.environment, "extras": extras, "dependency_groups": groups}
    found = set()
    for package in lock.packages:
        if package.marker is None or package.marker.evaluate(environment, context="lock_file"):
            found.add((str(package.name), _file(package, ranks)))
    return found


def _file(package: Package, ranks: dict[Any, int]) -> str:
    if package.directory is not None or package.vcs is not None:
        return "source"
    best: list[tuple[int, Any, str]] = []
    for wheel in package.wheels or []:
        name = wheel.name or (wheel.url or "").rpartition("/")[2]
        _, _, build, tags = parse_wheel_filename(name)
        if fitting := [ranks[tag] for tag in tags if tag in ranks]:
            best.append((-min(fitting), build or (-1, ""), name))
    return max(best)[2] if best else "none"


def ours(lock: Lock, target: Target, choice: Choice) -> set[tuple[str, str]]:
    found = set()
    for package in lock.select(target, choice):
        if isinstance(package.source, (Directory, Vcs)):
            found.add((package.name, "source"))
            continue
        try:
            (chosen,) = choose_wheels([package], target, SourcePolicy())
        except Exception as error:  # noqa: BLE001 - told apart by the comparison
            found.add((package.name, "none" if "No wheel" in str(error) else str(error)))
        else:
            assert chosen.artifact is not None
            found.add((package.name, chosen.artifact.filename))
    return found


UV_CHOICES = [
    (Choice(), []),
    (Choice(extras=frozenset({"new"})), ["--extra", "new"]),
    (Choice(extras=frozenset({"old", "server"})), ["--extra", "old", "--extra", "server"]),
    (Choice(groups=frozenset({"dev"})), ["--group", "dev"]),
    (Choice(groups=frozenset({"lint"}), only_groups=True), ["--only-group", "lint"]),
    (Choice(package="lib"), ["--package", "lib"]),
    (Choice(package="lib", all_extras=True), ["--package", "lib", "--all-extras"]),
    (Choice(package="api", groups=frozenset({"test"})), ["--package", "api", "--group", "test"]),
]


@pytest.mark.parametrize(
    ("choice", "options"), UV_CHOICES, ids=lambda value: " ".join(value) if isinstance(value, list) else ""
)
def test_of_a_uv_lock_we_choose_what_uv_exports(
    uv_workspace: Path, targets: list[Target], choice: Choice, options: list[str]
) -> None:
    exported = frozen(run("uv", "export", "-q", "--frozen", "--format", "pylock.toml", *options, cwd=uv_workspace))
    lock = read_lock(uv_workspace / "uv.lock")
    project = {(choice.package or "root-app", "source")}
    for target in targets:
        assert ours(lock, target, choice) == expected(exported, target) - project, str(target)


def test_of_a_uv_lock_we_choose_what_uv_installs_here(uv_workspace: Path, tmp_path: Path) -> None:
    """`uv sync --dry-run` into an empty environment says name and version of all that it would install."""
    environment = tmp_path / "venv"
    run("uv", "venv", "-q", "-p", sys.executable, environment, cwd=tmp_path)
    process = subprocess.run(
        ["uv", "sync", "--dry-run", "--frozen", "--extra", "server", "--no-install-project"],
        cwd=uv_workspace,
        env={**os.environ, "UV_PROJECT_ENVIRONMENT": str(environment)},
        capture_output=True,
        text=True,
        check=True,
    )
    would = {line.split()[1].partition("==")[0] for line in process.stderr.splitlines() if line.startswith(" + ")}
    lock = read_lock(uv_workspace / "uv.lock")
    selected = lock.select(host(), Choice(extras=frozenset({"server"})))
    assert {package.name for package in selected} == would


def host() -> Target:
    """This machine; its libc is never asked for, since only markers are compared."""
    machine = os.uname().machine
    return Target(
        platform=Platform.parse(f"linux/{machine}"),
        python=PythonVersion(*sys.version_info[:3]),
        libc=Libc("glibc", 2, 36),
    )


def test_git_and_path_dependencies_of_uv_are_pinned(
    uv_workspace: Path, repository: tuple[Path, str], target: Target
) -> None:
    packages = {each.name: each for each in read_lock(uv_workspace / "uv.lock").select(target, Choice())}
    root, commit = repository
    assert packages["gitlib"].source == Vcs(url=root.as_uri(), commit=commit, subdirectory="py")
    assert packages["plain"].source == Directory(path=(uv_workspace / "vendor/plain").resolve())


def test_members_of_a_uv_workspace_find_the_lock_and_it_is_fresh(uv_workspace: Path) -> None:
    for place in (".", "members/api", "members/lib"):
        path = find_lock(uv_workspace / place)
        assert path == uv_workspace / "uv.lock"
        pyproject = uv_workspace / place / "pyproject.toml"
        read_lock(path).check_fresh(parse_toml(pyproject.read_bytes(), pyproject)[0])


PYPROJECT = """
[project]
name = "demo"
version = "1.0"
requires-python = ">=3.10,<4"
dependencies = ["fastapi>=0.100", "numpy", "colorama; sys_platform == 'win32'"]
[project.optional-dependencies]
pg = ["asyncpg"]
server = ["uvicorn[standard]"]
[dependency-groups]
dev = ["pytest"]
lint = ["pathspec"]
"""


@pytest.fixture(scope="session")
def poetry_project(tmp_path_factory: pytest.TempPathFactory, index: str, repository: tuple[Path, str]) -> Path:
    root = tmp_path_factory.mktemp("poetry")
    dependencies = f"""
[tool.poetry]
package-mode = true
packages = []
[tool.poetry.dependencies]
plain = {{path = "vendor/plain", develop = true}}
gitlib = {{git = "{repository[0].as_uri()}", subdirectory = "py"}}
[[tool.poetry.source]]
name = "here"
url = "{index}/"
priority = "primary"
"""
    write(
        root,
        pyproject_toml=PYPROJECT.replace('"numpy",', '"numpy", "plain", "gitlib",') + dependencies,
        vendor__plain__pyproject_toml=PLAIN,
        vendor__plain__plain_py="",
    )
    tool(POETRY, "poetry", "lock", cwd=root)
    return root


@pytest.mark.parametrize(
    ("choice", "options"),
    [
        (Choice(), ["--only", "main"]),
        (Choice(extras=frozenset({"pg", "server"})), ["--only", "main", "-E", "pg", "-E", "server"]),
        (Choice(groups=frozenset({"dev"})), ["--with", "dev", "--without", "lint"]),
        (Choice(groups=frozenset({"dev", "lint"}), only_groups=True), ["--only", "dev,lint"]),
    ],
)
def test_of_a_poetry_lock_we_choose_what_poetry_would_install(
    poetry_project: Path, choice: Choice, options: list[str]
) -> None:
    output = tool(POETRY, "poetry", "install", "--no-root", "--dry-run", "--no-ansi", *options, cwd=poetry_project)
    would = {
        (match[1], match[2])
        for line in output.splitlines()
        if "Skipped" not in line and (match := re.match(r"\s*- Installing ([\w.-]+) \((\S+)[ )]", line))
    }
    lock = read_lock(poetry_project / "poetry.lock")
    assert {(each.name, each.version) for each in lock.select(host(), choice)} == would


def test_a_new_poetry_lock_is_fresh_and_names_files_for_every_target(
    poetry_project: Path, targets: list[Target]
) -> None:
    path = poetry_project / "pyproject.toml"
    lock = read_lock(poetry_project / "poetry.lock")
    lock.check_fresh(parse_toml(path.read_bytes(), path)[0])
    for target in targets[:3]:
        kinds = dict(ours(lock, target, Choice(all_extras=True)))
        assert kinds.pop("plain") == "source"
        assert kinds.pop("gitlib") == "source"
        assert all(file.endswith(".whl") for file in kinds.values()), kinds


@pytest.mark.parametrize("version", ["1.8.5", "2.0.1"])
def test_of_an_older_poetry_lock_we_choose_the_same(tmp_path: Path, index: str, version: str) -> None:
    write(
        tmp_path,
        pyproject_toml=f"""
[tool.poetry]
name = "demo"
version = "1.0"
description = ""
authors = ["a <a@example.org>"]
[tool.poetry.dependencies]
python = ">=3.10,<4"
fastapi = ">=0.100"
asyncpg = {{version = "*", optional = true}}
uvicorn = {{version = "*", optional = true, extras = ["standard"]}}
colorama = {{version = "*", markers = "sys_platform == 'win32'"}}
[tool.poetry.extras]
pg = ["asyncpg"]
server = ["uvicorn"]
[tool.poetry.group.dev.dependencies]
pytest = "*"
[[tool.poetry.source]]
name = "here"
url = "{index}/"
priority = "primary"
""",
    )
    tool(f"poetry=={version}", "poetry", "lock", cwd=tmp_path)
    path = tmp_path / "pyproject.toml"
    lock = read_lock(tmp_path / "poetry.lock")
    lock.check_fresh(parse_toml(path.read_bytes(), path)[0])
    for choice, options in [
        (Choice(), ["--only", "main"]),
        (Choice(extras=frozenset({"pg", "server"})), ["--only", "main", "-E", "pg", "-E", "server"]),
        (Choice(groups=frozenset({"dev"})), ["--with", "dev"]),
    ]:
        command = ["poetry", "install", "--no-root", "--dry-run", "--no-ansi", *options]
        output = tool(f"poetry=={version}", *command, cwd=tmp_path)
        would = {
            (match[1], match[2])
            for line in output.splitlines()
            if "Skipped" not in line and (match := re.match(r"\s*- Installing ([\w.-]+) \((\S+)[ )]", line))
        }
        assert {(each.name, each.version) for each in lock.select(host(), choice)} == would


@pytest.fixture(scope="session")
def pdm_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("pdm")
    local = '"plain @ file:///${PROJECT_ROOT}/vendor/plain",'
    write(
        root,
        pyproject_toml=PYPROJECT.replace('"numpy",', f'"numpy", {local}'),
        vendor__plain__pyproject_toml=PLAIN,
        vendor__plain__plain_py="",
    )
    tool(PDM, "pdm", "lock", "-G", ":all", cwd=root, newest=PDM_DATE)
    return root


@pytest.mark.parametrize(
    ("choice", "options"),
    [
        (Choice(), ["--prod"]),
        (Choice(extras=frozenset({"pg", "server"})), ["--prod", "-G", "pg,server"]),
        (Choice(groups=frozenset({"dev"})), ["-G", "dev"]),
        (Choice(groups=frozenset({"lint"}), only_groups=True), ["--no-default", "-G", "lint"]),
        (Choice(all_extras=True), ["--prod", "-G", "pg,server"]),
        (Choice(all_groups=True), ["-G", "dev,lint"]),
    ],
)
def test_of_a_pdm_lock_we_choose_what_pdm_exports(
    pdm_project: Path, targets: list[Target], choice: Choice, options: list[str]
) -> None:
    text = tool(PDM, "pdm", "export", "-f", "requirements", "--no-hashes", *options, cwd=pdm_project, newest=PDM_DATE)
    (pdm_project / "exported.txt").write_text(text.replace("${PROJECT_ROOT}", str(pdm_project)))
    exported = read_lock(pdm_project / "exported.txt")
    lock = read_lock(pdm_project / "pdm.lock")
    for target in targets:
        want = {each.name for each in exported.select(target, Choice())}
        assert {each.name for each in lock.select(target, choice)} == want, str(target)


def test_a_new_pdm_lock_is_fresh_and_changes_make_it_stale(pdm_project: Path) -> None:
    path = pdm_project / "pyproject.toml"
    document = parse_toml(path.read_bytes(), path)[0]
    lock = read_lock(pdm_project / "pdm.lock")
    lock.check_fresh(document)
    document["project"]["dependencies"].append("more")
    with pytest.raises(Exception, match="older than"):
        lock.check_fresh(document)


@pytest.mark.parametrize("hashes", [True, False])
def test_compiled_requirements_are_the_packages_of_the_lock(
    uv_workspace: Path, tmp_path: Path, targets: list[Target], *, hashes: bool
) -> None:
    options = ["--no-hashes"] * (not hashes)
    text = run("uv", "export", "-q", "--frozen", "--no-emit-local", *options, cwd=uv_workspace)
    (tmp_path / "requirements.txt").write_text(text)
    requirements = read_lock(tmp_path / "requirements.txt")
    assert bool(requirements.warnings) is not hashes
    lock = read_lock(uv_workspace / "uv.lock")
    for target in targets:
        want = {each.name: each for each in lock.select(target, Choice()) if not isinstance(each.source, Directory)}
        found = {each.name: each for each in requirements.select(target, Choice())}
        assert found.keys() == want.keys()
        for name, package in found.items():
            if isinstance(package.source, Vcs):
                assert package.source.commit == want[name].source.commit  # type: ignore[union-attr]
                continue
            assert package.version == want[name].version
            with_files = package.with_files([*want[name].wheels, *filter(None, [want[name].sdist])])
            assert with_files.wheels == want[name].wheels


def test_a_pylock_that_uv_writes_is_read_as_packaging_reads_it(
    uv_workspace: Path, tmp_path: Path, targets: list[Target]
) -> None:
    text = run("uv", "export", "-q", "--frozen", "--no-emit-local", "--format", "pylock.toml", cwd=uv_workspace)
    (tmp_path / "pylock.toml").write_text(text)
    lock = read_lock(tmp_path / "pylock.toml")
    for target in targets:
        assert ours(lock, target, Choice()) == expected(frozen(text), target)
