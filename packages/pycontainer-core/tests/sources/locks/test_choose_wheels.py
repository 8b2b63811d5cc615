from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from pycontainer.errors import LockError
from pycontainer.oci import Platform
from pycontainer.sources.locks import (
    Artifact,
    Directory,
    File,
    LockedPackage,
    Registry,
    SourcePolicy,
    Url,
    Vcs,
    choose_wheels,
)
from pycontainer.sources.locks.filenames import normalize, parse_wheel
from pycontainer.sources.target import Libc, PythonVersion, Target

SHA = {"sha256": "a" * 64}
HOST = "https://files.example"
POLICY = SourcePolicy()


def target(platform: str = "linux/arm64", python: str = "3.13.1", libc: str = "glibc:2.36") -> Target:
    return Target(platform=Platform.parse(platform), python=PythonVersion.parse(python), libc=Libc.parse(libc))


def artifact(filename: str, **more: Any) -> Artifact:
    return Artifact(**{"filename": filename, "url": f"{HOST}/{filename}", "hashes": SHA, **more})


def package(*filenames: str, name: str = "demo", version: str | None = "1.0", **more: Any) -> LockedPackage:
    files = [artifact(filename) for filename in filenames]
    fields: dict[str, Any] = {
        "source": Registry(url="https://index.example/simple"),
        "wheels": tuple(file for file in files if file.is_wheel),
        "sdist": next((file for file in files if not file.is_wheel), None),
    }
    return LockedPackage(name=name, version=version, **{**fields, **more})


def chosen(one: LockedPackage, where: Target | None = None, policy: SourcePolicy = POLICY) -> str:
    (found,) = choose_wheels([one], where or target(), policy)
    return found.artifact.filename if found.artifact else found.kind


def refused(one: LockedPackage, where: Target | None = None, policy: SourcePolicy = POLICY) -> LockError:
    with pytest.raises(LockError) as caught:
        choose_wheels([one], where or target(), policy)
    return caught.value


WHEELS = [
    "demo-1.0-cp313-cp313-manylinux_2_28_aarch64.whl",
    "demo-1.0-cp313-cp313-manylinux_2_17_aarch64.manylinux2014_aarch64.whl",
    "demo-1.0-cp310-abi3-manylinux_2_17_aarch64.whl",
    "demo-1.0-cp313-none-any.whl",
    "demo-1.0-py3-none-any.whl",
    "demo-1.0-py2.py3-none-any.whl",
]


def test_the_most_specific_wheel_wins_whatever_the_order_in_the_lock() -> None:
    for order in itertools.permutations(WHEELS, 4):
        best = min(order, key=WHEELS.index)
        assert chosen(package(*order)) == best


def test_a_newer_glibc_than_the_base_has_is_never_chosen() -> None:
    assert chosen(package(*WHEELS), target(libc="glibc:2.17")) == WHEELS[1]


def test_among_equal_tags_the_highest_build_number_wins() -> None:
    names = [f"demo-1.0-{build}-py3-none-any.whl" for build in ("2", "10", "9b", "9a")]
    for order in itertools.permutations([*names, "demo-1.0-py3-none-any.whl"]):
        assert chosen(package(*order)) == "demo-1.0-10-py3-none-any.whl"


@given(st.lists(st.sampled_from(WHEELS), min_size=1, unique=True), st.integers(17, 40))
def test_the_choice_is_what_packaging_ranks_first(names: list[str], minor: int) -> None:
    where = target(libc=f"glibc:2.{minor}")
    ranks = {tag: rank for rank, tag in enumerate(where.tags)}
    ranked = {
        name: min((ranks[tag] for tag in parse_wheel_filename(name)[3] if tag in ranks), default=None) for name in names
    }
    fitting = {name: rank for name, rank in ranked.items() if rank is not None}
    if fitting:
        assert chosen(package(*names), where) in {
            name for name, rank in fitting.items() if rank == min(fitting.values())
        }
    else:
        refused(package(*names), where)


def test_no_wheel_for_musl_is_told_as_in_the_style_guide() -> None:
    error = refused(
        package(
            "pydantic_core-2.41.0-cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
            "pydantic_core-2.41.0-cp313-cp313-manylinux_2_17_aarch64.manylinux2014_aarch64.whl",
            name="pydantic-core",
            version="2.41.0",
        ),
        target(libc="musl:1.2"),
    )
    assert str(error) == (
        "No wheel of `pydantic-core` 2.41.0 fits linux/arm64 (CPython 3.13.1, musl 1.2)\n"
        "  locked wheels: manylinux_2_17_aarch64, manylinux_2_17_x86_64\n"
        "  base image: musl 1.2"
    )
    assert error.hint == "Set {base_image} to a glibc image such as `python:3.13-slim`"


@pytest.mark.parametrize(
    ("wheel", "hint"),
    [
        ("demo-1.0-cp313-cp313-manylinux_2_39_aarch64.whl", "Set {base_image} to one with glibc 2.39 or newer"),
        (
            "demo-1.0-cp313-cp313-musllinux_1_2_aarch64.whl",
            "Set {base_image} to a musl image such as `python:3.13-alpine`",
        ),
        (
            "demo-1.0-cp312-cp312-manylinux_2_17_aarch64.whl",
            "Set {base_image} to one with Python 3.12, or lock a version with wheels for 3.13",
        ),
        ("demo-1.0-cp313-cp313-win_amd64.whl", None),
    ],
)
def test_the_hint_names_what_would_fit(wheel: str, hint: str | None) -> None:
    assert refused(package(wheel)).hint == hint


def test_all_packages_without_a_wheel_are_in_one_error() -> None:
    names = ["alpha", "beta", "gamma"]
    packages = [package(f"{name}-1.0-cp313-cp313-manylinux_2_17_x86_64.whl", name=name) for name in names]
    good = package("good-1.0-py3-none-any.whl", name="good")
    with pytest.raises(LockError, match="No wheels of 3 packages fit linux/arm64") as caught:
        choose_wheels([packages[0], good, *packages[1:]], target(), POLICY)
    assert [fact.split("`")[1] for fact in caught.value.facts[:3]] == names
    assert caught.value.facts[3] == "base image: glibc 2.36"


def test_an_sdist_is_never_taken_silently_where_there_are_wheels_for_linux() -> None:
    both = package("demo-1.0-cp313-cp313-manylinux_2_17_x86_64.whl", "demo-1.0.tar.gz")
    assert refused(both).hint == "Name `demo` in {build_sdists} to build it from its source"
    assert chosen(both, policy=SourcePolicy(build_sdists=frozenset({"demo"}))) == "demo-1.0.tar.gz"


def test_an_sdist_is_taken_where_no_wheel_is_for_any_linux() -> None:
    assert chosen(package("demo-1.0.tar.gz")) == "demo-1.0.tar.gz"
    assert chosen(package("demo-1.0-cp313-cp313-win_amd64.whl", "demo-1.0.tar.gz")) == "demo-1.0.tar.gz"


@pytest.mark.parametrize(
    "one",
    [
        package("demo-1.0.tar.gz"),
        package(source=Vcs(url="https://git.example/demo", commit="c" * 40), version=None),
        package("demo-1.0.tar.gz", source=Url(url=f"{HOST}/demo-1.0.tar.gz")),
    ],
    ids=["sdist", "commit", "archive"],
)
def test_nothing_of_others_is_built_under_no_build(one: LockedPackage) -> None:
    error = refused(one, policy=SourcePolicy(no_build=True, build_sdists=frozenset({"demo"})))
    assert "nothing may be built" in str(error)
    assert "{no_build}" in (error.hint or "")


def test_a_directory_beside_the_lock_is_used_and_one_outside_only_when_allowed(tmp_path: Path) -> None:
    assert chosen(package(source=Directory(path=tmp_path)), policy=SourcePolicy(no_build=True)) == "directory"
    outside = package(source=Directory(path=tmp_path, outside=True))
    assert "outside the project" in str(refused(outside))
    assert chosen(outside, policy=SourcePolicy(allow_outside=True)) == "directory"


def test_a_file_outside_the_project_is_used_only_when_allowed(tmp_path: Path) -> None:
    path = tmp_path / "demo-1.0-py3-none-any.whl"
    wheel = artifact(path.name, url=None, path=path, outside=True)
    one = package(source=File(path=path), wheels=(wheel,))
    assert "outside the project" in str(refused(one))
    assert chosen(one, policy=SourcePolicy(allow_outside=True)) == path.name


@pytest.mark.parametrize("commit", ["main", "", "abc123", "C" * 40, "c" * 39])
def test_a_reference_that_is_no_commit_is_refused(commit: str) -> None:
    assert "not a commit" in str(refused(package(source=Vcs(url="https://git.example/demo", commit=commit))))


@pytest.mark.parametrize(
    "url",
    ["ext::sh -c id", "--upload-pack=id", "http://git.example/demo", "git://git.example/demo", "file:///srv/demo"],
)
def test_a_repository_at_a_dangerous_address_is_refused(url: str) -> None:
    refused(package(source=Vcs(url=url, commit="c" * 40)))


def test_a_repository_over_https_or_ssh_is_used() -> None:
    for url in ("https://git.example/demo", "ssh://git@git.example/demo"):
        assert chosen(package(source=Vcs(url=url, commit="c" * 40))) == "vcs"


@pytest.mark.parametrize(
    ("hashes", "reason"),
    [
        ({}, "no hash"),
        ({"md5": "a" * 32}, r"only a weak hash \(md5\)"),
        ({"sha1": "a" * 40, "md5": "a" * 32}, r"only a weak hash \(md5, sha1\)"),
        ({"sha256": "a" * 63}, "sha256 hash is malformed"),
        ({"sha256": "g" * 64}, "sha256 hash is malformed"),
        ({"sha256": ""}, "sha256 hash is malformed"),
        ({"sha512": "a" * 64}, "sha512 hash is malformed"),
    ],
)
def test_a_file_without_a_strong_hash_is_refused(hashes: dict[str, str], reason: str) -> None:
    wheel = artifact("demo-1.0-py3-none-any.whl", hashes=hashes)
    with pytest.raises(LockError, match=reason):
        choose_wheels([package(wheels=(wheel,))], target(), POLICY)


def test_a_lock_that_may_leave_hashes_out_may() -> None:
    wheel = artifact("demo-1.0-py3-none-any.whl", hashes={})
    assert chosen(package(wheels=(wheel,), unhashed=True)) == wheel.filename


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://files.example/w/{}", True),
        ("http://127.0.0.1:8080/{}", True),
        ("http://[::1]/{}", True),
        ("http://localhost/{}", True),
        ("http://files.example/{}", False),
        ("http://10.0.0.1/{}", False),
        ("http://localhost.evil.example/{}", False),
        ("ftp://files.example/{}", False),
        ("https:///{}", False),
        ("https://files.example:99999/{}", False),
        ("https://files.example/\u202e{}", False),
        ("//files.example/{}", False),
    ],
)
def test_addresses_are_https_or_on_this_machine(url: str, *, allowed: bool) -> None:
    wheel = artifact("demo-1.0-py3-none-any.whl", url=url.format("demo-1.0-py3-none-any.whl"))
    if allowed:
        assert chosen(package(wheels=(wheel,))) == wheel.filename
    else:
        refused(package(wheels=(wheel,)))


@pytest.mark.parametrize("host", ["files.example", "files.example:8080"])
def test_plain_http_is_allowed_by_host(host: str) -> None:
    wheel = artifact("demo-1.0-py3-none-any.whl", url="http://files.example:8080/demo-1.0-py3-none-any.whl")
    assert refused(package(wheels=(wheel,))).hint == "Use https, or name the host in {allow_http}"
    assert chosen(package(wheels=(wheel,)), policy=SourcePolicy(insecure_hosts=frozenset({host})))


@pytest.mark.parametrize("wheel", ["other-1.0-py3-none-any.whl", "demo-2.0-py3-none-any.whl"])
def test_a_wheel_of_something_else_is_refused(wheel: str) -> None:
    assert "its locked wheel" in str(refused(package(wheel)))


@pytest.mark.parametrize("wheel", ["demo-1.0.0-py3-none-any.whl", "demo-1.0+cpu-py3-none-any.whl"])
def test_a_version_may_be_written_in_another_way(wheel: str) -> None:
    assert chosen(package(wheel)) == wheel


def test_a_python_that_the_package_does_not_support_is_refused() -> None:
    one = package("demo-1.0-py3-none-any.whl", requires_python=">=3.14")
    assert "it needs Python >=3.14" in str(refused(one))
    assert chosen(package("demo-1.0-py3-none-any.whl", requires_python=">=3.9,<4"))


def test_files_that_are_not_known_yet_are_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="ask an index"):
        choose_wheels([package(files_listed=False)], target(), POLICY)


def test_of_what_an_index_lists_only_files_with_known_hashes_are_kept() -> None:
    known, other = (
        artifact("demo-1.0-py3-none-any.whl"),
        artifact("demo-1.0-1-py3-none-any.whl", hashes={"sha256": "b" * 64}),
    )
    one = package(files_listed=False, hashes=frozenset({"sha256:" + "a" * 64}))
    assert one.with_files([other, known]).wheels == (known,)
    assert package(files_listed=False).with_files([other, known]).wheels == (other, known)


@pytest.mark.parametrize(
    "name",
    [
        "a/b.whl",
        "../x.whl",
        "..",
        ".hidden",
        "a\\b.whl",
        "d\u0435mo-1.0-py3-none-any.whl",
        "a\nb.whl",
        "a\0b",
        "",
        "x" * 300,
    ],
)
def test_a_file_name_that_is_more_than_a_name_is_refused(name: str) -> None:
    with pytest.raises(LockError, match="not a file name"):
        Artifact(filename=name)


@pytest.mark.parametrize("name", ["Demo", "a b", "../x", "", "-a", "d\u0435mo", "x" * 300])
def test_a_malformed_package_name_is_refused(name: str) -> None:
    with pytest.raises(LockError, match="not the name of a package"):
        LockedPackage(name=name, version="1", source=Registry())


def test_credentials_are_in_no_repr() -> None:
    url = "https://bob:s3cret@files.example/demo-1.0-py3-none-any.whl?sig=s3cret2"
    one = package(
        wheels=(artifact("demo-1.0-py3-none-any.whl", url=url, index=url),),
        source=Registry(url=url),
        sdist=artifact("d.zip", url=url),
    )
    others = [Vcs(url=url, commit="c" * 40), Url(url=url), Registry(url=url)]
    shown = "".join(map(repr, [one, *others, choose_wheels([one], target(), POLICY)]))
    assert "s3cret" not in shown
    assert "files.example" in shown
    assert "s3cret" not in str(
        refused(package(wheels=(artifact("x-1-py3-none-any.whl", url=url.replace("https", "ftp")),)))
    )


project_name = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9_.]{0,6}[A-Za-z0-9])?", fullmatch=True)
part = st.from_regex(r"[A-Za-z0-9_.]{1,8}", fullmatch=True)


@given(project_name, part, st.none() | st.from_regex(r"[0-9a-z]{1,4}", fullmatch=True), part, part, part)
def test_wheel_names_are_read_as_packaging_reads_them(
    name: str, version: str, build: str | None, python: str, abi: str, platform: str
) -> None:
    filename = "-".join(filter(None, [name, version, build, python, abi, platform])) + ".whl"
    try:
        project, _, number, tags = parse_wheel_filename(filename)
    except (InvalidWheelFilename, ValueError):
        return  # we take more than packaging does: an unreadable version is found when the wheel is chosen
    ours = parse_wheel(filename)
    assert ours is not None
    assert normalize(ours.name) == project
    assert ours.build == (number or (-1, ""))
    assert {(tag.interpreter, tag.abi, tag.platform) for tag in tags} == set(
        itertools.product(ours.pythons, ours.abis, ours.platforms)
    )
