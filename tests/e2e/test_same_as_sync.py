"""The environment in an image is the one that `uv sync --no-editable` makes at the same place."""

from __future__ import annotations

import json
import re
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
PYTHON = "/app/.venv/bin/python"
SAY = "echo {script}; /app/.venv/bin/{script} --help 2>&1; echo status $?\n"
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
    run("umoci", "raw", "unpack", "--image", f"{built.layout}:1", directory / "rootfs")
    return request.param, theirs, directory / "rootfs" / "app" / ".venv"


def test_the_environment_is_the_one_that_uv_makes(environments: tuple[str, Path, Path]) -> None:
    _, theirs, ours = environments

    assert differences(theirs=theirs, ours=ours) == []


def test_scripts_do_what_they_do_after_an_install(
    environments: tuple[str, Path, Path], base_image: str, podman: DockerLike
) -> None:
    _, theirs, ours = environments
    scripts = [path.name for path in sorted((ours / "bin").iterdir()) if path.is_file() and entry_point(path)]
    ask = "".join(SAY.format(script=script) for script in scripts)

    said = [_run_in_base(environment, podman, base_image, "sh", "-c", ask) for environment in (theirs, ours)]

    assert said[0] == said[1]
    assert scripts


def test_packages_are_known_by_their_names(
    environments: tuple[str, Path, Path], base_image: str, podman: DockerLike
) -> None:
    _, *both = environments

    known = [_run_in_base(environment, podman, base_image, PYTHON, "-c", IMPORT_METADATA) for environment in both]

    assert json.loads(known[0]) == json.loads(known[1]) != []


def _run_in_base(environment: Path, podman: DockerLike, base_image: str, *command: str) -> str:
    """What a command prints in a container of the base that has `environment` where it belongs."""
    options = ("--network=none", *podman.run_options, f"--volume={environment}:/app/.venv")
    said = podman.command("run", "--rm", *options, base_image, *command).stdout
    return re.sub(r"line \d+, in <module>", "line N, in <module>", said)  # uv's scripts are longer, for Windows
