"""Locks, projects and options that are wrong: the command says what, where, and the way out."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from pathlib import Path

import pytest
from bench import SECRET, Bench
from contents import read_contents

from pycontainer.testing.wheels import WheelForge

GOOD = WheelForge()
PACKAGE = """
[[packages]]
name = "demo"
version = "1.0"
"""


def lock(bench: Bench, text: str) -> None:
    bench.write("pylock.toml", 'lock-version = "1.0"\ncreated-by = "test"\n' + text)


@pytest.mark.parametrize(
    ("hashes", "said"),
    [
        ("{}", "hash"),
        (f'{{ md5 = "{"0" * 32}" }}', "md5"),
        ('{ sha256 = "abc" }', "hash"),
    ],
    ids=["none", "weak", "short"],
)
def test_a_lock_without_a_strong_hash_is_refused(bench: Bench, hashes: str, said: str) -> None:
    url = f"{bench.index.url}/files/{GOOD.filename}"
    lock(bench, PACKAGE + f'wheels = [{{ name = "{GOOD.filename}", url = "{url}", hashes = {hashes} }}]\n')
    bench.refuses("`demo`", said)


@pytest.mark.parametrize(
    ("name", "version", "text"),
    [
        ("pylock.toml", "9.0", 'lock-version = "9.0"\ncreated-by = "x"\npackages = []\n'),
        ("uv.lock", "99", 'version = 99\nrequires-python = ">=3.10"\n'),
        ("poetry.lock", "9.0", '[metadata]\nlock-version = "9.0"\ncontent-hash = "x"\npython-versions = "*"\n'),
        ("pdm.lock", "99.0", '[metadata]\nlock_version = "99.0"\n'),
    ],
)
def test_a_lock_of_an_unknown_version_is_refused(bench: Bench, name: str, version: str, text: str) -> None:
    bench.write(name, text)
    bench.refuses(f"`{name}` has version `{version}` of its format, and only ")


@pytest.mark.parametrize("name", ["pylock.toml", "uv.lock", "poetry.lock", "pdm.lock"])
@pytest.mark.parametrize("text", ["not toml", "x = " + "[" * 5000, ""], ids=["garbage", "deep", "empty"])
def test_a_lock_that_is_none_names_the_file(bench: Bench, name: str, text: str) -> None:
    bench.write(name, text)
    bench.refuses(name)


def test_requirements_that_include_each_other_are_refused(bench: Bench) -> None:
    bench.write("requirements.txt", "-r other.txt\n")
    bench.write("other.txt", "-r requirements.txt\n")
    bench.refuses("requirements.txt", "other.txt")


def test_requirements_that_are_not_pinned_are_refused(bench: Bench) -> None:
    bench.write("requirements.txt", "demo>=1\n")
    bench.refuses("requirements.txt", "`demo")


@pytest.mark.parametrize("filename", ["../demo-1.0-py3-none-any.whl", "a/demo-1.0-py3-none-any.whl", "demo.whl"])
def test_a_file_name_that_is_none_is_refused(bench: Bench, filename: str) -> None:
    bench.lock(filename=filename, digest="0" * 64)
    bench.refuses("demo")


def test_plain_http_is_refused_unless_the_host_is_allowed(bench: Bench) -> None:
    bench.lock(filename=GOOD.filename, digest="0" * 64, url=f"http://index.example/{GOOD.filename}")
    assert "--allow-http" in bench.refuses("`demo`", "http")


def test_a_path_outside_the_project_is_refused_unless_it_is_allowed(bench: Bench) -> None:
    outside = bench.root.parent / "outside"
    outside.mkdir()
    GOOD.write(outside)
    lock(bench, PACKAGE + '[packages.directory]\npath = "../outside"\n')
    bench.refuses("`demo`", "outside")


def test_no_build_refuses_what_has_no_wheel(bench: Bench) -> None:
    url = f"{bench.index.url}/files/demo-1.0.tar.gz"
    lock(
        bench,
        PACKAGE + f'sdist = {{ name = "demo-1.0.tar.gz", url = "{url}", hashes = {{ sha256 = "{"0" * 64}" }} }}\n',
    )
    bench.refuses("`demo`", arguments=["--no-build"])


@pytest.mark.parametrize(
    ("tables", "command"),
    [
        ("", "uv lock"),
        ("[tool.uv]\nmanaged = true\n[tool.pdm]\ndistribution = false\n", "uv lock"),
        ("[tool.pdm]\ndistribution = false\n", "pdm lock"),
        ('[build-system]\nrequires = ["pdm-backend"]\nbuild-backend = "pdm.backend"\n', "pdm lock"),
        ("[tool.poetry]\npackage-mode = false\n", "poetry lock"),
        ('[build-system]\nrequires = ["poetry-core"]\nbuild-backend = "poetry.core.masonry.api"\n', "poetry lock"),
        ('[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n', "uv lock"),
    ],
)
def test_locked_refuses_a_missing_lock_and_names_the_projects_own_tool(bench: Bench, tables: str, command: str) -> None:
    path = bench.root / "pyproject.toml"
    path.write_text(f"{path.read_text()}\n{tables}")
    lock = f"`{command.partition(' ')[0]}.lock`"
    hint = f"hint: Run `{command}` and commit {lock}, or turn `--locked` off"
    bench.refuses("no lock file", hint, arguments=["--locked"])


def test_locked_refuses_requirements_that_are_not_compiled(bench: Bench) -> None:
    (bench.root / "pyproject.toml").unlink()
    bench.write("requirements.in", "demo\n")
    bench.refuses("no lock file", "hint: Run `uv pip compile requirements.in", arguments=["--locked"])


def test_a_token_in_the_address_of_a_file_is_not_in_the_image(bench: Bench) -> None:
    content = GOOD.build()
    bench.index.faults.append(lambda handler: SECRET in handler.path and handler.send(200, content))
    url = f"{bench.index.url.replace('://', f'://user:{SECRET}@')}/files/{GOOD.filename}?X-Amz-Signature={SECRET}"
    digest = hashlib.sha256(content).hexdigest()
    lock(
        bench,
        PACKAGE + f'archive = {{ url = "{url}", size = {len(content)}, hashes = {{ sha256 = "{digest}" }} }}\n',
    )
    outcome = bench.build("--verbose", "--exclude", "pylock.toml")
    assert outcome.code == 0, outcome.err
    assert SECRET not in outcome.err
    contents = read_contents(bench.root / "dist/image")
    [recorded] = [content for path, content in contents.files.items() if path.endswith("/direct_url.json")]
    assert json.loads(recorded)["url"] == f"{bench.index.url}/files/{GOOD.filename}"
    assert not [path for path, content in contents.files.items() if SECRET.encode() in content]
    assert SECRET not in json.dumps(contents.config)


def test_credentials_in_a_lock_are_never_shown(bench: Bench) -> None:
    address = bench.index.url.replace("://", f"://user:{SECRET}@")
    bench.lock(filename=GOOD.filename, digest="0" * 64, url=f"{address}/files/{GOOD.filename}")
    bench.refuses(GOOD.filename, code=3)
    assert not any(
        SECRET in path.read_text(errors="replace")
        for path in bench.root.parent.rglob("*")
        if path.is_file() and path.name != "pylock.toml"
    )


def test_an_unknown_extra_and_group_are_named(bench: Bench) -> None:
    bench.lock_forge(GOOD)
    bench.refuses("nope", arguments=["--extra", "nope"])
    bench.refuses("nope", arguments=["--group", "nope"])


def test_a_python_that_the_project_does_not_support(bench: Bench) -> None:
    bench.write("pyproject.toml", '[project]\nname = "app"\nversion = "1.0"\nrequires-python = ">=3.13"\n')
    refused = bench.refuses("The project needs Python >=3.13 but the base image has 3.12.4")
    assert "--base-image" in refused


@pytest.mark.parametrize(
    ("base", "said"),
    [
        ("scratch", "has no Python"),
        ("oci:nowhere", "nowhere"),
        ("oci-archive:nowhere.tar", "nowhere.tar"),
        ("127.0.0.1:1/python:3.12", "`127.0.0.1:1` refused the connection"),
    ],
)
def test_a_base_that_cannot_be_used(bench: Bench, base: str, said: str) -> None:
    bench.refuses(said, code=3 if ":1/" in base else 1, environment={"PYCONTAINER_BASE_IMAGE": base})


def test_a_platform_that_the_base_does_not_have(bench: Bench) -> None:
    bench.refuses("linux/arm64", "linux/amd64", environment={"PYCONTAINER_PLATFORM": "linux/arm64"})


@pytest.mark.parametrize("target", ["/etc/passwd", "../outside", "missing"])
def test_a_link_that_leaves_the_project(bench: Bench, target: str) -> None:
    bench.lock_forge(GOOD)
    (bench.root / "link").symlink_to(target)
    bench.refuses("`link`", f"target: {target}")


def test_a_name_that_is_not_utf_8(bench: Bench) -> None:
    bench.lock_forge(GOOD)
    Path(os.fsdecode(os.fsencode(bench.root) + b"/\xff.txt")).write_text("x")
    bench.refuses("not UTF-8")


def test_a_project_that_does_not_say_how_it_starts(bench: Bench) -> None:
    bench.lock_forge(GOOD)
    (bench.root / "main.py").rename(bench.root / "one.py")
    bench.write("two.py", "")
    assert "--entrypoint" in bench.refuses("does not say how it starts")


def test_a_pyproject_that_is_not_toml(bench: Bench) -> None:
    bench.write("pyproject.toml", "[project\n")
    bench.refuses("pyproject.toml", "line 1")


def test_a_variable_that_no_kernel_takes(bench: Bench) -> None:
    bench.write("pycontainer.toml", f'[build.env]\nA = "{"x" * (128 << 10)}"\n')
    bench.refuses("build.env", "pycontainer.toml", code=2)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--tag", "../x"], "--tag"),
        (["--tag", "x:" + "t" * 129], "--tag"),
        (["--tag", "x@sha256:00"], "--tag"),
        (["--tag", "host:99999/x"], "--tag"),
        (["--label", "a=b\nc"], "--label"),
        (["--platform", "windows/amd64"], "--platform"),
        (["--user", "4294967296"], "--user"),
        (["--workdir", "relative"], "--workdir"),
        (["--port", "70000"], "--port"),
        (["--no-such-option"], "--no-such-option"),
        (["--tag", "../x", "--port", "0"], "--port"),
    ],
)
def test_wrong_options_are_usage_errors_before_anything_is_asked(bench: Bench, arguments: list[str], said: str) -> None:
    bench.refuses(said, code=2, arguments=arguments)
    assert not bench.index.requests


def test_a_bad_source_date_epoch_is_a_usage_error(bench: Bench) -> None:
    bench.refuses("SOURCE_DATE_EPOCH", code=2, environment={"SOURCE_DATE_EPOCH": "yesterday"})


def test_secrets_of_the_project_stay_out_of_the_image(bench: Bench) -> None:
    bench.lock_forge(GOOD)
    for name in (".env", "keys/server.key", ".git/config", ".netrc"):
        bench.write(name, SECRET)
    outcome = bench.build()
    assert outcome.code == 0, outcome.err
    for blob in (bench.root / "dist/image/blobs/sha256").iterdir():
        content = blob.read_bytes()
        assert SECRET.encode() not in (gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content)


def test_an_output_that_is_not_ours_is_left_alone(bench: Bench) -> None:
    bench.lock_forge(GOOD)
    bench.write("out/precious.txt", "mine")
    bench.refuses("out", arguments=["--output", "oci:out"])
    assert (bench.root / "out/precious.txt").read_text() == "mine"


def test_an_output_that_is_a_link_is_never_followed(bench: Bench) -> None:
    bench.lock_forge(GOOD)
    elsewhere = bench.root.parent / "elsewhere"
    elsewhere.mkdir()
    (bench.root / "out").symlink_to(elsewhere)
    bench.build("--output", "oci:out")
    assert list(elsewhere.iterdir()) == []
