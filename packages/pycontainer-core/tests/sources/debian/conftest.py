from __future__ import annotations

import hashlib
import io
import subprocess
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pytest

from pycontainer.layers.writer import LayerWriter
from pycontainer.sources.base.debian import read_state
from pycontainer.sources.base.find import read_layers
from pycontainer.sources.debian.control import Paragraph
from pycontainer.sources.debian.package import BinaryPackage
from pycontainer.sources.debian.recipe import DebInput, DebsRecipe
from pycontainer.sources.debian.state import DebianState
from pycontainer.sources.debian.summary import DebSummary
from pycontainer.testing.debs import DebForge
from pycontainer.testing.images import File, Folder, Forged, Link, forge_image, forge_layer

STATUS = """\
Package: base-files
Status: install ok installed
Architecture: amd64
Version: 12.4
Maintainer: Forge <forge@example.org>
Conffiles:
 /etc/issue 0123456789abcdef0123456789abcdef
 /etc/old.conf fedcba9876543210fedcba9876543210
Description: forged base-files

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1

Package: libold1
Status: install ok installed
Architecture: amd64
Multi-Arch: same
Version: 1.0
Description: forged libold1
"""
OS_RELEASE = b'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\nPRETTY_NAME="Debian"\n'
BASE: tuple[Forged, ...] = (
    *map(Folder, ("etc", "usr", "usr/bin", "usr/lib", "usr/lib/x86_64-linux-gnu", "usr/share", "usr/share/doc")),
    *map(Folder, ("var", "var/lib", "var/lib/dpkg", "var/lib/dpkg/info", "var/lib/dpkg/triggers")),
    *(Link(name, f"usr/{name}") for name in ("bin", "lib")),
    File("etc/os-release", OS_RELEASE),
    File("etc/issue", b"Debian\n"),
    File("etc/old.conf", b"old\n"),
    File("etc/local.conf", b"mine\n"),
    File("etc/passwd", b"root:x:0:0::/root:/bin/sh\nmail:x:8:8::/:/bin/sh\n"),
    File("etc/group", b"root:x:0:\nmail:x:8:\nutmp:x:43:\n"),
    File("usr/bin/tool", b"tool", 0o755),
    File("usr/local-tool", b"nobody's"),
    File("usr/lib/x86_64-linux-gnu/libold.so.1.0", b"old"),
    Link("usr/lib/x86_64-linux-gnu/libold.so.1", "libold.so.1.0"),
    File("var/lib/dpkg/status", STATUS.encode()),
    File("var/lib/dpkg/info/format", b"1\n"),
    File(
        "var/lib/dpkg/info/base-files.list",
        b"/.\n/etc\n/etc/issue\n/etc/old.conf\n/usr\n/usr/bin\n/usr/bin/tool\n/usr/lib\n",
    ),
    File("var/lib/dpkg/info/base-files.postinst", b"#!/bin/sh\n", 0o755),
    File(
        "var/lib/dpkg/info/libold1:amd64.list",
        b"/.\n/lib\n/lib/x86_64-linux-gnu\n/lib/x86_64-linux-gnu/libold.so.1.0\n/lib/x86_64-linux-gnu/libold.so.1\n",
    ),
    File("var/lib/dpkg/triggers/File", b"/usr/share/old base-files\n/usr/share/x libold1:amd64/noawait\n"),
)


def state_of(entries: Sequence[Forged]) -> DebianState:
    state = read_state(read_layers(forge_image([forge_layer(entries)])))
    assert state is not None
    return state


@pytest.fixture(scope="session")
def base() -> DebianState:
    """A base image with merged /usr and three packages, one of them gone."""
    return state_of(BASE)


def deb_input(forge: DebForge, folder: Path) -> DebInput:
    path = forge.write(folder)
    content = path.read_bytes()
    package = BinaryPackage.of(Paragraph.parse(forge.paragraph().encode()))
    digest = hashlib.sha256(content).hexdigest()
    return DebInput(package=msgspec.structs.replace(package, size=len(content), sha256=digest), open_path=lambda: path)


class WrittenDebs:
    """A layer of packages, read with gzip and tarfile."""

    def __init__(self, blob: bytes, summaries: list[DebSummary]) -> None:
        self.summaries = summaries
        tar = subprocess.run(["gzip", "-dc"], input=blob, stdout=subprocess.PIPE, check=True).stdout
        self.contents: dict[str, bytes] = {}
        with tarfile.open(fileobj=io.BytesIO(tar), mode="r:") as archive:
            self.members = {member.name: member for member in archive}
            for member in self.members.values():
                file = archive.extractfile(member) if member.isfile() else None
                if file is not None:
                    self.contents[member.name] = file.read()


WriteDebs = Callable[..., WrittenDebs]


@pytest.fixture
def write_debs(tmp_path: Path, base: DebianState) -> WriteDebs:
    """Write packages into one layer upon the base, or another one."""

    def write(
        *forges: DebForge, upon: DebianState | None = None, upgraded: frozenset[str] = frozenset()
    ) -> WrittenDebs:
        sink = io.BytesIO()
        summaries: list[DebSummary] = []
        recipe = DebsRecipe(
            debs=tuple(deb_input(forge, tmp_path) for forge in forges),
            base=base if upon is None else upon,
            upgraded=upgraded,
            keep=summaries.append,
        )
        with LayerWriter(sink) as writer:
            recipe.write(writer)
            writer.finish()
        assert sorted(map(str, (each.package for each in recipe.summaries()))) == sorted(
            str(each.package) for each in summaries
        )
        return WrittenDebs(sink.getvalue(), summaries)

    return write
