"""What `inspect`, `diff` and `explain` say of images in a real registry is what Docker, dpkg and uv say of them."""

from __future__ import annotations

import json
import re
import shutil
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from real.engines import new_name
from real.samples import uv

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from real.command import Pycontainer
    from real.engines import DockerLike
    from real.images import Built, Images
    from real.registry import Registry

INSTALLED = """
import importlib.metadata, json
print(json.dumps(sorted((d.name.lower().replace("_", "-"), d.version) for d in importlib.metadata.distributions())))
"""
# What an engine puts into every container.
ENGINES_OWN = re.compile(r"^(?:\.dockerenv|(?:dev|proc|sys)(?:/.*)?|etc/(?:hosts|hostname|resolv\.conf|mtab))$")


@dataclass(frozen=True)
class Versions:
    """Two versions of one application, in the registry."""

    first: Built
    second: str
    project: Path


@pytest.fixture(scope="module")
def versions(
    image: Images,
    pycontainer: Pycontainer,
    base_image: str,
    registry: Registry,
    tmp_path_factory: pytest.TempPathFactory,
) -> Versions:
    """`fastapi`, and the same with a dependency more, a file changed and another port."""
    first = image("fastapi")
    project = tmp_path_factory.mktemp("second") / "project"
    shutil.copytree(first.project, project, ignore=shutil.ignore_patterns("dist"))
    uv("add", "--quiet", "--no-sync", "six", cwd=project)
    with (project / "app" / "main.py").open("a") as file:
        file.write("# changed\n")
    second = registry.reference("fastapi:2")
    options = ("--base-image", base_image, "--tag", second, "--push", "--port", "9000", *first.sample.options)
    pycontainer.build(project, *options)
    return Versions(first=first, second=second, project=project)


@pytest.fixture
def read(pycontainer: Pycontainer, tmp_path: Path) -> Callable[..., Any]:
    """The document that a command prints for programs, on a host that knows nothing unless it is told to."""

    def read_json(command: str, *words: str, context: Path = tmp_path, known: bool = False) -> Any:
        return json.loads(pycontainer(command, context, *words, "--json", *([] if known else ["--no-cache"])).stdout)

    return read_json


def test_packages_are_those_that_a_container_has(
    versions: Versions, read: Callable[..., Any], docker: DockerLike
) -> None:
    docker.pull(versions.first.reference)
    python = ("--entrypoint", "/app/.venv/bin/python", versions.first.reference, "-c", INSTALLED)
    shown = "${Package} ${Version}\\n"
    dpkg = ("--entrypoint", "dpkg-query", versions.first.reference, "-W", "-f", shown)
    installed, listed = (docker.command("run", "--rm", "--network", "none", *words).stdout for words in (python, dpkg))

    found = read("inspect", versions.first.reference)

    assert [
        [each["name"], each["version"]] for each in found["packages"] if each["prefix"] == "/app/.venv"
    ] == json.loads(installed)
    assert [f"{each['name']} {each['version']}" for each in found["os_packages"]] == sorted(listed.splitlines())
    assert {layer["known"] for layer in found["layers"]} == {"read"}


def test_records_tell_the_same_without_reading(versions: Versions, read: Callable[..., Any]) -> None:
    known = read("inspect", versions.first.reference, known=True)
    unknown = read("inspect", versions.first.reference)
    assert [layer["known"] for layer in known["layers"]].count("record") >= 2
    for document in (known, unknown):
        del document["replaced_size"]
        for layer in document["layers"]:
            del layer["known"]
    assert known == unknown


def test_what_a_node_would_pull_is_what_docker_pulls(
    versions: Versions, read: Callable[..., Any], docker: DockerLike
) -> None:
    found = read("diff", versions.first.reference, versions.second, known=True)
    docker.pull(versions.first.reference)
    said = docker.command("pull", versions.second).stdout

    pull = found["pull"]
    assert said.count("Already exists") == pull["layers_in_order"]
    assert said.count("Pull complete") == pull["layers_shared"] + pull["layers_new"] - pull["layers_in_order"]
    assert 0 < pull["bytes"] <= pull["bytes_in_order"] < pull["total"]
    assert [(each["change"], each["name"]) for each in found["packages"]] == [("added", "six")]
    assert found["os_packages"] == []
    assert {"env.PORT", "ports"} >= {each["field"] for each in found["config"]} - {"cmd", "entrypoint"}


def test_files_that_differ_are_those_that_docker_exports(
    versions: Versions, read: Callable[..., Any], docker: DockerLike, tmp_path: Path
) -> None:
    before, after = (_exported(docker, each, tmp_path) for each in (versions.first.reference, versions.second))
    found = read("diff", versions.first.reference, versions.second, "--files", known=True)["files"]
    paths = {
        change: {each["path"] for each in found if each["change"] == change}
        for change in ("added", "removed", "changed")
    }
    assert paths["added"] == after - before
    assert paths["removed"] == before - after
    assert "/app/app/main.py" in paths["changed"]
    assert paths["changed"] <= before & after


def _exported(docker: DockerLike, reference: str, folder: Path) -> set[str]:
    """The files and links that a container of an image has."""
    docker.pull(reference)
    name, archive = new_name(), folder / "export.tar"
    docker.command("create", "--name", name, reference)
    docker.command("export", "--output", str(archive), name)
    docker.command("rm", name)
    with tarfile.open(archive) as tar:
        return {f"/{each.name}" for each in tar if not each.isdir() and not ENGINES_OWN.match(each.name)}


@pytest.mark.parametrize("package", ["anyio", "uvloop", "typing-extensions"])
def test_who_needs_a_package_is_what_uv_says(package: str, versions: Versions, read: Callable[..., Any]) -> None:
    tree = uv(*_TREE, "--invert", "--depth", "1", "--package", package, cwd=versions.project)
    expected = set(re.findall(r"(?m)^[├└]── ([a-z0-9-]+)", tree)) - {"orders"}

    found = read("explain", package, "--image", versions.second, context=versions.project, known=True)

    assert set(found["needed_by"]) == expected
    assert found["lock"] == "uv.lock"
    assert found["chains"][0]["root"] == "dependencies"
    assert found["chains"][0]["names"][-1] == package
    # The packages' own metadata tell the same where no lock is at hand.
    assert set(read("explain", package, "--image", versions.second, known=True)["needed_by"]) == expected


_TREE = ("tree", "--no-dev", "--python-version", "3.11", "--python-platform", "linux", "--no-progress")


def test_an_image_that_docker_built_is_read_too(
    versions: Versions,
    base_image: str,
    registry: Registry,
    read: Callable[..., Any],
    docker: DockerLike,
    tmp_path: Path,
) -> None:
    site = "/usr/local/lib/python3.11/dist-packages"
    uv("pip", "install", "--quiet", "--target", tmp_path / "site", "--python-version", "3.11", "six", "click")
    (tmp_path / "Dockerfile").write_text(f"FROM {base_image}\nCOPY site {site}\nENV API_TOKEN=h4nter2\nUSER 1000\n")
    reference = registry.reference("by-docker:1")
    docker.pull(base_image)
    docker.command("build", "--network", "none", "--tag", reference, str(tmp_path))
    docker.command("push", reference)
    docker.command("save", "--output", str(tmp_path / "saved.tar"), reference)

    pushed, saved = (read("inspect", each) for each in (reference, str(tmp_path / "saved.tar")))

    assert [(each["name"], each["prefix"]) for each in pushed["packages"]][:2] == [
        ("click", "/usr/local"),
        ("six", "/usr/local"),
    ]
    assert len(pushed["os_packages"]) > 50
    assert (pushed["config"]["user"], pushed["config"]["env"]["API_TOKEN"]) == ("1000", "***")
    for key in ("packages", "os_packages", "config"):
        assert saved[key] == pushed[key]
    file = read("explain", f"{site}/six.py", "--image", reference)
    assert (file["package"]["name"], file["layer"]["number"]) == ("six", len(pushed["layers"]))
    library = read("explain", "/bin/sh", "--image", reference)
    assert library["os_package"]["name"] == "dash"
    difference = read("diff", reference, versions.first.reference)
    assert ("removed", "click") not in [(each["change"], each["name"]) for each in difference["packages"]]
    assert ("removed", "six") in [(each["change"], each["name"]) for each in difference["packages"]]
