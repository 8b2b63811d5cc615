"""`poetry build-container`, by the real Poetry, the oldest and the newest, from built wheels."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from real.command import Pycontainer
from real.engines import DockerLike
from real.poetry import (
    PACKAGES,
    PASSWORD,
    USER,
    Poetry,
    build_wheels,
    install_poetry,
    publish,
    source_of_this_host,
    write_project,
)
from real.registry import Registry
from real.samples import uv

from pycontainer.destinations.layout import LayoutDestination
from pycontainer.testing.images import debian_like
from pycontainer.testing.index_server import IndexServer, serving
from pycontainer.testing.registry import FakeRegistry, Rules

pytestmark = pytest.mark.network  # Poetry itself comes from the Python index

OLDEST, NEWEST = "2.0.1", "newest"
KNOWN = {"POETRY_HTTP_BASIC_CORP_USERNAME": USER, "POETRY_HTTP_BASIC_CORP_PASSWORD": PASSWORD}
KEYRING = f"""
from keyring.backend import KeyringBackend
from keyring.credentials import SimpleCredential


class Keyring(KeyringBackend):
    priority = 9

    def get_credential(self, service, username):
        return SimpleCredential({USER!r}, {PASSWORD!r}) if "127.0.0.1" in service else None

    def get_password(self, service, username):
        return None

    set_password = delete_password = get_password
"""


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The wheels of the plugin and of the core."""
    return build_wheels(tmp_path_factory.mktemp("wheels"))


@pytest.fixture(scope="module")
def poetry(tmp_path_factory: pytest.TempPathFactory, wheels: list[Path]) -> Callable[[str], Poetry]:
    """Give a Poetry by its version, installed at the first call."""
    folder = tmp_path_factory.mktemp("poetry")
    installed: dict[str, Poetry] = {}

    def give(version: str) -> Poetry:
        if version not in installed:
            installed[version] = install_poetry(version, folder / version, wheels)
        return installed[version]

    return give


@pytest.fixture
def bare(tmp_path_factory: pytest.TempPathFactory, wheels: list[Path]) -> Poetry:
    """The newest Poetry without the plugin, but with all that it needs, so that nothing else has to be found."""
    made = install_poetry(NEWEST, tmp_path_factory.mktemp("bare") / "poetry", wheels)
    uv("pip", "uninstall", "--quiet", "--python", made.folder / "bin" / "python", *PACKAGES)
    return made


@pytest.fixture(scope="module")
def index() -> Iterator[IndexServer]:
    """An index behind a password."""
    with serving() as server:
        publish(server)
        yield server


@pytest.fixture(scope="module")
def shop(
    tmp_path_factory: pytest.TempPathFactory, poetry: Callable[[str], Poetry], index: IndexServer
) -> Callable[[str], Path]:
    """Give the project as a version of Poetry locks it; tests that change it copy it first."""
    projects: dict[str, Path] = {}

    def locked(version: str) -> Path:
        if version not in projects:
            projects[version] = write_project(tmp_path_factory.mktemp("shop") / "shop", index)
            poetry(version)(projects[version], "lock", env=KNOWN)
        return projects[version]

    return locked


@pytest.fixture(scope="module")
def small_base(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A base image for what is not run."""
    path = tmp_path_factory.mktemp("base") / "layout"
    LayoutDestination(path).write(debian_like("3.12.4"))
    return f"oci:{path}"


def _source(index: IndexServer) -> str:
    return f'\n[[tool.poetry.source]]\nname = "corp"\nurl = "{index.simple}"\n'


def pin_backend(project: Path, version: str) -> None:
    """Which backend builds is no part of a lock: the wheel says in `WHEEL` which one it was."""
    for path in (project / "pyproject.toml", project / "libs" / "local" / "pyproject.toml"):
        path.write_text(re.sub(r"poetry-core[>=]=[0-9.]+", f"poetry-core=={version}", path.read_text()))


def leaks(*places: Path | str) -> list[str]:
    """Where the password stands."""
    found = [place for place in places if isinstance(place, str) and PASSWORD in place]
    folders = [place for place in places if isinstance(place, Path)]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return found + [str(path) for path in files if PASSWORD.encode() in path.read_bytes()]


@pytest.mark.parametrize(("locker", "builder"), [(OLDEST, OLDEST), (OLDEST, NEWEST), (NEWEST, NEWEST)])
def test_the_image_of_a_project_runs_and_is_the_one_that_the_command_makes(
    locker: str,
    builder: str,
    poetry: Callable[[str], Poetry],
    shop: Callable[[str], Path],
    pycontainer: Pycontainer,
    registry: Registry,
    base_image: str,
    podman: DockerLike,
) -> None:
    project = shop(locker)
    pin_backend(project, poetry(builder).backend())
    reference = registry.reference(f"shop-{locker}-{builder}:1")
    # The repository of `git-lib` is a folder beside the project.
    options = ("--base-image", base_image, "--tag", reference, "--push", "--allow-outside")

    pushed = poetry(builder).build(project, *options, "--with", "docs", "--extras", "pg", env=KNOWN)
    same = pycontainer.build(project, *options, "--group", "docs", "--extra", "pg", env=KNOWN)

    assert pushed.stdout == same.stdout, "one lock, two doors, one digest"
    assert re.fullmatch(rf"{re.escape(reference.rpartition(':')[0])}@sha256:[0-9a-f]{{64}}\n", pushed.stdout)
    assert leaks(pushed.stdout, pushed.stderr, poetry(builder).folder.parent / "layers") == []
    podman.pull(pushed.stdout.strip())
    with podman.serve(pushed.stdout.strip()) as container:
        installed = set(container.ask(8000).body.split())
    libraries = {"alpha==1.0", "gamma==1.0", "delta==1.0", "local-lib==0.3", "file_lib==0.3", "git-lib==0.3"}
    assert libraries | {"shop==1.0"} <= installed
    assert not {"epsilon==1.0", "windows_only==1.0"} & installed, "what is not chosen, or not for Linux, stays out"


def test_a_project_that_is_not_a_package_is_files(
    poetry: Callable[[str], Poetry],
    index: IndexServer,
    registry: Registry,
    base_image: str,
    podman: DockerLike,
    tmp_path: Path,
) -> None:
    project = tmp_path / "job"
    project.mkdir()
    dependencies = '[project]\nname = "job"\nversion = "1"\nrequires-python = ">=3.10"\ndependencies = ["alpha"]\n'
    (project / "pyproject.toml").write_text(f"{dependencies}[tool.poetry]\npackage-mode = false\n{_source(index)}")
    (project / "main.py").write_text("import alpha\nprint('the answer is', alpha.ANSWER)\n")
    poetry(NEWEST)(project, "lock", env=KNOWN)

    options = ("--base-image", base_image, "--tag", registry.reference("job:1"), "--push")
    pushed = poetry(NEWEST).build(project, *options, env=KNOWN).stdout.strip()

    podman.pull(pushed)
    assert podman.run(pushed).stdout == "the answer is 42\n"


@pytest.mark.parametrize(("place", "version"), [("poetry config", OLDEST), ("keyring", NEWEST)])
def test_credentials_are_those_of_poetry_and_stay_where_they_are(
    place: str,
    version: str,
    poetry: Callable[[str], Poetry],
    shop: Callable[[str], Path],
    small_base: str,
    tmp_path: Path,
) -> None:
    tool = poetry(version)
    env: dict[str, str] = {"POETRY_CONFIG_DIR": str(tmp_path / "config")}
    if place == "poetry config":
        tool(tmp_path, "config", "http-basic.corp", USER, PASSWORD, env=env)
    else:
        (tmp_path / "planted_keyring.py").write_text(KEYRING)
        env |= {"PYTHON_KEYRING_BACKEND": "planted_keyring.Keyring", "PYTHONPATH": str(tmp_path)}
    places = ("--allow-outside", "--output", f"oci:{tmp_path}/image", "--cache-dir", tmp_path / "layers")

    done = tool.build(shop(version), "--base-image", small_base, *places, "-vvv", env=env)
    plan = tool.build(shop(version), "--base-image", small_base, *places, "--dry-run", "--json", env=env)

    assert "downloaded alpha" in done.stderr
    assert leaks(done.stdout, done.stderr, plan.stdout, plan.stderr, tmp_path / "image", tmp_path / "layers") == []


def _edit(name: str, old: str, new: str) -> Callable[[Path], object]:
    def change(project: Path) -> None:
        text = (project / name).read_text()
        assert old in text
        (project / name).write_text(text.replace(old, new))

    return change


def _unlock(project: Path) -> None:
    (project / "poetry.lock").unlink()


# What is done to the project, options, variables, exit code, what is said.
MISTAKES: Mapping[str, tuple[Callable[[Path], object] | None, tuple[str, ...], dict[str, str], int, str]] = {
    "no lock": (_unlock, (), {}, 1, "poetry.lock does not exist"),
    "stale lock": (_edit("pyproject.toml", '"alpha>=1"', '"alpha>=1.0"'), (), {}, 1, "changed significantly since"),
    "unknown group": (None, ("--only", "nope"), {}, 1, "Group(s) not found: nope (via --only)"),
    "unknown extra": (None, ("-E", "nope"), {}, 1, "Extra [nope] is not specified."),
    "unknown option": (None, ("--nope",), {}, 1, 'The option "--nope" does not exist'),
    "no entry point": (_edit("pyproject.toml", 'scripts = { shop = "shop:main" }', ""), (), {}, 1, "`--entrypoint`"),
    "missing base": (None, ("--base-image", "oci:nowhere"), {}, 1, "nowhere"),
    "wrong index credentials": (None, (), {"POETRY_HTTP_BASIC_CORP_PASSWORD": f"not-{PASSWORD}"}, 4, "401"),
    "unreachable registry": (None, ("--push", "--tag", "localhost:9/shop:1"), {}, 3, "localhost:9"),
    "wrong registry credentials": (
        None,
        ("--push", "--tag", "{registry}/shop:1"),
        {"REGISTRY_USERNAME": "bob", "REGISTRY_PASSWORD": f"not-{PASSWORD}"},
        4,
        "denied",
    ),
}


# The unit tests make the same mistakes with the newest, but for those that need a registry.
BOTH = [*((OLDEST, name) for name in MISTAKES), *((NEWEST, name) for name in MISTAKES if "registry" in name)]


@pytest.mark.parametrize(("version", "name"), BOTH)
def test_mistakes_are_told_in_one_message_and_nothing_is_written(
    version: str,
    name: str,
    poetry: Callable[[str], Poetry],
    shop: Callable[[str], Path],
    small_base: str,
    tmp_path: Path,
) -> None:
    change, options, env, code, message = MISTAKES[name]
    project = tmp_path / "shop"
    shutil.copytree(shop(version), project, ignore=shutil.ignore_patterns("dist"))
    if change is not None:
        change(project)
    with FakeRegistry(Rules(authentication="basic", users={"bob": PASSWORD})) as registry:
        words = [option.format(registry=registry.host) for option in options]
        base = () if "--base-image" in words else ("--base-image", small_base)
        places = (*base, "--allow-outside", "--cache-dir", tmp_path / "layers")
        done = poetry(version).build(project, *places, *words, env={**KNOWN, **env}, status=None)

        assert done.returncode == code, done.stderr
        assert message in " ".join(done.stderr.split())
        assert done.stdout == ""
        assert "Traceback" not in done.stderr
        assert leaks(done.stderr) == []
        assert not (project / "dist").exists()
        assert not registry.asked("PUT"), "nothing half written"


def test_a_project_that_requires_the_plugin_has_it_after_poetry_install(
    bare: Poetry, wheels: list[Path], small_base: str, tmp_path: Path
) -> None:
    required = "".join(f'{path.name.split("-")[0].replace("_", "-")} = {{ path = "{path}" }}\n' for path in wheels)
    tables = f"[tool.poetry]\npackage-mode = false\n[tool.poetry.requires-plugins]\n{required}"
    (tmp_path / "pyproject.toml").write_text(
        f'[project]\nname = "job"\nversion = "1"\n{tables}{source_of_this_host(tmp_path)}'
    )
    (tmp_path / "main.py").write_text("print('here')\n")
    before = bare.build(tmp_path, status=None)

    bare(tmp_path, "install")
    after = bare.build(tmp_path, "--base-image", small_base, "--dry-run")

    assert "build-container does not exist" in before.stderr
    assert after.stdout.startswith("project      job 1, 2 files copied\n")
    assert not [*bare.folder.glob("lib/*/site-packages/poetry_pycontainer")], "it is the project's, not Poetry's"
