"""Who builds: pycontainer, `docker build` with BuildKit, `buildah build`; each from nothing.

with contender.start(storage, place) as bench:      # fresh storage, nothing pulled
    bench.cold(project, reference)
    bench.publish(project, reference)
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

from real.programs import run
from uv import find_uv_bin

from side_by_side.contenders.buildah import buildah
from side_by_side.contenders.contender import Bench, Contender, FirstBuilds
from side_by_side.contenders.docker import docker, docker_client
from side_by_side.contenders.ours import OURS, Ours, ours

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["OURS", "Bench", "Contender", "FirstBuilds", "Ours", "contenders", "ours", "versions"]


def contenders() -> tuple[Contender, ...]:
    """Those that are installed here, ours first."""
    found = [Contender(name=OURS, start=ours)]
    if docker_client() and shutil.which("dockerd"):
        found.append(Contender(name="docker build", start=docker))
    if shutil.which("buildah"):
        found.append(Contender(name="buildah build", start=buildah))
    return tuple(found)


def versions() -> dict[str, str]:
    """Of everything that takes part."""
    commands: dict[str, list[str | Path]] = {"uv": [find_uv_bin(), "--version"], "Buildah": ["buildah", "--version"]}
    if shutil.which("dockerd"):
        commands["Docker (BuildKit)"] = ["dockerd", "--version"]
    found = {}
    for name, command in commands.items():
        try:
            said = run(*command).stdout
        except (OSError, subprocess.SubprocessError):
            continue
        number = re.search(r"\d+(\.\d+)+", said)
        found[name] = number[0] if number else json.dumps(said)
    return found
