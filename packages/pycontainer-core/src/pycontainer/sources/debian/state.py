"""What a base image knows of Debian: its packages, their files, and what the next package changes of it.

state = read_state(root)
state.distribution, state.codename, state.architecture     # "debian", "bookworm", "amd64"
[package.name for package in state.packages]
state.tree.kind("usr/bin/python3"), state.files["etc/ld.so.conf"]
"""

from __future__ import annotations

import hashlib
from typing import Literal

import msgspec

from pycontainer.sources.debian.package import BinaryPackage
from pycontainer.sources.debian.tree import BaseTree


class DebianState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A base image made of Debian packages. All paths are relative to the root, links on their way resolved.

    Attributes:
        distribution: `ID` of os-release(5): `debian`, `ubuntu`.
        like: `ID_LIKE`, for what derives from them.
        codename: `VERSION_CODENAME`: `bookworm`; empty where it is not told.
        version: `VERSION_ID`: `12`, `24.04`.
        architecture: Debian's name of the architecture that its packages have.
        packages: What is installed, in the order of the database; `status` is set.
        database: `status` is dpkg's own file, `status.d` the folder of images without dpkg.
        status: The text of `var/lib/dpkg/status`; empty where the database is `status.d`.
        info: The names in `var/lib/dpkg/info`, sorted; in `var/lib/dpkg/status.d` where that is the database.
        lists: What packages own, by `name` or `name:architecture` as dpkg names the files: paths, a line each.
        files: The contents of files that packages, or the effects of their scripts, change: see `kept.py`.
        tree: All paths.
    """

    distribution: str
    codename: str
    architecture: str
    tree: BaseTree
    like: tuple[str, ...] = ()
    version: str = ""
    packages: tuple[BinaryPackage, ...] = ()
    database: Literal["status", "status.d"] = "status"
    status: str = ""
    info: tuple[str, ...] = ()
    lists: dict[str, str] = {}
    files: dict[str, bytes] = {}

    @property
    def ground(self) -> str:
        """A digest of what decides where the files of a package go, and whose they are."""
        accounts = [self.files.get("etc/passwd", b""), self.files.get("etc/group", b"")]
        packages = [str(package) for package in self.packages]
        ground = msgspec.json.encode([self.tree.digest, accounts, packages, self.lists], order="deterministic")
        return hashlib.sha256(ground).hexdigest()


def owners(state: DebianState) -> dict[str, tuple[BinaryPackage, ...]]:
    """The packages that own each file, by its canonical path; directories are everybody's and left out."""
    packages = {
        key: package for package in state.packages for key in (package.name, f"{package.name}:{package.architecture}")
    }
    found: dict[str, tuple[BinaryPackage, ...]] = {}
    for name, paths in state.lists.items():
        package = packages.get(name)
        if package is None:
            continue
        for line in paths.splitlines():
            path = state.tree.canonical(line.strip("/"))
            if path and path not in state.tree.directories:
                found[path] = (*found.get(path, ()), package)
    return found
