"""What differs between two images, and what a node that has one of them would pull for the other.

difference = compare(inspect(reader, before), inspect(reader, after))
difference.pull.bytes                    # of 1.9 GB, 41 kB are new
compare_files(before, after)             # reads both, as streams
"""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from pycontainer.layers.entries import Kind
from pycontainer.reading.layers import measure, overlay

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pycontainer.reading.documents import Inspection, LayerEntry, Package, SystemPackage
    from pycontainer.reading.places import OpenedImage
    from pycontainer.sources.base.rootfs import Node, RootFS

Change = Literal["added", "removed", "changed"]


class PackageChange(msgspec.Struct, frozen=True, kw_only=True):
    """A package that only one image has, or both in different versions. Sizes are none for the operating system's."""

    change: Change
    name: str
    before: str | None = None
    after: str | None = None
    size_before: int | None = None
    size_after: int | None = None
    license_before: str | None = None
    license_after: str | None = None


class ConfigChange(msgspec.Struct, frozen=True, kw_only=True):
    """A field of the config, such as `user` or `env.PORT`, whose value differs; none where an image lacks it."""

    field: str
    before: Any = None
    after: Any = None


class FileChange(msgspec.Struct, frozen=True, kw_only=True):
    """A file that only one image has, or both with other content, kind, target or mode."""

    change: Change
    path: str
    size_before: int | None = None
    size_after: int | None = None


class Pull(msgspec.Struct, frozen=True, kw_only=True):
    """What a node that has the first image pulls for the second: layers it lacks, config and manifest.

    `bytes` is what containerd and Podman pull, which know layers by digest. Docker's own store knows a layer only above
    the same layers, so that it pulls anew what stands above the first one that differs: `bytes_in_order`, and
    `layers_in_order` of the shared ones are there for it.
    """

    bytes: int
    bytes_in_order: int
    total: int
    layers_shared: int
    layers_in_order: int
    layers_new: int


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """How the second image differs from the first. `files` is none where they were not compared."""

    before: str
    after: str
    same: bool
    pull: Pull
    config: tuple[ConfigChange, ...] = ()
    packages: tuple[PackageChange, ...] = ()
    os_packages: tuple[PackageChange, ...] = ()
    files: tuple[FileChange, ...] | None = None


def compare(before: Inspection, after: Inspection, *, files: tuple[FileChange, ...] | None = None) -> Difference:
    """How `after` differs from `before`; `files` are what `compare_files` found."""
    return Difference(
        before=before.name,
        after=after.name,
        same=before.digest == after.digest,
        pull=_pull(before, after),
        config=tuple(_config_changes(_flat(before), _flat(after))),
        packages=tuple(_package_changes(_by_place(before.packages), _by_place(after.packages))),
        os_packages=tuple(_package_changes(_by_name(before.os_packages), _by_name(after.os_packages))),
        files=files,
    )


def compare_files(before: OpenedImage, after: OpenedImage) -> tuple[FileChange, ...]:
    """The files that differ in what a container sees, by path.

    Raises:
        PyContainerError: A layer cannot be read.
    """
    if before.descriptor.digest == after.descriptor.digest:
        return ()
    one, other = (dict(_files(overlay(each.readings.of(each.layers, hashed=True)))) for each in (before, after))
    changes = (_file_change(path, one.get(path), other.get(path)) for path in sorted(one.keys() | other.keys()))
    return tuple(change for change in changes if change)


def _files(root: RootFS) -> Iterator[tuple[str, Node]]:
    for folder, node in root.directories():
        for name, child in node.children.items():
            if child.kind is not Kind.DIRECTORY:
                yield f"{folder.rstrip('/')}/{name}", child


def _file_change(path: str, before: Node | None, after: Node | None) -> FileChange | None:
    if before is None or after is None:
        return FileChange(
            change="added" if before is None else "removed",
            path=_printable(path),
            size_before=None if before is None else measure(before).size,
            size_after=None if after is None else measure(after).size,
        )
    one, other = measure(before), measure(after)
    if (before.kind, before.target, before.mode, one) == (after.kind, after.target, after.mode, other):
        return None
    return FileChange(change="changed", path=_printable(path), size_before=one.size, size_after=other.size)


def _printable(path: str) -> str:
    """A name that is not UTF-8 has no place in JSON."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _pull(before: Inspection, after: Inspection) -> Pull:
    there = {layer.digest for layer in before.layers}
    pairs = zip(before.layers, after.layers, strict=False)
    in_order = sum(1 for _ in takewhile(lambda pair: pair[0].diff_id == pair[1].diff_id, pairs))
    same = before.digest == after.digest
    return Pull(
        bytes=0 if same else after.size - _size(layer for layer in after.layers if layer.digest in there),
        bytes_in_order=0 if same else after.size - _size(after.layers[:in_order]),
        total=after.size,
        layers_shared=sum(layer.digest in there for layer in after.layers),
        layers_in_order=in_order,
        layers_new=sum(layer.digest not in there for layer in after.layers),
    )


def _size(layers: Iterable[LayerEntry]) -> int:
    """What layers weigh, each blob once."""
    return sum({layer.digest: layer.size for layer in layers}.values())


def _flat(inspection: Inspection) -> dict[str, Any]:
    """The config as fields, a table's keys each for themselves; what is empty is not there."""
    config: dict[str, Any] = msgspec.to_builtins(inspection.config)
    config |= {"platform": inspection.platform, "os": inspection.os}
    config["base"] = msgspec.to_builtins(inspection.base) if inspection.base else {}
    labels = inspection.config.labels.items()
    config["annotations"] = dict(item for item in inspection.annotations.items() if item not in labels)
    fields: dict[str, Any] = {}
    for name, value in config.items():
        if isinstance(value, dict):
            fields |= {f"{name}.{key}": item for key, item in value.items()}
        elif value:
            fields[name] = value
    return fields


def _config_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[ConfigChange]:
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            yield ConfigChange(field=name, before=before.get(name), after=after.get(name))


def _by_place(packages: Iterable[Package]) -> dict[str, Package]:
    """By name; a package of another environment, such as the base's own pip, is another one."""
    found: dict[str, Package] = {}
    for package in packages:
        found.setdefault(package.name, package)
        if found[package.name] is not package:
            found[f"{package.name} ({package.prefix})"] = package
    return found


def _by_name(packages: Iterable[SystemPackage]) -> dict[str, SystemPackage]:
    found: dict[str, SystemPackage] = {}
    for package in packages:
        key = f"{package.name}:{package.architecture}" if package.name in found else package.name
        found[key] = package
    return found


def _package_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[PackageChange]:
    for name in sorted(before.keys() | after.keys()):
        one, other = before.get(name), after.get(name)
        if one is not None and other is not None and one.version == other.version:
            continue
        yield PackageChange(
            change="added" if one is None else "removed" if other is None else "changed",
            name=name,
            before=_told(one, "version"),
            after=_told(other, "version"),
            size_before=_told(one, "size"),
            size_after=_told(other, "size"),
            license_before=_told(one, "license"),
            license_after=_told(other, "license"),
        )


def _told(package: Package | SystemPackage | None, field: str) -> Any:
    """What is told of a package; some things of some packages alone."""
    return getattr(package, field, None)
