"""Projects of Hatch become images through Hatch itself, which installs our wheels into an environment of its own."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from real.engines import DockerLike
from real.hatch import Hatch, build_wheels
from real.programs import run
from real.registry import Registry
from real.samples import PROJECTS, uv

from pycontainer.frontend import exit_codes

PACKAGES = Path(__file__).parents[2] / "packages"
HOOK = """
[tool.hatch.build.targets.wheel.hooks.container]
enable-by-default = false
dependencies = ["hatch-pycontainer"]
"""
VCS = """
[tool.hatch.version]
source = "vcs"

[tool.hatch.build.hooks.vcs]
version-file = "src/shelf/_version.py"
"""


@pytest.fixture(scope="module")
def hatch(tmp_path_factory: pytest.TempPathFactory, base_image: str) -> Hatch:
    names = ("pycontainer-core", "hatch-pycontainer")
    wheels = build_wheels(PACKAGES, names, tmp_path_factory.mktemp("wheels"))
    cache = tmp_path_factory.mktemp("cache")
    return Hatch.install(tmp_path_factory.mktemp("hatch"), wheels=wheels, cache=cache, base_image=base_image)


def _uv_lock(project: Path, hatch: Hatch) -> None:
    del hatch
    uv("lock", "--quiet", cwd=project)


def _hatch_lock(project: Path, hatch: Hatch) -> None:
    hatch("env", "lock", "container", project=project)


def _hatch_vcs(project: Path, hatch: Hatch) -> None:
    """The version comes from git, and a build hook writes it into the package."""
    path = project / "pyproject.toml"
    fields = path.read_text().replace('version = "2.1.0"', 'dynamic = ["version"]')
    path.write_text(fields.replace('requires = ["hatchling"]', 'requires = ["hatchling", "hatch-vcs"]') + VCS)
    module = project / "src" / "shelf" / "__init__.py"
    module.write_text(
        "from shelf._version import version as made\n" + module.read_text().replace("Momo", "{made} Momo")
    )
    (project / ".gitignore").write_text("/dist\n_version.py\n")
    git = ("git", "-c", "user.name=Acme", "-c", "user.email=acme@example.org")
    run(*git, "init", "--quiet", cwd=project)
    run(*git, "add", "--all", cwd=project)
    run(*git, "commit", "--quiet", "--message", "first", cwd=project)
    run(*git, "tag", "v3.0", cwd=project)
    run(*git, "commit", "--quiet", "--allow-empty", "--message", "second", cwd=project)
    _hatch_lock(project, hatch)


LOCKS: dict[str, Callable[[Path, Hatch], None]] = {
    "uv.lock": _uv_lock,
    "pylock.container.toml": _hatch_lock,
    "hatch-vcs": _hatch_vcs,
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, hatch: Hatch) -> Callable[[str], Path]:
    """Give the sample, locked in one of the ways; each is made once."""
    made: dict[str, Path] = {}

    def make(lock: str) -> Path:
        if lock not in made:
            made[lock] = tmp_path_factory.mktemp("project") / "shelf"
            shutil.copytree(PROJECTS / "hatch", made[lock], ignore=shutil.ignore_patterns("__pycache__", "dist"))
            LOCKS[lock](made[lock], hatch)
        return made[lock]

    return make


def reference_of(errors: str) -> str:
    """The last line of Hatch's messages, which names what was built."""
    return errors.strip().splitlines()[-1].strip()


@pytest.mark.parametrize("lock", LOCKS)
def test_a_project_is_pushed_and_runs(
    lock: str, project: Callable[[str], Path], hatch: Hatch, registry: Registry, podman: DockerLike
) -> None:
    repository = f"{lock.replace('.', '-')}/shelf"
    env = {"PYCONTAINER_REGISTRY": registry.reference(repository), "PYCONTAINER_LOCKED": "1"}

    done = hatch("build", "-t", "container:registry", project=project(lock), env=env)

    reference = reference_of(done.stderr)
    (tag,) = registry.tags(repository)
    assert reference == f"{registry.host}/{repository}@{registry.manifest(repository, tag)[0]}", done.stderr
    assert re.fullmatch(r"3\.1\.dev1-g[0-9a-f]+" if lock == "hatch-vcs" else r"2\.1\.0", tag)
    podman.pull(reference)
    with podman.serve(reference) as container:
        answer = container.ask(8000)
    version = tag.replace("-g", "+g")
    made_by_hook = f"{version} " if lock == "hatch-vcs" else ""
    assert answer.body == f"shelf {version}: {made_by_hook}Momo, Emil", answer


def test_hatchling_alone_makes_the_same_image(project: Callable[[str], Path], hatch: Hatch) -> None:
    sample = project("uv.lock")
    programs = hatch.environment("hatchling", "hatch-pycontainer")

    alone = run(programs / "hatchling", "build", "-t", "container:oci-archive", cwd=sample, env=hatch.variables)
    whole = hatch("build", "-t", "container", project=sample)

    assert reference_of(alone.stderr).startswith("oci-archive:dist/shelf-2.1.0.oci.tar@sha256:")
    assert reference_of(alone.stderr).partition("@")[2] == reference_of(whole.stderr).partition("@")[2]
    assert (sample / "dist" / "shelf-2.1.0.oci" / "index.json").is_file()


@pytest.fixture
def with_hook(tmp_path: Path) -> Path:
    """The sample with the build hook configured, and not turned on."""
    made = tmp_path / "shelf"
    shutil.copytree(PROJECTS / "hatch", made, ignore=shutil.ignore_patterns("__pycache__", "dist"))
    with (made / "pyproject.toml").open("a") as file:
        file.write(HOOK)
    return made


def test_tools_that_build_wheels_know_nothing_of_the_plugin(with_hook: Path, hatch: Hatch) -> None:
    """No index of this machine has it, so whoever asked for it would fail."""
    programs = hatch.environment("plain", "build", "pip")

    uv("build", "--quiet", cwd=with_hook)
    run(programs / "python", "-m", "build", "--wheel", "--installer", "uv", with_hook)
    run(programs / "pip", "install", "--quiet", "--no-deps", with_hook)

    made = {path.name for path in (with_hook / "dist").iterdir()} - {".gitignore"}
    assert made == {"shelf-2.1.0-py3-none-any.whl", "shelf-2.1.0.tar.gz"}


def test_the_hook_makes_the_image_of_the_wheel_that_uv_builds(with_hook: Path, hatch: Hatch) -> None:
    env = {**hatch.variables, "HATCH_BUILD_HOOK_ENABLE_CONTAINER": "1"}

    uv("build", "--wheel", cwd=with_hook, env=env)

    assert (with_hook / "dist" / "shelf-2.1.0-py3-none-any.whl").is_file()
    assert (with_hook / "dist" / "shelf-2.1.0.oci" / "index.json").is_file()


@pytest.mark.parametrize(
    ("env", "says", "status"),
    [
        ({"PYCONTAINER_GROUPS": "nope"}, "`nope`", exit_codes.FAILED),
        ({"PYCONTAINER_BASE_IMAGE": "localhost:9/base:1"}, "localhost:9", exit_codes.NETWORK),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_hatch_ends_with_the_message(
    env: dict[str, str], says: str, status: int, project: Callable[[str], Path], hatch: Hatch
) -> None:
    sample = project("uv.lock")

    done = hatch("build", "-t", "container:docker-archive", project=sample, env=env, status=status)

    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(sample.glob("dist/*.docker.tar"))
