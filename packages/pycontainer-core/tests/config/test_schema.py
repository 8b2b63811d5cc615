import re
import sys
from pathlib import Path
from typing import Any, Literal

import jsonschema
import pytest

from pycontainer.config import OPTIONS
from pycontainer.config.load import load_config
from pycontainer.config.schema import configuration_schema
from pycontainer.config.sources import from_flags
from pycontainer.errors import ConfigError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FULL = """
[build]
tag = ["ghcr.io/acme/api:1.4", "latest"]
output = "oci:dist/image"
base_image = "python:3.11-slim"
platform = "linux/amd64, linux/arm64"
workdir = "/app"
include_deps = true
reproducible = true
created = "2025-01-01T00:00:00Z"
entrypoint = ["python", "-m", "myapp"]
cmd = "--workers 2"
ports = [8000, "53/udp"]
volumes = ["/data"]
user = "1000:1000"
stop-signal = "SIGINT"
include = ["src", "pyproject.toml"]
exclude = ["*.md"]
add = ["etc/a:/etc/a", { source = "etc/b", destination = "/etc/b", mode = "0600", owner = "1000" }]
layer-budget = 20
extras = ["pg"]
groups = "web"
build-sdists = ["lxml"]
sbom = "spdx"
jobs = 4
[build.labels]
maintainer = "team@example.com"
[build.env]
PORT = "8080"
[registry]
url = "ghcr.io/myorg/myapp"
insecure = ["registry.lab.example:5000"]
[registry.mirrors]
"docker.io" = ["mirror.example/hub", "other.example"]
"""

# A line of `[build]` or `[registry]`, each of which both the schema and `BuildConfig` must refuse.
REFUSED = [
    'build.base-imge = "x"',
    'build.url = "ghcr.io"',
    'build.context = "x"',
    'registry.password = "x"',
    'workdir = "/x"',
    "build = 1",
    "build.tag = 5",
    'build.tag = ["a b"]',
    'build.tag = "a@sha256:00"',
    'build.output = "tar:x"',
    'build.platform = "windows/amd64"',
    'build.platform = ["linux"]',
    'build.python = "three"',
    'build.libc = "glibc"',
    "build.entrypoint = []",
    'build.env = ["A=1"]',
    "build.env.PORT = 8080",
    'build.env.1A = ""',
    'build.labels.a = "x\\ny"',
    'build.labels."a b" = ""',
    'build.workdir = "app"',
    'build.workdir = "/a/../b"',
    'build.user = "-1"',
    "build.ports = [0]",
    'build.ports = ["80/http"]',
    'build.volumes = ["data"]',
    'build.stop-signal = "kill it"',
    'build.include = ["../x"]',
    'build.include = ["/etc"]',
    'build.add = ["a"]',
    'build.add = [{ source = "a" }]',
    'build.add = [{ source = "a", destination = "b" }]',
    'build.add = [{ source = "a", destination = "/b", mode = "9" }]',
    "build.layer-budget = 0",
    "build.layer-budget = 128",
    "build.jobs = 1.5",
    'build.include-deps = "yes"',
    'build.sbom = "xml"',
    "build.created = -1",
    'build.extras = ["a b"]',
    'build.index-url = "file:///x"',
    'registry.url = "http://host:5000"',
    'registry.url = "https://bob:pw@host.example"',
    'registry.insecure = ["http://x"]',
    'registry.mirrors."docker.io" = "bob:pw@m.example"',
    'build = { base-image = "a", base_image = "b" }',
]


def errors(toml: str, file: Literal["pycontainer.toml", "pyproject.toml"] = "pycontainer.toml") -> list[Any]:
    return list(jsonschema.Draft202012Validator(configuration_schema(file)).iter_errors(tomllib.loads(toml)))


def load(root: Path) -> None:
    load_config(from_flags({"context_path": [str(root)]}), environment={})


@pytest.mark.parametrize("file", ["pycontainer.toml", "pyproject.toml"])
def test_the_schema_is_one_of_its_dialect(file: Literal["pycontainer.toml", "pyproject.toml"]) -> None:
    jsonschema.Draft202012Validator.check_schema(configuration_schema(file))


def test_what_the_schema_accepts_is_accepted_by_the_build(tmp_path: Path) -> None:
    assert errors(FULL) == []
    (tmp_path / "pycontainer.toml").write_text(FULL)
    load(tmp_path)


@pytest.mark.parametrize("line", REFUSED)
def test_schema_and_build_refuse_the_same(line: str, tmp_path: Path) -> None:
    assert errors(line), "the schema accepts it"
    (tmp_path / "pycontainer.toml").write_text(line)
    with pytest.raises(ConfigError):
        load(tmp_path)


def test_pyproject_has_the_same_options_beside_each_other(tmp_path: Path) -> None:
    build, registry = FULL.split("[registry]")
    table = build.replace("[build]\n", "").replace("[build.", "[") + "[registry]" + registry
    assert errors(table, "pyproject.toml") == []
    assert errors(FULL, "pyproject.toml") == []
    assert errors('base-image = "a"\nbase_image = "b"', "pyproject.toml")
    header = re.sub(r"(?m)^\[(\w+)", r"[tool.pycontainer.\1", table)
    (tmp_path / "pyproject.toml").write_text(f"[tool.pycontainer]\n{header}")
    load(tmp_path)


def test_every_option_of_files_is_described() -> None:
    tables = configuration_schema()["properties"]
    for option in OPTIONS.values():
        if option.in_files and option.name != "policy":  # a table itself, see test_policy.py
            assert option.help[1:] in tables[option.table]["properties"][option.toml_key]["description"]


EXAMPLES = [
    (page.name, block)
    for page in sorted(Path(__file__).parents[4].glob("docs/**/*.md"))
    for block in re.findall(r"```toml\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    if re.search(r"(?m)^\[(build|registry|policy|tool\.pycontainer)[].]", block)
]


@pytest.mark.parametrize(("page", "block"), EXAMPLES, ids=[page for page, _ in EXAMPLES])
def test_the_examples_of_the_documentation_fit_the_schema(page: str, block: str) -> None:
    tables = tomllib.loads(block)
    if "tool" in tables:
        schema, tables = configuration_schema("pyproject.toml"), tables["tool"]["pycontainer"]
    else:
        schema = configuration_schema()
    assert list(jsonschema.Draft202012Validator(schema).iter_errors(tables)) == [], page
