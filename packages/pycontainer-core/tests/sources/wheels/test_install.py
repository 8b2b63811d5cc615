"""Wheels in layers: FAILURES, *Wheel*, rows 4, 15 to 17 and 20, and what an environment holds."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
from base64 import urlsafe_b64encode
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pycontainer.errors import ConfigError, WheelError
from pycontainer.layers.recipe import Recipe
from pycontainer.layers.record import LayerContents
from pycontainer.layers.writer import LayerWriter
from pycontainer.sources.target import PythonVersion
from pycontainer.sources.wheels import (
    Environment,
    EnvironmentRecipe,
    WheelInput,
    WheelsRecipe,
    collision_warnings,
    collisions_between,
)
from pycontainer.testing.wheels import EXECUTABLE, ForgedMember, WheelForge, record_row

ENVIRONMENT = Environment(python=PythonVersion(3, 12, 4), interpreter="/usr/local/bin/python3.12")
SITE = "app/.venv/lib/python3.12/site-packages"
BIN = "app/.venv/bin"


def wheel_input(path: Path, **fields: Any) -> WheelInput:
    name, version, *_ = path.name.split("-")
    known = {
        "name": name,
        "version": version,
        "filename": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "open_path": partial(Path, path),
    }
    return WheelInput(**{**known, **fields})


def recipe(folder: Path, *forges: WheelForge, environment: Environment = ENVIRONMENT, **options: Any) -> WheelsRecipe:
    inputs = tuple(wheel_input(forge.write(folder)) for forge in forges)
    return WheelsRecipe(wheels=inputs, environment=environment, **options)


def written(made: Recipe) -> tuple[LayerContents, dict[str, tuple[tarfile.TarInfo, bytes]]]:
    """What a recipe writes: its contents, and each entry with its bytes."""
    sink = io.BytesIO()
    with LayerWriter(sink) as writer:
        contents = made.write(writer)
        writer.finish()
    sink.seek(0)
    entries = {}
    with tarfile.open(fileobj=sink, mode="r:gz") as tar:
        for info in tar:
            file = tar.extractfile(info) if info.isfile() else None
            entries[info.name] = (info, file.read() if file else b"")
    return contents, entries


def install(folder: Path, **forged: Any) -> dict[str, tuple[tarfile.TarInfo, bytes]]:
    return written(recipe(folder, WheelForge(**forged)))[1]


def refused(folder: Path, match: str, **forged: Any) -> None:
    with pytest.raises(WheelError, match=match) as caught:
        install(folder, **forged)
    assert "demo-1.0-py3-none-any.whl" in caught.value.message


class TestFiles:
    def test_each_kind_of_data_goes_to_its_place(self, tmp_path: Path) -> None:
        data = "demo-1.0.data"
        found = install(
            tmp_path,
            files={
                "demo/x.py": b"1",
                f"{data}/purelib/pure.py": b"2",
                f"{data}/platlib/native.so": b"3",
                f"{data}/scripts/tool": b"#!/bin/sh\n",
                f"{data}/headers/demo.h": b"5",
                f"{data}/data/share/demo.txt": b"6",
                f"{data}/data/lib64/demo.so": b"7",
            },
        )
        assert {path: content for path, (info, content) in found.items() if info.isfile() and len(content) == 1} == {
            f"{SITE}/demo/x.py": b"1",
            f"{SITE}/pure.py": b"2",
            f"{SITE}/native.so": b"3",
            "app/.venv/include/site/python3.12/demo/demo.h": b"5",
            "app/.venv/share/demo.txt": b"6",
            "app/.venv/lib/demo.so": b"7",
        }
        assert found[f"{BIN}/tool"][0].mode == 0o755

    @pytest.mark.parametrize(
        ("mode", "expected"), [(EXECUTABLE | 0o6000, 0o755), (0o100600, 0o644), (None, 0o644), (0o755, 0o755)]
    )
    def test_modes_are_0755_or_0644(self, tmp_path: Path, mode: int | None, expected: int) -> None:
        member = ForgedMember(name="demo/run", content=b"x", mode=mode)
        assert install(tmp_path, files={"demo/run": member})[f"{SITE}/demo/run"][0].mode == expected

    def test_record_lists_every_file_that_was_written_and_nothing_else(self, tmp_path: Path) -> None:
        found = install(
            tmp_path,
            files={
                "demo/x.py": b"x",
                'demo/a "b", c.txt': b"y",
                "demo-1.0.data/scripts/tool": b"#!python\nprint()\n",
                "demo-1.0.dist-info/INSTALLER": b"someone else",
                "demo-1.0.dist-info/direct_url.json": b"{}",
                "demo-1.0.dist-info/REQUESTED": b"",
            },
            entry_points="[console_scripts]\ndemo = demo:main\n",
        )
        record = found.pop(f"{SITE}/demo-1.0.dist-info/RECORD")[1]
        rows = {row[0]: row[1:] for row in csv.reader(record.decode().splitlines())}
        assert rows.pop("demo-1.0.dist-info/RECORD") == ["", ""]
        files = {path: content for path, (info, content) in found.items() if info.isfile()}
        assert {os.path.normpath(f"{SITE}/{path}"): row for path, row in rows.items()} == {
            path: [
                "sha256=" + urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode(),
                str(len(content)),
            ]
            for path, content in files.items()
        }
        assert files[f"{SITE}/demo-1.0.dist-info/INSTALLER"] == b"pycontainer\n"
        assert f"{SITE}/demo-1.0.dist-info/direct_url.json" not in files

    def test_all_directories_are_entries_that_come_first_and_belong_to_root(self, tmp_path: Path) -> None:
        found = install(tmp_path, files={"demo/a/b.py": b"", "demo/empty/": b""})
        names = list(found)
        for name in names:
            parent = name.rpartition("/")[0]
            assert not parent or names.index(parent) < names.index(name)
        assert {info.uid for info, _ in found.values()} == {0}
        assert found[f"{SITE}/demo/empty"][0].isdir()

    def test_directories_of_the_base_are_left_alone_and_those_above_belong_to_the_owner(self, tmp_path: Path) -> None:
        environment = Environment(python=PythonVersion(3, 13), prefix="/usr/src/app/.venv", owner=(1000, 1001))
        for made in (
            recipe(tmp_path, WheelForge(), environment=environment),
            EnvironmentRecipe(environment=environment),
        ):
            _, found = written(made)
            assert "usr" not in found
            assert "usr/src" not in found
            assert (found["usr/src/app"][0].uid, found["usr/src/app"][0].gid) == (1000, 1001)
            assert found["usr/src/app/.venv"][0].uid == 0

    def test_the_same_wheels_give_the_same_bytes(self, tmp_path: Path) -> None:
        made = recipe(tmp_path, WheelForge(), WheelForge(name="other", files={"other.py": b""}))
        layers = []
        for _ in range(2):
            sink = io.BytesIO()
            with LayerWriter(sink) as writer:
                made.write(writer)
                writer.finish()
            layers.append(sink.getvalue())
        assert layers[0] == layers[1]


class TestScripts:
    def test_first_lines_name_the_environment(self, tmp_path: Path) -> None:
        scripts = {
            "a": b"#!python\nprint()\n",
            "b": b"#!pythonw -E\r\nprint()\r\n",
            "c": b"#!/usr/bin/env python\nprint()\n",
            "d": b"\x7fELF" + bytes(100_000),
        }
        files = {f"demo-1.0.data/scripts/{name}": content for name, content in scripts.items()}
        found = install(tmp_path, files=files)
        assert found[f"{BIN}/a"][1] == b"#!/app/.venv/bin/python\nprint()\n"
        assert found[f"{BIN}/b"][1] == b"#!/app/.venv/bin/python\nprint()\r\n"
        assert found[f"{BIN}/c"][1] == scripts["c"]
        assert found[f"{BIN}/d"][1] == scripts["d"]
        assert {found[f"{BIN}/{name}"][0].mode for name in scripts} == {0o755}

    @pytest.mark.skipif(sys.platform == "win32", reason="first lines are for POSIX kernels")
    @pytest.mark.parametrize("folder", ["plain", "with space", "it's", "x" * 120])
    def test_commands_run_wherever_the_environment_is(self, tmp_path: Path, folder: str) -> None:
        prefix = tmp_path / folder / "venv"
        environment = Environment(prefix=str(prefix), python=PythonVersion(*sys.version_info[:2]))
        files = {
            "demo/__init__.py": b"class A:\n    def f(): print('ran')\n",
            "demo-1.0.data/scripts/s": b"#!python\nprint('ran')\n",
        }
        forge = WheelForge(files=files, entry_points="[console_scripts]\nc = demo:A.f\n")
        _, found = written(recipe(tmp_path, forge, environment=environment))
        for path, (info, content) in found.items():
            target = Path("/", path)
            if info.isfile():
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
                target.chmod(info.mode)
        (prefix / "bin/python").symlink_to(sys.executable)
        for name in ("c", "s"):
            run = subprocess.run(
                [prefix / "bin" / name],
                capture_output=True, text=True, check=True, env={"PYTHONPATH": environment.site_packages},
            )  # fmt: skip
            assert run.stdout == "ran\n"

    @pytest.mark.parametrize(
        ("forged", "match"),
        [
            ({"files": {"demo-1.0.data/scripts/python3": b""}}, "interpreter or the shell"),
            ({"files": {"demo-1.0.data/data/bin/sh": b""}}, "interpreter or the shell"),
            ({"entry_points": "[console_scripts]\npython = demo:x\n"}, "interpreter or the shell"),
            (
                {"files": {"demo-1.0.data/scripts/x": b""}, "entry_points": "[console_scripts]\nx = demo:x\n"},
                "two of its files go to",
            ),
            ({"files": {"x.py": b"", "demo-1.0.data/purelib/x.py": b""}}, "two of its files go to"),
            ({"files": {"demo-1.0.data/unknown/x": b""}}, "nobody knows where"),
            ({"files": {"demo-1.0.data/x": b""}}, "nobody knows where"),
            ({"files": {"demo-1.0.data/scripts/../../x": b""}}, "plain relative path"),
            ({"files": {"demo-1.0.data/data/pyvenv.cfg": b""}}, "part of the environment"),
            ({"files": {"demo-1.0.data/data/pyvenv.cfg/x": b""}}, "part of the environment"),
            ({"files": {"demo-1.0.data/data/lib64": b""}}, "part of the environment"),
            ({"files": {"demo-1.0.data/data/bin": b""}}, "part of the environment"),
            ({"files": {"demo-1.0.data/data/lib": b""}}, "part of the environment"),
            ({"files": {"demo-1.0.data/purelib/other-1.dist-info/METADATA": b""}}, "metadata of another package"),
            (
                {"files": {"demo-1.0.data/data/lib/python3.12/site-packages/o-1.dist-info/X": b""}},
                "metadata of another package",
            ),
        ],
    )
    def test_what_would_replace_something_is_refused(self, tmp_path: Path, forged: dict[str, Any], match: str) -> None:
        refused(tmp_path, match, **forged)

    def test_pip_has_the_command_that_names_the_python(self, tmp_path: Path) -> None:
        found = install(tmp_path, name="pip", entry_points="[console_scripts]\npip = pip:x\npip3 = pip:x\n")
        assert found[f"{BIN}/pip3.12"][1] == found[f"{BIN}/pip3"][1]


class TestContent:
    @pytest.mark.parametrize("name", ["demo/x.py", "demo-1.0.data/scripts/x", "demo-1.0.dist-info/METADATA"])
    @pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
    def test_a_hash_that_is_wrong_is_found_while_writing(self, tmp_path: Path, name: str, algorithm: str) -> None:
        size = len(WheelForge().members()[1].content)
        content = b"#!python" + bytes(size - 8)
        files = {} if name.endswith("METADATA") else {name: content}
        row = record_row(name, b"y" * size, algorithm=algorithm)
        refused(tmp_path, f"another {algorithm} than its RECORD", files=files, rows={name: row})

    def test_a_size_that_is_wrong_is_found(self, tmp_path: Path) -> None:
        row = record_row("demo/x.py", b"1234").replace(",4", ",5")
        refused(tmp_path, "has 4 bytes, 5 in its RECORD", files={"demo/x.py": b"1234"}, rows={"demo/x.py": row})

    @pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
    def test_strong_hashes_are_compared(self, tmp_path: Path, algorithm: str) -> None:
        row = record_row("demo/x.py", b"1234", algorithm=algorithm)
        assert f"{SITE}/demo/x.py" in install(tmp_path, files={"demo/x.py": b"1234"}, rows={"demo/x.py": row})

    def test_a_trusted_package_gives_warnings_and_a_true_record(self, tmp_path: Path) -> None:
        rows = {"demo/x.py": record_row("demo/x.py", b"other"), "demo/y.py": None}
        forge = WheelForge(files={"demo/x.py": b"12345", "demo/y.py": b""}, rows=rows)
        contents, found = written(recipe(tmp_path, forge, lenient=frozenset({"demo"})))
        assert [warning.split(": ", 1)[1] for warning in contents.warnings] == [
            "its RECORD does not list `demo/y.py`",
            "`demo/x.py` has another sha256 than its RECORD says",
        ]
        record = found[f"{SITE}/demo-1.0.dist-info/RECORD"][1].decode()
        assert record_row("demo/x.py", b"12345") in record
        assert record_row("demo/y.py", b"") in record

    def test_damaged_bytes_are_found(self, tmp_path: Path) -> None:
        lie: dict[str, int | bytes] = {"crc32": 1}
        member = ForgedMember(name="demo/x.py", content=b"x" * 50_000, local=lie, central=lie)
        refused(tmp_path, "CRC-32", files={"demo/x.py": member})

    def test_another_wheel_than_was_asked_for_is_refused(self, tmp_path: Path) -> None:
        path = WheelForge().write(tmp_path)
        for fields in ({"name": "other"}, {"version": "2.0"}):
            made = WheelsRecipe(wheels=(wheel_input(path, **fields),), environment=ENVIRONMENT)
            with pytest.raises(WheelError, match="not what was asked for"):
                written(made)

    def test_a_wheel_that_changed_since_it_was_locked_is_refused(self, tmp_path: Path) -> None:
        path = WheelForge().write(tmp_path)
        made = WheelsRecipe(wheels=(wheel_input(path),), environment=ENVIRONMENT)
        path.write_bytes(path.read_bytes() + b"x")
        with pytest.raises(WheelError, match="its sha256 is"):
            written(made)

    def test_what_runs_when_python_starts_is_told_and_not_run(self, tmp_path: Path) -> None:
        files = {
            "evil.pth": b"import os; os.abort()\n",
            "sitecustomize.py": b"raise SystemExit(1)\n",
            "usercustomize/__init__.py": b"",
            "demo/sitecustomize.py": b"",
            "demo/x.pth": b"",
        }
        contents, _ = written(recipe(tmp_path, WheelForge(files=files)))
        assert contents.packages[0].startup_files == (
            f"{SITE}/evil.pth",
            f"{SITE}/sitecustomize.py",
            f"{SITE}/usercustomize/__init__.py",
        )

    def test_a_member_that_gives_its_memory_back_keeps_its_bytes(self, tmp_path: Path) -> None:
        noise = os.urandom(24 << 20)
        member = ForgedMember(name="demo/large.so", content=noise)
        assert install(tmp_path, files={"demo/large.so": member})[f"{SITE}/demo/large.so"][1] == noise

    def test_contents_count_what_was_written(self, tmp_path: Path) -> None:
        contents, found = written(recipe(tmp_path, WheelForge(), WheelForge(name="other", files={"other.py": b"xyz"})))
        files = [content for info, content in found.values() if info.isfile()]
        assert (contents.files, contents.size) == (len(files), sum(map(len, files)))
        assert [(package.name, package.version) for package in contents.packages] == [("demo", "1.0"), ("other", "1.0")]
        assert contents.packages[0].sha256 == hashlib.sha256(WheelForge().build()).hexdigest()


class TestCollisions:
    A = WheelForge(name="a", files={"shared.py": b"from a", "a.py": b""}, entry_points="[console_scripts]\nrun = a:x\n")
    B = WheelForge(name="b", files={"shared.py": b"from b", "b.py": b""}, entry_points="[console_scripts]\nrun = b:x\n")

    @pytest.mark.parametrize("later", ["a", "b"])
    def test_the_later_wheel_wins_and_both_are_named(self, tmp_path: Path, later: str) -> None:
        forges = (self.A, self.B) if later == "b" else (self.B, self.A)
        contents, found = written(recipe(tmp_path, *forges))
        assert found[f"{SITE}/shared.py"][1] == f"from {later}".encode()
        assert f"from {later} import x".encode() in found[f"{BIN}/run"][1]
        (warning,) = contents.warnings
        earlier = "a" if later == "b" else "b"
        assert f"of {earlier} 1.0 is replaced by that of {later} 1.0, and 1 more" in warning

    def test_equal_files_are_no_news(self, tmp_path: Path) -> None:
        forges = [WheelForge(name=name, files={"google/__init__.py": b"same"}) for name in ("a", "b")]
        contents, found = written(recipe(tmp_path, *forges))
        assert contents.warnings == ()
        assert contents.files == sum(info.isfile() for info, _ in found.values())

    def test_strictness_makes_it_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(WheelError, match="different files of the same path") as caught:
            written(recipe(tmp_path, self.A, self.B, strict=True))
        assert any("shared.py" in fact for fact in caught.value.facts)

    def test_a_file_that_loses_is_checked_all_the_same(self, tmp_path: Path) -> None:
        liar = WheelForge(name="a", files={"shared.py": b"x"}, rows={"shared.py": record_row("shared.py", b"y")})
        with pytest.raises(WheelError, match="another sha256"):
            written(recipe(tmp_path, liar, self.B))

    def test_a_file_where_another_wheel_has_a_directory_is_refused(self, tmp_path: Path) -> None:
        forges = (WheelForge(name="a", files={"x": b""}), WheelForge(name="b", files={"x/y.py": b""}))
        with pytest.raises(WheelError, match="b-1"):
            written(recipe(tmp_path, *forges))

    def test_layers_can_be_compared_with_each_other(self, tmp_path: Path) -> None:
        third = WheelForge(name="c", files={"b.py": b"other", "c.py": b""})
        layers = [recipe(tmp_path, self.A, self.B), recipe(tmp_path, third)]
        assert [str(collision) for collision in collisions_between(layers)] == [
            f"`/{SITE}/b.py` of b 1.0 is replaced by that of c 1.0"
        ]
        assert collision_warnings(collisions_between(layers[:1])) == ()


class TestDirectUrl:
    def test_it_is_written_without_credentials(self, tmp_path: Path) -> None:
        path = WheelForge().write(tmp_path)
        url = {
            "url": "https://user:hunter2@git.example/x.git?token=hunter2#hunter2",
            "vcs_info": {"vcs": "git", "commit_id": "abc"},
        }
        made = WheelsRecipe(wheels=(wheel_input(path, direct_url=url),), environment=ENVIRONMENT)
        _, found = written(made)
        content = found[f"{SITE}/demo-1.0.dist-info/direct_url.json"][1]
        assert json.loads(content) == {"url": "https://git.example/x.git", "vcs_info": url["vcs_info"]}
        assert b"demo-1.0.dist-info/direct_url.json," in found[f"{SITE}/demo-1.0.dist-info/RECORD"][1]


class TestKey:
    def test_it_depends_on_all_that_the_bytes_depend_on(self, tmp_path: Path) -> None:
        path = WheelForge().write(tmp_path)
        wheel = wheel_input(path)
        free = Environment(python=PythonVersion(3, 13), free_threaded=True)
        made = [
            WheelsRecipe(wheels=(wheel,), environment=ENVIRONMENT),
            WheelsRecipe(wheels=(wheel_input(path, sha256="0" * 64),), environment=ENVIRONMENT),
            WheelsRecipe(wheels=(wheel_input(path, direct_url={"url": "x"}),), environment=ENVIRONMENT),
            WheelsRecipe(wheels=(wheel, wheel), environment=ENVIRONMENT),
            WheelsRecipe(wheels=(wheel,), environment=ENVIRONMENT, strict=True),
            WheelsRecipe(wheels=(wheel,), environment=ENVIRONMENT, lenient=frozenset({"demo"})),
            WheelsRecipe(wheels=(wheel,), environment=free),
            WheelsRecipe(wheels=(wheel,), environment=Environment(python=PythonVersion(3, 13))),
            WheelsRecipe(wheels=(wheel,), environment=Environment(python=PythonVersion(3, 12), prefix="/x")),
            WheelsRecipe(wheels=(wheel,), environment=Environment(python=PythonVersion(3, 12), owner=(1, 1))),
        ]
        assert len({one.key for one in made}) == len(made)

    def test_it_does_not_depend_on_where_the_wheel_lies_or_on_a_patch_of_python(self, tmp_path: Path) -> None:
        path = WheelForge().write(tmp_path)
        moved = wheel_input(path, open_path=partial(Path, "elsewhere"))
        newer = Environment(python=PythonVersion(3, 12, 9), interpreter="/usr/bin/python3.12")
        assert (
            WheelsRecipe(wheels=(moved,), environment=newer).key
            == WheelsRecipe(wheels=(wheel_input(path),), environment=ENVIRONMENT).key
        )

    def test_titles_are_for_people(self, tmp_path: Path) -> None:
        assert recipe(tmp_path, WheelForge()).title == "demo 1.0"
        assert recipe(tmp_path, WheelForge(), WheelForge(name="b")).title == "2 packages"


class TestEnvironment:
    def test_the_skeleton_is_that_of_a_virtual_environment(self) -> None:
        _, found = written(EnvironmentRecipe(environment=ENVIRONMENT))
        links = {path: info.linkname for path, (info, _) in found.items() if info.issym()}
        assert links == {
            f"{BIN}/python": "/usr/local/bin/python3.12",
            f"{BIN}/python3": "python",
            f"{BIN}/python3.12": "python",
            "app/.venv/lib64": "lib",
        }
        assert found["app/.venv/pyvenv.cfg"][1] == (
            b"home = /usr/local/bin\nimplementation = CPython\nversion_info = 3.12.4\n"
            b"include-system-site-packages = false\n"
        )
        assert found[SITE][0].isdir()

    def test_a_free_threaded_interpreter_has_directories_of_its_own(self) -> None:
        environment = Environment(python=PythonVersion(3, 13, 0), free_threaded=True)
        assert environment.site_packages == "/app/.venv/lib/python3.13t/site-packages"
        assert environment.links["/app/.venv/bin/python3.13t"] == "python"

    @pytest.mark.parametrize("prefix", ["", "/", "app", "/app/", "/a/../b", "//app", "/a\nb"])
    def test_prefixes_are_absolute_and_plain(self, prefix: str) -> None:
        with pytest.raises(ConfigError, match="absolute path"):
            Environment(python=PythonVersion(3, 12), prefix=prefix)
