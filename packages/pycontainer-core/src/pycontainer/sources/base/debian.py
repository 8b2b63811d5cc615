"""Finds in the files of a base image what it knows of Debian.

    state = read_state(root)        # none: not made of Debian packages

What is read was kept while the layers streamed by, see `sources.debian.kept`.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from pycontainer.errors import BaseImageError, DocumentError
from pycontainer.layers.entries import Kind
from pycontainer.sources.debian.control import read_paragraphs
from pycontainer.sources.debian.kept import is_kept_of_base
from pycontainer.sources.debian.package import BinaryPackage
from pycontainer.sources.debian.state import DebianState
from pycontainer.sources.debian.tree import BaseTree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pycontainer.sources.base.rootfs import RootFS

_STATUS: Final = "/var/lib/dpkg/status"
_STATUS_D: Final = "/var/lib/dpkg/status.d"
_INFO: Final = "/var/lib/dpkg/info"
_MD5SUMS: Final = ".md5sums"
_INSTALLED: Final = "install ok installed"
# Their files are there; `config-files` and `not-installed` have none but settings.
_UNPACKED: Final = frozenset({"installed", "unpacked", "half-configured", "triggers-awaited", "triggers-pending"})
# Packages that have the architecture of the system, whatever others are there.
_NATIVE: Final = ("dpkg", "base-files", "libc6", "libc6.1")
_FIELD: Final = re.compile(r"""\s*([A-Za-z_0-9]+)=(["']?)(.*)\2\s*""")
_OTHERS: Final = frozenset({Kind.CHARACTER_DEVICE, Kind.BLOCK_DEVICE, Kind.FIFO})


def is_debian(os_release: Mapping[str, str]) -> bool:
    """Whether os-release(5) tells of Debian, or of something made from it."""
    return "debian" in {os_release.get("ID", ""), *os_release.get("ID_LIKE", "").split()}


def no_debian(reference: str, os_release: Mapping[str, str]) -> BaseImageError:
    """The error of a base image that packages cannot be installed upon."""
    name = os_release.get("PRETTY_NAME") or os_release.get("ID") or "of an unknown distribution"
    return BaseImageError(
        f"The base image `{reference}` is not made of Debian packages",
        facts=[f"it is: {name[:200]}"],
        hint="Set {base_image} to an image of Debian or Ubuntu, such as `python:3.12-slim`",
    )


def read_state(root: RootFS) -> DebianState | None:
    """What the image has of Debian; none where it has no database of packages.

    Raises:
        BaseImageError: The database is damaged.
    """
    tree = _tree(root)
    found = _database(root)
    if found is None:
        return None
    database, status, packages = found
    released = _os_release(root)
    return DebianState(
        distribution=released.get("ID", ""),
        like=tuple(released.get("ID_LIKE", "").split()),
        codename=released.get("VERSION_CODENAME", ""),
        version=released.get("VERSION_ID", ""),
        architecture=_architecture(packages),
        packages=tuple(packages),
        database=database,
        status=status,
        info=root.names(_INFO if database == "status" else _STATUS_D),
        lists=dict(_lists(root, database)),
        files=dict(_files(root)),
        tree=tree,
    )


def _tree(root: RootFS) -> BaseTree:
    directories: dict[str, tuple[str, ...]] = {}
    links: dict[str, str] = {}
    others: dict[str, Kind] = {}
    for path, node in sorted(root.directories(), key=lambda pair: pair[0]):
        start = "" if path == "/" else f"{path[1:]}/"
        directories[path[1:]] = tuple(
            sorted(_printable(name) for name, child in node.children.items() if child.kind is Kind.FILE)
        )
        for name, child in node.children.items():
            if child.kind is Kind.SYMLINK:
                links[_printable(start + name)] = _printable(child.target)
            elif child.kind in _OTHERS:
                others[_printable(start + name)] = child.kind
    return BaseTree(
        directories={_printable(path): names for path, names in directories.items()},
        links=dict(sorted(links.items())),
        others=dict(sorted(others.items())),
    )


def _printable(path: str) -> str:
    """Names that are not UTF-8 can be in an image, but in no package."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _database(root: RootFS) -> tuple[Literal["status", "status.d"], str, list[BinaryPackage]] | None:
    try:
        status = root.whole(_STATUS)
        if status is not None:
            return "status", status.decode("utf-8", "replace"), list(_packages(status))
        names = [name for name in root.names(_STATUS_D) if not name.endswith(_MD5SUMS)]
        whole = [root.whole(f"{_STATUS_D}/{name}") or b"" for name in names]
        packages = [package for content in whole for package in _packages(content, default=_INSTALLED)]
    except DocumentError as error:
        raise BaseImageError(
            "The base image's database of packages cannot be read", facts=[error.message, *error.facts]
        ) from error
    return ("status.d", "", packages) if packages else None


def _packages(content: bytes, *, default: str = "") -> Iterator[BinaryPackage]:
    for paragraph in read_paragraphs(io.BytesIO(content)):
        status = paragraph.get("Status", default)
        if status.rpartition(" ")[2] in _UNPACKED:
            yield msgspec.structs.replace(BinaryPackage.of(paragraph), status=status)


def _architecture(packages: list[BinaryPackage]) -> str:
    known = {package.name: package.architecture for package in reversed(packages) if package.architecture != "all"}
    return next((known[name] for name in _NATIVE if name in known), next(iter(known.values()), ""))


def _lists(root: RootFS, database: Literal["status", "status.d"]) -> Iterator[tuple[str, str]]:
    if database == "status":
        for name in root.names(_INFO):
            if name.endswith(".list"):
                content = root.whole(f"{_INFO}/{name}") or b""
                yield _printable(name.removesuffix(".list")), content.decode("utf-8", "replace")
        return
    for name in root.names(_STATUS_D):
        if name.endswith(_MD5SUMS):
            content = root.whole(f"{_STATUS_D}/{name}") or b""
            lines = (line.partition("  ")[2] for line in content.decode("utf-8", "replace").splitlines())
            yield _printable(name.removesuffix(_MD5SUMS)), "".join(f"/{path.lstrip('/')}\n" for path in lines if path)


def _files(root: RootFS) -> Iterator[tuple[str, bytes]]:
    for path, node in sorted(root.directories(), key=lambda pair: pair[0]):
        start = "" if path == "/" else f"{path[1:]}/"
        for name, child in sorted(node.children.items()):
            if child.whole is not None and is_kept_of_base(start + name):
                yield _printable(start + name), child.whole


def _os_release(root: RootFS) -> dict[str, str]:
    content = root.whole("/etc/os-release") or root.whole("/usr/lib/os-release") or b""
    matches = (_FIELD.fullmatch(line) for line in content.decode("utf-8", "replace").splitlines())
    return {match[1]: match[3] for match in matches if match}
