r"""The packages of the operating system that a base image has, by the database of its package manager.

packages = debian_packages(state.packages)      # of dpkg, of distroless images' `status.d`
packages = apk_packages(root)                   # of Alpine, Wolfi

Of a database in another form, such as RPM's, nothing is known.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pycontainer.layers.entries import Entry
    from pycontainer.sources.base.rootfs import RootFS
    from pycontainer.sources.debian.package import BinaryPackage

_APK: Final = re.compile(r"(?:usr/)?lib/apk/db/installed")
_APK_PATHS: Final = ("/usr/lib/apk/db/installed", "/lib/apk/db/installed")
_MAX_DATABASE: Final = 64 << 20
_SOURCE: Final = re.compile(r"\s*\(.*\)\s*")


class OSPackage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An installed package.

    Attributes:
        manager: Whose package it is.
        architecture: By the name that its distribution has for it.
        source: The source package it is built of, where that has another name.
        license: As the database declares it; dpkg's has none.
        sha256: Of its file, in hexadecimal, where this build has taken it from an archive.
    """

    manager: Literal["deb", "apk"]
    name: str
    version: str
    architecture: str
    source: str = ""
    license: str = ""
    sha256: str = ""


def debian_packages(packages: Iterable[BinaryPackage]) -> tuple[OSPackage, ...]:
    """Debian packages, sorted by name."""
    found = (
        OSPackage(
            manager="deb",
            name=package.name,
            version=package.version,
            architecture=package.architecture,
            source=_SOURCE.sub("", package.source),
            sha256=package.sha256,
        )
        for package in packages
    )
    return tuple(sorted(found, key=lambda package: (package.name, package.architecture)))


def is_apk_database(entry: Entry) -> bool:
    """Whether a file of an image is the database that `apk_packages` reads."""
    return entry.size <= _MAX_DATABASE and _APK.fullmatch(entry.path) is not None


def apk_packages(root: RootFS) -> tuple[OSPackage, ...]:
    """The packages of Alpine's package manager, sorted by name; of a paragraph without name or version, none."""
    content = next((whole for path in _APK_PATHS if (whole := root.whole(path)) is not None), b"")
    found = (_apk_package(fields) for fields in _apk_paragraphs(content.decode("utf-8", "replace")))
    return tuple(sorted((package for package in found if package), key=lambda package: package.name))


def _apk_paragraphs(text: str) -> Iterator[dict[str, str]]:
    """Fields by their letter (apk-tools, *apk-v2*); of files and folders, which have letters too, the last ones."""
    for paragraph in text.split("\n\n"):
        lines = (line.partition(":") for line in paragraph.split("\n"))
        yield {key: value.strip() for key, colon, value in lines if colon}


def _apk_package(fields: dict[str, str]) -> OSPackage | None:
    name, version = fields.get("P", ""), fields.get("V", "")
    if not name or not version:
        return None
    source = fields.get("o", "")
    return OSPackage(
        manager="apk",
        name=name,
        version=version,
        architecture=fields.get("A", ""),
        source="" if source == name else source,
        license=fields.get("L", ""),
    )
