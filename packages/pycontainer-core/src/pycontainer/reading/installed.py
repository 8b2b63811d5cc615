"""The Python distributions of an image, found by what installers leave: `METADATA` and `RECORD`.

    for found in find_distributions(root):
        found.name, found.version, found.paths

Whoever installed them, and whatever the image was made with.
"""

from __future__ import annotations

import csv
import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pycontainer.layers.entries import contained_path
from pycontainer.reading.documents import Package
from pycontainer.reading.layers import measure
from pycontainer.sources.locks.filenames import normalize
from pycontainer.sources.wheels.license import declared_license

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycontainer.sources.base.rootfs import Node, RootFS

# The directories that Python imports from; what lies in others is a copy that some package keeps for itself.
_SITES: Final = ("site-packages", "dist-packages")
_MAX_ROWS: Final = 500_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Distribution:
    """An installed distribution.

    Attributes:
        name: Normalised (PEP 503).
        site: The directory that it is imported from, absolute.
        folder: Its `.dist-info`, absolute; an old `.egg-info` may be a file.
        layer: The number of the layer that has its metadata.
        paths: Its files as `RECORD` has them, absolute; empty where it has none.
        requires: Its `Requires-Dist` lines.
    """

    name: str
    version: str
    license: str | None
    site: str
    folder: str
    layer: int
    paths: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()

    @property
    def prefix(self) -> str:
        """The environment: what stands before `lib/python3.12`."""
        return self.site.partition("/lib/python")[0]


def find_distributions(root: RootFS) -> Iterator[Distribution]:
    """Every distribution in a directory that Python imports from, sorted by directory and name."""
    sites = sorted(path for path, _ in root.directories() if path.rpartition("/")[2] in _SITES)
    for site in sites:
        for name in root.names(site):
            if name.endswith((".dist-info", ".egg-info")) and (found := _distribution(root, site, name)):
                yield found


def package_of(found: Distribution, root: RootFS) -> Package:
    """What is told of a distribution: how many files it has, and their bytes."""
    nodes = [node for path in found.paths if (node := node_at(root, path))]
    return Package(
        name=found.name,
        version=found.version,
        license=found.license,
        layer=found.layer,
        files=len(nodes),
        size=sum(measure(node).size for node in nodes),
        prefix=found.prefix,
    )


def node_at(root: RootFS, path: str) -> Node | None:
    """The file or link of a path itself; links on the way are followed."""
    folder, _, name = path.rpartition("/")
    parent = root.find(folder or "/")
    return parent.node.children.get(name) if parent else None


def _distribution(root: RootFS, site: str, folder: str) -> Distribution | None:
    place = f"{site}/{folder}"
    for name in (f"{place}/METADATA", f"{place}/PKG-INFO", place):
        found = root.find(name)
        if found is not None and found.node.whole is not None:
            fields = _fields(found.node.whole)
            if not fields.get("name") or not fields.get("version"):
                return None
            return Distribution(
                name=normalize(fields["name"][0][:200]),
                version=fields["version"][0][:200],
                license=declared_license(found.node.whole),
                site=site,
                folder=place,
                layer=found.node.layer,
                paths=tuple(_recorded(root.whole(f"{place}/RECORD") or b"", site)),
                requires=tuple(fields.get("requires-dist", ())),
            )
    return None


def _fields(metadata: bytes) -> dict[str, list[str]]:
    """The fields before the first empty line, by lower-case name."""
    fields: dict[str, list[str]] = {}
    head = metadata.decode("utf-8-sig", "replace").replace("\r\n", "\n").partition("\n\n")[0]
    for line in head.split("\n"):
        key, colon, value = line.partition(":")
        if colon and not line[:1].isspace():
            fields.setdefault(key.strip().lower(), []).append(value.strip())
    return fields


def _recorded(record: bytes, site: str) -> Iterator[str]:
    """The paths of a `RECORD`, which are relative to the directory of imports, or absolute."""
    lines = record.decode("utf-8", "surrogateescape").splitlines()[:_MAX_ROWS]
    try:
        for row in csv.reader(lines):
            if row and row[0]:
                yield f"/{contained_path(posixpath.join(site, row[0]))}"
    except csv.Error:
        return
