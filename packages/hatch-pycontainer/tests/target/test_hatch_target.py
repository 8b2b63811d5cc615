"""The target `container`, driven by hatchling itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hatch_bench import PROJECT, TARGET, HatchBench

from pycontainer.destinations.layout import LayoutDestination
from pycontainer.image import ImageIndex
from pycontainer.oci import Platform
from pycontainer.testing.images import debian_like
from pycontainer.testing.registry import FakeRegistry

FILES = {
    "oci-layout": "demo_app-1.0.oci",
    "oci-archive": "demo_app-1.0.oci.tar",
    "docker-archive": "demo_app-1.0.docker.tar",
}


def dist(project: HatchBench) -> set[str]:
    return {path.name for path in (project.root / "dist").iterdir()}


def digests(lines: list[str]) -> list[str]:
    """Of the references among the lines."""
    return [line.partition("@")[2] for line in lines if "@sha256:" in line]


def test_with_no_options_an_oci_layout_named_after_the_project_is_written(project: HatchBench) -> None:
    *_, reference = project.builds()

    assert reference == f"oci:{Path('dist', FILES['oci-layout'])}@{project.digest()}"
    assert project.tags() == {"1.0"}
    assert project.image().config["Entrypoint"] == ["demo"]


def test_every_format_of_one_run_is_the_same_image(project: HatchBench) -> None:
    project.configure(f"[{TARGET}]\nversions = {json.dumps(list(FILES))}")

    lines = project.builds()

    assert dist(project) == set(FILES.values())
    assert digests(lines) == [project.digest()] * 3
    assert lines.count("Planning") == 1, "what was planned for one format is planned for all"


def test_formats_of_the_command_line_go_before_those_of_the_table(project: HatchBench) -> None:
    project.configure(f'[{TARGET}]\nversions = ["oci-archive"]')

    project.builds(target="container:docker-archive,docker-archive")

    assert dist(project) == {FILES["docker-archive"]}


def test_the_directory_is_hatchs(project: HatchBench) -> None:
    project.configure('[tool.hatch.build]\ndirectory = "out"')
    project.builds()
    project.builds("-d", "elsewhere")

    assert (project.root / "out" / FILES["oci-layout"] / "index.json").is_file()
    assert (project.root / "elsewhere" / FILES["oci-layout"] / "index.json").is_file()


def test_clean_removes_what_was_made_of_this_project_and_nothing_else(project: HatchBench) -> None:
    project.configure(project=PROJECT.replace('"1.0"', '"0.9"'))
    project.builds(target="container:oci-layout,docker-archive", PYCONTAINER_SBOM="spdx")
    project.configure()
    foreign = {"demo_app-2.0-notes.txt", "demo_app_more-1.0.oci.tar", "demo_app-1.0-py3-none-any.whl", "other-1.0.oci"}
    for name in foreign:
        project.write(f"dist/{name}", "mine")
    project.write("dist/demo_app-3.0.oci/mine.txt", "mine")
    if os.name == "posix":  # Windows lets few users make links
        foreign.add("demo_app-4.0.oci.tar")
        (project.root / "dist" / "demo_app-4.0.oci.tar").symlink_to("other-1.0.oci")

    lines = project.builds("--clean", target="container:oci-archive")

    assert dist(project) == {*foreign, FILES["oci-archive"], "demo_app-3.0.oci"}
    assert any("demo_app-3.0.oci stays" in line for line in lines)


def test_local_versions_become_tags(project: HatchBench) -> None:
    project.configure(
        f'[{TARGET}]\ntag = ["registry.example/api:{{version}}", "api:edge"]',
        project=PROJECT.replace('"1.0"', '"1.2.dev1+g10b2067"'),
    )

    project.builds()

    assert project.tags("demo_app-1.2.dev1+g10b2067.oci") == {"1.2.dev1-g10b2067", "edge"}


def test_options_stand_in_the_table_the_shared_table_and_variables(project: HatchBench) -> None:
    project.configure(
        f'[{TARGET}]\nworkdir = "/target"\nuser = "1234"\n[{TARGET}.env]\nFROM = "target"\n'
        '[tool.pycontainer]\nuser = "5678"\nports = [8080]\n[tool.pycontainer.env]\nFROM = "shared"\nMORE = "shared"'
    )

    project.builds(PYCONTAINER_WORKDIR="/variable")

    image = project.image()
    assert image.config["WorkingDir"] == "/variable"
    assert image.config["User"].startswith("1234")
    assert image.environment["FROM"] == "target"
    assert image.environment["MORE"] == "shared"
    assert list(image.config["ExposedPorts"]) == ["8080/tcp"]


def test_hatch_toml_is_read_and_named(project: HatchBench) -> None:
    project.write("hatch.toml", '[build.targets.container]\nbase-imag = "x"')

    project.hatch_refuses("set by: build.targets.container.base-imag in hatch.toml", "hint: Is `base-image` meant?")


def test_files_are_forced_into_the_image(project: HatchBench) -> None:
    project.write("etc/app.ini", "[app]\n")
    project.write("etc/more/deep.ini", "[deep]\n")
    project.configure(
        f'[{TARGET}.force-include]\n"etc/app.ini" = "/etc/app.ini"\n"etc/more" = "srv"\n'
        '[tool.hatch.build.force-include]\n"etc/app.ini" = "demo_app/of_the_wheel.ini"'
    )

    project.builds()

    files = project.image().files
    assert {"/etc/app.ini", "/srv/deep.ini"} <= set(files)
    assert "/app/.venv/lib/python3.12/site-packages/demo_app/of_the_wheel.ini" in files
    assert "/demo_app/of_the_wheel.ini" not in files, "what is forced into all targets is for wheels"


HOOK = """
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

class Hook(BuildHookInterface):
    def initialize(self, version, build_data):
        self.app.display_info(f"hook of {self.target_name}")
        build_data["force_include"]["made.py"] = "demo_app/made.py"
"""


@pytest.mark.parametrize("place", ["tool.hatch.build.hooks.custom", "tool.hatch.build.targets.wheel.hooks.custom"])
def test_build_hooks_run_once_for_all_platforms_and_formats(project: HatchBench, place: str) -> None:
    project.write("hatch_build.py", HOOK)
    project.write("made.py", "")
    project.configure(f"[{place}]")

    both = ImageIndex(images=tuple(debian_like(platform=Platform("linux", name)) for name in ("amd64", "arm64")))
    LayoutDestination(project.root.parent / "both").write(both)

    lines = project.builds(
        target="container:oci-layout,oci-archive",
        PYCONTAINER_BASE_IMAGE=f"oci:{project.root.parent / 'both'}",
        PYCONTAINER_PLATFORM="linux/amd64,linux/arm64",
    )

    assert [line for line in lines if line.startswith("hook of")] == ["hook of wheel"]


def test_hooks_of_the_target_run_for_it(project: HatchBench) -> None:
    project.write("hatch_build.py", HOOK)
    project.write("made.py", "")
    project.configure(f"[{TARGET}.hooks.custom]")

    assert "hook of container" in project.builds()


def test_hooks_only_and_no_hooks_are_hatchs(project: HatchBench) -> None:
    project.write("hatch_build.py", HOOK)
    project.write("made.py", "")
    project.configure("[tool.hatch.build.hooks.custom]")

    assert "hook of wheel" not in project.builds("--no-hooks")
    (project.root / "dist").rename(project.root / "before")
    project.builds("--hooks-only")
    assert dist(project) == set()


def test_metadata_that_hooks_make_describes_the_image(project: HatchBench) -> None:
    project.write(
        "hatch_build.py",
        "from hatchling.metadata.plugin.interface import MetadataHookInterface\n"
        "class Hook(MetadataHookInterface):\n"
        "    def update(self, metadata):\n"
        "        metadata['description'] = 'found by a hook'\n"
        "        metadata['scripts'] = {'demo-app': 'demo_app:main'}\n",
    )
    project.write("src/demo_app/__init__.py", "__version__ = '2.5'\ndef main(): ...\n")
    fields = PROJECT.partition("scripts =")[0].replace(
        'version = "1.0"', 'dynamic = ["version", "description", "scripts"]'
    )
    project.write(
        "pyproject.toml",
        f'{fields}\n[tool.hatch.version]\npath = "src/demo_app/__init__.py"\n[tool.hatch.metadata.hooks.custom]',
    )

    project.builds()

    config = project.image("demo_app-2.5.oci").config
    assert config["Labels"]["org.opencontainers.image.version"] == "2.5"
    assert config["Labels"]["org.opencontainers.image.description"] == "found by a hook"
    assert config["Entrypoint"] == ["demo-app"]


def test_quiet_and_verbose_are_hatchs(project: HatchBench) -> None:
    assert project.builds(HATCH_QUIET="1") == []
    assert any(line.startswith("  had ") for line in project.builds(HATCH_VERBOSE="1"))


def test_work_is_counted_on_a_terminal(project: HatchBench) -> None:
    project.terminal = True
    shown = project.hatchling().err
    plain = project.hatchling(TERM="dumb").err

    assert "\r\x1b[K  Making layers 0/1" in shown
    *_, last = shown.split("\r\x1b[K")
    assert last.startswith("oci:dist"), "the counter is gone in the end"
    assert "\x1b" not in plain


def test_what_is_pushed_is_named_by_digest(project: HatchBench) -> None:
    with FakeRegistry() as registry:
        project.configure(f'[{TARGET}.registry]\nurl = "{registry.host}/acme"')

        *_, as_format = project.builds(target="container:registry")
        by_variable = project.builds(PYCONTAINER_PUSH="1")

    assert as_format == f"{registry.host}/acme/demo-app@{project.digest()}"
    assert f"  pushed {as_format}" in by_variable
    assert set(registry.store.repository("acme/demo-app").tags) == {"1.0"}


def test_a_variable_for_outputs_earns_a_warning(project: HatchBench) -> None:
    project.configure(f'[{TARGET}]\nversions = ["oci-archive"]')

    lines = project.builds(PYCONTAINER_OUTPUT="docker")

    assert "warning: `PYCONTAINER_OUTPUT` says nothing to Hatch, which takes formats" in lines
    assert dist(project) == {FILES["oci-archive"]}


def test_a_dry_run_prints_the_plan_and_builds_nothing(project: HatchBench) -> None:
    outcome = project.hatchling(PYCONTAINER_DRY_RUN="1")

    assert outcome.code == 0, outcome.err
    assert outcome.out.startswith("project      Demo.App 1.0")
    assert dist(project) == set()


def test_builds_of_other_targets_load_nothing_of_the_core() -> None:
    """Hatchling asks every plugin of an environment what it has, whatever is built."""
    code = (
        "import sys; from hatchling.plugin.manager import PluginManager; plugins = PluginManager();"
        "print(plugins.builder.get('container'), plugins.build_hook.get('container'));"
        "print([name for name in sys.modules if name.startswith('pycontainer')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    classes, loaded = done.stdout.splitlines()
    assert "ContainerBuilder" in classes
    assert "ContainerBuildHook" in classes
    assert loaded == "[]"
