"""Drivers of ODBC: the file that `odbcinst` writes, package by package."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from pycontainer.layers.entries import Kind
from pycontainer.sources.debian.effects.actions import MakeFile
from pycontainer.sources.debian.effects.odbc import DRIVERS, run_odbcinst, with_drivers
from pycontainer.sources.debian.effects.overlay import Overlay
from pycontainer.sources.debian.effects.shell.surroundings import KnownFiles, There

FREETDS = (
    "[FreeTDS]\nDescription\t= TDS driver (Sybase/MS SQL)\nDriver\t\t= libtdsodbc.so\nCPTimeout\t= \nCPReuse\t\t=\n"
)
POSTGRESQL = "[PostgreSQL ANSI]\nDriver = a.so\nDebug   = 0\n\n[PostgreSQL Unicode]\nDriver=w.so\n\n"
EXPECTED = """\
[FreeTDS]
Description=TDS driver (Sybase/MS SQL)
Driver=libtdsodbc.so
CPTimeout=
CPReuse=
UsageCount=1

[PostgreSQL ANSI]
Driver=a.so
Debug=0
UsageCount=1

[PostgreSQL Unicode]
Driver=w.so
UsageCount=1

"""
INSTALL = ["-i", "-d", "-f"]


def overlay(**contents: str) -> Overlay:
    files = {f"/usr/share/{name}.ini": text.encode() for name, text in contents.items()}
    paths = dict.fromkeys([*files, "/etc/known.ini"], There(kind=Kind.FILE, mode=0o644, size=1))
    return Overlay(KnownFiles(paths=paths, contents=files), architecture="amd64")


def test_drivers_are_added_one_after_the_other() -> None:
    system = overlay(tds=FREETDS, pg=POSTGRESQL)
    assert run_odbcinst(["-q", "-d", "-n", "FreeTDS"], system) == (False, [])
    for name in ("tds", "pg"):
        status, actions = run_odbcinst([*INSTALL, f"/usr/share/{name}.ini"], system)
        assert status
        for action in actions:
            system.add(action)
    assert run_odbcinst(["-q", "-d", "-n", "FreeTDS"], system) == (True, [])
    assert system.actions[-1] == MakeFile(path=DRIVERS, content=EXPECTED)


@pytest.mark.parametrize(
    "template", [FREETDS, "Driver=x\n[A]\n", "[A]\nnonsense\n", "[A]\n# comment\n", "[[A]]\n", "\0"]
)
def test_what_nobody_knows_the_outcome_of_is_not_followed(template: str) -> None:
    with pytest.raises(LookupError):
        with_drivers("[FreeTDS]\nUsageCount=1\n\n", template)


@pytest.mark.parametrize(
    "arguments", [[], ["-j"], ["-u", "-d", "-n", "A"], [*INSTALL, None], [*INSTALL, "/etc/known.ini"]]
)
def test_other_commands_are_not_followed(arguments: list[str | None]) -> None:
    with pytest.raises(LookupError):
        run_odbcinst(arguments, overlay())


def test_the_drivers_of_a_base_are_not_known() -> None:
    paths = {DRIVERS: There(kind=Kind.FILE, of_base=True), "/a.ini": There(kind=Kind.FILE)}
    system = Overlay(KnownFiles(paths=paths, contents={"/a.ini": FREETDS.encode()}), architecture="amd64")
    with pytest.raises(LookupError):
        run_odbcinst([*INSTALL, "/a.ini"], system)


@pytest.mark.e2e
@pytest.mark.network
@pytest.mark.skipif(shutil.which("apt-get") is None, reason="this is no Debian")
def test_the_file_is_that_of_the_real_program(tmp_path: Path) -> None:
    packages = ["odbcinst", "libodbcinst2", "libodbc2", "libltdl7", "tdsodbc", "odbc-postgresql", "libsqliteodbc"]
    download = subprocess.run(["apt-get", "download", *packages], cwd=tmp_path, capture_output=True, check=False)
    if download.returncode:
        pytest.skip("this machine's apt has no such packages")
    for path in tmp_path.glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", path, tmp_path], check=True)
    (library,) = tmp_path.glob("usr/lib/*/libodbcinst.so.2")
    environment = os.environ | {"LD_LIBRARY_PATH": str(library.parent), "ODBCSYSINI": str(tmp_path)}
    templates = sorted(tmp_path.glob("usr/share/*/*odbc*.ini*"))
    mine = ""
    for template in templates:
        subprocess.run([tmp_path / "usr/bin/odbcinst", *INSTALL, template], env=environment, check=True)
        mine = with_drivers(mine, template.read_text())
    assert len(templates) == 3
    assert mine == (tmp_path / "odbcinst.ini").read_text()
