"""The environment that our layers hold is the one that `uv` installs at the same place, file by file.

The wheels of `wheels.txt` are installed twice: by `uv pip install`, and by us into a layer that `tarfile` unpacks.
Paths, kinds, modes, link targets and contents must be equal. Every difference that may be is named in this file, with
its reason, and a reason that nothing needs any more fails the test.
"""

from __future__ import annotations

import csv
import hashlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from base64 import urlsafe_b64encode
from functools import partial
from pathlib import Path

import pytest
from real.environments import entry_point, explained

from pycontainer.blobs.store import BlobStore
from pycontainer.layers.writer import LayerWriter
from pycontainer.sources.target import PythonVersion
from pycontainer.sources.wheels import Environment, EnvironmentRecipe, WheelInput, WheelsRecipe
from pycontainer.sources.wheels.wheel import WheelFile
from pycontainer.testing.wheels import EXECUTABLE, ForgedMember, WheelForge

pytestmark = [
    pytest.mark.network,
    pytest.mark.skipif(sys.platform != "linux", reason="the images are Linux, and so are these wheels"),
]

WHEELS = Path(__file__).with_name("wheels.txt")

# Files that only uv writes: a pattern for the path in the environment → the reason.
ONLY_UV = {
    r"\.lock": "guards the environment against a second uv; an image does not change",
    r"\.gitignore": "keeps the environment out of a repository",
    r"CACHEDIR\.TAG": "keeps it out of backups",
    r"bin/(de)?activate[^/]*": "for interactive shells; an image has `PATH`",
    r"bin/pydoc\.bat": "for interactive shells",
    r"lib/.*\.dist-info/uv_cache\.json": "uv's own memory, with a time of this host",
    r"lib/.*\.dist-info/REQUESTED": "uv writes it for every package of a lock; PEP 376 means what a user asked for",
}
# Files whose content differs: a pattern → the reason. How far they may differ, `_same_in_meaning` says.
DIFFERS = {
    r"lib/.*\.dist-info/INSTALLER": "says who installed",
    r"lib/.*\.dist-info/RECORD": "has the rows of the files named here",
    r"pyvenv\.cfg": "names uv",
    r"bin/[^/]+": "scripts for entry points: uv's also serve Windows",
}
# Commands that run without their package's dependencies.
COMMANDS = [
    ["coverage", "--version"],
    ["f2py", "-v"],
    ["fonttools", "--help"],
    ["forged-command"],
    ["forged-script"],
    ["jp.py", "--help"],
    ["maturin", "--version"],
    ["meson", "--version"],
    ["ninja", "--version"],
    ["normalizer", "--version"],
    ["pip", "--version"],
    ["py-spy", "--version"],
    ["pyserial-ports", "--help"],
    ["rst2html.py", "--version"],
    ["ruff", "--version"],
    ["tqdm", "--version"],
    ["wheel", "version"],
    ["yt-dlp", "--version"],
]


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The wheels, from a folder that outlives the test run, and one more that has every kind of `.data`."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    wanted = hashlib.sha256(WHEELS.read_bytes()).hexdigest()[:12]
    folder = home / "pycontainer-tests" / f"wheels-{sys.implementation.cache_tag}-{sysconfig.get_platform()}-{wanted}"
    if not folder.exists():
        _download(folder, tmp_path_factory.mktemp("download"))
    forged = tmp_path_factory.mktemp("forged")
    return [*sorted(folder.glob("*.whl")), _forge(forged)]


@pytest.fixture(scope="module")
def environments(wheels: list[Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The environment that uv makes, and ours for the same place: the prefix and what our layers unpack to."""
    folder = tmp_path_factory.mktemp("same")
    prefix = folder / "venv"
    _install_with_uv(prefix, wheels)
    unpacked = folder / "unpacked"
    for layer in _layers(prefix, wheels, folder):
        with tarfile.open(layer, "r:gz") as tar:
            tar.extractall(unpacked, filter="fully_trusted")  # noqa: S202 - our own layer, and its modes are the point
    return prefix, unpacked / str(prefix).lstrip("/")


def test_every_kind_of_wheel_is_among_them(wheels: list[Path]) -> None:
    kinds = set()
    for path in wheels:
        with WheelFile(path) as wheel:
            kinds |= {name.split("/")[1] for name in wheel.archive.files if name.startswith(wheel.identity.data)}
            kinds |= {"abi3"} if "-abi3-" in path.name else set()
            kinds |= {"pth"} if any(re.fullmatch(r"[^/]+\.pth", name) for name in wheel.archive.files) else set()
            kinds |= {"command"} if wheel.commands else set()
            kinds |= {"large"} if path.stat().st_size > 10 << 20 else set()
    assert kinds >= {"purelib", "platlib", "scripts", "headers", "data", "abi3", "pth", "command", "large"}
    assert len(wheels) > 85


def test_the_environment_is_the_one_that_uv_installs(environments: tuple[Path, Path]) -> None:
    theirs, ours = (_tree(root) for root in environments)
    unexplained = []
    used: set[str] = set()
    for path in sorted(theirs.keys() | ours.keys()):
        if theirs.get(path) == ours.get(path):
            continue
        reason = explained(path, DIFFERS if path in ours else ONLY_UV)
        if reason is None or (path in ours and not _same_in_meaning(path, *environments)):
            unexplained.append((path, theirs.get(path), ours.get(path)))
        else:
            used.add(reason)
    assert not unexplained
    assert used == {*ONLY_UV.values(), *DIFFERS.values()}
    assert len(ours) > 20_000


def test_commands_run(environments: tuple[Path, Path]) -> None:
    prefix, ours = environments
    theirs = prefix.rename(prefix.with_name("theirs"))
    shutil.move(ours, prefix)
    try:
        for command in COMMANDS:
            for root in (theirs, prefix):
                assert (root / "bin" / command[0]).is_file(), command
            run = subprocess.run(
                [str(prefix / "bin" / command[0]), *command[1:]],
                capture_output=True,
                text=True,
                check=False,
                timeout=60,
            )
            assert run.returncode == 0, (command, run.stdout, run.stderr)
        shown = subprocess.run(
            [prefix / "bin/python", "-c", "import sys; print(sys.prefix, sys.base_prefix != sys.prefix)"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert shown.stdout.split() == [str(prefix), "True"]
    finally:
        shutil.move(prefix, ours)
        theirs.rename(prefix)


def _uv() -> str:
    from uv import find_uv_bin  # noqa: PLC0415 - installed with the extra that this test needs

    return find_uv_bin()


def _download(folder: Path, scratch: Path) -> None:
    """uv cannot download without installing, pip can."""
    subprocess.run([_uv(), "venv", "--quiet", "--seed", "--python", sys.executable, str(scratch / "pip")], check=True)
    command = [
        str(scratch / "pip/bin/python"),
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--only-binary",
        ":all:",
    ]
    subprocess.run([*command, "--dest", str(scratch / "wheels"), "--requirement", str(WHEELS)], check=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(scratch / "wheels", folder)


def _forge(folder: Path) -> Path:
    data = "Forged.Wheel-1.0.data"
    program = b"#!/bin/sh\nexit 0\n"
    return WheelForge(
        name="Forged.Wheel",
        stem="Forged.Wheel-1.0",
        files={
            "forged/__init__.py": b"class Main:\n    @staticmethod\n    def run():\n        return 0\n",
            "forged/program": ForgedMember(name="forged/program", content=program, mode=EXECUTABLE),
            "forged/owner": ForgedMember(name="forged/owner", content=program, mode=0o744),
            "forged/setuid": ForgedMember(name="forged/setuid", content=program, mode=EXECUTABLE | 0o4000),
            "forged/windows": ForgedMember(name="forged/windows", content=program, mode=None),
            "forged/empty/": ForgedMember(name="forged/empty/", mode=0o40755),
            'forged/a "quoted", name.txt': b"",
            "forged/\N{LATIN SMALL LETTER E WITH ACUTE}.txt": b"",
            f"{data}/purelib/forged_pure.py": b"",
            f"{data}/platlib/forged_native.py": b"",
            f"{data}/scripts/forged-script": b"#!python -E\nraise SystemExit(0)\n",
            f"{data}/scripts/forged-script-w": b"#!pythonw\r\nraise SystemExit(0)\r\n",
            f"{data}/scripts/forged-shell": program,
            f"{data}/headers/forged.h": b"",
            f"{data}/data/share/forged/data.txt": b"",
            f"{data}/data/lib64/forged.so": b"",
            f"{data}/data/bin/forged-tool": ForgedMember(
                name=f"{data}/data/bin/forged-tool", content=program, mode=EXECUTABLE
            ),
        },
        entry_points=(
            "[console_scripts]\nforged-command = forged:Main.run [extra]\n[gui_scripts]\nforged-window=forged:Main\n"
        ),
    ).write(folder)


def _install_with_uv(prefix: Path, wheels: list[Path]) -> None:
    subprocess.run([_uv(), "venv", "--quiet", "--python", sys.executable, str(prefix)], check=True, umask=0o022)
    links = [argument for folder in {path.parent for path in wheels} for argument in ("--find-links", str(folder))]
    command = [_uv(), "pip", "install", "--quiet", "--python", str(prefix / "bin/python"), "--no-deps", "--no-index"]
    # A wheel that is named by its path gets a `direct_url.json`; from an index, or a folder of links, it does not.
    requirements = ["--requirement", str(WHEELS), "forged-wheel==1.0"]
    refresh = ["--refresh-package", "forged-wheel", "--link-mode", "copy"]
    subprocess.run([*command, *links, *refresh, *requirements], check=True, umask=0o022)


def _layers(prefix: Path, wheels: list[Path], folder: Path) -> list[Path]:
    interpreter = str((prefix / "bin/python").readlink())
    environment = Environment(
        prefix=str(prefix),
        python=PythonVersion.parse(".".join(map(str, sys.version_info[:3]))),
        interpreter=interpreter,
        free_threaded=bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    )
    store = BlobStore(folder / "store")
    paths = []
    for recipe in (EnvironmentRecipe(environment=environment), _recipe(wheels, environment)):
        with store.writer() as blob, LayerWriter(blob) as writer:
            contents = recipe.write(writer)
            writer.finish()
            paths.append(store.path(blob.commit()))
        assert contents.warnings == ()
    return paths


def _recipe(wheels: list[Path], environment: Environment) -> WheelsRecipe:
    inputs = []
    for path in wheels:
        with WheelFile(path) as wheel:
            name, version = wheel.name, wheel.identity.version
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        inputs.append(
            WheelInput(name=name, version=version, filename=path.name, sha256=digest, open_path=partial(Path, path))
        )
    return WheelsRecipe(wheels=tuple(inputs), environment=environment)


def _tree(root: Path) -> dict[str, tuple[str, int, str]]:
    """Every path below `root`: kind, mode, and content's hash or link's target."""
    found = {}
    for folder, folders, files in os.walk(root):
        for name in (*folders, *files):
            path = Path(folder, name)
            key = path.relative_to(root).as_posix()
            mode = path.lstat().st_mode & 0o7777
            if path.is_symlink():
                found[key] = ("link", mode, str(path.readlink()))
            elif path.is_dir():
                found[key] = ("directory", mode, "")
            else:
                found[key] = ("file", mode, hashlib.sha256(path.read_bytes()).hexdigest())
    return found


def _same_in_meaning(path: str, their_root: Path, our_root: Path) -> bool:
    theirs, ours = their_root / path, our_root / path
    if not theirs.exists() or theirs.lstat().st_mode != ours.lstat().st_mode:
        return False
    if path.endswith("INSTALLER"):
        return (theirs.read_text().strip(), ours.read_text().strip()) == ("uv", "pycontainer")
    if path.endswith("RECORD"):
        return _record(theirs, their_root) == _record(ours, our_root)
    if path == "pyvenv.cfg":
        return [line for line in theirs.read_text().splitlines() if not line.startswith("uv = ")] == (
            ours.read_text().splitlines()
        )
    return entry_point(theirs) is not None and entry_point(theirs) == entry_point(ours)


def _record(path: Path, root: Path) -> dict[str, list[str]]:
    """The rows, without those of files that are explained; each row's own truth is checked on the way."""
    rows = {}
    for row in csv.reader(path.read_text().splitlines()):
        file = Path(os.path.normpath(path.parent.parent / row[0]))
        relative = file.relative_to(root).as_posix().replace("lib64/", "lib/", 1)
        if not explained(relative, {**ONLY_UV, **DIFFERS}) or (
            relative.startswith("bin/") and entry_point(file) is None
        ):
            rows[relative] = [_base64(row[1]), row[2]]
        assert (root / relative).exists()
    return rows


def _base64(hashed: str) -> str:
    """uv leaves gmsh's hashes in hexadecimal, we write them as *Recording installed projects* has them."""
    digest = hashed.removeprefix("sha256=")
    if re.fullmatch(r"[0-9a-f]{64}", digest) is None:
        return hashed
    return "sha256=" + urlsafe_b64encode(bytes.fromhex(digest)).rstrip(b"=").decode()
