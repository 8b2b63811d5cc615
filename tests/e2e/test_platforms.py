"""Images for other machines: linux/arm64 made on x86-64, and one index for both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from real.checks import check
from real.samples import SAMPLES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from real.command import Pycontainer
    from real.engines import DockerLike, Engine
    from real.registry import Registry

pytestmark = pytest.mark.usefixtures("arm64")

ARM = "linux/arm64"
AMD = "linux/amd64"
# Its wheels are large and compiled. A server on arm64 is among the tests of bytecode: an emulator that has to compile
# all its modules, too, takes long.
NAME = "numbers"


def test_an_image_for_arm64_made_here_runs_on_arm64(
    podman: DockerLike,
    pycontainer: Pycontainer,
    locked: Callable[[str], Path],
    registry: Registry,
    base_image: str,
) -> None:
    reference = registry.reference(f"{NAME}-arm64:1")

    pycontainer.build(locked(NAME), "--base-image", base_image, "--platform", ARM, "--tag", reference, "--push")

    podman.pull(reference, platform=ARM)
    check(SAMPLES[NAME], podman, reference, platform=ARM)


@pytest.fixture(scope="module")
def index(pycontainer: Pycontainer, locked: Callable[[str], Path], registry: Registry, base_image: str) -> str:
    """The reference of an index that holds a sample for two platforms."""
    reference = registry.reference("both:1")
    pycontainer.build(
        locked("src-scripts"), "--base-image", base_image, "--platform", f"{AMD},{ARM}", "--tag", reference, "--push"
    )
    return reference


def test_an_index_names_both_platforms(index: str, registry: Registry) -> None:
    assert index.endswith("/both:1")
    _, document = registry.manifest("both", "1")

    platforms = [entry["platform"] for entry in document["manifests"]]

    assert document["mediaType"] == "application/vnd.oci.image.index.v1+json"
    assert [(platform["os"], platform["architecture"]) for platform in platforms] == [
        ("linux", "amd64"),
        ("linux", "arm64"),
    ]


@pytest.mark.parametrize("platform", [AMD, ARM])
def test_an_engine_takes_its_platform_from_an_index(index: str, platform: str, engine: Engine) -> None:
    engine.pull(index, platform=platform)

    check(SAMPLES["src-scripts"], engine, index, platform=platform)
