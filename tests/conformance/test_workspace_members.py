"""Several images at once: members of a workspace, and platforms of one project, share all that they have in common."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest
from bench import Bench, Outcome

from pycontainer.builder import ImageBuilder
from pycontainer.config import BuildConfig
from pycontainer.destinations.layout import LayoutDestination
from pycontainer.destinations.registry import RegistryDestination
from pycontainer.events import Event, TaskFinished, Verb
from pycontainer.image import ImageIndex
from pycontainer.oci import Platform, Reference
from pycontainer.testing.images import debian_like
from pycontainer.testing.registry import FakeRegistry
from pycontainer.testing.wheels import WheelForge
from pycontainer.transports.registry import RegistryClient

MEMBERS = ("api", "worker")
LOCK = """\
version = 1
requires-python = ">=3.10"
[manifest]
members = ["api", "worker"]
{members}
[[package]]
name = "demo"
version = "1.0"
source = {{ registry = "{index}/simple" }}
wheels = [
    {{ url = "{index}/files/demo-1.0-py3-none-any.whl", hash = "sha256:{digest}", size = {size} }},
]
"""
MEMBER = """
[[package]]
name = "{name}"
version = "1"
source = {{ virtual = "packages/{name}" }}
dependencies = [{{ name = "demo" }}]
[package.metadata]
requires-dist = [{{ name = "demo" }}]
"""


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    """A registry that has the base image."""
    with FakeRegistry() as running:
        name = Reference.parse(f"{running.host}/library/python:3.12")
        RegistryDestination(RegistryClient(), [name]).write(debian_like("3.12.4"))
        yield running


@pytest.fixture
def workspace(bench: Bench) -> Bench:
    """Two applications that need the same wheel."""
    content = WheelForge().build()
    digest = bench.index.add("demo", WheelForge().filename, content)
    members = "".join(MEMBER.format(name=name) for name in MEMBERS)
    lock = LOCK.format(members=members, index=bench.index.url, digest=digest, size=len(content))
    bench.write("uv.lock", lock)
    bench.write("pyproject.toml", '[tool.uv.workspace]\nmembers = ["packages/*"]\n')
    for name in MEMBERS:
        project = f'[project]\nname = "{name}"\nversion = "1"\ndependencies = ["demo"]\n'
        bench.write(f"packages/{name}/pyproject.toml", project)
        bench.write(f"packages/{name}/main.py", f"print('{name}')\n")
    return bench


def push(bench: Bench, registry: FakeRegistry, *arguments: str) -> Outcome:
    """Build and push members with a base of the registry."""
    base = {"PYCONTAINER_BASE_IMAGE": f"{registry.host}/library/python:3.12"}
    words = ("--push", "--tag", f"{registry.host}/acme/{{name}}:1", *(arguments or ("--all-packages",)))
    return bench.build(*words, environment=base)


def test_members_are_built_from_one_download_and_one_base(workspace: Bench, registry: FakeRegistry) -> None:
    outcome = push(workspace, registry)
    assert outcome.code == 0, outcome.err
    references = outcome.out.splitlines()
    assert [reference.partition("@")[0] for reference in references] == [f"{registry.host}/acme/{n}" for n in MEMBERS]
    client = RegistryClient()
    for reference in references:
        assert str(client.manifest(Reference.parse(reference)).descriptor.digest) == reference.partition("@")[2]
    assert len(workspace.index.asked(".whl")) == 1
    asked = [each for each in registry.asked("GET", "/library/python/manifests/3.12") if each.status == HTTPStatus.OK]
    assert len(asked) == 2, "once when the test pushed it, and once for both"


def test_only_the_member_that_changed_does_anything(workspace: Bench, registry: FakeRegistry) -> None:
    first = push(workspace, registry)
    again = push(workspace, registry)
    assert again.out == first.out
    assert all(f"{name}: nothing has changed" in again.err for name in MEMBERS)
    workspace.write("packages/api/main.py", "print('changed')\n")
    before = len(registry.asked("PUT", "/acme/worker/blobs/")), len(registry.asked("PUT", "/acme/api/blobs/"))
    changed = push(workspace, registry)
    assert changed.code == 0, changed.err
    assert "worker: nothing has changed" in changed.err
    assert "api: moved" in changed.err
    after = len(registry.asked("PUT", "/acme/worker/blobs/")), len(registry.asked("PUT", "/acme/api/blobs/"))
    assert (after[0] - before[0], after[1] - before[1]) == (0, 2), "one layer, and the config"
    assert changed.out.splitlines()[1] == first.out.splitlines()[1]


def test_one_that_fails_is_named_and_the_others_are_built(workspace: Bench) -> None:
    (workspace.root / "packages/worker/main.py").unlink()
    outcome = workspace.build("--package", "api", "--package", "worker")
    assert outcome.code == 1
    assert outcome.err.count("error: ") == 1
    assert "error: worker: " in outcome.err
    assert outcome.err.endswith("1 of 2 images could not be built: `worker`\n")
    assert len(outcome.out.splitlines()) == 1
    assert (workspace.root / "dist/api/index.json").is_file()
    told = json.loads(workspace.build("--all-packages", "--json").out)
    assert [(each["package"], "digest" in each, "error" in each) for each in told] == [
        ("api", True, False),
        ("worker", False, True),
    ]


def test_those_with_settings_are_all_that_have_an_image(workspace: Bench) -> None:
    with (workspace.root / "packages/api/pyproject.toml").open("a") as file:
        file.write('[tool.pycontainer]\nentrypoint = ["python", "main.py"]\n')
    plans = json.loads(workspace.build("--all-packages", "--dry-run", "--json").out)
    assert [plan["package"] for plan in plans] == ["api"]


def test_images_that_would_overwrite_each_other_are_refused(workspace: Bench) -> None:
    error = workspace.refuses("tag: docker.io/library/app:1", code=2, arguments=["--all-packages", "--tag", "app:1"])
    assert "`{name}` in a tag or a path" in error
    assert "--tag" in error


def test_a_project_that_is_no_workspace_says_so(bench: Bench) -> None:
    bench.refuses("The project is not a workspace", arguments=["--all-packages"])


def test_a_layer_that_platforms_share_is_made_once(bench: Bench, tmp_path: Path) -> None:
    base = tmp_path / "both"
    images = [debian_like("3.12.4", platform=Platform("linux", each)) for each in ("amd64", "arm64")]
    LayoutDestination(base).write(ImageIndex(images=tuple(images), annotations={}))
    bench.lock_forge(WheelForge())
    heard: list[Event] = []
    config = BuildConfig(
        context_path=str(bench.root),
        base_image=f"oci:{base}",
        platform="linux/amd64,linux/arm64",
        cache_dir=str(tmp_path / "cache"),
        output=f"oci:{tmp_path / 'image'}",
    )
    result = ImageBuilder(config, emit=heard.append).build()
    below = len(images[0].layers)
    first, second = ([layer.descriptor for layer in image.layers[below:]] for image in result.images)
    assert first == second, "all that is above the base is pure Python"
    made = Counter(each.name for each in heard if isinstance(each, TaskFinished) and each.verb is Verb.MAKE_LAYER)
    assert set(made.values()) == {1}, made
    assert result.ledger.made == sum(descriptor.size for descriptor in first)
    assert result.ledger.reused == 0
