"""Why something is in an image: a file, a package of Python, a package of the operating system.

    contents = read_image(reader.open("ghcr.io/acme/api:1.4"))
    explain(contents, "/app/.venv/lib/python3.12/site-packages/anyio/abc.py", lock=lock)
    explain(contents, "anyio", lock=lock).chains

File → layer → package → lock → who needs it. The layers are read, as streams; records do not tell of single files.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from pycontainer.errors import ConfigError
from pycontainer.layers.entries import Kind
from pycontainer.oci import Platform
from pycontainer.reading.documents import LayerEntry, SystemPackage
from pycontainer.reading.inspect import layer_entry
from pycontainer.reading.installed import find_distributions, node_at, package_of
from pycontainer.reading.layers import measure, overlay
from pycontainer.reading.system import find_system_packages, owner_of
from pycontainer.sources.locks.filenames import normalize
from pycontainer.sources.locks.graph import DependencyGraph, requirement
from pycontainer.sources.locks.markers import Markers
from pycontainer.sources.target import Libc, PythonVersion, Target

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pycontainer.reading.installed import Distribution
    from pycontainer.reading.layers import LayerReading
    from pycontainer.reading.lock_view import LockView
    from pycontainer.reading.places import OpenedImage
    from pycontainer.sources.base.rootfs import Node, RootFS
    from pycontainer.sources.locks.graph import Chain

_PYTHON: Final = re.compile(r"/lib/python(3)\.(\d{1,3})")
_LIBRARY: Final = re.compile(r"(?:^|/)[^/]+\.libs/[^/]+$|(?:^|/)\.dylibs/")
_VENDORED: Final = re.compile(r"/_?vendor(?:ed)?/(?:.*/)?([^/]+?)-([^/-]+)\.dist-info/METADATA$")


class ChainEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Why a package is there: what of the project asks for it, and the packages from there to it."""

    root: str
    names: tuple[str, ...]


class LibraryEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A shared library that a wheel brings."""

    path: str
    size: int


class PackageExplanation(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="package"):
    """A Python distribution, and why it is there.

    `lock` says which lock has it at this version, `source` what is installed: a wheel's file name, or what a wheel is
    built of. `layer`, `files`, `size`, `libraries` and `vendored` are known of images alone, not of plans.
    """

    name: str
    version: str | None
    license: str | None = None
    prefix: str = ""
    lock: str | None = None
    source: str | None = None
    layer: LayerEntry | None = None
    files: int | None = None
    size: int | None = None
    needed_by: tuple[str, ...] = ()
    chains: tuple[ChainEntry, ...] = ()
    libraries: tuple[LibraryEntry, ...] = ()
    vendored: tuple[str, ...] = ()


class SystemPackageExplanation(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="os_package"):
    """A package of the operating system."""

    name: str
    version: str
    architecture: str = ""
    layer: LayerEntry | None = None


class FileExplanation(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="file"):
    """A file, link or directory: the layer that a container sees it from, and whose it is.

    `hides` are lower layers that have the path, too. `source` is where a plan takes it from.
    """

    path: str
    type: Literal["file", "link", "directory", "device"]
    size: int = 0
    mode: str = ""
    target: str = ""
    layer: LayerEntry | None = None
    hides: tuple[int, ...] = ()
    source: str | None = None
    package: PackageExplanation | None = None
    os_package: SystemPackageExplanation | None = None


Explanation = PackageExplanation | SystemPackageExplanation | FileExplanation


@dataclass(frozen=True, kw_only=True)
class ImageContents:
    """An image, all of it read."""

    image: OpenedImage
    readings: tuple[LayerReading | None, ...]
    root: RootFS
    distributions: tuple[Distribution, ...]


def read_image(image: OpenedImage) -> ImageContents:
    """Read all layers of an image.

    Raises:
        PyContainerError: One cannot be read, or is not what it should be.
    """
    readings = tuple(image.readings.of(image.layers))
    root = overlay(readings)
    return ImageContents(image=image, readings=readings, root=root, distributions=tuple(find_distributions(root)))


def explain(contents: ImageContents, subject: str, *, lock: LockView | None = None) -> Explanation:
    """Why a file or a package is in an image.

    Args:
        contents: The image.
        subject: A path, absolute or below the working directory, or the name of a package.
        lock: Of the project that the image may be of; it tells of packages that it pins at the same version.

    Raises:
        ConfigError: There is no such thing in the image.
    """
    if "/" in subject:
        return _explain_file(contents, _path(contents, subject), lock)
    for found in _at_home_first(contents):
        if found.name == normalize(subject):
            return _explain_package(contents, found, lock)
    for package in find_system_packages(contents.root):
        if package.name == subject:
            return _explain_system(contents, package)
    raise no_package(subject, (found.name for found in contents.distributions), where="the image")


def no_package(subject: str, known: Iterable[str], *, where: str) -> ConfigError:
    """The error of a package that is not there; it names those that are nearly called so."""
    import difflib  # noqa: PLC0415 - only for a mistake

    names = sorted(set(known))
    near = difflib.get_close_matches(normalize(subject), names, n=3)
    hint = f"Is {' or '.join(f'`{name}`' for name in near)} meant?" if near else None
    return ConfigError(
        f"There is no package `{subject[:80]}` in {where}",
        facts=[f"packages: {len(names)}", "a file is named by its absolute path in the image"],
        hint=hint,
    )


def entries_of(chains: Iterable[Chain]) -> tuple[ChainEntry, ...]:
    """Chains as documents have them."""
    return tuple(ChainEntry(root=chain.root, names=chain.names) for chain in chains)


def _at_home_first(contents: ImageContents) -> list[Distribution]:
    """The distributions, those of the application's environment before what a base has for itself."""
    home = contents.image.config.config.environment.get("VIRTUAL_ENV", "")
    return sorted(contents.distributions, key=lambda found: found.prefix != home)


def _path(contents: ImageContents, subject: str) -> str:
    """The absolute path that is meant: as people know a file of their project, it lies below the working directory."""
    below = f"{contents.image.config.config.working_dir.rstrip('/')}/{subject.strip('/')}"
    if not subject.startswith("/") and node_at(contents.root, below) is not None:
        return below
    return f"/{subject.strip('/')}"


def _explain_file(contents: ImageContents, path: str, lock: LockView | None) -> FileExplanation:
    node = node_at(contents.root, path)
    if node is None:
        had = [str(number) for number in _layers_with(contents, path)]
        facts = [f"layers that have it, and that higher ones hide: {', '.join(had)}"] if had else []
        raise ConfigError(f"There is no `{path[:200]}` in the image", facts=facts)
    folder = contents.root.find(path.rpartition("/")[0] or "/")
    real = f"{folder.path.rstrip('/') if folder else ''}/{path.rpartition('/')[2]}"
    owner = next((found for found in contents.distributions if real in found.paths), None)
    system = None if owner else owner_of(contents.root, real)
    packages = {package.name: package for package in find_system_packages(contents.root)} if system else {}
    known = packages.get(system or "")
    return FileExplanation(
        path=real,
        type=_type(node),
        size=measure(node).size,
        mode=f"{node.mode:04o}",
        target=node.target,
        layer=_layer(contents, node.layer),
        hides=tuple(number for number in _layers_with(contents, real) if number < node.layer),
        package=_explain_package(contents, owner, lock) if owner else None,
        os_package=_explain_system(contents, known) if known else None,
    )


def _type(node: Node) -> Literal["file", "link", "directory", "device"]:
    if node.kind is Kind.SYMLINK:
        return "link"
    if node.kind is Kind.DIRECTORY:
        return "directory"
    return "file" if node.kind is Kind.FILE else "device"


def _layers_with(contents: ImageContents, path: str) -> list[int]:
    relative = path.lstrip("/")
    return [
        number
        for number, reading in enumerate(contents.readings, 1)
        if reading and any(item.entry.path == relative for item in reading.entries)
    ]


def _explain_package(contents: ImageContents, found: Distribution, lock: LockView | None) -> PackageExplanation:
    package = package_of(found, contents.root)
    neighbours = [each for each in contents.distributions if each.prefix == found.prefix]
    installed = {each.name for each in neighbours}
    markers = Markers(_environment(contents, found))
    locked = lock is not None and found.version in lock.graph.versions.get(found.name, ())
    graph = lock.graph if lock is not None and locked else _graph_of(neighbours).with_tops(installed, markers)
    return PackageExplanation(
        name=found.name,
        version=found.version,
        license=found.license,
        prefix=found.prefix,
        lock=lock.name if lock is not None and locked else None,
        layer=_layer(contents, found.layer),
        files=package.files,
        size=package.size,
        needed_by=graph.needed_by(found.name, installed=installed, markers=markers),
        chains=entries_of(graph.chains(found.name, installed=installed, markers=markers)),
        libraries=_libraries(contents.root, found),
        vendored=tuple(sorted({f"{match[1]} {match[2]}" for path in found.paths if (match := _VENDORED.search(path))})),
    )


def _libraries(root: RootFS, found: Distribution) -> tuple[LibraryEntry, ...]:
    """What `auditwheel` and its like put beside a package."""
    paths = (path for path in found.paths if _LIBRARY.search(path))
    nodes = ((path, node_at(root, path)) for path in sorted(paths))
    return tuple(LibraryEntry(path=path, size=measure(node).size) for path, node in nodes if node)


def _graph_of(distributions: Iterable[Distribution]) -> DependencyGraph:
    """Who needs whom, by the packages' own metadata."""
    return DependencyGraph(
        needs={
            each.name: tuple(need for text in each.requires if (need := requirement(text))) for each in distributions
        }
    )


def _environment(contents: ImageContents, found: Distribution) -> Mapping[str, str]:
    """The markers of the image; its C library has no part in them."""
    match = _PYTHON.search(found.site)
    platform = contents.image.config.platform
    python = PythonVersion(int(match[1]), int(match[2])) if match else PythonVersion(3, 12)
    try:
        return Target(platform=platform, python=python, libc=Libc("glibc", 2, 36)).environment
    except ConfigError:  # of a machine that no wheels are for
        return Target(platform=Platform("linux", "amd64"), python=python, libc=Libc("glibc", 2, 36)).environment


def _explain_system(contents: ImageContents, package: SystemPackage) -> SystemPackageExplanation:
    told: dict[str, Any] = {"name": package.name, "version": package.version, "architecture": package.architecture}
    return SystemPackageExplanation(layer=_layer(contents, package.layer) if package.layer else None, **told)


def _layer(contents: ImageContents, number: int) -> LayerEntry:
    return layer_entry(contents.image, number - 1, reading=contents.readings[number - 1])
