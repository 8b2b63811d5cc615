"""The packages of the operating system are those of the database that the base image has."""

from __future__ import annotations

import pytest

from pycontainer.sources.base.find import find_all, find_facts
from pycontainer.testing.images import File, forge_image, forge_layer

STATUS = b"""Package: libc6
Status: install ok installed
Architecture: amd64
Multi-Arch: same
Source: glibc (2.36-9)
Version: 2.36-9+deb12u10

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1.0

Package: tzdata
Status: install ok installed
Architecture: all
Version: 1:2024a-0+deb12u1
"""
APK = b"""C:Q1x
P:musl
V:1.2.5-r0
A:x86_64
L:MIT
o:musl
F:lib
R:ld-musl-x86_64.so.1

P:libcrypto3
V:3.3.1-r0
A:x86_64
L:Apache-2.0
o:openssl

P:
V:1
"""


@pytest.mark.parametrize("split", [True, False], ids=["distroless", "dpkg"])
def test_of_debian_what_is_unpacked(*, split: bool) -> None:
    paragraphs = STATUS.replace(b"Status: install ok installed\n", b"").split(b"\n\n") if split else []
    files = [
        File(f"var/lib/dpkg/status.d/{number}", content)
        for number, content in enumerate(paragraphs)
        if b"deinstall" not in content
    ]
    database = files or [File("var/lib/dpkg/status", STATUS)]
    facts, state = find_all(forge_image([forge_layer([File("etc/os-release", b"ID=debian\n"), *database])]))
    assert state is not None
    assert [(each.manager, each.name, each.version, each.architecture, each.source) for each in facts.packages] == [
        ("deb", "libc6", "2.36-9+deb12u10", "amd64", "glibc"),
        ("deb", "tzdata", "1:2024a-0+deb12u1", "all", ""),
    ]


@pytest.mark.parametrize("path", ["lib/apk/db/installed", "usr/lib/apk/db/installed"])
def test_of_alpine_what_its_database_lists(path: str) -> None:
    facts = find_facts(forge_image([forge_layer([File(path, APK)])]))
    assert [(each.name, each.version, each.architecture, each.source, each.license) for each in facts.packages] == [
        ("libcrypto3", "3.3.1-r0", "x86_64", "openssl", "Apache-2.0"),
        ("musl", "1.2.5-r0", "x86_64", "", "MIT"),
    ]


def test_of_others_nothing() -> None:
    assert find_facts(forge_image([forge_layer([File("etc/os-release", b"ID=fedora\n")])])).packages == ()
