"""Random trees, written as layers and unpacked by the tools that people have."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
import tempfile
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pycontainer.blobs.compression import open_decompressed
from pycontainer.layers.entries import Kind
from pycontainer.layers.member import DeflatedMember
from pycontainer.layers.tar import read_entries
from pycontainer.layers.writer import LayerWriter

NAMES = st.one_of(
    st.text("abcdefg.-_ +é字", min_size=1, max_size=12),
    st.text("ab", min_size=90, max_size=120),
).filter(lambda name: name not in {".", ".."} and not name.startswith(".wh."))
SIZES = st.one_of(st.integers(0, 2000), st.sampled_from([32 << 10, (32 << 10) + 1, 60_000, 200_000, 1_100_000]))
WAYS = st.sampled_from(["file", "stream", "deflated", "stored", "symlink", "directory"])
ENTRIES = st.lists(
    st.tuples(st.lists(NAMES, max_size=3), NAMES, WAYS, SIZES, st.sampled_from([0o644, 0o755, 0o600]), st.booleans()),
    max_size=12,
)


def content(size: int, *, dense: bool) -> bytes:
    unit = bytes((number * number * 7 + number // 251) & 0xFF for number in range(4096)) if dense else b"some text\n"
    return (unit * (size // len(unit) + 1))[:size]


def member(data: bytes, *, stored: bool) -> DeflatedMember:
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    packed = data if stored else packer.compress(data) + packer.flush()
    return DeflatedMember(data=packed, method=0 if stored else 8, size=len(data), crc32=zlib.crc32(data))


def write(entries: Any) -> tuple[bytes, dict[str, Any]]:
    """The layer, and what is in it: bytes, the target of a link as a string, none for a directory."""
    sink = io.BytesIO()
    tree: dict[str, Any] = {}
    with LayerWriter(sink) as writer:
        for parents, name, way, size, mode, dense in entries:
            folders = ["/".join(parents[:end]) for end in range(1, len(parents) + 1)]
            path = "/".join([*parents, name])
            if path in tree or any(tree.get(folder) is not None for folder in folders):
                continue
            for folder in folders:
                writer.directory(folder)
                tree[folder] = None
            data = content(size, dense=dense)
            if way == "directory":
                writer.directory(path)
                tree[path] = None
            elif way == "symlink":
                writer.symlink(path, name)
                tree[path] = name
            else:
                tree[path] = data
                if way == "file":
                    writer.file(path, data, mode=mode)
                elif way == "stream":
                    writer.stream(path, io.BytesIO(data), size, mode=mode)
                else:
                    writer.deflated(path, member(data, stored=way == "stored"), mode=mode)
        writer.finish()
    return sink.getvalue(), tree


def unpacked(root: Path) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for path in root.rglob("*"):
        name = path.relative_to(root).as_posix()
        if path.is_symlink():
            tree[name] = str(path.readlink())
        else:
            tree[name] = None if path.is_dir() else path.read_bytes()
    return tree


@settings(deadline=None, max_examples=settings().max_examples * 3 // 5)
@given(entries=ENTRIES)
def test_python_reads_what_was_written(entries: Any) -> None:
    blob, tree = write(entries)
    found = {}
    with tarfile.open(fileobj=io.BytesIO(blob), mode="r:gz") as archive:
        for info in archive:
            file = archive.extractfile(info) if info.isfile() else None
            found[info.name] = file.read() if file else (info.linkname if info.issym() else None)
    assert found == tree


@settings(deadline=None, max_examples=settings().max_examples * 3 // 5)
@given(entries=ENTRIES)
def test_our_own_reader_reads_what_was_written(entries: Any) -> None:
    blob, tree = write(entries)
    found = {
        entry.path: content.read() if entry.kind is Kind.FILE else (entry.target or None)
        for entry, content in read_entries(open_decompressed(io.BytesIO(blob)))
    }
    assert found == tree


@settings(deadline=None, max_examples=settings().max_examples // 10)
@given(entries=ENTRIES)
def test_the_same_entries_give_the_same_bytes(entries: Any) -> None:
    assert write(entries) == write(entries)


TOOLS = {
    "GNU tar": ["tar", "-xzf", "-", "-C"],
    "bsdtar": ["bsdtar", "-xzf", "-", "-C"],
    "pigz": ["tar", "-I", "pigz", "-xf", "-", "-C"],
    "busybox": ["busybox", "tar", "-xzf", "-", "-C"],
}


@pytest.mark.parametrize("tool", TOOLS)
@settings(
    deadline=None,
    max_examples=settings().max_examples // 10,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(entries=ENTRIES)
def test_the_tools_that_people_have_unpack_what_was_written(tool: str, entries: Any) -> None:
    command = TOOLS[tool]
    needed = "pigz" if tool == "pigz" else command[0]
    if shutil.which(needed) is None:
        pytest.skip(f"{needed} is not installed")
    blob, tree = write(entries)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([*command, folder], input=blob, check=True, env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"})
        assert unpacked(Path(folder)) == tree
