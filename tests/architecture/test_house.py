"""The house keeps its shape: floors, folders, versions, and nothing that ties it to one machine."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
PACKAGES = sorted(path.parent for path in (ROOT / "packages").glob("*/pyproject.toml"))
PLUGINS = [path for path in PACKAGES if not path.name.startswith("pycontainer-")]
DISTRIBUTIONS = {path.name for path in PACKAGES}
FOLDER = ("README.md", "LICENSE", "pyproject.toml", "src", "tests")
# Spelled so that this file does not hold what it looks for.
REGISTRY_HOSTS = [
    ".".join((*host.split(), "org"))
    for host in ("pypi", "test pypi", "files pythonhosted", "deb debian", "security debian", "registry npmjs")
]
MOST_LINES = 450
MOST_LINES_OF_A_PLUGIN = 800
TABLES = {"options.py"}  # one row after the other: long, but one concept


def tracked_files() -> list[Path]:
    """The files of the repository, also those that are new and not ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def metadata(package: Path) -> dict[str, Any]:
    return tomllib.loads((package / "pyproject.toml").read_text(encoding="utf-8"))


def test_imports_go_down_the_floors_only() -> None:
    lint = Path(sys.executable).parent / "lint-imports"

    done = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


def test_no_file_names_the_host_of_a_package_registry() -> None:
    forbidden = re.compile("|".join(re.escape(host) for host in REGISTRY_HOSTS), re.IGNORECASE)

    named = [
        f"{file.relative_to(ROOT)}: {found[0]}"
        for file in tracked_files()
        if (found := forbidden.search(file.read_text(encoding="utf-8", errors="ignore")))
    ]

    assert named == [], "what a machine installs from is the machine's own setting"


def test_all_packages_have_one_version() -> None:
    versions = {package.name: metadata(package)["project"]["version"] for package in PACKAGES}

    assert len(set(versions.values())) == 1, versions


def test_packages_pin_each_other_to_their_own_version() -> None:
    loose = [
        f"{package.name}: {requirement}"
        for package in PACKAGES
        for requirement in metadata(package)["project"]["dependencies"]
        if re.split(r"[\[<>=!~;\s]", requirement)[0] in DISTRIBUTIONS
        and not requirement.endswith(f"=={metadata(package)['project']['version']}")
    ]

    assert loose == [], "all packages are released together"


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_a_package_has_the_shape_of_a_package(package: Path) -> None:
    missing = [name for name in FOLDER if not (package / name).exists()]

    assert missing == []
    assert (package / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    assert list((package / "src").glob("*/py.typed")), "its types are for everybody"


def test_no_two_packages_own_one_import_name() -> None:
    names = [
        path.name
        for package in PACKAGES
        for path in (package / "src").iterdir()
        if path.is_dir() and not path.name.startswith(("_", "."))
    ]

    assert len(names) == len(set(names)), names


def test_modules_hold_one_concept() -> None:
    long = {
        str(file.relative_to(ROOT)): lines
        for package in PACKAGES
        for file in (package / "src").rglob("*.py")
        if file.name not in TABLES
        if (lines := len(file.read_text(encoding="utf-8").splitlines())) > MOST_LINES
    }

    assert long == {}, f"more than {MOST_LINES} lines are usually two concepts"


@pytest.mark.parametrize("package", PLUGINS, ids=lambda package: package.name)
def test_a_plugin_stays_a_few_hundred_lines(package: Path) -> None:
    lines = [line.strip() for file in (package / "src").rglob("*.py") for line in file.read_text("utf-8").splitlines()]

    code = [line for line in lines if line and not line.startswith("#")]

    assert len(code) < MOST_LINES_OF_A_PLUGIN, "what it does is the core's work, or `pycontainer.frontend`'s"


def test_test_files_have_names_of_their_own() -> None:
    files = [path.name for place in ("packages", "tests") for path in (ROOT / place).rglob("test_*.py")]
    files = [name for name in files if ".venv" not in name]

    twice = {name for name in files if files.count(name) > 1}

    assert twice == set(), "without packages of tests, a name tells which file failed"
