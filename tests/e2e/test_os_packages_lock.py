"""`pycontainer.lock` with the real archive of Debian: what it holds is what is built, with the archive or without."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from real.command import Pycontainer
from real.samples import PROJECTS

OPTIONS = ("--base-image=deb:bookworm", "--os-package=libpq5", "--entrypoint=python3", "--tag=locked:1")
BOTH = "--platform=linux/amd64,linux/arm64"
NETWORK = 3
# Where nobody answers.
UNREACHABLE = "--os-archive=http://127.0.0.1:9/debian bookworm main"


@pytest.fixture
def copy(tmp_path: Path) -> Callable[[str], Path]:
    """Give a copy of a project, by a name of its own."""
    return lambda name: Path(shutil.copytree(PROJECTS / "probes", tmp_path / name))


@pytest.fixture(scope="module")
def locked(pycontainer: Pycontainer, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A locked project, and the digest of what was built before it was locked."""
    project = Path(shutil.copytree(PROJECTS / "probes", tmp_path_factory.mktemp("locked") / "project"))
    digest = _digest(pycontainer, project)
    pycontainer.lock(project, *OPTIONS, BOTH)
    return project, digest


def _digest(pycontainer: Pycontainer, project: Path, *options: str) -> str:
    return pycontainer.build(project, *OPTIONS, *options).stdout.strip().rpartition("@")[2]


def test_a_locked_build_has_the_digest_of_the_one_before(locked: tuple[Path, str], pycontainer: Pycontainer) -> None:
    project, digest = locked

    assert _digest(pycontainer, project, "--locked") == digest


def test_a_locked_build_with_nothing_in_the_cache_has_that_digest_too(locked: tuple[Path, str], tmp_path: Path) -> None:
    project, digest = locked

    assert _digest(Pycontainer(cache=tmp_path / "cache"), project, "--locked") == digest


def test_a_lock_is_the_same_wherever_it_is_made(
    locked: tuple[Path, str], pycontainer: Pycontainer, tmp_path: Path
) -> None:
    project, _ = locked
    other = Path(shutil.copytree(project, tmp_path / "other", ignore=shutil.ignore_patterns("*.lock", "dist")))
    before = os.umask(0o077)
    try:
        replace(pycontainer, cache=tmp_path / "cache").lock(other, *OPTIONS, BOTH, env={"TZ": "Pacific/Kiritimati"})
    finally:
        os.umask(before)

    assert (other / "pycontainer.lock").read_text() == (project / "pycontainer.lock").read_text()
    pycontainer.lock(project, *OPTIONS, BOTH, "--check")


def test_other_options_do_not_fit_the_lock(locked: tuple[Path, str], pycontainer: Pycontainer) -> None:
    project, _ = locked

    refused = pycontainer.build(project, *OPTIONS, "--os-package=procps", "--locked", status=1)
    checked = pycontainer.lock(project, *OPTIONS, BOTH, "--os-package=procps", "--check", status=1)

    assert "os-packages has changed since it was written" in refused.stderr
    assert "pycontainer.lock" in checked.stdout + checked.stderr


def test_a_warm_locked_build_needs_no_archive(locked: tuple[Path, str], pycontainer: Pycontainer) -> None:
    project, digest = locked
    _digest(pycontainer, project, "--locked")

    assert _digest(pycontainer, project, "--locked", UNREACHABLE) == digest


def test_a_cold_locked_build_without_an_archive_says_which_server_does_not_answer(
    locked: tuple[Path, str], tmp_path: Path
) -> None:
    project, _ = locked

    refused = Pycontainer(cache=tmp_path / "cache").build(project, *OPTIONS, "--locked", UNREACHABLE, status=NETWORK)

    assert "`127.0.0.1:9` refused the connection" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_outdated_compares_the_lock_with_the_archive(
    locked: tuple[Path, str], pycontainer: Pycontainer, tmp_path: Path
) -> None:
    project, _ = locked
    older = Path(shutil.copytree(project, tmp_path / "older", ignore=shutil.ignore_patterns("dist")))
    lock = older / "pycontainer.lock"
    line = next(line for line in lock.read_text().splitlines() if 'name = "libpq5"' in line)
    version = line.partition('version = "')[2].partition('"')[0]
    lock.write_text(lock.read_text().replace(line, line.replace(f'"{version}"', '"15.0-1"')))

    assert pycontainer("outdated", project, *OPTIONS, BOTH).stdout == ""
    told = pycontainer("outdated", older, *OPTIONS, BOTH)

    assert "libpq5" in told.stdout
    assert "15.0-1" in told.stdout
    assert version in told.stdout
