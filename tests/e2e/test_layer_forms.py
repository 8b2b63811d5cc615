"""Images whose layers are zstd or eStargz are pulled and run by every engine that knows the form."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from real.checks import check
from real.command import Pycontainer
from real.samples import SAMPLES

from pycontainer.testing.estargz import read_estargz

if TYPE_CHECKING:
    from typing import Protocol

    from real.engines import DockerLike, Engine
    from real.registry import Registry

    class Push(Protocol):
        def __call__(self, form: str, base: str = ...) -> str: ...


SAMPLE = SAMPLES["fastapi"]
ZSTD = "application/vnd.oci.image.layer.v1.tar+zstd"
GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"
# umoci 0.4 says so; Docker says nothing of use, see below.
READS_NO_ZSTD = {"skopeo": "not correct mediatype"}
FIRST_DOCKER_WITH_ZSTD = 23


@pytest.fixture(scope="session")
def push(pycontainer: Pycontainer, registry: Registry, base_image: str, locked: Callable[[str], Path]) -> Push:
    """Build and push the sample in a form, once; its reference."""
    known: dict[tuple[str, str], str] = {}

    def build(form: str, base: str = base_image) -> str:
        reference = registry.reference(f"{SAMPLE.name}-forms:{form}-on-{base.rpartition(':')[2]}")
        if (form, base) not in known:
            options = ("--compression", form, "--base-image", base, "--tag", reference, "--push")
            pycontainer.build(locked(SAMPLE.name), *options, *SAMPLE.options)
            known[form, base] = reference
        return known[form, base]

    return build


def layers(registry: Registry, reference: str) -> list[dict[str, object]]:
    repository, tag = reference.split("/", 1)[1].split(":")
    return registry.manifest(repository, tag)[1]["layers"]  # type: ignore[no-any-return]


@pytest.mark.parametrize("form", ["zstd", "estargz"])
def test_engine_pulls_and_runs_every_form_it_knows(form: str, engine: Engine, push: Push) -> None:
    reference = push(form)
    if form == "zstd" and engine.name in READS_NO_ZSTD:
        with pytest.raises(AssertionError, match=READS_NO_ZSTD[engine.name]):
            engine.pull(reference)
        return
    if form == "zstd" and engine.name == "docker" and _version(engine) < FIRST_DOCKER_WITH_ZSTD:
        with pytest.raises(AssertionError, match="failed to register layer"):
            engine.pull(reference)
        return

    engine.pull(reference)

    check(SAMPLE, engine, reference)


def test_forms_stand_on_each_other(push: Push, registry: Registry, podman: DockerLike) -> None:
    """A base keeps its layers as they are; what is added has the form of its own build."""
    base = push("estargz")
    reference = push("zstd", base)

    of_base, of_both = layers(registry, base), layers(registry, reference)

    added = len(of_both) - len(of_base)
    assert of_both[:-added] == of_base, "annotations and all"
    assert {layer["mediaType"] for layer in of_base} == {GZIP}
    assert {layer["mediaType"] for layer in of_both[-added:]} == {ZSTD}
    podman.pull(reference)
    check(SAMPLE, podman, reference)


def test_a_pushed_estargz_layer_can_be_read_file_by_file(push: Push, registry: Registry) -> None:
    reference = push("estargz")
    annotated = [layer for layer in layers(registry, reference) if "annotations" in layer]
    names: set[str] = set()
    for layer in annotated:
        blob = registry.blob(f"{SAMPLE.name}-forms", str(layer["digest"]))
        names |= read_estargz(blob, layer["annotations"]).keys()  # type: ignore[arg-type]
    assert "app/.venv/lib/python3.11/site-packages/fastapi/__init__.py" in names


def test_a_docker_without_zstd_is_explained(
    docker: DockerLike, pycontainer: Pycontainer, base_image: str, locked: Callable[[str], Path]
) -> None:
    env = {"DOCKER_HOST": docker.client[docker.client.index("--host") + 1]}
    options = ("--compression", "zstd", "--base-image", base_image, "--tag", "forms-loaded:1", "--output", "docker")
    old = _version(docker) < FIRST_DOCKER_WITH_ZSTD

    done = pycontainer.build(locked(SAMPLE.name), *options, env=env, status=None)

    assert (done.returncode != 0) == old
    assert ("Docker reads layers in zstd from version 23 on" in done.stderr) == old
    assert not old or "--compression" in done.stderr


def _version(docker: Engine) -> int:
    server = docker.command("version", "--format", "{{json .Server}}").stdout  # type: ignore[attr-defined]
    return int(json.loads(server)["Version"].split(".")[0])
