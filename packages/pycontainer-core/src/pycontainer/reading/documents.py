"""What an image is, as documents for people and programs: names stay, sizes are in bytes."""

from __future__ import annotations

from typing import Literal

import msgspec

# How the contents of a layer became known; `unknown` where nobody has a record and it was not to be read.
Known = Literal["record", "read", "unknown"]


class PlatformEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An image of an index."""

    platform: str
    digest: str
    size: int


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """Something that stands beside an image and tells of it: a bill of materials, a provenance, a signature."""

    type: str
    digest: str
    size: int


class Package(msgspec.Struct, frozen=True, kw_only=True):
    """A Python distribution. `name` is normalised; `prefix` is the environment that it is in: `/app/.venv`.

    `layer` counts from 1. `license` is an SPDX expression, or what else its metadata declares.
    """

    name: str
    version: str
    license: str | None = None
    layer: int
    files: int
    size: int
    prefix: str = ""


class SystemPackage(msgspec.Struct, frozen=True, kw_only=True):
    """A package of the operating system; `layer` is the last one that wrote its entry, none where nobody can tell."""

    name: str
    version: str
    architecture: str = ""
    layer: int | None = None


class LayerEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A layer. `size` is what moves, `unpacked_size` the bytes of its files; `title` is its line of the history."""

    number: int
    digest: str
    diff_id: str
    media_type: str
    size: int
    title: str = ""
    known: Known = "unknown"
    files: int | None = None
    unpacked_size: int | None = None


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """How the container runs. Values that are secret, by their name or by how they look, are masked."""

    user: str = ""
    working_dir: str = ""
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    env: dict[str, str] = {}
    ports: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    labels: dict[str, str] = {}
    stop_signal: str = ""


class Base(msgspec.Struct, frozen=True, kw_only=True):
    """The image that this one says it was built on."""

    name: str = ""
    digest: str = ""


class Inspection(msgspec.Struct, frozen=True, kw_only=True):
    """An image of one platform.

    `digest` is that of its manifest, `index` that of the index which it was found in; `size` is all that a node without
    anything pulls, `unpacked_size` what its layers unpack to, `replaced_size` how much of that higher layers hide. The
    last two are none where a layer was neither known nor read.
    """

    name: str
    digest: str
    index: str | None = None
    platform: str
    platforms: tuple[PlatformEntry, ...] = ()
    created: str | None = None
    size: int
    unpacked_size: int | None = None
    replaced_size: int | None = None
    os: str = ""
    base: Base | None = None
    config: Config
    annotations: dict[str, str] = {}
    layers: tuple[LayerEntry, ...] = ()
    packages: tuple[Package, ...] = ()
    os_packages: tuple[SystemPackage, ...] = ()
    attachments: tuple[Attachment, ...] = ()
