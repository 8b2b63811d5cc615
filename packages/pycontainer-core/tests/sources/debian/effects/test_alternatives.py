"""Alternatives: the database and the links that update-alternatives writes."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from pycontainer.errors import DocumentError
from pycontainer.sources.debian.effects.actions import Alternative
from pycontainer.sources.debian.effects.alternatives import AlternativeGroup, read_alternatives

PROGRAM = shutil.which("update-alternatives", path="/usr/bin:/usr/sbin")
needs_program = pytest.mark.skipif(PROGRAM is None, reason="update-alternatives is not installed")


def installed(name: str, *alternatives: Alternative) -> AlternativeGroup:
    group = AlternativeGroup(name=name, link=alternatives[0].link)
    for alternative in alternatives:
        group = group.with_choice(alternative)
    return group


@needs_program
def test_the_database_and_the_links_are_those_of_update_alternatives(tmp_path: Path) -> None:
    for name in ("usr/bin", "man", "etc/alternatives", "db"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("usr/bin/more", "usr/bin/less", "usr/bin/most", "man/less.1", "man/less.da.1"):
        (tmp_path / name).write_text(name)
    root = str(tmp_path)

    def alternative(path: str, priority: int, *slaves: str) -> Alternative:
        named = tuple((f"{root}/man/pager{s}.1", f"pager{s}.1", f"{root}/man/{path}{s}.1") for s in slaves)
        return Alternative(
            name="pager",
            link=f"{root}/usr/bin/pager",
            path=f"{root}/usr/bin/{path}",
            priority=priority,
            slaves=named,
        )

    choices = [alternative("more", 50, ""), alternative("less", 77, ".da", "", ".xx"), alternative("most", 77)]
    for each in choices:
        command = [str(PROGRAM), "--altdir", f"{root}/etc/alternatives", "--admindir", f"{root}/db", "--install"]
        command += [each.link, each.name, each.path, str(each.priority)]
        for slave in each.slaves:
            command += ["--slave", *slave]
        subprocess.run(command, check=True, capture_output=True)
    group = installed("pager", *choices)
    text = (tmp_path / "db/pager").read_text()
    assert group.text == text
    assert read_alternatives("pager", text).text == text
    found = {str(path): str(path.readlink()) for path in tmp_path.rglob("*") if path.is_symlink()}
    links = group.links(lambda path: Path(path).exists())
    assert {
        path.replace("/etc/alternatives", f"{root}/etc/alternatives"): target.replace(
            "/etc/alternatives/", f"{root}/etc/alternatives/"
        )
        for path, target in links.items()
    } == found


def test_what_somebody_chose_by_hand_stays() -> None:
    text = "manual\n/usr/bin/pager\n\n/bin/more\n50\n\n"
    group = read_alternatives("pager", text)
    better = Alternative(name="pager", link="/usr/bin/pager", path="/usr/bin/less", priority=77)
    assert group.with_choice(better).links(lambda _: True) == {}
    assert group.with_choice(better).text == "manual\n/usr/bin/pager\n\n/bin/more\n50\n/usr/bin/less\n77\n\n"


@pytest.mark.parametrize("text", ["", "auto", "auto\n/x\n", "auto\n/x\n\n/y\nmany\n\n", "auto\n/x\ns\n/s\n\n/y\n5\n"])
def test_a_damaged_database_is_refused(text: str) -> None:
    with pytest.raises(DocumentError, match="alternatives/pager"):
        read_alternatives("pager", text)
