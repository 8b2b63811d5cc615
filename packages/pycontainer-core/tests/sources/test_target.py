from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import packaging
import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging import _manylinux, _musllinux, tags
from packaging.markers import default_environment

from pycontainer.errors import ConfigError
from pycontainer.oci import Platform
from pycontainer.sources.target import Libc, PythonVersion, Target

HOST = """
import json, os, platform, sys
from packaging.tags import sys_tags
from packaging.markers import default_environment
libc = os.confstr("CS_GNU_LIBC_VERSION").split()[1]
print(json.dumps({"machine": platform.machine(), "python": platform.python_version(), "libc": libc,
                  "tags": [str(tag) for tag in sys_tags()], "environment": default_environment()}))
"""
MACHINES = {
    "linux/amd64": "x86_64",
    "linux/arm64": "aarch64",
    "linux/arm64/v8": "aarch64",
    "linux/arm/v7": "armv7l",
    "linux/arm": "armv7l",
    "linux/arm/v6": "armv6l",
    "linux/386": "i686",
    "linux/ppc64le": "ppc64le",
    "linux/s390x": "s390x",
    "linux/riscv64": "riscv64",
    "linux/amd64/v3": "x86_64",
}


def target(platform: str = "linux/amd64", python: str = "3.12.4", libc: str = "glibc:2.36", **more: bool) -> Target:
    return Target(platform=Platform.parse(platform), python=PythonVersion.parse(python), libc=Libc.parse(libc), **more)


def interpreter(version: str) -> str:
    """A Python of this version on this host, or a skip."""
    if sys.version_info[:2] == tuple(map(int, version.split("."))):
        return sys.executable
    found = shutil.which(f"python{version}")
    if found and subprocess.run([found, "-c", ""], check=False).returncode == 0:
        return found
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    candidates = sorted(pyenv.glob(f"versions/{version}.*/bin/python"))
    if not candidates:
        pytest.skip(f"no Python {version} on this host")
    return str(candidates[-1])


@pytest.mark.skipif(sys.platform != "linux", reason="compares with a Linux host")
@pytest.mark.parametrize("version", ["3.10", "3.11", "3.12", "3.13"])
def test_tags_and_markers_are_those_that_packaging_finds_on_such_a_host(version: str) -> None:
    site = str(Path(packaging.__file__).parent.parent)
    result = subprocess.run(
        [interpreter(version), "-c", HOST],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": site},
    )
    host = json.loads(result.stdout)
    same = target(f"linux/{host['machine']}", host["python"], f"glibc:{host['libc']}")
    assert [str(tag) for tag in same.tags] == host["tags"]
    expected = {**host["environment"], "platform_release": "", "platform_version": ""}
    assert same.environment == expected


@pytest.mark.parametrize(("platform", "machine"), MACHINES.items())
@pytest.mark.parametrize("glibc", [(2, 17), (2, 28), (2, 41)])
def test_manylinux_tags_of_foreign_machines_are_those_of_packaging(
    platform: str, machine: str, glibc: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    has_manylinux = machine != "armv6l"
    monkeypatch.setattr(_manylinux, "_have_compatible_abi", lambda *_: has_manylinux)
    monkeypatch.setattr(_manylinux, "_get_glibc_version", lambda: glibc)
    expected = [f"linux_{machine}", *_manylinux.platform_tags([machine])]
    foreign = target(platform, libc=f"glibc:{glibc[0]}.{glibc[1]}")
    assert [tag.platform for tag in foreign.tags if (tag.interpreter, tag.abi) == ("cp312", "cp312")] == expected


@pytest.mark.parametrize(("platform", "machine"), MACHINES.items())
def test_musllinux_tags_of_foreign_machines_are_those_of_packaging(
    platform: str, machine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_musllinux, "_get_musl_version", lambda *_: _musllinux._MuslVersion(1, 2))
    expected = [f"linux_{machine}", *_musllinux.platform_tags([machine])]
    foreign = target(platform, libc="musl:1.2.5")
    assert [tag.platform for tag in foreign.tags if (tag.interpreter, tag.abi) == ("cp312", "cp312")] == expected


def test_a_free_threaded_python_takes_its_own_wheels_and_no_abi3() -> None:
    names = {str(tag) for tag in target(python="3.14.0", free_threaded=True).tags}
    assert "cp314-cp314t-manylinux_2_17_x86_64" in names
    assert "cp314-cp314-manylinux_2_17_x86_64" not in names
    assert "cp312-abi3-manylinux_2_17_x86_64" not in names
    assert "py3-none-any" in names


def test_the_environment_has_every_marker_variable() -> None:
    assert set(target().environment) == set(default_environment())


def test_tags_do_not_depend_on_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    def host(*_: object, **__: object) -> str:
        pytest.fail("the host was asked")

    for name in ("_cpython_abis", "platform_tags", "interpreter_name", "interpreter_version"):
        monkeypatch.setattr(tags, name, host)
    assert target("linux/s390x", "3.11.2", "glibc:2.31").tags


@pytest.mark.parametrize("platform", ["windows/amd64", "darwin/arm64", "linux/mips64", "linux/arm/v5"])
def test_a_platform_without_wheels_is_refused(platform: str) -> None:
    with pytest.raises(ConfigError, match=platform):
        target(platform)


@given(st.integers(2, 9), st.integers(0, 99), st.none() | st.integers(0, 99))
def test_python_versions_parse_and_print_both_ways(major: int, minor: int, micro: int | None) -> None:
    version = PythonVersion(major, minor, micro)
    assert PythonVersion.parse(str(version)) == version


@pytest.mark.parametrize("text", ["3.14.0rc2", "3.13.0b1", "3.12.4", "3.12"])
def test_python_versions_print_what_was_written(text: str) -> None:
    assert str(PythonVersion.parse(text)) == text


@pytest.mark.parametrize("text", ["", "3", "three", "3.12.", "3.12.x", "3.1234", "3.12.4;", "3.12\n4"])
def test_what_is_no_python_version_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        PythonVersion.parse(text)


@pytest.mark.parametrize(
    ("text", "libc"),
    [("glibc:2.36", Libc("glibc", 2, 36)), ("glibc 2.17", Libc("glibc", 2, 17)), ("musl:1.2.5", Libc("musl", 1, 2))],
)
def test_libcs_parse_and_print_both_ways(text: str, libc: Libc) -> None:
    assert Libc.parse(text) == libc
    assert Libc.parse(str(libc)) == libc


@pytest.mark.parametrize("text", ["", "glibc", "uclibc:1.0", "glibc:2", "musl:x.y"])
def test_what_is_no_libc_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        Libc.parse(text)


def test_a_target_reads_like_an_error_message_needs_it() -> None:
    assert str(target("linux/arm64", "3.13.1", "musl:1.2")) == "linux/arm64 (CPython 3.13.1, musl 1.2)"
