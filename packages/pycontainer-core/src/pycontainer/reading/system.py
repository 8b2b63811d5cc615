"""The packages of an image's operating system, read from its databases: dpkg's, in one file or many, and apk's.

find_system_packages(root)          # SystemPackage(name="libc6", version="2.36-9+deb12u4", …)
owner_of(root, "/usr/lib/x86_64-linux-gnu/libpq.so.5")      # "libpq5"
"""

from __future__ import annotations

import io
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from pycontainer.errors import DocumentError
from pycontainer.reading.documents import SystemPackage
from pycontainer.sources.debian.control import read_paragraphs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycontainer.sources.base.rootfs import RootFS

_STATUS: Final = "/var/lib/dpkg/status"
_STATUS_D: Final = "/var/lib/dpkg/status.d"
_INFO: Final = "/var/lib/dpkg/info"
_APK: Final = ("/lib/apk/db/installed", "/usr/lib/apk/db/installed")
_LISTS: Final = ".list"
_SUMS: Final = ".md5sums"
# Their files are there; of others nothing but settings is.
_UNPACKED: Final = frozenset({"", "installed", "unpacked", "half-configured", "triggers-awaited", "triggers-pending"})


def find_system_packages(root: RootFS) -> tuple[SystemPackage, ...]:
    """All of them, sorted by name; none where the image has no database that is known, or a damaged one."""
    found: list[SystemPackage] = []
    with suppress(DocumentError):
        found += _dpkg(root)
    found += _apk(root)
    return tuple(sorted(found, key=lambda package: (package.name, package.architecture)))


def owner_of(root: RootFS, path: str) -> str | None:
    """The name of the package that brings a file; none where none of them says so."""
    # Debian's packages call a file of the merged `/usr` by either name.
    names = {path, path.removeprefix("/usr") if path.startswith("/usr/") else f"/usr{path}"}
    for name in root.names(_INFO):
        if name.endswith(_LISTS):
            content = root.whole(f"{_INFO}/{name}") or b""
            if not names.isdisjoint(content.decode("utf-8", "replace").splitlines()):
                return name.removesuffix(_LISTS).partition(":")[0]
    for name in root.names(_STATUS_D):
        if name.endswith(_SUMS):
            lines = (root.whole(f"{_STATUS_D}/{name}") or b"").decode("utf-8", "replace").splitlines()
            if not names.isdisjoint(f"/{line.partition('  ')[2].lstrip('/')}" for line in lines):
                return name.removesuffix(_SUMS)
    return next((package for package, file in _apk_files(root) if file in names), None)


def _dpkg(root: RootFS) -> Iterator[SystemPackage]:
    status = root.find(_STATUS)
    if status is not None and status.node.whole is not None:
        for package in _paragraphs(status.node.whole):
            # The list of its files is written when it is unpacked, and tells the layer better than the one database.
            listed = root.find(f"{_INFO}/{package.name}{_LISTS}") or root.find(
                f"{_INFO}/{package.name}:{package.architecture}{_LISTS}"
            )
            yield _in_layer(package, listed.node.layer if listed else status.node.layer)
        return
    for name in root.names(_STATUS_D):
        found = root.find(f"{_STATUS_D}/{name}")
        if found is not None and found.node.whole is not None and not name.endswith(_SUMS):
            for package in _paragraphs(found.node.whole):
                yield _in_layer(package, found.node.layer)


def _paragraphs(content: bytes) -> Iterator[SystemPackage]:
    for paragraph in read_paragraphs(io.BytesIO(content)):
        name, version = paragraph.get("Package", ""), paragraph.get("Version", "")
        if name and version and paragraph.get("Status", "").rpartition(" ")[2] in _UNPACKED:
            yield SystemPackage(name=name, version=version, architecture=paragraph.get("Architecture", ""))


def _apk(root: RootFS) -> Iterator[SystemPackage]:
    for path in _APK:
        found = root.find(path)
        if found is not None and found.node.whole is not None:
            for fields in _apk_paragraphs(found.node.whole):
                if "P" in fields and "V" in fields:
                    package = SystemPackage(name=fields["P"], version=fields["V"], architecture=fields.get("A", ""))
                    yield _in_layer(package, found.node.layer)
            return


def _apk_paragraphs(content: bytes) -> Iterator[dict[str, str]]:
    for block in content.decode("utf-8", "replace").split("\n\n"):
        yield {line[:1]: line[2:] for line in block.split("\n") if line[1:2] == ":"}


def _apk_files(root: RootFS) -> Iterator[tuple[str, str]]:
    """Package and file of each line `R:`, below the directory of the `F:` before it."""
    content = next((whole for path in _APK if (whole := root.whole(path))), b"")
    package = folder = ""
    for line in content.decode("utf-8", "replace").split("\n"):
        if line.startswith("P:"):
            package = line[2:]
        elif line.startswith("F:"):
            folder = line[2:]
        elif line.startswith("R:"):
            yield package, f"/{folder}/{line[2:]}".replace("//", "/")


def _in_layer(package: SystemPackage, layer: int) -> SystemPackage:
    return SystemPackage(name=package.name, version=package.version, architecture=package.architecture, layer=layer)
