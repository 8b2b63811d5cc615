"""A Debian package is read as dpkg-deb packs it; anything that it should not be is one clear error."""

from __future__ import annotations

import hashlib
import io
import lzma
import tracemalloc
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pycontainer.blobs import compression
from pycontainer.errors import DocumentError, IntegrityError, PackageError, PyContainerError, StoreError, ToolError
from pycontainer.layers.entries import Kind
from pycontainer.sources.debian.deb import Deb, open_deb
from pycontainer.sources.debian.examination import Examination, summarize
from pycontainer.sources.debian.package import BinaryPackage
from pycontainer.sources.debian.summary import DebSummary, PackedPath
from pycontainer.testing.debs import (
    DebForge,
    ForgedArMember,
    ForgedFile,
    forge_ar,
    forge_compressed,
    forge_tar,
    forged_link,
)

DEMO = BinaryPackage(name="demo", version="1.0", architecture="amd64")
FULL = DebForge(
    fields={"Depends": "libc6 (>= 2.36)", "Multi-Arch": "same"},
    files={
        "usr/bin/demo": ForgedFile(content=b"program", mode=0o4755, group="tty", gid=5),
        "usr/bin/again": ForgedFile(kind=Kind.HARD_LINK, target="usr/bin/demo"),
        "usr/lib/libdemo.so": forged_link("libdemo.so.1"),
        "usr/share/" + "long/" * 60 + "name": b"deep",
        "etc/demo.conf": b"setting\n",
    },
    scripts={"postinst": "#!/bin/sh\nexit 0\n"},
    conffiles=["/etc/demo.conf"],
    control_members={"triggers": "activate-noawait ldconfig\n"},
)


def read(content: bytes, package: BinaryPackage = DEMO) -> tuple[DebSummary, dict[str, bytes]]:
    examination = Examination(Deb(io.BytesIO(content), package))
    contents = {packed.path: stream.read() for packed, stream in examination.entries()}
    return examination.summary(), contents


def refused(content: bytes, match: str) -> None:
    with pytest.raises(DocumentError) as caught:
        read(content)
    assert match in "\n".join(caught.value.facts)
    assert "demo 1.0" in caught.value.message


def with_members(*members: ForgedArMember) -> bytes:
    return forge_ar(members)


@pytest.mark.parametrize("pack", ["xz", "gz", "zst", ""])
def test_everything_in_a_package_is_found(pack: str) -> None:
    summary, contents = read(replace(FULL, compression=pack).build())
    assert summary.package == replace_package(depends="libc6 (>= 2.36)", multi_arch="same")
    assert summary.control == FULL.paragraph()
    assert summary.scripts == {"postinst": "#!/bin/sh\nexit 0\n"}
    assert summary.conffiles == ("etc/demo.conf",)
    assert summary.triggers == "activate-noawait ldconfig\n"
    assert summary.md5sums.count("\n") == 2
    assert summary.sums == {"etc/demo.conf": hashlib.md5(b"setting\n", usedforsecurity=False).hexdigest()}
    paths = {packed.path: packed for packed in summary.paths}
    assert paths["usr/bin/demo"] == PackedPath(
        path="usr/bin/demo", kind=Kind.FILE, mode=0o4755, user="root", group="tty", gid=5, size=7
    )
    assert (paths["usr/bin/again"].kind, paths["usr/bin/again"].target) == (Kind.HARD_LINK, "usr/bin/demo")
    assert (paths["usr/lib/libdemo.so"].kind, paths["usr/lib/libdemo.so"].target) == (Kind.SYMLINK, "libdemo.so.1")
    assert contents["usr/share/" + "long/" * 60 + "name"] == b"deep"
    assert contents["etc/demo.conf"] == b"setting\n"
    assert "" not in paths


def replace_package(**fields: str) -> BinaryPackage:
    return BinaryPackage(name="demo", version="1.0", architecture="amd64", **fields)  # type: ignore[arg-type]


def test_the_file_on_disk_is_hashed_while_it_is_read(tmp_path: Path) -> None:
    path = FULL.write(tmp_path)
    content = path.read_bytes()
    package = BinaryPackage(
        name="demo", version="1.0", architecture="amd64", size=len(content), sha256=hashlib.sha256(content).hexdigest()
    )
    assert summarize(path, package).package.sha256 == package.sha256
    damaged = bytearray(content)
    damaged[len(content) // 2] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(IntegrityError, match="not the one that was announced"):
        summarize(path, package)
    path.write_bytes(content + b"\n")
    with pytest.raises(IntegrityError):
        summarize(path, package)
    path.unlink()
    with pytest.raises(StoreError), open_deb(path, package):
        pass


@pytest.mark.parametrize(
    "other",
    [
        {"name": "other", "version": "1.0", "architecture": "amd64"},
        {"name": "demo", "version": "1.1", "architecture": "amd64"},
        {"name": "demo", "version": "1.0", "architecture": "arm64"},
    ],
)
def test_another_package_than_the_announced_one_is_refused(other: dict[str, str]) -> None:
    with pytest.raises(PackageError, match="holds another one"):
        read(FULL.build(), BinaryPackage(**other))  # type: ignore[arg-type]


def test_a_package_without_checksums_is_summed_up() -> None:
    forge = replace(FULL, control_members={"md5sums": ""})
    with_empty, _ = read(forge.build())
    assert set(with_empty.sums) == {"etc/demo.conf"}
    control = forge_compressed(forge_tar({"control": FULL.paragraph().encode()}), "gz")
    binary, _, data = FULL.members()
    without, _ = read(with_members(binary, ForgedArMember(name="control.tar.gz", content=control), data))
    assert set(without.sums) == {path.path for path in without.paths if path.kind is Kind.FILE}


def test_members_that_older_programs_may_skip_are_skipped() -> None:
    binary, control, data = FULL.members()
    extra = ForgedArMember(name="_extra", content=b"odd")
    later = ForgedArMember(name="_gpgorigin", content=b"signature")
    summary, _ = read(with_members(binary, extra, control, extra, data, later))
    assert summary == read(FULL.build())[0]


def test_names_of_members_may_end_with_a_slash() -> None:
    slashed = [replace(member, header={"name": f"{member.name}/"}) for member in FULL.members()]
    assert read(with_members(*slashed))[0] == read(FULL.build())[0]


BINARY, CONTROL, DATA = DebForge().members()


@pytest.mark.parametrize(
    ("members", "match"),
    [
        ([], "`debian-binary`"),
        ([CONTROL, DATA], "`debian-binary`"),
        ([replace(BINARY, content=b"3.0\n"), CONTROL, DATA], "not 2.0"),
        ([replace(BINARY, content=b"2.0"), CONTROL, DATA], "not 2.0"),
        ([replace(BINARY, content=b"2.0\n" * 400), CONTROL, DATA], "`debian-binary`"),
        ([BINARY, DATA, CONTROL], "`data.tar.xz` stands where `control.tar`"),
        ([BINARY, CONTROL], "no `data.tar`"),
        ([BINARY], "no `control.tar`"),
        ([BINARY, CONTROL, CONTROL, DATA], "stands where `data.tar`"),
        ([BINARY, CONTROL, DATA, DATA], "a second time"),
        ([BINARY, CONTROL, DATA, CONTROL], "a second time"),
        ([BINARY, CONTROL, DATA, BINARY], "a second time"),
        ([BINARY, ForgedArMember(name="readme"), CONTROL, DATA], "stands where"),
        ([BINARY, CONTROL, ForgedArMember(name="data.tar.bz2", content=b"BZh")], "stands where"),
        ([BINARY, CONTROL, replace(DATA, header={"size": str(len(DATA.content) + 2)})], "cut off"),
        ([BINARY, CONTROL, replace(DATA, header={"size": str(len(DATA.content) - 64)})], "cut off"),
        ([BINARY, CONTROL, replace(DATA, header={"size": "9999999999"})], "cut off"),
        ([BINARY, CONTROL, replace(DATA, header={"size": "-1"})], "malformed"),
        ([BINARY, CONTROL, replace(DATA, header={"size": "1 2"})], "malformed"),
        ([BINARY, CONTROL, replace(DATA, header={"size": "0x10"})], "malformed"),
        ([BINARY, CONTROL, replace(DATA, header={"end": "``"})], "malformed"),
        ([BINARY, CONTROL, replace(DATA, header={"name": "../data.tar"})], "malformed"),
        ([BINARY, CONTROL, replace(DATA, header={"name": "/"})], "malformed"),
        ([BINARY, ForgedArMember(name="_odd", content=b"x", padding=b"!"), CONTROL, DATA], "padding"),
    ],
)
def test_a_container_that_lies_is_refused(members: Sequence[ForgedArMember], match: str) -> None:
    refused(with_members(*members), match)


@pytest.mark.parametrize("after", [b"x", b"\n", b"garbage" * 20, bytes(60)])
def test_bytes_behind_the_last_member_are_refused(after: bytes) -> None:
    even = replace(DATA, content=DATA.content + b"", padding=None)
    refused(forge_ar([BINARY, CONTROL, even], after=after), "")


def test_a_package_may_not_be_anything_but_an_ar_archive() -> None:
    refused(b"", "no `ar` archive")
    refused(b"PK\3\4", "no `ar` archive")
    refused(forge_ar(DebForge().members(), magic=b"!<thin>\n"), "no `ar` archive")


def test_every_truncation_is_refused() -> None:
    content = DebForge(compression="gz").build()
    ends = [*range(0, len(content) - 12, 7), *range(len(content) - 12, len(content) - 1)]
    for end in ends:
        with pytest.raises(DocumentError):
            read(content[:end])


@pytest.mark.parametrize(
    ("files", "match"),
    [
        ({"/etc/passwd": b"x"}, "`/etc/passwd` cannot be a path"),
        ({"./../etc/passwd": b"x"}, "cannot be a path"),
        ({"./usr/../../etc/passwd": b"x"}, "cannot be a path"),
        ({"./usr//bin": b"x"}, "cannot be a path"),
        ({"./usr/.wh.bin": b"x"}, "cannot be a path"),
        ({"/": ForgedFile(kind=Kind.DIRECTORY)}, "cannot be a path"),
        ({"./": b"x"}, ""),
        ({"./" + "n" * 300: b"x"}, "cannot be a path"),
        ({"dev/null": ForgedFile(kind=Kind.CHARACTER_DEVICE)}, "a device or a pipe"),
        ({"dev/sda": ForgedFile(kind=Kind.BLOCK_DEVICE)}, "a device or a pipe"),
        ({"run/pipe": ForgedFile(kind=Kind.FIFO)}, "a device or a pipe"),
        ({"usr/x": ForgedFile(kind=Kind.HARD_LINK, target="/etc/shadow")}, "cannot be a path"),
        ({"usr/x": ForgedFile(kind=Kind.HARD_LINK, target="../etc/shadow")}, "cannot be a path"),
        ({"usr/x": ForgedFile(kind=Kind.HARD_LINK, target="etc/shadow")}, "names no file of the package"),
        ({"usr/x": ForgedFile(kind=Kind.HARD_LINK, target="usr")}, "names no file of the package"),
        ({"usr/x": b"1", "./usr/x": b"2"}, "twice"),
        ({"usr/x": b"1", "./usr/x": forged_link("/")}, "twice"),
    ],
)
def test_entries_that_leave_the_package_are_refused(files: dict[str, bytes | ForgedFile], match: str) -> None:
    forge = DebForge(data=forge_tar(files), files={})
    refused(forge.build(), match)


def test_the_control_part_is_plain_files_of_modest_size() -> None:
    def control(files: dict[str, bytes | ForgedFile], pack: str = "gz") -> bytes:
        tar = forge_compressed(forge_tar(files), pack)
        return with_members(BINARY, ForgedArMember(name=f"control.tar.{pack}", content=tar), DATA)

    right = DebForge().paragraph().encode()
    refused(control({}), "no `control`")
    refused(control({"control": right, "./control": right}), "there twice")
    refused(control({"control": right, "sub/file": b""}), "no plain file")
    refused(control({"control": right, "link": forged_link("control")}), "no plain file")
    refused(control({"control": right, "md5sums": bytes(17 << 20)}, "xz"), "too large")
    refused(control({"control": right, **{f"m{number}": bytes(12 << 20) for number in range(3)}}, "xz"), "too large")
    refused(control({"control": right, **{f"m{number}": b"" for number in range(300)}}), "more than 200")
    with pytest.raises(DocumentError):
        read(control({"control": b"Package: demo\nVersion: 1.0\n"}))
    with pytest.raises(DocumentError):
        read(control({"control": right + b"\n" + right}))


def test_a_script_in_an_old_encoding_is_read() -> None:
    tar = forge_tar({"control": DebForge().paragraph().encode(), "postinst": b"# caf\xe9\n"})
    control = ForgedArMember(name="control.tar", content=tar)
    assert read(with_members(BINARY, control, DATA))[0].scripts == {"postinst": "# caf\xe9\n"}


def test_bombs_are_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compression, "RATIO_FREE", 1 << 20)
    packed = lzma.compress(forge_tar({"zeros": bytes(64 << 20)}))
    refused(with_members(BINARY, CONTROL, ForgedArMember(name="data.tar.xz", content=packed)), "250 times")


def test_xz_that_wants_too_much_memory_is_refused() -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 256 << 20}]
    packed = lzma.compress(forge_tar({}), filters=filters)
    refused(with_members(BINARY, CONTROL, ForgedArMember(name="data.tar.xz", content=packed)), "damaged")


def drained(file: BinaryIO) -> int:
    return sum(len(piece) for piece in iter(lambda: file.read(1 << 20), b""))


def test_memory_stays_small_whatever_the_size() -> None:
    content = DebForge(files={f"usr/share/{number}": bytes(24 << 20) for number in range(2)}).build()
    tracemalloc.start()
    try:
        examination = Examination(Deb(io.BytesIO(content), DEMO))
        size = sum(drained(file) for _, file in examination.entries())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size == 48 << 20
    assert peak < 24 << 20


def test_a_missing_zstd_decoder_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> object:
        raise ImportError(name)

    content = DebForge(compression="zst").build()
    monkeypatch.setattr(compression, "import_module", absent)
    with pytest.raises(ToolError, match=r"`demo 1\.0`") as caught:
        read(content)
    assert "zstd" in (caught.value.hint or "")


SAMPLES = [replace(FULL, compression=pack).build() for pack in ("", "gz", "xz")]


@settings(max_examples=4 * settings().max_examples, deadline=None)
@given(
    sample=st.sampled_from(SAMPLES),
    changes=st.lists(st.tuples(st.integers(0, 1 << 16), st.binary(min_size=1, max_size=8)), min_size=1, max_size=4),
    cut=st.integers(0, 1 << 16),
)
def test_whatever_the_bytes_are_only_our_errors_come(sample: bytes, changes: list[tuple[int, bytes]], cut: int) -> None:
    content = bytearray(sample)
    for place, data in changes:
        content[place % len(sample) : place % len(sample) + len(data)] = data
    if cut < len(content) // 4:
        del content[-cut - 1 :]
    try:
        summary, contents = read(bytes(content))
    except PyContainerError:
        return
    assert {packed.path for packed in summary.paths} == contents.keys()
    assert not any(".." in path.split("/") or path.startswith("/") for path in contents)
