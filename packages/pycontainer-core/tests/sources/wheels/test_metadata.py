"""Wheels whose parts disagree: FAILURES, *Wheel*, rows 2 to 5, 14, 15, 18 and 22."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycontainer.errors import WheelError
from pycontainer.sources.wheels.defects import WheelDefect
from pycontainer.sources.wheels.entrypoints import Command, parse_entry_points
from pycontainer.sources.wheels.record import Row, encoded, read_record, write_record
from pycontainer.sources.wheels.wheel import WheelFile
from pycontainer.testing.wheels import WheelForge, record_row


def refused(folder: Path, match: str, *, filename: str | None = None, lenient: bool = False, **forged: Any) -> None:
    forge = WheelForge(**forged)
    with pytest.raises(WheelError, match=match) as caught:
        WheelFile(forge.write(folder), filename=filename, lenient=lenient)
    assert (filename or forge.filename) in caught.value.message


def test_a_forged_wheel_is_taken(tmp_path: Path) -> None:
    with WheelFile(WheelForge(name="Demo.Pkg", stem="Demo.Pkg-1.0").write(tmp_path)) as wheel:
        assert wheel.name == "demo-pkg"
        assert wheel.identity == ("Demo.Pkg", "1.0", "Demo.Pkg-1.0", True, None, ())
        assert wheel.warnings == ()


@pytest.mark.parametrize(
    ("filename", "forged"),
    [
        ("other-1.0-py3-none-any.whl", {}),
        ("demo-2.0-py3-none-any.whl", {}),
        (None, {"metadata": b"Metadata-Version: 2.1\nName: other\nVersion: 1.0\n"}),
        (None, {"metadata": b"Metadata-Version: 2.1\nName: demo\nVersion: 1.1\n"}),
        (None, {"metadata": b"\nName: demo\nVersion: 1.0\n"}),
        (None, {"stem": "other-1.0"}),
        (None, {"stem": "demo-2.0"}),
        (None, {"stem": "demo"}),
    ],
)
def test_file_name_metadata_and_directory_name_the_same(
    tmp_path: Path, filename: str | None, forged: dict[str, Any]
) -> None:
    refused(tmp_path, "name in its file name|version in its file name", filename=filename, **forged)


@pytest.mark.parametrize("version", ["1.0", "1.0.0", "1", "v1.0"])
def test_versions_are_compared_as_versions(tmp_path: Path, version: str) -> None:
    metadata = f"Metadata-Version: 2.1\nName: DEMO\nVersion: {version}\n".encode()
    WheelFile(WheelForge(metadata=metadata).write(tmp_path)).close()


def test_a_local_version_may_be_spelt_with_an_underscore(tmp_path: Path) -> None:
    metadata = b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0+cpu.1\n"
    WheelFile(WheelForge(version="1.0+cpu_1", stem="demo-1.0+cpu.1", metadata=metadata).write(tmp_path)).close()


@pytest.mark.parametrize(
    "filename",
    [
        "demo.whl",
        "demo-1.0.zip",
        "demo-1.0-py3-none-any.whl.exe",
        "d\N{CYRILLIC SMALL LETTER IE}mo-1.0-py3-none-any.whl",
    ],
)
def test_names_that_are_no_wheels_are_refused(tmp_path: Path, filename: str) -> None:
    refused(tmp_path, "is no name for a wheel", filename=filename)


@pytest.mark.parametrize(
    ("files", "match"),
    [
        ({"other-2.0.dist-info/METADATA": b""}, "several `.dist-info`"),
        ({"DEMO-1.0.dist-info/METADATA": b""}, "several `.dist-info`"),
        ({"other-1.0.data/scripts/x": b""}, "is not named `demo-1.0.data`"),
    ],
)
def test_there_is_one_directory_of_metadata(tmp_path: Path, files: dict[str, bytes], match: str) -> None:
    refused(tmp_path, match, files=files)


def test_vendored_metadata_below_a_package_is_none_of_its_own(tmp_path: Path) -> None:
    files = {"demo/_vendor/other-2.0.dist-info/METADATA": b""}
    WheelFile(WheelForge(files=files).write(tmp_path)).close()


@pytest.mark.parametrize(
    ("wheel", "match"),
    [
        (b"Wheel-Version: 2.0\nRoot-Is-Purelib: true\n", "Wheel-Version is 2.0"),
        (b"Root-Is-Purelib: true\n", "Wheel-Version is none"),
        (b"Wheel-Version: 1.0\n", "purelib"),
        (b"\xff\xfe", "not UTF-8"),
    ],
)
def test_the_format_must_be_known(tmp_path: Path, wheel: bytes, match: str) -> None:
    refused(tmp_path, match, wheel=wheel)


class TestRecord:
    @pytest.mark.parametrize(
        ("forged", "match"),
        [
            ({"rows": {"demo/__init__.py": None}}, "does not list `demo/__init__.py`"),
            ({"extra_rows": ["demo/gone.py,,"]}, "lists `demo/gone.py`, which it does not have"),
            ({"rows": {"demo/__init__.py": "demo/__init__.py,,6"}}, "has no hash for `demo/__init__.py`"),
            ({"rows": {"demo/__init__.py": "demo/__init__.py,md5=1B2M2Y8AsgTpgAmY7PhCfg,6"}}, "proves nothing: `md5`"),
            ({"rows": {"demo/__init__.py": "demo/__init__.py,sha1=2jmj7l5rSw0yVb_vlWAYkK_YBwk,6"}}, "`sha1`"),
            ({"rows": {"demo/__init__.py": "demo/__init__.py,crc=1,6"}}, "proves nothing: `crc`"),
            ({"rows": {"demo/__init__.py": "demo/__init__.py,sha256=short,6"}}, "malformed hash"),
            ({"extra_rows": [record_row("demo/__init__.py", b"x = 1\n")]}, "twice"),
        ],
    )
    def test_deviations_are_refused_unless_the_user_trusts_the_package(
        self, tmp_path: Path, forged: dict[str, Any], match: str
    ) -> None:
        refused(tmp_path, match, **forged)
        with WheelFile(WheelForge(**forged).write(tmp_path), lenient=True) as wheel:
            assert any(match.split("`", maxsplit=1)[0].strip() in warning for warning in wheel.warnings)

    @pytest.mark.parametrize("path", ["../evil.py", "/etc/passwd", "a/../../b", "C:/x", "a\\b", ""])
    @pytest.mark.parametrize("lenient", [False, True])
    def test_rows_that_leave_the_environment_are_refused_whoever_is_trusted(
        self, tmp_path: Path, path: str, *, lenient: bool
    ) -> None:
        refused(tmp_path, "plain relative path", extra_rows=[f"{path},,"], lenient=lenient)

    @pytest.mark.parametrize(
        ("record", "match"),
        [
            (b"\xff", "not UTF-8"),
            (b"a,b\n", "not path, hash and size"),
            (b"a,b,c,d\n", "not path, hash and size"),
            (b'"a,,\n', "not CSV|not path"),
            (b"demo/__init__.py,,-1\n", "impossible size"),
            (b"demo/__init__.py,,1e3\n", "impossible size"),
            (b"", "does not list"),
        ],
    )
    def test_a_malformed_record_is_refused(self, tmp_path: Path, record: bytes, match: str) -> None:
        refused(tmp_path, match, record=record)

    def test_many_faults_are_told_in_few_lines(self, tmp_path: Path) -> None:
        files = {f"demo/{number}.py": b"" for number in range(100)}
        with pytest.raises(WheelError) as caught:
            WheelFile(WheelForge(files=files, rows=dict.fromkeys(files)).write(tmp_path))
        assert len(caught.value.facts) == 9
        assert caught.value.facts[-1] == "and 92 more"
        assert caught.value.hint is not None

    def test_hashes_in_hexadecimal_prove_as_much(self) -> None:
        digest = bytes(range(32))
        listing = read_record(f"x.py,sha256={digest.hex()},3\n".encode(), dist_info="x-1.dist-info")
        assert listing == ({"x.py": Row("sha256", encoded(digest), 3)}, ())

    @given(st.dictionaries(st.text(min_size=1), st.tuples(st.binary(min_size=32, max_size=32), st.integers(0, 2**60))))
    def test_what_is_written_is_read(self, files: dict[str, tuple[bytes, int]]) -> None:
        rows = [
            (path, encoded(digest), size)
            for path, (digest, size) in files.items()
            if not set(path) & set("\r\n\\:/\0") and path.isprintable() and path not in (".", "..")
        ]
        written = write_record(rows, record="d.dist-info/RECORD")
        found = read_record(written, dist_info="d.dist-info")
        assert found.rows == {path: Row("sha256", digest, size) for path, digest, size in rows}
        assert written == write_record(reversed(rows), record="d.dist-info/RECORD")


class TestEntryPoints:
    def test_both_groups_become_commands(self) -> None:
        text = (
            "# comment\n[console_scripts]\na = m:f\n b=m.n:c.f [x,y]\n; no\n[other]\nc = anything goes here\n"
            "\n[gui_scripts]\nd : = m:f\n".replace(" : =", " =")
        )
        assert parse_entry_points(text) == (Command("a", "m", "f"), Command("b", "m.n", "c.f"), Command("d", "m", "f"))

    @pytest.mark.parametrize(
        "line",
        [
            "../../x = m:f",
            "/x = m:f",
            "a/b = m:f",
            "a\\b = m:f",
            ".. = m:f",
            " = m:f",
            "x",
            "x = m",
            "x = m:",
            "x = :f",
            "x = m:f; import os",
            "x = m:f()",
            "x = m;import os:f",
            "x = m.:f",
            "x = 1m:f",
            "x = m:f.1",
            "x = m:f [bad",
            "x\x07 = m:f",
            "y" * 256 + " = m:f",
        ],
    )
    def test_what_cannot_be_a_file_and_a_function_is_refused(self, line: str) -> None:
        with pytest.raises(WheelDefect):
            parse_entry_points(f"[console_scripts]\n{line}\n")

    @pytest.mark.parametrize(
        "name", ["python", "python3", "python3.12", "python3.13t", "Python", "pythonw", "python.exe", "sh", "SH"]
    )
    def test_names_of_the_environment_itself_are_refused(self, name: str) -> None:
        with pytest.raises(WheelDefect, match="interpreter or the shell"):
            parse_entry_points(f"[console_scripts]\n{name} = m:f\n")

    @pytest.mark.parametrize("name", ["python-argcomplete-check", "pythonium", "ipython3", "shx", "a b", "x.py", "é"])
    def test_other_names_are_taken(self, name: str) -> None:
        assert parse_entry_points(f"[console_scripts]\n{name} = m:f\n") == (Command(name, "m", "f"),)

    def test_two_commands_cannot_share_a_name(self) -> None:
        assert len(parse_entry_points("[console_scripts]\na = m:f\n[gui_scripts]\na = m:f\n")) == 1
        with pytest.raises(WheelDefect, match="are named `a`"):
            parse_entry_points("[console_scripts]\na = m:f\n[gui_scripts]\na = m:g\n")

    def test_a_wheel_with_a_hostile_entry_point_is_refused(self, tmp_path: Path) -> None:
        refused(tmp_path, "cannot be the name of a script", entry_points="[console_scripts]\n../../x = demo:f\n")
