"""A wheel that is damaged, hostile or not what the lock says is refused by the command, before anything is written."""

from __future__ import annotations

import hashlib
import stat
from dataclasses import replace

import pytest
from bench import Bench

from pycontainer.testing.wheels import ForgedMember, WheelForge, forge_zip, record_row

LINK = stat.S_IFLNK | 0o777
GOOD = WheelForge()


def test_the_bench_is_right_in_every_respect(bench: Bench) -> None:
    """Without this, every refusal below could be for another reason."""
    bench.lock_forge(GOOD)
    outcome = bench.build()
    assert outcome.code == 0, outcome.err
    assert outcome.out.startswith("oci:dist/image@sha256:")


def test_a_wheel_of_another_hash_is_refused_before_it_is_opened(bench: Bench) -> None:
    content = b"not even a zip"
    bench.index.add("demo", GOOD.filename, content)
    bench.lock(filename=GOOD.filename, digest="0" * 64, size=len(content))
    bench.refuses("is not the file that is locked", f"found: sha256:{hashlib.sha256(content).hexdigest()}")


def renamed(name: str | bytes) -> bytes:
    return WheelForge(files={"x": ForgedMember(name=name, content=b"")}).build()


def changed(**central: int | bytes) -> bytes:
    members = GOOD.members()
    members[0] = replace(members[0], central=central)
    return forge_zip(members)


def zipped(**lies: object) -> bytes:
    return forge_zip(GOOD.members(), **lies)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="zero-length"),
        pytest.param(GOOD.build()[:-40], id="truncated"),
        pytest.param(GOOD.build()[:200], id="cut-in-the-middle"),
        pytest.param(zipped(before=b"#!/bin/sh\n"), id="bytes-before"),
        pytest.param(zipped(between=b"hidden"), id="bytes-between"),
        pytest.param(zipped(after=b"trailing"), id="bytes-after"),
        pytest.param(zipped(comment=b"PK\5\6" + bytes(18)), id="end-record-in-the-comment"),
        pytest.param(zipped(end={"count": 1}), id="wrong-count"),
        pytest.param(zipped(zip64={"locator": 7}), id="wrong-zip64-locator"),
        pytest.param(changed(crc32=1), id="directory-lies-about-the-crc"),
        pytest.param(changed(size=1), id="directory-lies-about-the-size"),
        pytest.param(changed(method=0), id="directory-lies-about-the-method"),
        pytest.param(changed(flags=1), id="encrypted"),
        pytest.param(changed(offset=0xFFFF), id="offset-outside"),
        pytest.param(renamed("../x"), id="climbs-out"),
        pytest.param(renamed("/etc/x"), id="absolute"),
        pytest.param(renamed("C:\\x"), id="drive"),
        pytest.param(renamed("a\\..\\b"), id="backslash"),
        pytest.param(renamed(b"a\0b"), id="nul"),
        pytest.param(renamed("n" * 256), id="long-component"),
        pytest.param(
            WheelForge(files={"demo/a": ForgedMember(name="demo/a", content=b"/etc/passwd", mode=LINK)}).build(),
            id="link",
        ),
        pytest.param(
            forge_zip([*GOOD.members()[:1], *GOOD.members()]),
            id="member-twice",
        ),
        pytest.param(WheelForge(files={"demo/é": b"", "demo/e\u0301": b""}).build(), id="equal-after-nfc"),
        pytest.param(WheelForge(rows={"demo/__init__.py": None}).build(), id="member-not-in-record"),
        pytest.param(WheelForge(extra_rows=[record_row("demo/gone.py", b"")]).build(), id="record-row-without-member"),
        pytest.param(WheelForge(extra_rows=["../../x,,"]).build(), id="record-row-climbs-out"),
        pytest.param(
            WheelForge(rows={"demo/__init__.py": record_row("demo/__init__.py", b"other!")}).build(),
            id="record-hash-wrong",
        ),
        pytest.param(WheelForge(rows={"demo/__init__.py": "demo/__init__.py,,"}).build(), id="record-without-hash"),
        pytest.param(
            WheelForge(rows={"demo/__init__.py": record_row("demo/__init__.py", b"x = 1\n", algorithm="md5")}).build(),
            id="record-md5",
        ),
        pytest.param(
            WheelForge(entry_points="[console_scripts]\n../../x = demo:main\n").build(), id="script-climbs-out"
        ),
        pytest.param(WheelForge(entry_points="[console_scripts]\nx = os;system:main\n").build(), id="not-a-module"),
        pytest.param(WheelForge(entry_points="[console_scripts]\npython = demo:main\n").build(), id="script-python"),
        pytest.param(WheelForge(files={"demo-1.0.data/elsewhere/x": b""}).build(), id="unknown-scheme"),
        pytest.param(
            WheelForge(metadata=b"Metadata-Version: 2.1\nName: other\nVersion: 1.0\n").build(), id="other-name"
        ),
        pytest.param(
            WheelForge(metadata=b"Metadata-Version: 2.1\nName: demo\nVersion: 2.0\n").build(), id="other-version"
        ),
        pytest.param(WheelForge(stem="other-1.0").build(), id="other-dist-info"),
        pytest.param(WheelForge(files={"other-1.0.dist-info/METADATA": b""}).build(), id="two-dist-infos"),
    ],
)
def test_a_bad_wheel_is_refused(bench: Bench, content: bytes) -> None:
    bench.lock_wheel(content, filename=GOOD.filename)
    bench.refuses("demo-1.0-py3-none-any.whl")


def test_a_bomb_is_refused(bench: Bench) -> None:
    bench.lock_forge(WheelForge(files={"demo/bomb": bytes(300 << 20)}))
    bench.refuses(GOOD.filename)


def test_a_wheel_for_another_platform_is_refused_before_it_is_downloaded(bench: Bench) -> None:
    filename = "demo-1.0-cp312-cp312-manylinux_2_39_aarch64.whl"
    bench.lock(filename=filename, digest="0" * 64)
    bench.refuses("No wheel of `demo` 1.0 fits linux/amd64", "CPython 3.12.4, glibc 2.36", "manylinux_2_39_aarch64")
    assert not bench.index.asked(filename)


def test_every_package_without_a_wheel_is_named_in_one_error(bench: Bench) -> None:
    for name in ("one", "two", "three"):
        bench.lock(name=name, filename=f"{name}-1.0-cp312-cp312-win_amd64.whl", digest="0" * 64)
    bench.refuses("`one`", "`two`", "`three`")


def test_files_of_two_packages_collide_with_a_warning_and_an_error_when_strict(bench: Bench) -> None:
    bench.lock_forge(GOOD)
    bench.lock_forge(WheelForge(name="rival", files={"demo/__init__.py": b"x = 2\n"}))
    refused = bench.refuses("different files of the same path", arguments=["--strict"])
    assert "demo 1.0" in refused
    assert "rival 1.0" in refused
    outcome = bench.build()
    assert outcome.code == 0
    assert "warning: `/app/.venv/lib/python3.12/site-packages/demo/__init__.py` of demo 1.0 is replaced" in outcome.err
