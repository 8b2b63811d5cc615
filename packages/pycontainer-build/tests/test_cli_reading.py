from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from pycontainer.frontend import exit_codes
from pycontainer.testing.index_server import IndexServer, serving
from pycontainer.testing.registry import FakeRegistry, Rules
from pycontainer.testing.wheels import WheelForge

Run: TypeAlias = Callable[..., Any]

SECRET = "h4nter2"
CACHE = ("--cache-dir", "../cache")


@dataclass(frozen=True)
class Project:
    """A project in the current directory, and the command."""

    run: Run
    base: Path
    index: IndexServer

    def lock(self, **versions: str) -> None:
        """Lock packages at versions, the first of which needs the others."""
        names = list(versions)
        locked = ['lock-version = "1.0"\ncreated-by = "test"\n']
        for name, version in versions.items():
            needs = names[1:] if name == names[0] else []
            lines = [f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\nLicense-Expression: MIT"]
            lines += [f"Requires-Dist: {other}" for other in needs]
            metadata = "\n".join([*lines, ""]).encode()
            forge = WheelForge(name=name, version=version, files={f"{name}.py": version.encode()}, metadata=metadata)
            content = forge.build()
            digest = self.index.add(name, forge.filename, content)
            url = json.dumps(f"{self.index.url}/files/{forge.filename}")
            file = f'{{ url = {url}, hashes = {{ sha256 = "{digest}" }} }}'
            tables = ", ".join(f'{{ name = "{other}" }}' for other in needs)
            locked.append(
                f'[[packages]]\nname = "{name}"\nversion = "{version}"\ndependencies = [{tables}]\nwheels = [{file}]\n'
            )
        Path("pylock.toml").write_text("\n".join(locked))
        first = names[0]
        Path("pyproject.toml").write_text(f'[project]\nname = "app"\nversion = "1.0"\ndependencies = ["{first}"]\n')

    def build(self, *words: str) -> str:
        """Build, and return what is printed."""
        given = ("--base-image", f"oci:{self.base}", "--platform", "linux/amd64", *CACHE)
        done = self.run("build", *given, *words)
        assert done.code == 0, done.err
        return str(done.out.strip())


def without_figures(text: str) -> str:
    """What does not depend on the compressor of this host: neither digests nor the sizes of what it compressed."""
    text = re.sub(r"sha256:[0-9a-f]+…?", "sha256:…", text)
    text = re.sub(r"[\d.]+ k?B (?=to pull)", "… ", text)
    text = re.sub(r"(?<=to pull: ).* of [\d.]+ k?B", "… of …", text)
    text = re.sub(r"(?<=pulls )[\d.]+ k?B", "…", text)
    text = re.sub(r"(?m)^( +\d+ +)[\d.]+ k?B", r"\1…", text)
    return re.sub(r"(?<=\S) {2,}", "  ", text)


@pytest.fixture
def project(run: Run, base: Path) -> Iterator[Project]:
    Path("main.py").write_text("print('hello')\n")
    with serving() as index:
        made = Project(run, base, index)
        made.lock(web="1.0", core="1.0")
        yield made


def test_an_image_is_inspected_for_people(project: Project, run: Run, snapshot: Callable[[str, str], None]) -> None:
    project.build("--output", "oci:image", "--created", "0", "--env", f"API_TOKEN={SECRET}")
    done = run("inspect", "oci:image", "--all", *CACHE)
    assert (done.code, done.err) == (0, "")
    assert SECRET not in done.out
    snapshot("inspect.txt", without_figures(done.out))


def test_the_difference_of_two_images_is_told_for_people(
    project: Project, run: Run, snapshot: Callable[[str, str], None]
) -> None:
    project.build("--output", "oci:../one", "--env", f"API_TOKEN={SECRET}")
    project.lock(web="2.0", other="1.0")
    project.build("--output", "oci:../two", "--port", "80", "--env", f"API_TOKEN={SECRET}x")
    done = run("diff", "oci:../one", "../two", "--files", "--check", *CACHE)
    assert (done.code, done.err) == (exit_codes.FAILED, "")
    assert SECRET not in done.out
    snapshot("diff.txt", without_figures(done.out))
    assert run("diff", "oci:../one", "../one", "--check").out == "oci:../one → ../one\n  the same image\n"


def test_programs_get_documents_with_stable_names(project: Project, run: Run) -> None:
    project.build("--output", "oci:image")
    inspected = json.loads(run("inspect", "image", "--json").out)
    assert set(inspected) == {
        *("name", "digest", "index", "platform", "platforms", "created", "size", "unpacked_size", "replaced_size"),
        *("os", "base", "config", "annotations", "layers", "packages", "os_packages", "attachments"),
    }
    assert set(inspected["packages"][0]) == {"name", "version", "license", "layer", "files", "size", "prefix"}
    compared = json.loads(run("diff", "image", "oci:image", "--json", "--files").out)
    assert set(compared) == {"before", "after", "same", "pull", "config", "packages", "os_packages", "files"}
    assert compared["pull"] == {
        "bytes": 0,
        "bytes_in_order": 0,
        "total": inspected["size"],
        "layers_shared": 6,
        "layers_in_order": 6,
        "layers_new": 0,
    }
    explained = json.loads(run("explain", "core", "--image", "image", "--json").out)
    assert explained["kind"] == "package"
    assert explained["chains"] == [{"root": "dependencies", "names": ["web", "core"]}]
    path = "/app/.venv/lib/python3.12/site-packages/core.py"
    file = json.loads(run("explain", path, "--image", "image", "--json").out)
    assert (file["kind"], file["path"], file["package"]["name"]) == ("file", path, "core")


def test_a_plan_is_explained_without_building(project: Project, run: Run) -> None:
    given = ("--base-image", f"oci:{project.base}", "--platform", "linux/amd64", *CACHE, "-q")
    found = run("explain", "core", *given).out
    assert "  from       core-1.0-py3-none-any.whl\n" in found
    assert "  because    dependencies → web → core\n" in found
    assert "/app/main.py\n" in run("explain", "main.py", *given).out
    done = run("explain", "cora", *given)
    assert (done.code, "Is `core` meant?" in done.err) == (exit_codes.USAGE, True)
    done = run("explain", "/usr/bin/x", *given)
    assert "name it with `--image`" in done.err
    assert not Path("dist").exists()
    Path("pycontainer.toml").write_text("[policy]\npinned-base = true\n")
    assert run("build", *given).code == exit_codes.POLICY
    assert run("explain", "core", *given).out == found, "what breaks a policy can be explained"


def test_what_records_tell_is_not_pulled(project: Project, run: Run) -> None:
    with FakeRegistry() as registry:
        reference = f"{registry.host}/acme/api:1"
        project.build("--tag", reference, "--push")
        before = len(registry.requests)
        known = json.loads(run("inspect", reference, "--json", *CACHE).out)
        pulled = [item.path.rpartition("/")[2] for item in registry.requests[before:] if "/blobs/" in item.path]
        unknown = json.loads(run("inspect", reference, "--json", "--no-cache").out)
        listing = json.loads(run("inspect", reference, "--json", "--no-cache", "--no-pull").out)
    (of_wheels,) = [layer["digest"] for layer in known["layers"] if layer["known"] == "record"]
    assert of_wheels not in pulled
    assert known["packages"] == unknown["packages"]
    assert {layer["known"] for layer in unknown["layers"]} == {"read"}
    assert {layer["known"] for layer in listing["layers"]} == {"unknown"}


def test_what_one_command_has_read_the_next_ones_do_not_pull(project: Project, run: Run) -> None:
    with FakeRegistry() as registry:
        reference = f"{registry.host}/acme/api:1"
        project.build("--tag", reference, "--push", "--cache-dir", "../others")

        def pulled(*words: str) -> int:
            before = len(registry.requests)
            done = run(*words, reference, *CACHE, "-q")
            assert done.code == exit_codes.OK, done.err
            asked = [item.path for item in registry.requests[before:] if "/blobs/" in item.path]
            return len(asked) - 1  # of which one is the config

        assert pulled("inspect") > 2
        assert not Path("../cache").exists(), "looking makes no cache"
        project.build()
        for folder in ("layers", "bases"):
            shutil.rmtree(f"../cache/{folder}")
        assert pulled("inspect") > 2
        assert pulled("inspect") == 0
        assert pulled("explain", "web", "--image") == 0
        assert run("cache", "verify", *CACHE).code == exit_codes.OK
        Path("../cache").chmod(0o777)
        assert pulled("inspect") > 2, "nobody believes what everyone can write"


def test_a_private_registry_is_read_with_the_credentials_of_the_options(run: Run) -> None:
    with FakeRegistry(Rules(authentication="basic", users={"bob": SECRET})) as registry:
        reference = f"{registry.host}/acme/api:1"
        denied = run("inspect", reference, *CACHE)
        assert denied.code == exit_codes.DENIED
        missing = run("inspect", reference, "--username", "bob", "--password-stdin", *CACHE, stdin=SECRET.encode())
        assert missing.code == exit_codes.NETWORK
        assert "There is no image" in missing.err
        assert SECRET not in denied.err + missing.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["inspect"], "No image is named"),
        (["diff", "one"], "Two images are compared"),
        (["explain"], "Nothing to explain is named"),
        (["inspect", "oci:nowhere"], "There is no such image"),
        (["inspect", f"https://bob:{SECRET}@host.lab/x:y"], "is not the name of an image"),
    ],
)
def test_wrong_use_is_told(words: list[str], told: str, run: Run) -> None:
    done = run(*words)
    assert done.code == exit_codes.USAGE
    assert told in done.err
    assert SECRET not in done.err + done.out
