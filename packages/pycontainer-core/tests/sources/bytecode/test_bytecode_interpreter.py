"""A Python of the image's version is found on this host, and no other one is taken for it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from pycontainer.errors import ToolError
from pycontainer.sources.bytecode.interpreter import examine, find_python
from pycontainer.sources.target import PythonVersion

RUNNING = PythonVersion.parse(sys.version.split()[0])
NOWHERE = {"PATH": "", "PYENV_ROOT": "/nowhere"}


def forge(folder: Path, name: str, version: str, *, level: str = "final", implementation: str = "cpython") -> Path:
    """A program that answers as such a Python would."""
    feature = ".".join(version.split(".")[:2])
    free_threaded = int(name.endswith("t"))
    path = folder / name
    folder.mkdir(parents=True, exist_ok=True)
    answers = [implementation, version, feature, level, str(free_threaded), f"cpython-{feature.replace('.', '')}", path]
    path.write_text("#!/bin/sh\n" + "".join(f"echo '{answer}'\n" for answer in answers))
    path.chmod(0o755)
    return path


def found(wanted: str, path: Path, *, free_threaded: bool = False) -> Path:
    environment = {"PATH": str(path), "PYENV_ROOT": str(path / "pyenv")}
    version = PythonVersion.parse(wanted)
    return find_python(version, free_threaded=free_threaded, environment=environment).path


def test_the_running_python_serves_images_of_its_feature_version() -> None:
    python = find_python(PythonVersion(RUNNING.major, RUNNING.minor), environment=NOWHERE)
    assert (python.version, python.feature) == (sys.version.split()[0], RUNNING.feature)
    assert python.cache_tag == sys.implementation.cache_tag
    assert python.path.samefile(sys.executable)


def test_there_may_be_none(tmp_path: Path) -> None:
    forge(tmp_path, "python3.98", "3.98.1")
    with pytest.raises(ToolError) as caught:
        found("3.99.2", tmp_path)
    assert str(caught.value) == (
        "No CPython 3.99 was found on this host to compile bytecode with\n"
        "  the image has CPython 3.99.2\n"
        "  looked for: `python3.99` on PATH, pyenv, uv"
    )
    assert caught.value.hint is not None
    assert "`uv python install 3.99`" in caught.value.hint
    assert "{compile_bytecode}" in caught.value.hint


@pytest.mark.skipif(os.name == "nt", reason="forged programs are shell scripts")
class TestForged:
    def test_the_very_version_is_preferred(self, tmp_path: Path) -> None:
        first = forge(tmp_path, "python3.99", "3.99.1")
        same = forge(tmp_path / "pyenv" / "versions" / "3.99.4" / "bin", "python", "3.99.4")
        forge(tmp_path / "pyenv" / "versions" / "3.99.9" / "bin", "python", "3.99.9")
        assert found("3.99.4", tmp_path) == same
        assert found("3.99.7", tmp_path) == first
        assert found("3.99", tmp_path) == first

    def test_uv_is_asked_last(self, tmp_path: Path) -> None:
        managed = forge(tmp_path / "uv", "python3.99", "3.99.1")
        asked: list[str] = []

        def ask(name: str) -> Path:
            asked.append(name)
            return managed

        wanted = PythonVersion.parse("3.99.1")
        assert find_python(wanted, environment=NOWHERE, ask_uv=ask).path == managed
        path = forge(tmp_path, "python3.99", "3.99.1")
        environment = {**NOWHERE, "PATH": str(tmp_path)}
        assert find_python(wanted, environment=environment, ask_uv=ask).path == path
        assert asked == ["3.99"]

    @pytest.mark.parametrize(
        ("version", "level", "wanted"),
        [("3.99.0rc1", "candidate", "3.99.0"), ("3.99.0b2", "beta", "3.99.0b1"), ("3.99.0", "final", "3.99.0a7")],
    )
    def test_a_pre_release_compiles_for_itself_alone(
        self, tmp_path: Path, version: str, level: str, wanted: str
    ) -> None:
        path = forge(tmp_path, "python3.99", version, level=level)
        assert found(version, tmp_path) == path
        with pytest.raises(ToolError, match=r"No CPython 3\.99"):
            found(wanted, tmp_path)

    def test_with_and_without_the_global_lock_are_two(self, tmp_path: Path) -> None:
        locked, free = forge(tmp_path, "python3.99", "3.99.1"), forge(tmp_path, "python3.99t", "3.99.1")
        assert found("3.99.1", tmp_path) == locked
        assert found("3.99.1", tmp_path, free_threaded=True) == free
        free.unlink()
        with pytest.raises(ToolError, match=r"No CPython 3\.99t"):
            found("3.99.1", tmp_path, free_threaded=True)

    def test_what_is_no_cpython_of_the_version_is_passed_over(self, tmp_path: Path) -> None:
        forge(tmp_path / "pypy", "python3.99", "3.99.1", implementation="pypy")
        forge(tmp_path / "other", "python3.99", "3.98.1")
        broken = tmp_path / "broken" / "python3.99"
        broken.parent.mkdir()
        broken.write_text("#!/bin/sh\nexit 127\n")
        broken.chmod(0o755)
        right = forge(tmp_path / "right", "python3.99", "3.99.1")
        path = os.pathsep.join(str(tmp_path / name) for name in ("pypy", "missing", "other", "broken", "right"))
        environment = {**NOWHERE, "PATH": path}
        assert find_python(PythonVersion.parse("3.99.1"), environment=environment).path == right
        assert examine(broken) is None
