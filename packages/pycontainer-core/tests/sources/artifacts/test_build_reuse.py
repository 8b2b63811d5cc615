import hashlib
import os
import shlex
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from pycontainer.blobs.fingerprints import Fingerprints
from pycontainer.events import Event, TaskFinished, TaskStarted
from pycontainer.oci import Platform
from pycontainer.sources.builds import backend
from pycontainer.sources.builds.backend import Backend, tree_key
from pycontainer.sources.builds.builder import WheelBuilder
from pycontainer.sources.locks import Artifact
from pycontainer.sources.target import Libc, PythonVersion, Target
from pycontainer.sources.uv import find_uv

# A Python that no host has: whoever looks for it falls back to another one.
NOWHERE = Target(platform=Platform("linux", "amd64"), python=PythonVersion(3, 99), libc=Libc("glibc", 2, 36))


def not_called(artifact: Artifact) -> Path:
    raise AssertionError(artifact)


def test_a_wheel_that_was_built_before_needs_neither_uv_nor_its_python(tmp_path: Path, heard: list[Event]) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        '[project]\nname = "demo"\nversion = "1.0"\n'
    )
    wheel = tmp_path / "demo-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name in ("METADATA", "WHEEL", "RECORD"):
            archive.writestr(f"demo-1.0.dist-info/{name}", "")
    builder = WheelBuilder(
        tmp_path / "cache", find_uv=lambda: None, fetch=not_called, root=tree, environment={}, emit=heard.append
    )
    unknown = Fingerprints(None)
    key = tree_key(tree, Backend.of(tree), variables=builder._fixed, python="3.99", fingerprints=unknown)
    stored = builder._store.put(key, wheel)

    found = builder.build_tree(tree, NOWHERE)

    assert found.sha256 == hashlib.sha256(stored.path.read_bytes()).hexdigest()
    assert [event.reused for event in heard if isinstance(event, TaskFinished)] == [True]
    assert not any(isinstance(event, TaskStarted) for event in heard)


@pytest.mark.skipif(os.name != "posix", reason="git is a shell script")
def test_where_git_does_not_answer_in_time_nobody_knows_the_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tag makes another wheel of the same files: a name without it would be that of both."""
    tree, program = tmp_path / "tree", tmp_path / "bin" / "git"
    for folder in (tree, program.parent):
        folder.mkdir()
    (tree / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["hatchling", "hatch-vcs"]\nbuild-backend = "hatchling.build"\n'
        '[project]\nname = "demo"\ndynamic = ["version"]\n'
    )

    def key(script: str) -> str | None:
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        return tree_key(tree, Backend.of(tree), variables={}, python="3.12", fingerprints=Fingerprints(None))

    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    assert key("echo v1-0-gabc") != key("echo v2-0-gabc")
    monkeypatch.setattr(backend, "_GIT_TIMEOUT", 0.2)
    assert key("exec sleep 600") is None


@pytest.mark.skipif(os.name != "posix" or find_uv(os.environ) is None, reason="uv is wrapped in a shell script")
def test_a_wheel_of_a_tree_that_changed_while_it_was_built_is_not_taken_for_that_of_the_old_one(tmp_path: Path) -> None:
    tree, trace = tmp_path / "tree", tmp_path / "built"
    (tree / "src" / "demo").mkdir(parents=True)
    module = tree / "src" / "demo" / "__init__.py"
    module.write_text("x = 'committed'\n")
    # uv builds this itself, without any index.
    (tree / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["uv_build"]\nbuild-backend = "uv_build"\n'
        '[project]\nname = "demo"\nversion = "1.0"\n'
    )
    uv = find_uv({**os.environ, "UV_OFFLINE": "1"})
    assert uv is not None
    editing = tmp_path / "uv"
    editing.write_text(
        f"#!/bin/sh\ntest -e {shlex.quote(str(trace))} || echo \"x = 'edited'\" >{shlex.quote(str(module))}\n"
        f'touch {shlex.quote(str(trace))}\nexec {shlex.quote(uv.program)} "$@"\n'
    )
    editing.chmod(0o755)

    def built() -> str:
        """What the wheel of another build says."""
        builder = WheelBuilder(
            tmp_path / "cache",
            find_uv=lambda: replace(uv, program=str(editing)),
            fetch=not_called,
            root=tree,
            environment=os.environ,
        )
        with zipfile.ZipFile(builder.build_tree(tree).path) as archive:
            return archive.read("demo/__init__.py").decode()

    assert built() == "x = 'edited'\n"
    module.write_text("x = 'committed'\n")
    assert built() == "x = 'committed'\n"
