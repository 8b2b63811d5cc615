"""The same project, locked by every tool: the same answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pycontainer.oci import Platform
from pycontainer.sources.locks import Choice
from pycontainer.sources.locks.graph import Chain, DependencyGraph, Need, read_graph, requirement
from pycontainer.sources.locks.markers import Markers
from pycontainer.sources.target import Libc, PythonVersion, Target

MARKERS = Markers(
    Target(platform=Platform("linux", "amd64"), python=PythonVersion(3, 12, 4), libc=Libc("glibc", 2, 36)).environment
)
INSTALLED = {"web", "core", "loop", "tool"}
PYPROJECT: dict[str, Any] = {
    "project": {
        "name": "app",
        "dependencies": ["Web[Fast]>=3"],
        "optional-dependencies": {"Pg": ["tool"]},
    },
    "dependency-groups": {"dev": [{"include-group": "lint"}], "lint": ["tool"]},
}
LOCKS = {
    "uv.lock": """
version = 1
[[package]]
name = "app"
source = { virtual = "." }
dependencies = [{ name = "web", extra = ["fast"] }]
[package.optional-dependencies]
pg = [{ name = "tool" }]
[package.dev-dependencies]
dev = [{ name = "tool" }]
[[package]]
name = "web"
version = "3.0"
dependencies = [{ name = "core" }, { name = "win", marker = "sys_platform == 'win32'" }]
[package.optional-dependencies]
fast = [{ name = "loop", marker = "python_version >= '3.9'" }]
other = [{ name = "tool" }]
[[package]]
name = "core"
version = "1.1"
""",
    "poetry.lock": """
[[package]]
name = "web"
version = "3.0"
[package.dependencies]
core = ">=1"
loop = {version = ">=0.4", optional = true, markers = "extra == \\"fast\\""}
tool = {version = "*", optional = true, markers = "extra == \\"other\\""}
win = {version = "*", markers = "sys_platform == \\"win32\\""}
[package.extras]
fast = ["loop"]
[[package]]
name = "core"
version = "1.1"
""",
    "pdm.lock": """
[[package]]
name = "web"
version = "3.0"
dependencies = ["core>=1", "win; sys_platform == 'win32'"]
[[package]]
name = "web"
version = "3.0"
extras = ["fast"]
dependencies = ["loop>=0.4", "web==3.0"]
[[package]]
name = "core"
version = "1.1"
""",
}


def graph(root: Path, name: str, choice: Choice | None = None) -> DependencyGraph:
    (root / name).write_text(LOCKS[name])
    return read_graph(root / name, PYPROJECT, project="App", choice=choice)


@pytest.mark.parametrize("name", LOCKS)
def test_every_lock_tells_why_a_package_is_there(name: str, tmp_path: Path) -> None:
    found = graph(tmp_path, name)

    def chains(package: str) -> tuple[Chain, ...]:
        return found.chains(package, installed=INSTALLED, markers=MARKERS)

    assert chains("core") == (Chain(root="dependencies", names=("web", "core")),)
    assert chains("loop") == (Chain(root="dependencies", names=("web[fast]", "loop")),)
    assert [chain.root for chain in chains("tool") if chain.root != "group `lint`"] == ["extra `pg`", "group `dev`"]
    assert chains("win") == ()
    assert found.needed_by("core", installed=INSTALLED, markers=MARKERS) == ("web",)
    assert found.needed_by("tool", installed=INSTALLED, markers=MARKERS) == (), "nobody asks for the extra `other`"


@pytest.mark.parametrize("name", LOCKS)
def test_only_what_was_chosen_counts(name: str, tmp_path: Path) -> None:
    roots = set(graph(tmp_path, name, Choice(extras=frozenset({"pg"}))).roots)
    assert roots == {"dependencies", "extra `pg`"}
    assert "group `dev`" in graph(tmp_path, name, Choice(all_groups=True, only_groups=True)).roots
    assert graph(tmp_path, name, Choice(only_groups=True)).roots == {}


def test_comments_of_compiled_requirements_tell_it_too(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.txt"
    lock.write_text(
        "core==1.1 \\\n    --hash=sha256:00\n    # via web\n"
        "loop==0.5\n    # via\n    #   -r requirements.in\n    #   web\n"
        "web[fast]==3.0 ; python_version > '3'\n    # via app (pyproject.toml)\n"
        "tool==1  # via loop\n"
    )
    found = read_graph(lock, PYPROJECT, project="app")
    assert found.chains("core", installed=INSTALLED, markers=MARKERS) == (
        Chain(root="dependencies", names=("web", "core")),
    )
    assert found.needed_by("tool", installed=INSTALLED, markers=MARKERS) == ("loop",)
    assert found.versions["web"] == {"3.0"}


def test_the_versions_of_a_lock_are_those_that_it_pins(tmp_path: Path) -> None:
    assert graph(tmp_path, "pdm.lock").versions == {"web": {"3.0"}, "core": {"1.1"}}


def test_circles_end() -> None:
    needs = {"a": (Need("b"),), "b": (Need("a"), Need("c"))}
    found = DependencyGraph(needs=needs, roots={"dependencies": (Need("a"),)})
    assert found.chains("c", installed={"a", "b", "c"}, markers=MARKERS) == (
        Chain(root="dependencies", names=("a", "b", "c")),
    )


@pytest.mark.parametrize("text", ["", "   ", "==1", "a b c", "x" * 3000])
def test_what_is_no_requirement_is_none_or_a_name(text: str) -> None:
    found = requirement(text)
    assert found is None or found.name


@pytest.mark.parametrize("value", ["text", 1, [1, {"name": 2}], {"a": [1, {"extras": "x"}]}, {}, [[]]])
def test_tables_of_other_types_say_nothing(value: object, tmp_path: Path) -> None:
    """Whoever installs refuses such files; whoever explains must not fall over them."""
    keys = ("project", "tool", "dependency-groups")
    for pyproject in (
        dict.fromkeys(keys, value),
        {"project": {"dependencies": value, "optional-dependencies": value}},
    ):
        read_graph(None, pyproject, project="app")
    read_graph(None, {"tool": {"poetry": {"dependencies": value, "group": value}}}, project="app")
    lock = tmp_path / "poetry.lock"
    lock.write_text('[[package]]\nname = "a"\nversion = 1\nextras = "x"\ndependencies = "x"\n')
    assert read_graph(lock, {}, project="app").versions == {"a": {"1"}}
