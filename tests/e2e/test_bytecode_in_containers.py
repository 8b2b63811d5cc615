"""What `--compile-bytecode` made is what the Python in a container takes, on another machine as well."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from real.checks import check
from real.samples import SAMPLES

from pycontainer.errors import ToolError
from pycontainer.sources.bytecode import find_python
from pycontainer.sources.target import PythonVersion

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from real.command import Pycontainer
    from real.engines import DockerLike
    from real.registry import Registry

IMPORTS = "import fastapi, uvicorn, pydantic, app, os; print(os.getuid(), os.access(fastapi.__path__[0], os.W_OK))"
COMPILED = "# code object from '/app/"
LOADED = "# code object from '/app/.venv/lib/python3.11/site-packages/fastapi/__pycache__/__init__.cpython-311.pyc'"


@pytest.fixture(autouse=True)
def _a_python_that_compiles() -> None:
    """The base has Python 3.11."""
    try:
        find_python(PythonVersion(3, 11), environment=os.environ)
    except ToolError:
        pytest.skip("there is no Python 3.11 on this host")


@pytest.mark.parametrize("platform", ["linux/amd64", "linux/arm64"])
@pytest.mark.usefixtures("arm64")
def test_modules_come_from_bytecode_for_a_user_who_could_not_write_it(
    platform: str,
    podman: DockerLike,
    pycontainer: Pycontainer,
    locked: Callable[[str], Path],
    registry: Registry,
    base_image: str,
) -> None:
    reference = registry.reference(f"bytecode-{platform.replace('/', '-')}:1")
    options = ("--base-image", base_image, "--platform", platform, "--tag", reference, "--push")

    pycontainer.build(locked("fastapi"), *options, "--compile-bytecode")
    podman.pull(reference, platform=platform)

    check(SAMPLES["fastapi"], podman, reference, platform=platform)
    with podman.serve(reference, platform=platform) as container:
        done = container.execute("python3", "-v", "-c", IMPORTS)
    uid, writable = done.stdout.split()
    assert uid != "0"
    assert writable == "False"
    sources = [line for line in done.stderr.splitlines() if line.startswith(COMPILED) and line.endswith(".py'")]
    assert sources == [], "these were compiled in the container"
    assert LOADED in done.stderr.splitlines()
