"""What is said to be missing is missing, and how much of a package that stops is said as it is."""

from __future__ import annotations

import pytest

from pycontainer.layers.linkage import LinkedLibraries
from pycontainer.sources.libraries.debian_names import debian_package, debian_packages
from pycontainer.sources.libraries.elf import Elf, ElfReading
from pycontainer.sources.libraries.linkage import link, version_order
from pycontainer.sources.libraries.preflight import AvailableLibraries, Missing, check_libraries
from pycontainer.testing.libraries import forge_library

BASE = AvailableLibraries(
    architecture="amd64",
    names={"libc.so.6": ("GLIBC_2.2.5", "GLIBC_2.36"), "libstdc++.so.6": ("GLIBCXX_3.4.30",), "libz.so.1": ()},
    elsewhere={"/opt/lib": ("libodd.so.1",)},
)
MODULE = "demo/_c.cpython-312-x86_64-linux-gnu.so"


def elf(*needed: str, soname: str = "", runpath: str = "", architecture: str = "amd64", **versions: str) -> Elf:
    """As it would be read from a file; `GLIBC_2_34="libc.so.6"` needs that version."""
    wanted: dict[str, list[str]] = {}
    for name, library in versions.items():
        kind, _, number = name.partition("_")
        wanted.setdefault(library, []).append(f"{kind}_{number.replace('_', '.')}")
    reading = ElfReading()
    reading.feed(
        forge_library(needed=needed, soname=soname, runpath=runpath, versions=wanted, architecture=architecture)
    )
    found = reading.finish()
    assert found is not None
    return found


def missing(base: AvailableLibraries = BASE, **packages: dict[str, Elf]) -> list[tuple[str, str, str]]:
    found = check_libraries([(name, link(files)) for name, files in packages.items()], base)
    return [(each.library, each.version, each.scope) for each in found]


def test_what_base_and_package_bring_is_there() -> None:
    own = elf("libz.so.1", soname="libdemo-1a2b.so.3")
    assert missing(demo={MODULE: elf("libdemo-1a2b.so.3", "libc.so.6"), "demo.libs/libdemo-1a2b.so.3": own}) == []


@pytest.mark.parametrize("bringing", ["nvidia/cublas/lib/libcublas.so.12", "nvidia/other-name.so"])
def test_another_package_brings_it_by_file_name_or_soname(bringing: str) -> None:
    files = {MODULE: elf("libcublas.so.12")}
    assert missing(demo=files) == [("libcublas.so.12", "", "package")]
    assert missing(demo=files, nvidia={bringing: elf(soname="libcublas.so.12")}) == []


def test_what_nobody_brings_has_its_users() -> None:
    pair = [("demo 1.0", link({MODULE: elf("libGL.so.1")})), ("other 2", link({"o.so": elf("libGL.so.1")}))]
    [found] = check_libraries(pair, BASE)
    assert found == Missing(library="libGL.so.1", users=(("demo 1.0", MODULE), ("other 2", "o.so")))


def test_a_library_of_a_module_counts_as_the_module() -> None:
    files = {
        MODULE: elf("libone.so"),
        "demo.libs/libone.so": elf("libtwo.so", soname="libone.so"),
        "demo.libs/libtwo.so": elf("libone.so", "libGL.so.1", soname="libtwo.so"),
    }
    assert missing(demo=files) == [("libGL.so.1", "", "package")]


def test_a_part_of_the_modules_and_a_plugin_are_told_apart() -> None:
    files = {
        MODULE: elf("libc.so.6"),
        "demo/_gui.abi3.so": elf("libGL.so.1"),
        "demo/plugins/libdatabase.so": elf("libpq.so.5"),
        "demo/plugins/plain.so": elf("libodbc.so.2"),
    }
    assert missing(demo=files) == [
        ("libGL.so.1", "", "module"),
        ("libodbc.so.2", "", "plugin"),
        ("libpq.so.5", "", "plugin"),
    ]


def test_a_package_without_modules_is_loaded_by_what_nothing_needs() -> None:
    assert missing(lightgbm={"lightgbm/lib/lib_lightgbm.so": elf("libgomp.so.1")}) == [("libgomp.so.1", "", "package")]
    files = {"qt/libQt6Core.so.6": elf("libglib.so.0", soname="libQt6Core.so.6")}
    plugins = {f"qt/plugins/lib{name}.so": elf("libQt6Core.so.6", f"lib{name}.so.5") for name in ("pq", "odbc")}
    assert missing(qt={**files, **plugins}) == [
        ("libglib.so.0", "", "package"),
        ("libodbc.so.5", "", "plugin"),
        ("libpq.so.5", "", "plugin"),
    ]


def test_a_version_that_the_base_does_not_define() -> None:
    files = {MODULE: elf("libstdc++.so.6", GLIBCXX_3_4_32="libstdc++.so.6")}
    assert missing(demo=files) == [("libstdc++.so.6", "GLIBCXX_3.4.32", "package")]


def test_of_versions_the_highest_counts_and_is_a_number() -> None:
    [linked] = link({MODULE: elf("libc.so.6", GLIBC_2_9="libc.so.6", GLIBC_2_34="libc.so.6", GLIBC_2_2_5="libc.so.6")})
    assert [need.version for need in linked.needs] == ["", "GLIBC_2.34"]


def test_a_version_that_one_of_two_modules_needs_stops_that_one() -> None:
    files = {
        MODULE: elf("libc.so.6", GLIBC_2_30="libc.so.6"),
        "demo/_new.abi3.so": elf("libc.so.6", GLIBC_2_38="libc.so.6"),
    }
    [linked] = link(files)
    assert [(need.version, need.scope) for need in linked.needs] == [
        ("", "package"),
        ("GLIBC_2.38", "module"),
        ("GLIBC_2.30", "package"),
    ]


@pytest.mark.parametrize("library", ["libz.so.1", "libc.so.6"])
def test_no_version_is_missing_where_nobody_knows_them(library: str) -> None:
    """A library without versions takes any; and of two that have one name nobody knows which is loaded."""
    files = {MODULE: elf(library, ZLIB_9="libz.so.1", GLIBC_2_99="libc.so.6")}
    brought = {"other/libc.so.6": elf(soname="libc.so.6")}
    assert missing(demo=files, other=brought) == []


def test_musl_has_no_versions_and_its_own_parts_in_itself() -> None:
    base = AvailableLibraries(architecture="amd64", names={"libstdc++.so.6": ("GLIBCXX_3.4.30",)}, musl=True)
    files = {MODULE: elf("libc.musl-x86_64.so.1", "libstdc++.so.6", GLIBCXX_3_4_99="libstdc++.so.6")}
    assert missing(base, demo=files) == []


@pytest.mark.parametrize("library", ["libcuda.so.1", "libnvidia-ml.so.1"])
def test_what_comes_with_the_driver_is_never_in_an_image(library: str) -> None:
    assert missing(demo={MODULE: elf(library)}) == []


def test_files_of_another_architecture_do_not_count() -> None:
    assert missing(demo={MODULE: elf("libGL.so.1", architecture="arm64")}) == []
    files = {MODULE: elf("libGL.so.1")}
    assert missing(demo=files, other={"libGL.so.1": elf(architecture="arm64")}) == [("libGL.so.1", "", "package")]


def test_a_folder_of_the_base_counts_for_whoever_looks_there() -> None:
    assert missing(demo={MODULE: elf("libodd.so.1")}) == [("libodd.so.1", "", "package")]
    assert missing(demo={MODULE: elf("libodd.so.1", runpath="$ORIGIN/x:/opt/lib")}) == []
    needs = link({MODULE: elf("libodd.so.1")})
    assert check_libraries([("demo", needs)], BASE, directories=["/opt/lib"]) == ()
    assert check_libraries([("demo", needs)], BASE, others=["libodd.so.1"]) == ()


def test_a_missing_library_is_one_line_whatever_versions_it_should_have() -> None:
    files = {MODULE: elf("libnew.so.1", NEW_1="libnew.so.1")}
    assert missing(demo=files) == [("libnew.so.1", "", "package")]


def test_a_package_with_more_files_than_any_real_one_ends() -> None:
    chain = {f"lib{number}.so": elf(f"lib{number + 1}.so", f"libgone{number}.so") for number in range(2000)}
    [linked] = link(chain)
    assert len(linked.needs) <= 513
    assert isinstance(linked, LinkedLibraries)


def test_packages_of_the_system_bring_versions() -> None:
    reading = ElfReading()
    reading.feed(forge_library(soname="libpq.so.5", defines=["LIBPQ_5"]))
    library = reading.finish()
    assert library is not None
    brought = ("libpq5", link({"usr/lib/libpq.so.5": library}, versions=True))
    needs = link({MODULE: elf("libpq.so.5", LIBPQ_5="libpq.so.5", LIBPQ_6="libpq.so.5")})
    assert [each.version for each in check_libraries([brought, ("demo", needs)], BASE)] == ["LIBPQ_6"]


def test_the_order_of_versions() -> None:
    assert version_order("GLIBC_2.34") > version_order("GLIBC_2.9") > version_order("GLIBC_2.2.5")
    assert version_order("GLIBC_PRIVATE") == ("GLIBC_PRIVATE", ())


@pytest.mark.parametrize(
    ("library", "package"),
    [
        ("libGL.so.1", "libgl1"),
        ("libfoo1.2.so.3", "libfoo1.2-3"),
        ("libgthread-2.0.so.0", "libglib2.0-0"),
        ("libstdc++.so.6", "libstdc++6"),
        ("libX11.so.6", "libx11-6"),
        ("libgomp.so.1", "libgomp1"),
        ("libSM.so.6", "libsm6"),
        ("libXrender.so.1", "libxrender1"),
        ("libsndfile.so.1", "libsndfile1"),
        ("libmagic.so.1", "libmagic1"),
        ("libpq.so.5", "libpq5"),
        ("libgcc_s.so.1", "libgcc-s1"),
        ("libicuuc.so.72", "libicu72"),
        ("libpython3.11.so.1.0", "libpython3.11"),
        ("libz.so.1", "zlib1g"),
        ("libdb-5.3.so", "libdb5.3"),
        ("libodd.so", None),
        ("plain", None),
    ],
)
def test_debian_packages_by_the_rule_and_its_exceptions(library: str, package: str | None) -> None:
    assert debian_package(library) == package


@pytest.mark.parametrize(
    ("os_release", "packages"),
    [
        ({"ID": "debian", "VERSION_ID": "12"}, ("libglib2.0-0", "libgl1")),
        ({"ID": "debian", "VERSION_ID": "13"}, ("libglib2.0-0t64", "libgl1")),
        ({"ID": "debian"}, ("libglib2.0-0t64", "libgl1")),
        ({"ID": "ubuntu", "VERSION_ID": "22.04"}, ("libglib2.0-0", "libgl1")),
        ({"ID": "ubuntu", "VERSION_ID": "24.04"}, ("libglib2.0-0t64", "libgl1")),
        ({"ID": "raspbian", "ID_LIKE": "debian"}, ("libglib2.0-0", "libgl1")),
        ({"ID": "alpine"}, ()),
        ({}, ()),
    ],
)
def test_names_by_the_release(os_release: dict[str, str], packages: tuple[str, ...]) -> None:
    assert debian_packages(["libgthread-2.0.so.0", "libglib-2.0.so.0", "libGL.so.1"], os_release) == packages
