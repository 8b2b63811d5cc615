"""A record cache in a real registry: a machine that has nothing but the project and no way to the index.

Promise: with one changed file, it downloads no wheel, moves no layer of a dependency or of the base, and its image
runs.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from real import registry as registries
from real.checks import check
from real.command import Pycontainer
from real.engines import DockerLike
from real.registry import Registry
from real.samples import SAMPLES

# Nobody listens there: whoever needs more than this host gets nowhere.
NO_NETWORK = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), "http://127.0.0.1:9")
NO_NETWORK |= {"NO_PROXY": "localhost,127.0.0.1"}
SMALL = 20_000  # bytes of a config, of manifests and of the layer of a file


@dataclass(frozen=True, kw_only=True)
class Built:
    """A build that was pushed: its ledger, and what the registry saw of it."""

    reference: str
    ledger: dict[str, Any]
    asked: list[str]
    sent: int
    stored: int


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A host of its own: its home is new, its copy of the project, too."""

    project: Path
    command: Pycontainer
    registry: Registry
    options: tuple[str, ...]

    def push(self, name: str, *, to: Registry | None = None, env: dict[str, str] | None = None) -> Built:
        target = (to or self.registry).reference(name)
        before, held = len(self.registry.requests()), self.registry.stored()
        done = self.command.build(self.project, "--tag", target, "--push", "--json", *self.options, env=env)
        requests = self.registry.requests()[before:]
        return Built(
            reference=target,
            ledger=json.loads(done.stdout)["ledger"],
            asked=[f"{request.method} {request.path}" for request in requests],
            sent=sum(request.sent for request in requests if request.method == "GET"),
            stored=self.registry.stored() - held,
        )


@pytest.fixture(scope="module")
def machine(
    tmp_path_factory: pytest.TempPathFactory, registry: Registry, base_image: str, locked: Callable[[str], Path]
) -> Callable[[], Machine]:
    """Give a new machine with a copy of the project."""
    cache = registry.reference("shared/cache")

    def made() -> Machine:
        home = tmp_path_factory.mktemp("machine")
        project = home / "project"
        shutil.copytree(locked("fastapi"), project, ignore=shutil.ignore_patterns("dist"))
        options = ("--base-image", base_image, "--cache-registry", cache, "--platform", "linux/amd64")
        return Machine(project=project, command=Pycontainer(cache=home / "cache"), registry=registry, options=options)

    return made


@pytest.fixture(scope="module")
def elsewhere(ground: Path) -> Iterator[Registry]:
    with registries.registry(ground / "elsewhere") as running:
        yield running


def test_one_changed_file_moves_one_layer_and_its_image_runs(
    machine: Callable[[], Machine], docker: DockerLike
) -> None:
    first = machine().push("shared/a:1")
    new = machine()
    main = next(path for path in new.project.rglob("*.py") if "hello from fastapi" in path.read_text())
    main.write_text(main.read_text().replace("hello from fastapi", "hello from machine b"))

    second = new.push("shared/b:1", env=NO_NETWORK)

    by_title = {layer["title"]: layer for layer in second.ledger["layers"]}
    changed = by_title.pop("project files")
    assert (changed["came"], changed["moved"]) == ("made", ["uploaded"])
    assert {layer["came"] for layer in by_title.values()} == {"base", "record"}
    assert {how for layer in by_title.values() for how in layer["moved"]} == {"mounted"}
    assert second.ledger["made"] == changed["size"]
    assert second.ledger["moved"] < SMALL < first.ledger["moved"]
    assert second.ledger["downloaded"] < SMALL < first.ledger["downloaded"]
    assert [each for each in second.asked if each.startswith("PATCH")] == []
    assert second.stored < SMALL, "what the registry had to store anew"
    assert second.sent < 10 * SMALL, "what the registry was asked for: manifests, records, the base's config and facts"
    sample = SAMPLES["fastapi"]
    docker.pull(second.reference)
    pages = {path: text.replace("hello from fastapi", "hello from machine b") for path, text in sample.pages.items()}
    check(replace(sample, pages=pages), docker, second.reference)


def test_layers_of_a_base_go_from_one_registry_to_the_other_and_not_to_the_disk(
    machine: Callable[[], Machine], elsewhere: Registry
) -> None:
    machine().push("shared/a:1")
    new = machine()

    result = new.push("shared/a:1", to=elsewhere, env=NO_NETWORK)

    layers = result.ledger["layers"]
    streamed = {layer["digest"]: layer["size"] for layer in layers if layer["moved"] == ["streamed"]}
    assert result.ledger["streamed"] == sum(streamed.values()) > 100 * SMALL
    assert result.ledger["made"] < SMALL, "what is made of what is here, such as the project's files, is made"
    assert all(layer["digest"] in streamed for layer in layers if layer["came"] == "base")
    fetched = [each.rpartition("/")[2] for each in result.asked if each.startswith("GET") and "/blobs/" in each]
    assert [fetched.count(digest) for digest in streamed] == [1] * len(streamed), "each came once"
    assert sum(path.stat().st_size for path in new.command.cache.rglob("*") if path.is_file()) < 10 * SMALL
    assert new.push("shared/a:2", to=elsewhere, env=NO_NETWORK).ledger["moved"] == 0
