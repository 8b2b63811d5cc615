"""What the documentation shows works: its commands parse, its configuration loads, its links lead somewhere."""

from __future__ import annotations

import io
import re
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import pytest
from cleo.io.inputs.argv_input import ArgvInput
from cleo.io.inputs.definition import Definition
from hatchling.metadata.core import ProjectMetadata
from hatchling.plugin.manager import PluginManager
from poetry.console.application import Application

from hatch_pycontainer.formats import FORMATS
from hatch_pycontainer.options import TargetTable
from poetry_pycontainer.command import BuildContainerCommand
from pycontainer.config.load import load_config
from pycontainer.testing.wheels import WheelForge
from pycontainer_cli.arguments import parse_options
from pycontainer_cli.loading import load
from pycontainer_cli.main import COMMANDS

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from bench import Bench

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / ".github").glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *ROOT.glob("packages/*/*.md"),
        *ROOT.glob("benchmarks/*.md"),
    ]
)
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
COMMAND = re.compile(r"(?:^\$ |run: |^)(?:uvx --from \S+ )?(pycontainer .*)$")


@dataclass(frozen=True)
class Example:
    """A piece of a page."""

    page: Path
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT).as_posix()}: {self.text.strip().splitlines()[0][:60]}"


def blocks(*languages: str) -> Iterator[Example]:
    for page in PAGES:
        for language, text in BLOCK.findall(page.read_text("utf-8")):
            if language in languages:
                yield Example(page, text)


def prose(page: Path) -> str:
    return BLOCK.sub("", page.read_text("utf-8"))


def inline(pattern: str) -> Iterator[Example]:
    """Code in running text; `…` stands for what a reader fills in, so such code is no example."""
    for page in PAGES:
        for text in dict.fromkeys(INLINE.findall(prose(page))):
            if re.match(pattern, text) and "…" not in text:
                yield Example(page, text)


def commands() -> Iterator[Example]:
    for block in blocks("console", "yaml", "sh"):
        for line in block.text.splitlines():
            if match := COMMAND.match(line.strip().removeprefix("- ")):
                yield Example(block.page, match[1])
    yield from inline("pycontainer [a-z]")


def words_of(command: str) -> list[str]:
    """What the shell gives to the program: without comments, pipes and redirections."""
    filled_in = re.sub(r"\$\{\{.*?\}\}", "x", command)
    words = shlex.split(filled_in, comments=True)[1:]
    return words[: next((place for place, word in enumerate(words) if word in {"|", ">"}), len(words))]


def test_the_documentation_has_examples() -> None:
    """Without this, a changed way of writing them would let every test below pass with nothing to test."""
    assert len(list(commands())) > 20
    assert len(list(blocks("toml"))) > 2
    assert len(list(blocks("python"))) > 1


@pytest.mark.parametrize("example", list(commands()), ids=str)
def test_a_command_that_is_shown_is_one(example: Example, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"password\n")))
    words = words_of(example.text)
    name = next(name for name in COMMANDS if words[: len(name.split())] == name.split())
    parser = import_module(f"pycontainer_cli.{COMMANDS[name].module}").parser()
    rest = words[len(name.split()) :]
    if name == "build":
        load(parse_options(parser, rest), {})
    else:
        parser.parse_args(rest)


FORMATS_SHOWN = [*inline(r"hatch(ling)? build .*container:"), *inline(r"container:")]


@pytest.mark.parametrize("example", FORMATS_SHOWN, ids=str)
def test_a_format_of_hatch_that_is_named_is_one(example: Example) -> None:
    (formats,) = re.findall(r"container:([\w,-]+)", example.text)
    assert set(formats.split(",")) <= set(FORMATS)


POETRY = re.compile(r"^\$ (?:\w+=\$\()?(poetry build-container[^)]*)")
POETRYS_FLAGS = [*BuildContainerCommand.options, *Application().definition.options]


def poetry_commands() -> Iterator[Example]:
    for block in blocks("console"):
        for line in block.text.splitlines():
            if match := POETRY.match(line):
                yield Example(block.page, match[1])


@pytest.mark.parametrize("example", list(poetry_commands()), ids=str)
def test_a_command_of_poetry_that_is_shown_is_one(example: Example) -> None:
    ArgvInput(words_of(example.text), Definition(POETRYS_FLAGS)).validate()


# The reference is written from the table that the parser is made of.
NAMED_FLAGS = [each for each in inline(r"--[a-z]") if each.page.parent.name != "reference"]


@pytest.mark.parametrize("example", NAMED_FLAGS, ids=str)
def test_a_flag_that_is_named_is_one(example: Example) -> None:
    flag = re.split(r"[ =|]", example.text)[0]
    known = {option for name in COMMANDS.values() for option in _flags(name.module)}
    assert flag in known | {f"--{option.name}" for option in POETRYS_FLAGS}


def _flags(module: str) -> list[str]:
    return list(import_module(f"pycontainer_cli.{module}").parser()._option_string_actions)


def is_of_hatch(example: Example) -> bool:
    """Whether a table is one that Hatch reads: in `pyproject.toml`, or in `hatch.toml`."""
    tables = tomllib.loads(example.text)
    return "hatch" in tables.get("tool", {}) or "targets" in tables.get("build", {})


def is_ours(example: Example) -> bool:
    """Whether it configures an image; a page that shows another `pyproject.toml` has a test of its own."""
    tables = tomllib.loads(example.text)
    return "project" not in tables or "pycontainer" in tables.get("tool", {})


HATCH_TABLES = [example for example in blocks("toml") if is_of_hatch(example)]
OWN_TABLES = [example for example in blocks("toml") if is_ours(example) and not is_of_hatch(example)]


@pytest.mark.parametrize("example", HATCH_TABLES, ids=str)
def test_tables_of_hatch_that_are_shown_are_taken(example: Example, tmp_path: Path) -> None:
    tables = tomllib.loads(example.text)
    project = "" if "project" in tables else '[project]\nname = "app"\nversion = "1.0"\n'
    (tmp_path / "pyproject.toml").write_text(project + (example.text if "tool" in tables else ""))
    if "tool" not in tables:
        (tmp_path / "hatch.toml").write_text(example.text)
    metadata = ProjectMetadata(str(tmp_path), PluginManager())

    load_config(environment={}, directory=tmp_path, tables=[TargetTable.of(metadata).source()])

    formats = metadata.hatch.build_targets.get("container", {}).get("versions", [])
    assert set(formats) <= set(FORMATS)


@pytest.mark.parametrize("example", OWN_TABLES, ids=str)
def test_configuration_that_is_shown_is_taken(example: Example, tmp_path: Path) -> None:
    ours = "tool" in tomllib.loads(example.text)
    (tmp_path / ("pyproject.toml" if ours else "pycontainer.toml")).write_text(example.text)
    loaded = load_config(environment={}, directory=tmp_path)
    assert loaded.origins
    assert loaded.warnings == ()


@pytest.mark.parametrize("example", list(blocks("python")), ids=str)
def test_python_that_is_shown_compiles(example: Example) -> None:
    compile(example.text, str(example), "exec")


def links() -> Iterator[Example]:
    for page in PAGES:
        for target in dict.fromkeys(LINK.findall(prose(page))):
            if not re.match(r"[a-z]+:", target):
                yield Example(page, target)


@pytest.mark.parametrize("example", list(links()), ids=str)
def test_a_link_leads_somewhere(example: Example) -> None:
    path, _, anchor = example.text.partition("#")
    target = example.page.parent / path if path else example.page
    assert target.exists()
    if anchor:
        headings = re.findall(r"^#+ (.*)$", target.read_text("utf-8"), re.MULTILINE)
        assert anchor in {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}


def test_no_page_is_left_alone() -> None:
    """Every page can be reached from the README."""
    seen, ahead = set(), [ROOT / "README.md"]
    while ahead:
        page = ahead.pop().resolve()
        if page.is_dir():
            page /= "README.md"
        if page in seen or page.suffix != ".md" or not page.exists():
            continue
        seen.add(page)
        targets = (target.partition("#")[0] for target in LINK.findall(prose(page)))
        ahead += [page.parent / target for target in targets if target and not re.match(r"[a-z]+:", target)]
    lonely = [page.relative_to(ROOT).as_posix() for page in (ROOT / "docs").rglob("*.md") if page not in seen]
    assert lonely == []


def test_the_librarys_example_builds_an_image(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.lock_forge(WheelForge())
    (example,) = [each for each in blocks("python") if each.page.parent.name == "pycontainer-core"]
    # What the example leaves to its defaults would need the public registry and the user's cache.
    here = f'base_image="oci:{bench.base}", platform="linux/amd64", cache_dir="{bench.root.parent / "cache"}"'
    assert "BuildConfig(" in example.text
    monkeypatch.chdir(bench.root)
    exec(compile(example.text.replace("BuildConfig(", f"BuildConfig({here}, "), str(example), "exec"), {})  # noqa: S102 - our own page
    assert (bench.root / "dist/image/refs/tags/latest").exists()
