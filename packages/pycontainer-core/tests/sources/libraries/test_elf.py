"""What the loader would read of a file is what we read of it, whoever made the file and however it is cut up."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pycontainer.sources.libraries.elf import Elf, ElfReading
from pycontainer.testing.libraries import ARCHITECTURES, forge_library

LIBRARIES = Path("/usr/lib/x86_64-linux-gnu")
MEBIBYTE = 1 << 20


def cut(content: bytes, size: int = 1000) -> Iterator[bytes]:
    return (content[start : start + size] for start in range(0, len(content), size))


def read(content: bytes, *, size: int = 1000, head: int = MEBIBYTE, again: bool = True) -> Elf | None:
    reading = ElfReading(head=head)
    for chunk in cut(content, size):
        reading.feed(chunk)
    return reading.finish((lambda: cut(content, size)) if again else None)


FULL = Elf(
    architecture="amd64",
    soname="libdemo.so.1",
    needed=("libc.so.6", "libz.so.1"),
    runpath=("$ORIGIN/../demo.libs", "/opt/lib"),
    versions={"libc.so.6": ("GLIBC_2.2.5", "GLIBC_2.34"), "libz.so.1": ("ZLIB_1.2.3",)},
    defines=("DEMO_1", "DEMO_2"),
)


def forged(elf: Elf, *, before: int = 0) -> bytes:
    return forge_library(
        soname=elf.soname,
        needed=elf.needed,
        runpath=":".join(elf.runpath),
        versions=elf.versions,
        defines=elf.defines,
        architecture=elf.architecture,
        before=before,
    )


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_architecture(architecture: str) -> None:
    elf = Elf(
        architecture=architecture,
        soname=FULL.soname,
        needed=FULL.needed,
        runpath=FULL.runpath,
        versions=FULL.versions,
        defines=FULL.defines,
    )
    assert read(forged(elf)) == elf


@pytest.mark.parametrize("size", [1, 7, 4096, 10 * MEBIBYTE])
def test_pieces_of_any_size(size: int) -> None:
    assert read(forged(FULL), size=size) == FULL


@pytest.mark.parametrize("again", [True, False])
@pytest.mark.parametrize("head", [64, 200, 500, MEBIBYTE])
def test_a_short_head(head: int, again: bool) -> None:  # noqa: FBT001
    """What the first pass could not know comes from the next one, or the file is none."""
    assert read(forged(FULL, before=3 * MEBIBYTE), head=head, size=100_000, again=again) in (
        (FULL,) if again else (None,)
    )


@pytest.mark.parametrize("size", [100_000, MEBIBYTE // 8, 2 * MEBIBYTE])
def test_what_is_beyond_the_head_is_kept_where_it_can_be_known(size: int) -> None:
    """Strings at the beginning, dynamic section at the end: as linkers lay files out."""
    content = bytearray(forged(FULL))
    # The dynamic section is the last thing; put nothing between it and the rest, far longer than the head.
    offset, _, _, length = struct.unpack_from("<QQQQ", content, 64 + 56 + 8)
    dynamic = content[offset : offset + length]
    moved = content[:offset] + bytes(3 * MEBIBYTE) + dynamic
    struct.pack_into("<Q", moved, 64 + 56 + 8, offset + 3 * MEBIBYTE)
    assert read(bytes(moved), size=size, again=False) == FULL


def test_weak_versions_may_be_missing() -> None:
    content = forge_library(needed=["libc.so.6"], versions={"libc.so.6": ["OLD_1", "NEW_2"]}, weak=["NEW_2"])
    elf = read(content)
    assert elf is not None
    assert elf.versions == {"libc.so.6": ("OLD_1",)}


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\x7fEL", id="a-part-of-the-magic"),
        pytest.param(b"\x7fELF", id="magic-alone"),
        pytest.param(b"#!/bin/sh\nexit 1\n", id="script"),
        pytest.param(b"/* GNU ld script */\nINPUT(/lib/libc.so.6)\n", id="linker-script"),
        pytest.param(b"PK\3\4" + bytes(3 * MEBIBYTE), id="another-format"),
        pytest.param(forged(FULL)[:64], id="header-alone"),
        pytest.param(forged(FULL).replace(b"\2\0\0\0\4\0\0\0", b"\7\0\0\0\4\0\0\0"), id="static"),
        pytest.param(forge_library(needed=["liba.so\n"]), id="name-with-control-character"),
        pytest.param(forge_library(needed=["a.so"], tags={5: 0}), id="strings-outside"),
        pytest.param(forge_library(needed=["a.so"], tags={10: 1}), id="strings-cut-off"),
        pytest.param(forge_library(needed=["a.so"], tags={1: 1 << 40}), id="name-outside"),
        pytest.param(forge_library(needed=["a.so"], tags={0x6FFFFFFE: 1 << 60}), id="versions-outside"),
    ],
)
def test_what_no_loader_loads_is_none(content: bytes) -> None:
    assert read(content) is None


def test_a_chain_that_never_ends_is_cut() -> None:
    """Version needs that overlap each other and their own names: a thousand times a thousand, if nobody counted."""
    table = struct.pack("<HHIII", 1, 0xFFFF, 1, 0, 1) * 4000
    at = 64 + 2 * 56
    content = bytearray(forge_library(needed=["a.so"], before=len(table), tags={0x6FFFFFFE: 0x10000 + at}))
    assert read(bytes(content)) is not None
    content[at : at + len(table)] = table
    assert read(bytes(content)) is None


@settings(max_examples=2 * settings().max_examples, deadline=None)
@given(st.data())
def test_no_damage_is_more_than_none(data: st.DataObject) -> None:
    """Whatever bytes change, reading ends, and gives names that can be shown."""
    content = bytearray(forged(FULL))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(4, len(content) - 1))
        width = data.draw(st.sampled_from([1, 2, 4, 8]))
        value = (
            data.draw(st.sampled_from([0, 1, 0x7F, 0xFF]))
            if width == 1
            else data.draw(st.integers(0, (1 << 8 * width) - 1))
        )
        content[at : at + width] = value.to_bytes(width, "little")
    cut_to = data.draw(st.sampled_from([len(content), data.draw(st.integers(4, len(content)))]))
    elf = read(bytes(content[:cut_to]), head=data.draw(st.sampled_from([100, MEBIBYTE])))
    if elf is not None:
        names = [elf.soname, *elf.needed, *elf.runpath, *elf.versions, *elf.defines]
        assert all(name.isprintable() for name in names)


@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")
def test_what_a_linker_makes(tmp_path: Path) -> None:
    script = tmp_path / "map"
    script.write_text("ONE_1.0 { global: one; local: *; };\nONE_2.0 { global: two; } ONE_1.0;\n")
    (tmp_path / "one.c").write_text("int one(void) { return 1; }\nint two(void) { return 2; }\n")
    (tmp_path / "use.c").write_text("int two(void);\nint use(void) { return two(); }\n")
    link = ["gcc", "-shared", "-fPIC", "-nostdlib"]
    first = ["-Wl,-soname,libone.so.1", f"-Wl,--version-script={script}", "-o", "libone.so.1", "one.c"]
    second = ["-Wl,--enable-new-dtags", "-Wl,-rpath,$ORIGIN/x:/opt/y", "-o", "use.so", "use.c", "-l:libone.so.1", "-L."]
    subprocess.run([*link, *first], cwd=tmp_path, check=True)
    subprocess.run([*link, *second], cwd=tmp_path, check=True)
    one, use = read((tmp_path / "libone.so.1").read_bytes()), read((tmp_path / "use.so").read_bytes())
    assert one is not None
    assert use is not None
    assert (one.soname, one.defines) == ("libone.so.1", ("ONE_1.0", "ONE_2.0"))
    assert (use.needed, use.runpath) == (("libone.so.1",), ("$ORIGIN/x", "/opt/y"))
    assert use.versions == {"libone.so.1": ("ONE_2.0",)}


def by_readelf(path: Path) -> Elf | None:
    text = subprocess.run(["readelf", "-dVW", path], capture_output=True, text=True, check=False).stdout
    if "Dynamic section" not in text:
        return None
    versions: dict[str, list[str]] = {}
    defines, library, section = [], "", ""
    for line in text.splitlines():
        section = line if line.startswith("Version ") else section
        if "needs" in section and (match := re.search(r"Version: 1  File: (\S+)", line)):
            library = match[1]
        elif "needs" in section and (match := re.search(r"Name: (\S+)  Flags: (.*)  Version", line)):
            if "WEAK" not in match[2]:
                versions.setdefault(library, []).append(match[1])
        elif "definition" in section and (match := re.search(r"Flags: (.*?)  Index: .*  Name: (\S+)", line)):
            defines += [] if "BASE" in match[1] else [match[2]]
    runpath = re.findall(r"\(RUNPATH\).*\[(.*)\]", text) or re.findall(r"\(RPATH\).*\[(.*)\]", text)
    return Elf(
        architecture="amd64",
        soname="".join(re.findall(r"\(SONAME\).*\[(.*)\]", text)),
        needed=tuple(re.findall(r"\(NEEDED\).*\[(.*)\]", text)),
        runpath=tuple(filter(None, ":".join(runpath).split(":"))),
        versions={name: tuple(names) for name, names in versions.items()},
        defines=tuple(defines),
    )


@pytest.mark.skipif(shutil.which("readelf") is None or not LIBRARIES.is_dir(), reason="no readelf, or another system")
def test_the_libraries_of_this_host_as_readelf_reads_them() -> None:
    files = sorted({path.resolve() for path in LIBRARIES.glob("*.so*") if path.is_file()})
    assert files
    for path in files[::8]:
        assert read(path.read_bytes(), size=100_000) == by_readelf(path), path
