"""Machines that share a record cache: each has a home of its own, and all of them build one project.

machine("a").push()         # fills the cache
machine("b").push()         # knows what the first has made
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from bench import Bench

from pycontainer.builder import BuildResult, ImageBuilder
from pycontainer.config import BuildConfig
from pycontainer.destinations.registry import RegistryDestination
from pycontainer.events import Event, Warned
from pycontainer.image import Image, ImageIndex
from pycontainer.oci import Reference
from pycontainer.testing.images import debian_like
from pycontainer.testing.registry import FakeRegistry
from pycontainer.testing.wheels import WheelForge
from pycontainer.transports.registry import RegistryClient

CACHE = "acme/cache"
VERSION = sys.version.split()[0]
LARGE = hashlib.shake_128(b"large").digest(5 << 20)  # a wheel that has a layer of its own
LARGE_WHEEL = WheelForge(name="large", files={"large/data.bin": LARGE})
RECORDS = f"/v2/{CACHE}/manifests/layer-"


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with FakeRegistry() as running:
        yield running


@pytest.fixture
def elsewhere() -> Iterator[FakeRegistry]:
    with FakeRegistry() as running:
        yield running


@pytest.fixture
def shared_project(bench: Bench) -> Bench:
    """A project with a large dependency and a small one."""
    lock_wheels(bench)
    return bench


def lock_wheels(bench: Bench, small: str = "1.0", **files: bytes) -> None:
    bench.locked.clear()
    bench.lock_wheel(_large(), filename=LARGE_WHEEL.filename, name="large")
    named = {f"{name.replace('__', '/')}.py": content for name, content in files.items()}
    bench.lock_forge(WheelForge(name="small", version=small, files={"small/__init__.py": small.encode(), **named}))


@cache
def _large() -> bytes:
    return LARGE_WHEEL.build()  # 0.3 s


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A host with a home of its own, whose builds share the cache of a registry."""

    home: Path
    project: Bench
    registry: FakeRegistry
    options: Mapping[str, Any]
    warnings: list[str] = field(default_factory=list)

    def push(self, name: str = "acme/app:1", *, to: FakeRegistry | None = None, **options: Any) -> BuildResult:
        return self.build(tag=f"{(to or self.registry).host}/{name}", push=True, **options)

    def build(self, **options: Any) -> BuildResult:
        """Build; only what happens from now on counts."""
        self.warnings.clear()
        self.project.index.requests.clear()
        self.registry.store.requests.clear()
        return ImageBuilder(BuildConfig(**self.given(**options)), emit=self._hear).build()

    def given(self, **options: Any) -> dict[str, Any]:
        """The options of a build."""
        return {
            "context_path": self.project.root,
            "cache_dir": self.home,
            "base_image": f"{self.registry.host}/python:slim",
            "platform": "linux/amd64",
            "cache_registry": f"{self.registry.host}/{CACHE}",
            **self.options,
            **options,
        }

    def _hear(self, event: Event) -> None:
        if isinstance(event, Warned):
            self.warnings.append("\n".join([event.message, *event.facts]))

    @property
    def wheels(self) -> list[str]:
        """The wheels that it asked the index for."""
        return [path.rpartition("/")[2].partition("-")[0] for path, _ in self.project.index.asked(".whl")]

    @property
    def layers_kept(self) -> int:
        """Layers and layers of bases that it has on its disk; of the base, the manifest and config are small."""
        files = [*self.home.glob("layers/blobs/*/*"), *self.home.glob("bases/blobs/*/*")]
        return sum(path.read_bytes()[:2] == b"\x1f\x8b" for path in files)


Machines = Callable[..., Machine]


@pytest.fixture
def machine(shared_project: Bench, registry: FakeRegistry, tmp_path: Path) -> Machines:
    """Give a machine by its name."""
    put_base(registry, debian_like(VERSION))

    def named(name: str, **options: Any) -> Machine:
        return Machine(home=tmp_path / name, project=shared_project, registry=registry, options=options)

    return named


def put_base(registry: FakeRegistry, image: Image | ImageIndex) -> None:
    RegistryDestination(RegistryClient(), [Reference.parse(f"{registry.host}/python:slim")]).write(image)


def came(result: BuildResult) -> dict[str, str]:
    """Where each layer came from that is not the base's."""
    return {layer.title: layer.came for layer in result.ledger.layers if layer.came != "base"}


def records_of(registry: FakeRegistry) -> dict[str, bytes]:
    """The records of the cache, by their tags."""
    repository = registry.store.repository(CACHE)
    found = {}
    for tag, digest in repository.tags.items():
        if tag.startswith("layer-"):
            found[tag] = repository.blobs[json.loads(repository.manifests[digest][1])["config"]["digest"]]
    return found
