"""The environment in an image is the one that `uv sync --no-editable` makes at the same place."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from real.environments import differences, entry_point
from real.installs import install
from real.programs import run
from real.samples import SAMPLES

if TYPE_CHECKING:
    from pathlib import Path

    from real.engines import DockerLike
    from real.images import Images

LOCKED = [name for name in SAMPLES if name != "single-file"]
# What scripts are asked, so that each ends by itself.
IMPORT_METADATA = """
import importlib.metadata, json
print(json.dumps(sorted((d.name, d.version) for d in importlib.metadata.distributions())))
"""


@pytest.fixture(scope="module", params=LOCKED)
def environments(
    request: pytest.FixtureRequest,
    image: Images,
    podman: DockerLike,
    base_image: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[str, Path, Path]:
    """A sample's name, the environment that uv makes, and the one in its image."""
    built = image(request.param)
    directory = tmp_path_factory.mktemp(request.param)
    podman.pull(base_image)
    theirs = install(built.sample, built.project, podman=podman, base=base_image, target=directory)
    run("umoci", "unpack", "--image", f"{built.layout}:1", directory / "bundle")
    return request.param, theirs, directory / "bundle" / "rootfs" / "app" / ".venv"


def test_the_environment_is_the_one_that_uv_makes(environments: tuple[str, Path, Path]) -> None:
    _, theirs, ours = environments

    assert differences(theirs=theirs, ours=ours) == []


def test_scripts_start_and_packages_are_known(
    environments: tuple[str, Path, Path], image: Images, podman: DockerLike
) -> None:
    name, theirs, ours = environments
    reference = image(name).reference
    podman.pull(reference)
    scripts = [path.name for path in sorted((ours / "bin").iterdir()) if path.is_file() and entry_point(path)]
    installed = sorted(path.name for path in theirs.glob("lib/python*/site-packages/*.dist-info"))

    listed = podman.command(
        *("run", "--rm", "--network=none", *podman.run_options, "--entrypoint", "python3", reference),
        *("-c", IMPORT_METADATA),
    )
    for script in scripts:
        podman.command(
            *("run", "--rm", "--network=none", *podman.run_options, "--entrypoint", script, reference, "--help")
        )

    assert len(json.loads(listed.stdout)) == len(installed)
