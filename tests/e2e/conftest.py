"""The real parts as fixtures: started when the first test asks, stopped after the last one."""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from memory import in_memory
from real import bases, engines, qemu
from real import registry as registries
from real.bundles import Bundles
from real.command import Pycontainer
from real.images import Images
from real.samples import SAMPLES, lock_sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from real.engines import Engine
    from real.registry import Registry

HERE = Path(__file__).parent
PLENTY = 8 * 10**9  # for each worker: it has engines of its own, and the largest file of tests takes 4 GB
ENGINES = ("docker", "podman", "containerd", "skopeo")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests of this folder."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def ground() -> Iterator[Path]:
    """A directory for the data of engines; its path is short, since sockets are made in it."""
    with TemporaryDirectory(prefix="pyc-", dir=in_memory(PLENTY), ignore_cleanup_errors=True) as directory:
        yield Path(directory)


@pytest.fixture(scope="session")
def registry(ground: Path) -> Iterator[Registry]:
    """A registry that holds `python:3.11-slim` for linux/amd64 and linux/arm64."""
    with registries.registry(ground / "registry") as running:
        layout = bases.base_layout(ground / "bases", ["amd64", "arm64"])
        running.copy_in(layout, bases.TAG, f"python:{bases.TAG}", every_platform=True)
        shutil.rmtree(layout)
        yield running


@pytest.fixture(scope="session")
def base_image(registry: Registry) -> str:
    """The reference of the base image."""
    return registry.reference(f"python:{bases.TAG}")


@pytest.fixture(scope="session")
def start_engine(ground: Path) -> Iterator[Callable[[str], Engine]]:
    """Give an engine by its name, started at the first call."""
    running: dict[str, Engine] = {}
    with ExitStack() as stack:

        def start(name: str) -> Engine:
            if name not in running:
                root = ground / name
                root.mkdir()
                if name == "skopeo":
                    running[name] = Bundles(root=root)
                else:
                    starter: Callable[[Path], AbstractContextManager[Engine]] = getattr(engines, name)
                    running[name] = stack.enter_context(starter(root))
            return running[name]

        yield start


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, start_engine: Callable[[str], Engine]) -> Engine:
    """Each engine in turn."""
    return start_engine(request.param)


@pytest.fixture(scope="session")
def docker(start_engine: Callable[[str], Engine]) -> engines.DockerLike:
    """Docker."""
    engine = start_engine("docker")
    assert isinstance(engine, engines.DockerLike)
    return engine


@pytest.fixture(scope="session")
def podman(start_engine: Callable[[str], Engine]) -> engines.DockerLike:
    """Podman."""
    engine = start_engine("podman")
    assert isinstance(engine, engines.DockerLike)
    return engine


@pytest.fixture(scope="session")
def arm64() -> None:
    """Programs for linux/arm64 run here."""
    qemu.enable_arm64()


@pytest.fixture(scope="session")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Give a locked sample by its name; tests that change it copy it first."""
    projects: dict[str, Path] = {}

    def lock(name: str) -> Path:
        if name not in projects:
            projects[name] = lock_sample(SAMPLES[name], tmp_path_factory.mktemp("locked") / name)
        return projects[name]

    return lock


@pytest.fixture(scope="session")
def pycontainer(tmp_path_factory: pytest.TempPathFactory) -> Pycontainer:
    """The real command; its cache is empty in the beginning, and shared by all workers, as on one machine."""
    own = tmp_path_factory.getbasetemp()
    return Pycontainer(cache=(own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "cache")


@pytest.fixture(scope="session")
def image(pycontainer: Pycontainer, registry: Registry, base_image: str, locked: Callable[[str], Path]) -> Images:
    """Give the image of a sample by its name, built and pushed at the first call."""
    return Images(pycontainer=pycontainer, registry=registry, base_image=base_image, locked=locked)
