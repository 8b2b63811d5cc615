from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pycontainer.errors import LockError
from pycontainer.events import Event, Warned
from pycontainer.sources.locks import (
    Choice,
    Directory,
    File,
    Lock,
    Registry,
    SourcePolicy,
    Url,
    Vcs,
    choose_wheels,
    read_lock,
)
from pycontainer.sources.locks.document import parse_toml
from pycontainer.sources.target import Target

LockAt = Callable[..., Lock]
INDEX = "https://index.example/simple"


def wheel(name: str, version: str = "1.0") -> str:
    address = f"https://files.example/{name}-{version}-py3-none-any.whl"
    return f'    {{ url = "{address}", hash = "sha256:{"a" * 64}", size = 10 }},\n'


def package(name: str, version: str = "1.0", *, deps: str = "", extra: str = "") -> str:
    lines = ["[[package]]", f'name = "{name}"', f'version = "{version}"', f'source = {{ registry = "{INDEX}" }}']
    if deps:
        lines.append(f"dependencies = [{deps}]")
    return "\n".join([*lines, f"wheels = [\n{wheel(name.replace('-', '_'), version)}]", extra, ""])


def project(deps: str = "", extra: str = "", name: str = "app", place: str = ".", kind: str = "editable") -> str:
    source = f'source = {{ {kind} = "{place}" }}'
    return f'[[package]]\nname = "{name}"\nversion = "0"\n{source}\ndependencies = [{deps}]\n{extra}\n'


HEAD = 'version = 1\nrevision = 3\nrequires-python = ">=3.10"\n'


def names(lock: Lock, target: Target, **choice: Any) -> list[str]:
    fields: dict[str, Any] = {key: frozenset(each) if isinstance(each, set) else each for key, each in choice.items()}
    return [str(each) for each in lock.select(target, Choice(**fields))]


def test_what_the_project_reaches_is_selected_and_nothing_else(lock_at: LockAt, target: Target) -> None:
    lock = lock_at(
        "uv.lock",
        HEAD
        + project('{ name = "a" }, { name = "w", marker = "sys_platform == \'win32\'" }')
        + package("a", deps='{ name = "b" }')
        + package("b", deps='{ name = "a" }')
        + package("w")
        + package("unreached"),
    )
    assert names(lock, target) == ["a 1.0", "b 1.0"]
    (first, _) = lock.select(target, Choice())
    assert first.source == Registry(url=INDEX)
    assert first.wheels[0].url == "https://files.example/a-1.0-py3-none-any.whl"
    assert first.wheels[0].hashes == {"sha256": "a" * 64}
    assert first.wheels[0].size == 10


def test_extras_and_groups_are_chosen_by_name(lock_at: LockAt, target: Target) -> None:
    lock = lock_at(
        "uv.lock",
        HEAD
        + project(
            '{ name = "a", extra = ["x"] }',
            extra='[package.optional-dependencies]\npg-extra = [{ name = "pg" }]\n'
            '[package.dev-dependencies]\ndev = [{ name = "d" }]\n'
            '[package.metadata]\nprovides-extras = ["pg-extra", "empty"]\n'
            "[package.metadata.requires-dev]\nnothing = []\n",
        )
        + package("a", extra='[package.optional-dependencies]\nx = [{ name = "ax" }]\ny = [{ name = "ay" }]\n')
        + "".join(map(package, ["ax", "ay", "pg", "d"])),
    )
    base = ["a 1.0", "ax 1.0"]
    assert names(lock, target) == base
    assert names(lock, target, extras={"Pg.Extra"}) == [*base, "pg 1.0"]
    assert names(lock, target, extras={"empty"}) == base
    assert names(lock, target, groups={"dev"}) == [*base, "d 1.0"]
    assert names(lock, target, groups={"nothing"}) == base
    assert names(lock, target, groups={"dev"}, only_groups=True) == ["d 1.0"]
    assert names(lock, target, all_extras=True, all_groups=True) == [*base, "d 1.0", "pg 1.0"]
    with pytest.raises(LockError, match="no extra `nope`") as caught:
        names(lock, target, extras={"nope"})
    assert "`empty`, `pg-extra`" in caught.value.facts[0]
    with pytest.raises(LockError, match="no groups `a`, `b`"):
        names(lock, target, groups={"a", "b"})


def test_a_fork_is_found_by_version_source_or_its_markers(lock_at: LockAt, target: Target) -> None:
    lock = lock_at(
        "uv.lock",
        HEAD
        + project('{ name = "numpy", version = "2.0", source = { registry = "' + INDEX + '" } }, { name = "torch" }')
        + package("numpy", "1.0")
        + package("numpy", "2.0")
        + package("torch", "1.0", extra="resolution-markers = [\"python_full_version < '3.12'\"]")
        + package("torch", "2.0", extra="resolution-markers = [\"python_full_version >= '3.12'\"]"),
    )
    assert names(lock, target) == ["numpy 2.0", "torch 2.0"]


def test_conflicting_extras_choose_their_own_versions_and_never_both(lock_at: LockAt, target: Target) -> None:
    lock = lock_at(
        "uv.lock",
        HEAD
        + 'conflicts = [[{ package = "app", extra = "old" }, { package = "app", extra = "new" }]]\n'
        + project(
            '{ name = "lib", version = "3", '
            "marker = \"extra != 'extra-3-app-old' and extra != 'extra-3-app-new'\" }, "
            '{ name = "mid" }',
            extra='[package.optional-dependencies]\nold = [{ name = "lib", version = "1" }]\n'
            'new = [{ name = "lib", version = "2" }]\n',
        )
        + package("mid", deps='{ name = "side", marker = "extra == \'extra-3-app-new\'" }')
        + package("side")
        + "".join(package("lib", version) for version in "123"),
    )
    assert names(lock, target) == ["lib 3", "mid 1.0"]
    assert names(lock, target, extras={"old"}) == ["lib 1", "mid 1.0"]
    assert names(lock, target, extras={"new"}) == ["lib 2", "mid 1.0", "side 1.0"]
    with pytest.raises(
        LockError, match="extra `old` of `app` and the extra `new` of `app` cannot be installed together"
    ):
        names(lock, target, all_extras=True)


def test_an_extra_that_an_edge_activates_counts_in_the_markers_after_it(lock_at: LockAt, target: Target) -> None:
    lock = lock_at(
        "uv.lock",
        HEAD
        + 'conflicts = [[{ package = "lib", extra = "cpu" }, { package = "lib", extra = "gpu" }]]\n'
        + project('{ name = "early", marker = "extra == \'extra-3-lib-cpu\'" }, { name = "lib", extra = ["cpu"] }')
        + package("early")
        + package("lib", extra='[package.optional-dependencies]\ncpu = [{ name = "c" }]\ngpu = [{ name = "g" }]\n')
        + package("c")
        + package("g"),
    )
    assert names(lock, target) == ["c 1.0", "early 1.0", "lib 1.0"]


def test_a_workspace_member_is_chosen_and_its_siblings_are_directories(
    lock_at: LockAt, target: Target, tmp_path: Path
) -> None:
    lock = lock_at(
        "uv.lock",
        HEAD
        + '[manifest]\nmembers = ["api", "app", "lib", "notes"]\n'
        + project('{ name = "a" }')
        + project('{ name = "lib" }, { name = "notes" }', name="api", place="members/api")
        + project('{ name = "b" }', name="lib", place="members/lib")
        + project('{ name = "c" }', name="notes", place="members/notes", kind="virtual")
        + "".join(map(package, "abc")),
    )
    assert names(lock, target) == ["a 1.0"]
    found = lock.select(target, Choice(package="API"))
    assert [str(each) for each in found] == ["b 1.0", "c 1.0", "lib 0"]
    assert found[2].source == Directory(path=(tmp_path / "members/lib").resolve(), editable=True)
    with pytest.raises(LockError, match="no workspace member `other`") as caught:
        names(lock, target, package="other")
    assert "`api`, `app`, `lib`, `notes`" in caught.value.facts[0]


def test_a_root_that_is_no_project_stands_for_all_members_and_its_own_groups(lock_at: LockAt, target: Target) -> None:
    lock = lock_at(
        "uv.lock",
        HEAD
        + '[manifest]\nmembers = ["one", "two"]\n[manifest.dependency-groups]\ndocs = [{ name = "c" }]\n'
        + project('{ name = "a" }', name="one", place="one")
        + project('{ name = "b" }', name="two", place="two")
        + "".join(map(package, "abc")),
    )
    assert names(lock, target) == ["a 1.0", "b 1.0", "one 0", "two 0"]
    assert names(lock, target, groups={"docs"}, only_groups=True) == ["c 1.0"]
    assert names(lock, target, package="two") == ["b 1.0"]


def test_every_kind_of_source_is_understood(lock_at: LockAt, target: Target, tmp_path: Path) -> None:
    commit = "c" * 40
    hashed = f'hash = "sha256:{"b" * 64}"'
    lock = lock_at(
        "uv.lock",
        HEAD
        + project(", ".join(f'{{ name = "{name}" }}' for name in ["git", "url", "file", "tree", "flat", "sd"]))
        + '[[package]]\nname = "git"\n'
        + f'source = {{ git = "https://git.example/r?subdirectory=py%2Flib&rev=v1#{commit}" }}\n'
        + '[[package]]\nname = "url"\nversion = "1"\nsource = { url = "https://files.example/url-1.tar.gz", '
        + f'subdirectory = "s" }}\nsdist = {{ {hashed} }}\n'
        + '[[package]]\nname = "file"\nversion = "1"\nsource = { path = "w/file-1-py3-none-any.whl" }\n'
        + f'wheels = [\n    {{ filename = "file-1-py3-none-any.whl", {hashed} }},\n]\n'
        + '[[package]]\nname = "tree"\nversion = "1"\nsource = { directory = "../tree" }\n'
        + '[[package]]\nname = "flat"\nversion = "1"\nsource = { registry = "../flat" }\n'
        + f'wheels = [\n    {{ path = "flat-1-py3-none-any.whl", {hashed} }},\n]\n'
        + f'[[package]]\nname = "sd"\nversion = "1"\nsource = {{ registry = "{INDEX}" }}\n'
        + f'sdist = {{ url = "https://files.example/sd-1.tar.gz", {hashed} }}\n',
    )
    found = {each.name: each for each in lock.select(target, Choice())}
    assert found["git"].source == Vcs(url="https://git.example/r", commit=commit, subdirectory="py/lib", requested="v1")
    assert found["url"].source == Url(url="https://files.example/url-1.tar.gz", subdirectory="s")
    assert found["url"].sdist is not None
    assert found["url"].sdist.url == "https://files.example/url-1.tar.gz"
    assert found["file"].source == File(path=tmp_path / "w/file-1-py3-none-any.whl")
    assert found["file"].wheels[0].path == tmp_path / "w/file-1-py3-none-any.whl"
    assert found["tree"].source == Directory(path=tmp_path.parent / "tree", outside=True)
    assert found["flat"].wheels[0].path == tmp_path.parent / "flat/flat-1-py3-none-any.whl"
    assert found["flat"].wheels[0].outside
    chosen = choose_wheels(found.values(), target, SourcePolicy(allow_outside=True))
    assert [each.kind for each in chosen] == ["wheel", "wheel", "vcs", "sdist", "directory", "sdist"]


def test_a_link_that_leads_out_of_the_project_is_outside(lock_at: LockAt, target: Target, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path.parent)
    lock = lock_at(
        "uv.lock", HEAD + project('{ name = "d" }') + '[[package]]\nname = "d"\nsource = { directory = "link/d" }\n'
    )
    (found,) = lock.select(target, Choice())
    assert isinstance(found.source, Directory)
    assert found.source.outside


def test_a_target_the_lock_is_not_for_is_refused(lock_at: LockAt, target: Target) -> None:
    lock = lock_at("uv.lock", HEAD.replace(">=3.10", ">=3.13") + project())
    with pytest.raises(LockError, match=r"for Python >=3\.13 but the base image has 3\.12\.4"):
        lock.select(target, Choice())
    lock = lock_at("uv.lock", HEAD + "supported-markers = [\"sys_platform == 'darwin'\"]\n" + project())
    with pytest.raises(LockError, match="not for linux/amd64"):
        lock.select(target, Choice())


@pytest.mark.parametrize("version", ["0", "2", '"1"', "99999"])
def test_another_version_of_the_format_is_refused_with_a_way_out(lock_at: LockAt, version: str) -> None:
    with pytest.raises(LockError, match="only 1 is supported") as caught:
        lock_at("uv.lock", f"version = {version}\n")
    assert "uv export --format pylock.toml" in (caught.value.hint or "")


def test_a_newer_revision_is_read_with_a_warning(lock_at: LockAt, tmp_path: Path) -> None:
    lock_at("uv.lock", HEAD.replace("revision = 3", "revision = 99") + project())
    events: list[Event] = []
    read_lock(tmp_path / "uv.lock", emit=events.append)
    assert [type(event) for event in events] == [Warned]
    assert "revision 99" in str(events[0])


def test_two_candidates_of_one_package_are_refused(lock_at: LockAt, target: Target) -> None:
    lock = lock_at(
        "uv.lock",
        HEAD
        + project('{ name = "a", version = "1" }, { name = "b" }')
        + package("a", "1")
        + package("a", "2")
        + package("b", deps='{ name = "a", version = "2" }'),
    )
    with pytest.raises(LockError, match="two candidates of `a`"):
        lock.select(target, Choice())


def test_an_edge_that_leads_nowhere_is_refused(lock_at: LockAt, target: Target) -> None:
    lock = lock_at("uv.lock", HEAD + project('{ name = "a", version = "2" }') + package("a", "1"))
    with pytest.raises(LockError, match="contradicts itself"):
        lock.select(target, Choice())


def test_files_written_in_another_way_are_read_all_the_same(lock_at: LockAt, target: Target) -> None:
    text = HEAD + project('{ name = "a" }') + package("a")
    plain = lock_at("uv.lock", text).select(target, Choice())
    escaped = text.replace("files.example", "files\\u002eexample")
    single = text.replace("wheels = [\n    ", "wheels = [").replace("},\n]\n", "}]\n")
    commented = text.replace("wheels = [\n", "wheels = [ # here\n")
    multiline = text + '[x]\ny = """\nwheels = [\n    { url = "" },\n]\n"""\n'
    for other in (escaped, single, commented, multiline, text.replace("\n", "\r\n"), "\ufeff" + text):
        assert lock_at("uv.lock", other).select(target, Choice()) == plain


def test_a_thousand_packages_are_read_selected_and_chosen_in_time(lock_at: LockAt, target: Target) -> None:
    everything = [f"p{number}" for number in range(1000)]
    files = "".join(
        f'    {{ url = "https://files.example/NAME-1.0-cp3{minor}-cp3{minor}-manylinux_2_17_x86_64.whl", '
        f'hash = "sha256:{"a" * 64}", size = 10, upload-time = "2025-01-01T00:00:00Z" }},\n'
        for minor in range(9, 21)
    )
    marker = "python_full_version >= '3.1{}' and sys_platform != 'win32'"
    packages = "".join(
        package(
            name,
            deps="\n".join(
                f'{{ name = "p{(number * 7 + step) % 1000}", marker = "{marker.format(step)}" }},' for step in range(5)
            ),
        ).replace(wheel(name), files.replace("NAME", name))
        for number, name in enumerate(everything)
    )
    text = HEAD + project(",".join(f'{{ name = "{name}" }}' for name in everything)) + packages
    lock_at("uv.lock", text)
    start = time.process_time()
    lock = lock_at("uv.lock", text)
    assert len(choose_wheels(lock.select(target, Choice()), target, SourcePolicy())) == 1000
    assert time.process_time() - start < 2  # 0.5 s on a quiet machine


PYPROJECT = """
[project]
name = "app"
requires-python = ">=3.10"
dependencies = ["a>=1,<2", "b[x]; python_version >= '3.11'", "lib", "g"]
[project.optional-dependencies]
pg = ["p==1.*"]
[dependency-groups]
dev = ["d", {include-group = "lint"}]
lint = ["r"]
[tool.uv.sources]
lib = { workspace = true }
g = { git = "https://git.example/g", tag = "v1" }
"""
METADATA = """
[package.metadata]
requires-dist = [
    { name = "a", specifier = ">=1,<2" },
    { name = "b", extras = ["x"], marker = "python_full_version >= '3.11'" },
    { name = "g", git = "https://git.example/g?tag=v1" },
    { name = "lib", editable = "lib" },
    { name = "p", marker = "extra == 'pg'", specifier = "==1.*" },
]
provides-extras = ["pg"]
[package.metadata.requires-dev]
dev = [{ name = "d" }, { name = "r" }]
lint = [{ name = "r" }]
"""
LIB = '[project]\nname = "lib"\nrequires-python = ">=3.9"\ndependencies = ["z"]\n'
FRESH = (
    HEAD
    + '[manifest]\nmembers = ["app", "lib"]\n'
    + project(extra=METADATA)
    + project(name="lib", place="lib", extra='[package.metadata]\nrequires-dist = [{ name = "z" }]\n')
)


def check(lock_at: LockAt, pyproject: str, lib: str = LIB) -> None:
    lock = lock_at("uv.lock", FRESH, pyproject_toml=pyproject, lib__pyproject_toml=lib)
    lock.check_fresh(parsed(pyproject))


def parsed(pyproject: str) -> dict[str, Any]:
    return parse_toml(pyproject.encode(), Path("pyproject.toml"))[0]


def test_a_lock_of_what_the_project_requires_is_fresh(lock_at: LockAt) -> None:
    check(lock_at, PYPROJECT)
    check(lock_at, PYPROJECT + 'several = [{ path = "x" }, { index = "i" }]\n')
    check(lock_at, PYPROJECT.replace("a>=1,<2", "A <2, >=1").replace('"b[x]; ', '"b [X] ; '))


@pytest.mark.parametrize(
    ("old", "new", "fact"),
    [
        ('"a>=1,<2"', '"a>=1,<3"', "`a<3,>=1` is required now"),
        ('"a>=1,<2", ', "", "`a<2,>=1` is not required any more"),
        ('"g"]', '"g", "more"]', "`more` is required now"),
        ("b[x]", "b[x,y]", r"`b\[x,y\]` is required now"),
        ("'3.11'", "'3.12'", r"the marker of `b\[x\]` has changed"),
        ("p==1.*", "p==2.*", "`p==2.*` is required now"),
        ("pg = [", "other = []\npg = [", "extra `other`"),
        ('lint = ["r"]', 'lint = ["r", "s"]', "group lint`: `s` is required now"),
        ('lint = ["r"]', 'lint = ["r"]\nnew = ["n"]', "group `new`"),
        ("lib = { workspace = true }", "", "`lib` is required now"),
        ('tag = "v1"', 'tag = "v2"', "`g` is required now"),
        ('requires-python = ">=3.10"', 'requires-python = ">=3.12"', "the lock is for >=3.10"),
        ('name = "app"', 'name = "renamed"', "`renamed` is not in the lock"),
    ],
)
def test_a_lock_of_something_else_is_stale_and_says_why(lock_at: LockAt, old: str, new: str, fact: str) -> None:
    assert old in PYPROJECT
    with pytest.raises(LockError, match=r"older than `pyproject\.toml`") as caught:
        check(lock_at, PYPROJECT.replace(old, new))
    assert caught.value.hint == "Run `uv lock`"
    with pytest.raises(LockError, match=fact):
        raise caught.value


def test_a_member_that_has_changed_makes_the_lock_stale(lock_at: LockAt) -> None:
    with pytest.raises(LockError, match="`lib`: `y` is required now"):
        check(lock_at, PYPROJECT, LIB.replace('"z"', '"z", "y"'))


def test_addresses_and_groups_of_the_older_kind_are_compared_too(lock_at: LockAt) -> None:
    requires = (
        '{ name = "g", git = "https://git.example/g?rev=v1" }, { name = "u", url = "https://files.example/u.zip" }'
    )
    lock = HEAD + project(
        extra=f"[package.metadata]\nrequires-dist = [{requires}]\n"
        '[package.metadata.requires-dev]\ndev = [{ name = "d" }]\n'
    )
    text = (
        '[project]\nname = "app"\nrequires-python = ">=3.10"\n'
        'dependencies = ["g @ git+https://git.example/g@v1", "u @ https://files.example/u.zip"]\n'
        '[tool.uv]\ndev-dependencies = ["d"]\n'
    )
    lock_at("uv.lock", lock).check_fresh(parsed(text))
    for old, new in [
        ("g@v1", "g@v2"),
        ('"d"', '"e"'),
        ("u @ https://files.example/u.zip", "u"),
        ("u @", "v @"),
        ("u.zip", "w.zip"),
        ("git.example/g", "git.example/h"),
    ]:
        with pytest.raises(LockError, match="older than"):
            lock_at("uv.lock", lock).check_fresh(parsed(text.replace(old, new)))


def test_groups_of_a_root_that_is_no_project_are_compared(lock_at: LockAt) -> None:
    lock = '[manifest]\nmembers = ["one"]\n[manifest.dependency-groups]\ndocs = [{ name = "c" }]\n'
    lock = HEAD + lock + project(name="one", place="one", extra="[package.metadata]\nrequires-dist = []\n")
    one = '[project]\nname = "one"\nrequires-python = ">=3.10"\n'
    root = '[dependency-groups]\ndocs = ["c"]\n'
    lock_at("uv.lock", lock, pyproject_toml=root, one__pyproject_toml=one).check_fresh(parsed(root))
    changed = root.replace('"c"', '"c", "d"')
    stale = lock_at("uv.lock", lock, pyproject_toml=changed, one__pyproject_toml=one)
    for pyproject in (changed, one):
        with pytest.raises(LockError, match="the workspace, group docs"):
            stale.check_fresh(parsed(pyproject))


def test_a_member_that_is_gone_makes_the_lock_stale(lock_at: LockAt) -> None:
    with pytest.raises(LockError, match="`lib` is not at `lib` any more"):
        lock_at("uv.lock", FRESH, pyproject_toml=PYPROJECT).check_fresh(parsed(PYPROJECT))


def test_the_pythons_of_a_group_are_part_of_its_requirements(lock_at: LockAt) -> None:
    text = PYPROJECT + '[tool.uv.dependency-groups]\ndev = { requires-python = ">=3.12,<4" }\n'
    with pytest.raises(LockError, match="the marker of `d` has changed"):
        check(lock_at, text)


@pytest.mark.network
def test_uv_agrees_about_what_is_fresh(tmp_path: Path) -> None:
    text = '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.10"\ndependencies = ["{}"]\n'
    path = tmp_path / "pyproject.toml"
    path.write_text(text.format("idna>=3; python_version > '3.10'"))
    subprocess.run(["uv", "lock"], cwd=tmp_path, check=True, capture_output=True)
    for dependency in (
        "idna>=3; python_version > '3.10'",
        "idna >= 3.0 ; python_version>='3.11'",
        "idna>=2; python_version > '3.10'",
        "idna>=3; python_version > '3.11'",
        "idna>=3",
    ):
        path.write_text(text.format(dependency))
        process = subprocess.run(["uv", "lock", "--check"], cwd=tmp_path, check=False, capture_output=True)
        try:
            read_lock(tmp_path / "uv.lock").check_fresh(parse_toml(path.read_bytes(), path)[0])
        except LockError:
            assert process.returncode == 1, dependency
        else:
            assert process.returncode == 0, dependency
