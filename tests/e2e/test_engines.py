"""Every sample project becomes an image that every engine pulls and runs."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from real.checks import check
from real.programs import run
from real.samples import SAMPLES

if TYPE_CHECKING:
    from pathlib import Path

    from real.engines import DockerLike, Engine
    from real.images import Images
    from real.registry import Registry

pytestmark = pytest.mark.parametrize("name", SAMPLES)


def test_engine_pulls_and_runs_the_pushed_image(name: str, engine: Engine, image: Images) -> None:
    built = image(name)

    engine.pull(built.reference)

    check(built.sample, engine, built.reference)


def test_the_printed_reference_is_what_the_registry_has(name: str, image: Images, registry: Registry) -> None:
    built = image(name)

    digest, manifest = registry.manifest(name, "1")

    assert re.fullmatch(rf"{re.escape(registry.host)}/{name}(:1)?@{digest}", built.printed)
    assert manifest["mediaType"] == "application/vnd.oci.image.manifest.v1+json"


def test_podman_runs_the_layout(name: str, podman: DockerLike, image: Images) -> None:
    built = image(name)
    (entry,) = json.loads((built.layout / "index.json").read_text())["manifests"]

    assert entry["digest"] == built.digest, "the layout holds what was pushed"
    check(built.sample, podman, f"oci:{built.layout}:1")


def test_skopeo_loads_the_layout_into_docker(name: str, docker: DockerLike, image: Images, tmp_path: Path) -> None:
    built = image(name)
    daemon = docker.client[docker.client.index("--host") + 1]
    loaded = f"{name}-loaded:latest"
    copy = ("skopeo", "--tmpdir", tmp_path, "copy", "--quiet", "--insecure-policy", "--dest-daemon-host", daemon)

    run(*copy, f"oci:{built.layout}", f"docker-daemon:{loaded}")

    check(built.sample, docker, loaded)
