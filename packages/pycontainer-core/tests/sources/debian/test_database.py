"""dpkg's database says what dpkg would have written, had it installed the packages."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from pycontainer.layers.entries import Kind
from pycontainer.sources.debian.database import DatabaseChange, database_files
from pycontainer.sources.debian.recipe import DebInput
from pycontainer.sources.debian.state import DebianState
from pycontainer.sources.debian.upgrades import vanished_files
from pycontainer.testing.debs import DebForge, ForgedFile
from pycontainer.testing.images import File

from .conftest import OS_RELEASE, WriteDebs, deb_input, state_of

DEMO = DebForge(
    name="libdemo1",
    fields={"Multi-Arch": "same", "Depends": "base-files", "Homepage": "http://example.org"},
    files={"lib/libdemo.so.1": b"x", "etc/demo.conf": b"1", "usr/share/man/man1/demo.1": b"x"},
    scripts={"postinst": "#!/bin/sh\n", "prerm": "#!/bin/sh\n"},
    conffiles=["/etc/demo.conf"],
    control_members={
        "triggers": "interest-noawait /usr/share/demo\ninterest demo-trigger\nactivate ldconfig\n",
        "shlibs": "libdemo 1 libdemo1\n",
    },
)
INFO = "var/lib/dpkg/info"


def stanza(change: DatabaseChange, name: str) -> str:
    text = change.files["var/lib/dpkg/status"].content.decode()
    [found] = [part for part in text.split("\n\n") if part.startswith(f"Package: {name}\n")]
    return found


def test_the_status_has_a_stanza_more_and_the_others_as_they_were(base: DebianState, write_debs: WriteDebs) -> None:
    change = database_files(base, write_debs(DEMO).summaries)
    text = change.files["var/lib/dpkg/status"].content.decode()
    assert re.findall(r"^Package: (.*)", text, re.MULTILINE) == ["base-files", "gone", "libdemo1", "libold1"]
    for part in base.status.split("\n\n"):
        assert part.strip() in text
    assert stanza(change, "libdemo1") == (
        "Package: libdemo1\nStatus: install ok installed\nMaintainer: Forge <forge@example.org>\nArchitecture: amd64\n"
        "Multi-Arch: same\nVersion: 1.0\nDepends: base-files\nConffiles:\n"
        " /etc/demo.conf c4ca4238a0b923820dcc509a6f75849b\nDescription: forged libdemo1\nHomepage: http://example.org"
    )
    assert text.endswith("\n\n")


def test_configuration_that_a_package_removes_is_noted_with_its_flag(base: DebianState, write_debs: WriteDebs) -> None:
    demo = replace(DEMO, conffiles=["remove-on-upgrade /etc/demo-old.conf", "/etc/demo.conf"])

    change = database_files(base, write_debs(demo).summaries)

    assert (
        "\nConffiles:\n /etc/demo-old.conf newconffile remove-on-upgrade\n"
        " /etc/demo.conf c4ca4238a0b923820dcc509a6f75849b\n"
    ) in stanza(change, "libdemo1")


def test_what_was_not_configured_is_unpacked(base: DebianState, write_debs: WriteDebs) -> None:
    change = database_files(base, write_debs(DEMO, DebForge()).summaries, unconfigured={"libdemo1"})
    assert "Status: install ok unpacked\n" in stanza(change, "libdemo1")
    assert "Status: install ok installed\n" in stanza(change, "demo")


def test_every_package_has_its_files(base: DebianState, write_debs: WriteDebs) -> None:
    change = database_files(base, write_debs(DEMO).summaries)
    names = {path for path in change.files if path.startswith(INFO)}
    extensions = ("list", "md5sums", "conffiles", "triggers", "shlibs", "postinst", "prerm")
    assert names == {f"{INFO}/libdemo1:amd64.{extension}" for extension in extensions}
    assert change.files[f"{INFO}/libdemo1:amd64.postinst"].mode == 0o755
    assert change.files[f"{INFO}/libdemo1:amd64.list"].content.decode().splitlines() == [
        "/.",
        "/etc",
        "/etc/demo.conf",
        "/lib",
        "/lib/libdemo.so.1",
        "/usr",
        "/usr/share",
        "/usr/share/man",
        "/usr/share/man/man1",
        "/usr/share/man/man1/demo.1",
    ]
    assert change.removed == ()


def test_triggers_are_remembered(base: DebianState, write_debs: WriteDebs) -> None:
    change = database_files(base, write_debs(DEMO).summaries)
    assert change.files["var/lib/dpkg/triggers/File"].content.decode() == (
        "/usr/share/old base-files\n/usr/share/x libold1:amd64/noawait\n/usr/share/demo libdemo1:amd64/noawait\n"
    )
    assert change.files["var/lib/dpkg/triggers/demo-trigger"].content == b"libdemo1:amd64\n"


def test_a_package_that_comes_anew_takes_the_place_of_the_old_one(base: DebianState, write_debs: WriteDebs) -> None:
    anew = DebForge(
        name="base-files",
        version="13",
        architecture="all",
        files={"usr/bin/other": b"x", "etc/issue": b"Debian 13\n"},
        conffiles=["/etc/issue"],
    )
    summaries = write_debs(anew, upgraded=frozenset({"base-files"})).summaries
    change = database_files(base, summaries)
    found = stanza(change, "base-files")
    assert "Version: 13\n" in found
    assert " /etc/issue 0123456789abcdef" not in found
    assert " /etc/old.conf fedcba9876543210fedcba9876543210 obsolete" in found
    assert change.removed == (f"{INFO}/base-files.postinst",)
    assert vanished_files(base, summaries) == ("usr/bin/tool",)


def test_what_moved_to_another_new_package_has_not_vanished(base: DebianState, write_debs: WriteDebs) -> None:
    anew = DebForge(name="base-files", version="13")
    taker = DebForge(name="tools", files={"usr/bin/tool": b"x"})
    summaries = write_debs(anew, taker, upgraded=frozenset({"base-files"})).summaries
    assert vanished_files(base, summaries) == ()


def test_a_file_that_was_taken_over_leaves_the_old_list(base: DebianState, write_debs: WriteDebs) -> None:
    taker = DebForge(files={"usr/bin/tool": b"x"}, fields={"Replaces": "base-files"})
    change = database_files(base, write_debs(taker).summaries)
    assert b"/usr/bin/tool" not in change.files[f"{INFO}/base-files.list"].content
    assert b"/usr/bin\n" in change.files[f"{INFO}/base-files.list"].content


def test_a_base_without_dpkg_gets_files_in_status_d(write_debs: WriteDebs) -> None:
    control = b"Package: libc6\nVersion: 2.36\nArchitecture: amd64\n"
    state = state_of([File("etc/os-release", OS_RELEASE), File("var/lib/dpkg/status.d/libc6", control)])
    without = replace(DEMO, name="nothing", files={"usr/share/nothing": ForgedFile(kind=Kind.DIRECTORY)}, conffiles=[])
    change = database_files(state, write_debs(DEMO, without, upon=state).summaries)
    assert {path: file.content.decode() for path, file in change.files.items()} == {
        "var/lib/dpkg/status.d/libdemo1": DEMO.paragraph(),
        "var/lib/dpkg/status.d/libdemo1.md5sums": "9dd4e461268c8034f5c8564e155c67a6  lib/libdemo.so.1\n",
        "var/lib/dpkg/status.d/nothing": without.paragraph(),
    }


needs_dpkg = pytest.mark.skipif(shutil.which("dpkg") is None, reason="dpkg is not installed")


@needs_dpkg
def test_dpkg_writes_the_same_database(tmp_path: Path, base: DebianState, write_debs: WriteDebs) -> None:
    """The real dpkg unpacks the packages into an empty root; ours starts from the same."""
    forges = [replace(DEMO, scripts={}, fields={**DEMO.fields, "Depends": "demo"}), DebForge(fields={"Section": "x"})]
    root = tmp_path / "root"
    for folder in ("info", "triggers", "updates"):
        (root / "var/lib/dpkg" / folder).mkdir(parents=True)
    (root / "var/lib/dpkg/status").write_text("")
    inputs: list[DebInput] = [deb_input(forge, tmp_path) for forge in forges]
    options = [
        "--root",
        str(root),
        "--force-not-root",
        "--force-script-chrootless",
        "--force-architecture",
        "--log=/dev/null",
    ]
    done = subprocess.run(
        ["dpkg", *options, "--unpack", *(str(each.open_path()) for each in inputs)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    state = state_of([File("var/lib/dpkg/status", b""), File("var/lib/dpkg/info/format", b"1\n")])
    change = database_files(state, write_debs(*forges, upon=state).summaries, unconfigured={"demo", "libdemo1"})
    ours = {path: file.content.decode() for path, file in change.files.items()}
    theirs = {path: (root / path).read_text() for path in ours if "triggers/" not in path}
    ours_status, their_status = ours.pop("var/lib/dpkg/status"), theirs.pop("var/lib/dpkg/status")
    assert {path: text for path, text in ours.items() if "triggers/" not in path} == theirs
    # dpkg does not know the sum of a configuration file before it configures the package.
    assert re.sub(r"(?<=demo\.conf )\w+", "newconffile", ours_status) == their_status
    listed = sorted(path.name for path in (root / INFO).iterdir() if path.name != "format")
    assert listed == sorted(path.rpartition("/")[2] for path in ours if path.startswith(INFO))
    del base


@needs_dpkg
def test_dpkg_accepts_the_database(tmp_path: Path, base: DebianState, write_debs: WriteDebs) -> None:
    summaries = write_debs(DEMO, DebForge(scripts={"postinst": "#!/bin/sh\n"})).summaries
    change = database_files(base, summaries, unconfigured={"demo"})
    root = tmp_path / "root"
    for path, file in change.files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(file.content)
    (root / INFO / "format").write_text("1\n")
    for name, text in base.lists.items():
        (root / INFO / f"{name}.list").write_text(text)

    def query(*arguments: str) -> str:
        command = ["dpkg", "--root", str(root), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout

    states = {line.split()[1]: line.split()[0] for line in query("-l").splitlines() if re.match(r"[a-zA-Z]{2} ", line)}
    assert states == {"base-files": "ii", "demo": "iU", "gone": "rc", "libdemo1:amd64": "ii", "libold1:amd64": "ii"}
    audit = query("--audit")
    assert " demo" in audit
    assert "libdemo1" not in audit
    assert "/lib/libdemo.so.1" in query("-L", "libdemo1")
