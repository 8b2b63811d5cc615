"""A layer of packages has what dpkg would unpack, where dpkg would unpack it, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from pycontainer.errors import IntegrityError, PackageError
from pycontainer.layers.cache import LayerCache
from pycontainer.layers.entries import Kind
from pycontainer.sources.debian.compose import empty_state
from pycontainer.sources.debian.recipe import DebsRecipe
from pycontainer.sources.debian.state import DebianState
from pycontainer.testing.debs import DebForge, ForgedFile, forge_tar, forged_link
from pycontainer.testing.images import File

from .conftest import BASE, WriteDebs, deb_input, state_of

LIBRARY = "lib/x86_64-linux-gnu/libdemo.so.1.0"


def folder(**fields: object) -> ForgedFile:
    return ForgedFile(kind=Kind.DIRECTORY, **fields)  # type: ignore[arg-type]


def test_files_go_through_the_links_of_the_base_and_its_directories_stay(write_debs: WriteDebs) -> None:
    forge = DebForge(
        files={
            LIBRARY: b"library",
            "lib/x86_64-linux-gnu/libdemo.so.1": forged_link("libdemo.so.1.0"),
            "lib/x86_64-linux-gnu/again": ForgedFile(kind=Kind.HARD_LINK, target=LIBRARY),
            "usr/share/demo": folder(mode=0o2775, group="mail", gid=99),
            "usr/share/demo/file": b"x",
        }
    )
    written = write_debs(forge)
    assert sorted(written.members) == [
        "usr/lib/x86_64-linux-gnu/again",
        "usr/lib/x86_64-linux-gnu/libdemo.so.1",
        "usr/lib/x86_64-linux-gnu/libdemo.so.1.0",
        "usr/share/demo",
        "usr/share/demo/file",
    ]
    assert written.members["usr/lib/x86_64-linux-gnu/again"].linkname == "usr/lib/x86_64-linux-gnu/libdemo.so.1.0"
    assert written.members["usr/share/demo"].mode == 0o2775
    assert [each.path for each in written.summaries[0].paths if each.kind is Kind.FILE] == [
        LIBRARY,
        "usr/share/demo/file",
    ]


def test_owners_are_found_by_name_and_by_number_where_the_name_is_unknown(write_debs: WriteDebs) -> None:
    files: dict[str, bytes | ForgedFile] = {
        "usr/bin/a": ForgedFile(user="mail", group="utmp", uid=1000, gid=1001, mode=0o2755),
        "usr/bin/b": ForgedFile(user="nobody-knows", group="", uid=1000, gid=1001),
    }
    members = write_debs(DebForge(files=files)).members
    assert (members["usr/bin/a"].uid, members["usr/bin/a"].gid, members["usr/bin/a"].mode) == (8, 43, 0o2755)
    assert (members["usr/bin/b"].uid, members["usr/bin/b"].gid) == (1000, 1001)


def test_what_slim_images_leave_out_is_left_out(write_debs: WriteDebs) -> None:
    files: dict[str, bytes | ForgedFile] = {
        "usr/share/doc/demo/copyright": b"licence",
        "usr/share/doc/demo/changelog.gz": b"x",
        "usr/share/doc/demo/examples/one": b"x",
        "usr/share/doc/libdemo": forged_link("demo"),
        "usr/share/man/man1/demo.1.gz": b"x",
        "usr/share/info/demo.info": b"x",
        "usr/share/lintian/overrides/demo": b"x",
        "usr/share/locale/de/LC_MESSAGES/demo.mo": b"x",
        "usr/share/locale/locale.alias": b"x",
        "usr/share/documents": b"x",
    }
    written = write_debs(DebForge(files=files))
    assert {name for name, member in written.members.items() if not member.isdir()} == {
        "usr/share/doc/demo/copyright",
        "usr/share/doc/libdemo",
        "usr/share/documents",
        "usr/share/locale/locale.alias",
    }
    assert {"usr/share/doc/demo"} == {name for name in written.members if name.endswith("/demo")}
    assert len(written.summaries[0].paths) > len(written.members)


def test_parents_that_a_package_forgot_are_made(write_debs: WriteDebs) -> None:
    written = write_debs(DebForge(data=forge_tar({"opt/demo/bin/x": b""}, parents=False), files={}))
    assert [name for name, member in written.members.items() if member.isdir()] == ["opt", "opt/demo", "opt/demo/bin"]


def test_a_base_that_is_composed_gets_its_directories_behind_merged_usr(write_debs: WriteDebs) -> None:
    empty = empty_state("bookworm", "amd64")
    files: dict[str, bytes | ForgedFile] = {
        LIBRARY: b"x",
        "bin/sh": b"x",
        "lib": folder(),
        "sbin": forged_link("usr/sbin"),
    }
    written = write_debs(DebForge(files=files), upon=empty)
    assert "lib" not in written.members
    assert "sbin" not in written.members  # the link is there already
    assert {"usr", "usr/bin", "usr/bin/sh", "usr/lib", "usr/lib/x86_64-linux-gnu/libdemo.so.1.0"} <= set(
        written.members
    )


@pytest.mark.parametrize(
    ("files", "match"),
    [
        ({"usr/bin/tool": b"x"}, "`base-files 12.4` of the base image has it"),
        ({"bin/tool": b"x"}, "`base-files 12.4` of the base image has it"),
        ({"lib/x86_64-linux-gnu/libold.so.1": forged_link("elsewhere")}, "`libold1 1.0` of the base image has it"),
        ({"usr/share/doc": b"x"}, "the base image has a directory there"),
        ({"usr/bin/tool": folder()}, "the base image has a file there"),
    ],
)
def test_files_of_the_base_are_not_replaced(
    write_debs: WriteDebs, files: dict[str, bytes | ForgedFile], match: str
) -> None:
    with pytest.raises(PackageError) as caught:
        write_debs(DebForge(files=files))
    assert match in "\n".join(caught.value.facts)


def test_files_of_the_base_are_replaced_where_dpkg_replaces_them(write_debs: WriteDebs) -> None:
    tool = {"usr/bin/tool": b"new"}
    assert "usr/bin/tool" in write_debs(DebForge(name="base-files", version="13", files=tool)).members
    moved = DebForge(files=tool, fields={"Replaces": "base-files (<< 13)"})
    assert "usr/bin/tool" in write_debs(moved).members
    assert "usr/bin/tool" in write_debs(DebForge(files=tool), upgraded=frozenset({"base-files"})).members
    with pytest.raises(PackageError):
        write_debs(DebForge(files=tool, fields={"Replaces": "base-files (<< 12)"}))


def test_files_that_are_nobodys_are_replaced_unless_they_are_settings(write_debs: WriteDebs) -> None:
    files: dict[str, bytes | ForgedFile] = {"etc/local.conf": b"theirs", "usr/local-tool": b"theirs"}
    written = write_debs(DebForge(files=files, conffiles=["/etc/local.conf"]))
    assert list(written.members) == ["usr/local-tool"]


def test_links_do_not_take_the_place_of_directories(write_debs: WriteDebs) -> None:
    files: dict[str, bytes | ForgedFile] = {
        "usr/share/doc": forged_link("elsewhere"),
        "lib": forged_link("/usr/lib"),
        "usr/lib/x86_64-linux-gnu/libold.so.1": forged_link("libold.so.1.0"),
        "usr/new": forged_link("bin"),
    }
    assert list(write_debs(DebForge(files=files)).members) == ["usr/new"]


def two(first: bytes | ForgedFile, second: bytes | ForgedFile, **fields: str) -> tuple[DebForge, DebForge]:
    return (
        DebForge(name="first", files={"usr/share/same": first}),
        DebForge(name="second", files={"usr/share/same": second}, fields=fields),
    )


def test_two_packages_with_one_file_are_an_error(write_debs: WriteDebs) -> None:
    with pytest.raises(PackageError, match=r"`second 1.0` cannot have a file at `/usr/share/same`") as caught:
        write_debs(*two(b"1", b"2"))
    assert "`first 1.0`" in caught.value.facts[0]
    for other in (folder(), forged_link("x"), ForgedFile(content=b"1", mode=0o755)):
        with pytest.raises(PackageError):
            write_debs(*two(b"1", other))
    with pytest.raises(PackageError):
        write_debs(*two(folder(), b"1"))
    with pytest.raises(PackageError):
        write_debs(*two(forged_link("x"), forged_link("y")))


def test_two_packages_with_the_same_file_share_it(write_debs: WriteDebs) -> None:
    assert write_debs(*two(b"1", b"1")).contents["usr/share/same"] == b"1"
    assert write_debs(*two(forged_link("x"), forged_link("x"))).members["usr/share/same"].linkname == "x"
    assert write_debs(*two(folder(), folder(mode=0o700))).members["usr/share/same"].mode == 0o755


def test_who_replaces_the_other_has_the_file(write_debs: WriteDebs) -> None:
    first, second = two(b"1", b"2", Replaces="first (<< 2)")
    assert write_debs(first, second).contents["usr/share/same"] == b"2"
    assert write_debs(second, first).contents["usr/share/same"] == b"2"
    with pytest.raises(PackageError):
        write_debs(first, replace(second, fields={"Replaces": "first (>= 2)"}))


def test_a_package_cannot_reach_through_its_own_links(write_debs: WriteDebs) -> None:
    first = DebForge(name="first", files={"usr/share/trap": forged_link("/etc")})
    with pytest.raises(PackageError, match="a directory"):
        write_debs(first, DebForge(name="second", files={"usr/share/trap/passwd": b"x"}))
    link = forge_tar({"usr/share/trap": forged_link("/etc")}).rstrip(b"\0")
    tar = link + bytes(-len(link) % 512) + forge_tar({"usr/share/trap/passwd": b"x"}, parents=False)
    with pytest.raises(PackageError, match="a directory"):
        write_debs(DebForge(data=tar, files={}))


def test_files_that_are_diverted_go_aside(write_debs: WriteDebs) -> None:
    diversions = b"/bin/sh\n/bin/sh.distrib\ndash\n/usr/bin/tool\n/usr/bin/tool.real\n:\n"
    state = state_of([*BASE, File("var/lib/dpkg/diversions", diversions)])
    files: dict[str, bytes | ForgedFile] = {"usr/bin/sh": b"x", "usr/bin/tool": b"y"}
    assert set(write_debs(DebForge(files=files), upon=state).members) == {"usr/bin/sh.distrib", "usr/bin/tool.real"}
    dash = DebForge(name="dash", files={"bin/sh": b"x"})
    assert set(write_debs(dash, upon=state).members) == {"usr/bin/sh"}


def test_a_hard_link_to_what_is_left_out_is_refused(write_debs: WriteDebs) -> None:
    files: dict[str, bytes | ForgedFile] = {
        "usr/share/doc/demo/example": b"x",
        "usr/share/example": ForgedFile(kind=Kind.HARD_LINK, target="usr/share/doc/demo/example"),
    }
    with pytest.raises(PackageError, match="hard link to a file that is not installed"):
        write_debs(DebForge(files=files))


def test_bytes_that_are_not_the_announced_ones_make_no_layer(tmp_path: Path, base: DebianState) -> None:
    deb = deb_input(DebForge(), tmp_path)
    deb.open_path().write_bytes(DebForge(files={"usr/bin/evil": b"x"}).build())
    cache = LayerCache(tmp_path / "cache")
    with pytest.raises(IntegrityError):
        cache.make(DebsRecipe(debs=(deb,), base=base))
    assert not list((tmp_path / "cache").rglob("*.json"))


def test_a_key_tells_what_the_bytes_depend_on(tmp_path: Path, base: DebianState) -> None:
    one = deb_input(DebForge(name="one"), tmp_path)
    other = deb_input(DebForge(name="other"), tmp_path)
    again = state_of(BASE)
    recipe = DebsRecipe(debs=(one,), base=base)
    assert recipe.key == DebsRecipe(debs=(one,), base=again, keep=print).key
    assert recipe.title == "one 1.0"
    keys = {
        recipe.key,
        DebsRecipe(debs=(one, other), base=base).key,
        DebsRecipe(debs=(other,), base=base).key,
        DebsRecipe(debs=(one,), base=base, upgraded=frozenset({"base-files"})).key,
        DebsRecipe(debs=(one,), base=msgspec.structs.replace(base, tree=empty_state("bookworm", "amd64").tree)).key,
        DebsRecipe(debs=(one,), base=msgspec.structs.replace(base, files={})).key,
        DebsRecipe(debs=(one,), base=msgspec.structs.replace(base, lists={})).key,
    }
    assert len(keys) == 7
    assert DebsRecipe(debs=(one, other), base=base).title == "2 Debian packages"


def test_a_layer_is_the_same_every_time(tmp_path: Path, base: DebianState) -> None:
    debs = (deb_input(DebForge(name="one", files={"usr/a": b"x" * 100_000}), tmp_path), deb_input(DebForge(), tmp_path))
    made = [LayerCache(tmp_path / name).make(DebsRecipe(debs=debs, base=base)) for name in ("a", "b")]
    assert made[0] == made[1]
    assert (made[0].contents.files, made[0].contents.size) == (2, 100_005)
