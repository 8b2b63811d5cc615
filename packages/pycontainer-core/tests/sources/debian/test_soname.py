"""The name of a shared library is read from what the loader reads, and nothing else is believed."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pycontainer.sources.debian.soname import is_library, read_shared_library
from pycontainer.sources.debian.summary import SharedLibrary

PATH = "usr/lib/libdemo.so.1"


def library(*, bits: int = 64, order: str = "<", soname: bytes = b"libdemo.so.1", kind: int = 3) -> bytes:
    """A library of one segment that holds all of it: header, segments, dynamic section, strings."""
    wide = bits == 64
    head_size, segment_size = (64, 56) if wide else (52, 32)
    dynamic_at = head_size + 2 * segment_size
    pair = order + ("qQ" if wide else "iI")
    strings_at = dynamic_at + 3 * struct.calcsize(pair)
    strings = b"\0" + soname + b"\0"
    size = strings_at + len(strings)
    address = 0x1000
    dynamic = struct.pack(pair, 5, address + strings_at) + struct.pack(pair, 14, 1) + struct.pack(pair, 0, 0)
    ident = b"\x7fELF" + bytes([2 if wide else 1, 1 if order == "<" else 2, 1]) + bytes(9)
    form = order + ("HHIQQQIHHHHHH" if wide else "HHIIIIIHHHHHH")
    head = ident + struct.pack(form, kind, 62, 1, 0, head_size, 0, 0x5000400, head_size, segment_size, 2, 0, 0, 0)

    def segment(number: int, offset: int, length: int) -> bytes:
        if wide:
            return struct.pack(order + "IIQQQQQQ", number, 4, offset, address + offset, 0, length, length, 8)
        return struct.pack(order + "IIIIIIII", number, offset, address + offset, 0, length, length, 4, 4)

    return head + segment(1, 0, size) + segment(2, dynamic_at, len(dynamic)) + dynamic + strings


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("order", ["<", ">"])
def test_every_form_is_read(bits: int, order: str) -> None:
    found = read_shared_library(PATH, io.BytesIO(library(bits=bits, order=order)))
    assert found == SharedLibrary(path=PATH, soname="libdemo.so.1", bits=bits, machine=62, flags=0x5000400)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"/* GNU ld script */ GROUP ( libc.so.6 )",
        b"\x7fELF",
        library(kind=2),
        library(soname=b""),
        library(soname=b"../../etc/passwd"),
        library(soname=b"l" * 300),
        library(soname=b"lib\xff.so"),
    ],
)
def test_what_is_no_library_with_a_name_is_none(content: bytes) -> None:
    assert read_shared_library(PATH, io.BytesIO(content)) is None


def test_names_of_libraries_are_those_that_ldconfig_looks_at() -> None:
    assert all(map(is_library, ["usr/lib/libc.so.6", "lib/ld-linux-x86-64.so.2", "libx.so", "ld-2.31.so"]))
    assert not any(map(is_library, ["usr/lib/libc.a", "usr/lib/python3/x.cpython-311.so", "libx.solid", "lib.so/x"]))


@pytest.mark.skipif(sys.platform != "linux", reason="the libraries of this host are of another format")
def test_libraries_of_this_host_have_the_names_that_objdump_tells() -> None:
    folders = [Path("/usr/lib/x86_64-linux-gnu"), Path("/usr/lib/aarch64-linux-gnu"), Path("/usr/lib64")]
    paths = [path for folder in folders if folder.is_dir() for path in sorted(folder.glob("lib*.so.*"))][:25]
    for path in paths:
        try:
            shown = subprocess.run(["objdump", "-p", path], capture_output=True, text=True, check=False).stdout
        except OSError:
            pytest.skip("binutils are not installed")
        expected = [line.split()[1] for line in shown.splitlines() if line.split()[:1] == ["SONAME"]]
        with path.open("rb") as file:
            found = read_shared_library(str(path), file)
        assert ([found.soname] if found else []) == expected


@settings(max_examples=3 * settings().max_examples, deadline=None)
@given(
    changes=st.lists(st.tuples(st.integers(0, 300), st.binary(min_size=1, max_size=8)), min_size=1, max_size=4),
    bits=st.sampled_from([32, 64]),
)
def test_whatever_the_bytes_are_nothing_is_raised(changes: list[tuple[int, bytes]], bits: int) -> None:
    content = bytearray(library(bits=bits))
    for place, data in changes:
        content[place : place + len(data)] = data
    found = read_shared_library(PATH, io.BytesIO(content))
    assert found is None or (found.soname and "/" not in found.soname)
