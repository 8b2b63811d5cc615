"""`--compile-bytecode` through the real command: what lands in the image, and what its digest depends on."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest
from bench import Bench
from contents import read_contents

from pycontainer.destinations.layout import LayoutDestination
from pycontainer.testing.debian_archive import SigningKey, serving_archive
from pycontainer.testing.debs import DebForge, ForgedFile, forged_link
from pycontainer.testing.images import debian_like, elf
from pycontainer.testing.wheels import WheelForge

VERSION = sys.version.split()[0]
FEATURE = ".".join(VERSION.split(".")[:2])
TAG = sys.implementation.cache_tag
SITE = f"/app/.venv/lib/python{FEATURE}/site-packages"
DEMO = WheelForge(
    files={"demo/__init__.py": b"x = 1\n", "demo/tests/broken.py": b"x = ]\n"},
    entry_points="[console_scripts]\nd=demo:x\n",
)


@pytest.fixture
def same(tmp_path: Path) -> str:
    """A base image whose Python is the one that runs the tests."""
    path = tmp_path / "same"
    LayoutDestination(path).write(debian_like(VERSION))
    return f"oci:{path}"


def layers(bench: Bench) -> list[str]:
    """The layers that were added to the base, by what the image's history calls them."""
    layout = bench.root / "dist" / "image"

    def document(digest: str) -> dict[str, object]:
        value = json.loads((layout / "blobs" / digest.replace(":", "/")).read_text())
        assert isinstance(value, dict)
        return value

    (top,) = json.loads((layout / "index.json").read_text())["manifests"]
    manifest = document(top["digest"])
    config = document(manifest["config"]["digest"])  # type: ignore[index]
    return [entry["comment"] for entry in config["history"] if "comment" in entry]  # type: ignore[attr-defined]


def test_packages_and_files_have_bytecode_in_layers_of_their_own(bench: Bench, same: str) -> None:
    bench.lock_forge(DEMO)
    bench.write("pkg/module.py", "y = 2\n")
    assert bench.build("--base-image", same).code == 0
    without, before = read_contents(bench.root / "dist" / "image"), layers(bench)
    outcome = bench.build("--base-image", same, "--compile-bytecode", "--verbose")
    assert outcome.code == 0, outcome.err
    contents = read_contents(bench.root / "dist" / "image")
    assert {path for path in contents.files if path not in without.files} == {
        f"{SITE}/demo/__pycache__/__init__.{TAG}.pyc",
        f"/app/__pycache__/main.{TAG}.pyc",
        f"/app/pkg/__pycache__/module.{TAG}.pyc",
    }
    assert {path: contents.files[path] for path in without.files} == without.files, "RECORD is as it was"
    after = layers(bench)
    assert [title for title in after if not title.startswith("bytecode")] == before
    assert [title for title in after if title.startswith("bytecode")] == [
        "bytecode of demo 1.0",
        "bytecode of the project",
    ]
    assert "bytecode of demo 1.0: 1 of 2 files have none" in outcome.err


def test_a_change_of_the_project_leaves_the_bytecode_of_packages_as_it_is(bench: Bench, same: str) -> None:
    bench.lock_forge(DEMO)
    first = bench.build("--base-image", same, "--compile-bytecode", "--verbose")
    bench.write("main.py", "print('changed')\n")
    second = bench.build("--base-image", same, "--compile-bytecode", "--verbose")
    assert "made bytecode of demo 1.0" in first.err
    assert "had bytecode of demo 1.0" in second.err
    assert "made bytecode of the project" in second.err


def test_two_builds_with_nothing_in_a_cache_give_one_digest(bench: Bench, same: str) -> None:
    bench.lock_forge(DEMO)
    digests = set()
    for seed in ("1", "2"):
        shutil.rmtree(bench.root.parent / "cache", ignore_errors=True)
        outcome = bench.run("--base-image", same, "--compile-bytecode", environment={"PYTHONHASHSEED": seed})
        digests.add(outcome.out.strip().rpartition("@")[2])
    assert len(digests) == 1
    assert digests != {bench.build("--base-image", same).out.strip().rpartition("@")[2]}


def test_damage_of_a_cached_layer_is_found_before_it_is_compiled(bench: Bench, same: str) -> None:
    bench.lock_forge(DEMO)
    assert bench.build("--base-image", same).code == 0
    blobs = bench.root.parent / "cache" / "layers" / "blobs" / "sha256"
    for blob in blobs.iterdir():
        content = bytearray(blob.read_bytes())
        content[len(content) // 2] ^= 1
        blob.write_bytes(content)
    damaged = bench.build("--base-image", same, "--compile-bytecode")
    assert damaged.code == 0, damaged.err
    shutil.rmtree(bench.root.parent / "cache")
    assert bench.build("--base-image", same, "--compile-bytecode").out == damaged.out


@pytest.mark.skipif(os.name == "nt", reason="PATH has to be short of Pythons")
def test_without_a_python_of_the_version_nothing_is_built(bench: Bench, tmp_path: Path) -> None:
    other = tmp_path / "other"
    LayoutDestination(other).write(debian_like("3.97.4"))
    bench.lock_forge(DEMO)
    error = bench.refuses(
        "No CPython 3.97 was found on this host to compile bytecode with",
        "the image has CPython 3.97.4",
        "uv python install 3.97",
        "--compile-bytecode",
        arguments=["--base-image", f"oci:{other}", "--compile-bytecode"],
    )
    assert "made" not in error


def test_layers_of_bytecode_count_against_the_budget(bench: Bench, same: str) -> None:
    """User, environment, one of packages and the project's files make four, six with bytecode."""
    bench.lock_forge(DEMO)
    assert bench.build("--base-image", same, "--compile-bytecode", "--layer-budget=6").code == 0
    assert len(layers(bench)) == 6
    shutil.rmtree(bench.root / "dist")
    bench.refuses(
        "There is no room", code=2, arguments=["--base-image", same, "--compile-bytecode", "--layer-budget=5"]
    )


PYTHON = DebForge(
    name=f"python{FEATURE}-minimal",
    version=f"{VERSION}-6+deb12u1",
    fields={"Depends": "libc6"},
    files={
        f"usr/bin/python{FEATURE}": ForgedFile(content=elf("/lib64/ld-linux-x86-64.so.2"), mode=0o755),
        "usr/bin/python3": forged_link(f"python{FEATURE}"),
        f"usr/lib/python{FEATURE}/os.py": b"sep = '/'\n",
        f"usr/lib/python{FEATURE}/json/__init__.py": b"x = 1\n",
        "usr/lib/python3/dist-packages/apt.py": b"",
        "usr/share/python3/runtime.py": b"",
    },
)
LIBC = DebForge(
    name="libc6",
    files={
        "lib/x86_64-linux-gnu/libc.so.6": b"\0GNU C Library (Debian GLIBC 2.36-9) stable release version 2.36.\n",
        "lib64/ld-linux-x86-64.so.2": b"",
    },
)


def test_a_composed_base_has_the_bytecode_of_its_library(bench: Bench) -> None:
    """What is added over a part of it has its own, and where that does not compile, there is none."""
    bench.lock_forge(DEMO)
    bench.write("patch.py", "patched = 2\n")
    bench.write("broken.txt", "broken ]\n")
    key = SigningKey.make()
    bench.write("keys.asc", key.armored)
    library = f"/usr/lib/python{FEATURE}"
    with serving_archive(key) as archive:
        for forge in (PYTHON, LIBC):
            archive.add(forge)
        archive.publish()
        composed = ["--base-image=deb:bookworm", f"--base-package={PYTHON.name}", "--os-keyring=keys.asc"]
        composed += [f"--os-archive={archive.uri} bookworm main", "--compile-bytecode"]
        outcome = bench.build(*composed)
        assert outcome.code == 0, outcome.err
        contents = read_contents(bench.root / "dist" / "image")
        patches = [f"--add=patch.py:{library}/os.py", f"--add=broken.txt:{library}/json/__init__.py"]
        patched = bench.build(*composed, *patches)
        assert patched.code == 0, patched.err
        over = read_contents(bench.root / "dist" / "image")
    bytecode = {path for path in contents.files if path.startswith("/usr/") and path.endswith(".pyc")}
    assert bytecode == {
        f"{library}/__pycache__/os.{TAG}.pyc",
        f"{library}/json/__pycache__/__init__.{TAG}.pyc",
        f"/usr/lib/python3/dist-packages/__pycache__/apt.{TAG}.pyc",
    }
    assert f"bytecode of Python {VERSION}" in layers(bench)
    assert b"patched" in over.files[f"{library}/__pycache__/os.{TAG}.pyc"]
    assert over.files[f"{library}/json/__pycache__/__init__.{TAG}.pyc"] == b""
