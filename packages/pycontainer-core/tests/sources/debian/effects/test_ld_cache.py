"""The cache of shared libraries: the same bytes as ldconfig's, and merged as ldconfig would have found it."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from pycontainer.errors import DocumentError
from pycontainer.sources.debian.effects.ld_cache import CachedLibrary, read_ld_cache, sorted_libraries, write_ld_cache
from pycontainer.sources.debian.effects.libraries import (
    LibraryFile,
    cache_flags,
    library_folders,
    merged,
    soname_links,
)
from pycontainer.sources.debian.soname import read_shared_library

LDCONFIG = shutil.which("ldconfig", path="/sbin:/usr/sbin")
needs_ldconfig = pytest.mark.skipif(
    LDCONFIG is None or not Path("/lib/x86_64-linux-gnu").is_dir(), reason="no ldconfig"
)
TRIPLET = "x86_64-linux-gnu"
FOLDER = f"usr/lib/{TRIPLET}"


def library(name: str, path: str | None = None, *, flags: int = 0x303, folder: str = "") -> CachedLibrary:
    where = path or f"/lib/{TRIPLET}/{name}"
    return CachedLibrary(name=name.encode(), path=where.encode(), flags=flags, folder=folder.encode())


def test_names_stand_in_the_order_that_the_loader_searches() -> None:
    names = ["libz.so.1", "libz.so", "libicu72.so.9", "libicu72.so.10", "lib9.so", "libA.so", "lib10.so", "lib1a.so"]
    found = [each.name.decode() for each in sorted_libraries(library(name) for name in names)]
    assert found == ["lib10.so", "lib9.so", "lib1a.so", "libz.so.1", "libz.so", "libicu72.so.10", "libicu72.so.9",
                     "libA.so"]  # fmt: skip


def test_what_needs_more_of_the_processor_comes_first() -> None:
    plain, second, third = (library("liba.so", folder=folder) for folder in ("", "x86-64-v2", "x86-64-v3"))
    assert sorted_libraries([plain, third, second]) == [second, third, plain]


@pytest.mark.parametrize("order", ["little", "big"])
def test_a_cache_comes_back_as_it_was(order: str) -> None:
    libraries = sorted_libraries(
        [
            library("libé.so.1"),
            library("liba.so.1", f"/lib/{TRIPLET}/glibc-hwcaps/x86-64-v3/liba.so.1.0", folder="x86-64-v3"),
            library("liba.so.1", flags=0x3),
        ]
    )
    data = write_ld_cache(libraries, order=order)  # type: ignore[arg-type]
    assert list(read_ld_cache(data)) == libraries


def test_the_older_format_before_it_is_skipped() -> None:
    data = write_ld_cache([library("liba.so.1")])
    old = b"ld.so-1.7.0\0" + struct.pack("<I", 3) + bytes(36)
    assert read_ld_cache(old + bytes(-len(old) % 8) + data) == (library("liba.so.1"),)


def test_damaged_caches_are_refused() -> None:
    data = write_ld_cache([library("liba.so.1"), library("libb.so.1")])
    for length in range(len(data) - len(b"pycontainer") - 1):
        with pytest.raises(DocumentError, match=r"ld\.so\.cache"):
            read_ld_cache(data[:length])
    for count in (1 << 17, 0xFFFFFFFF):
        with pytest.raises(DocumentError):
            read_ld_cache(data[:20] + struct.pack("<I", count) + data[24:])
    for hostile in (b"x" * 100, b"ld.so-1.7.0\0" + b"\xff" * 40, bytes(100), b"\0" * ((32 << 20) + 1)):
        with pytest.raises(DocumentError):
            read_ld_cache(hostile)
    with pytest.raises(DocumentError):
        read_ld_cache(data[:52] + b"\xff\xff\xff\x7f" + data[56:])


def test_folders_are_those_of_the_configuration_then_the_loaders() -> None:
    files = {
        "etc/ld.so.conf": b"include /etc/ld.so.conf.d/*.conf\n/opt/last # comment\n",
        "etc/ld.so.conf.d/b.conf": b"/usr/local/lib\n\nrelative\n",
        "etc/ld.so.conf.d/a.conf": b"# first\n/opt/a/\ninclude ld.so.conf.d/../../ld.so.conf\n",
        "etc/ld.so.conf.d/not": b"/opt/not\n",
        "etc/ld.so.conf.d/circle.conf": b"include /etc/ld.so.conf.d/circle.conf\n/opt/circle\n",
    }
    assert library_folders(files, "arm64") == (
        "/opt/a",
        "/usr/local/lib",
        "/opt/circle",
        "/opt/last",
        "/lib/aarch64-linux-gnu",
        "/usr/lib/aarch64-linux-gnu",
        "/lib",
        "/usr/lib",
    )


def test_libraries_are_listed_by_what_they_are_looked_for_as() -> None:
    added = [
        LibraryFile(folder=FOLDER, name="libpq.so.5.15", soname="libpq.so.5", flags=0x303),
        LibraryFile(folder=FOLDER, name="libpq.so.5", soname="libpq.so.5", flags=0x303, is_link=True),
        LibraryFile(folder=FOLDER, name="libpq.so", soname="libpq.so.5", flags=0x303, is_link=True),
        LibraryFile(folder=FOLDER, name="libold.so.1.2", soname="libold.so.1", flags=0x303),
        LibraryFile(folder=FOLDER, name="libold.so.1.10", soname="libold.so.1", flags=0x303),
        LibraryFile(folder="usr/lib/private", name="libprivate.so", soname="libprivate.so", flags=0x303),
    ]
    base = [library("libz.so.1"), library("libgone.so.1"), library("libpq.so.5")]
    found = merged(
        base,
        added,
        [f"/lib/{TRIPLET}", f"/usr/lib/{TRIPLET}"],
        canonical=lambda path: path if path.startswith("usr/") else f"usr/{path}",
        exists=lambda path: "gone" not in path,
    )
    assert [each.name.decode() for each in found] == ["libz.so.1", "libpq.so.5", "libpq.so", "libold.so.1"]
    assert found[1].path == f"/lib/{TRIPLET}/libpq.so.5".encode()
    assert soname_links(added, lambda path: "libpq" in path) == {f"{FOLDER}/libold.so.1": "libold.so.1.10"}


def test_architectures_have_their_flags() -> None:
    assert [cache_flags(62, 64), cache_flags(183, 64), cache_flags(3, 32)] == [0x303, 0xA03, 0x3]
    assert [cache_flags(40, 32, 0x5000400), cache_flags(40, 32, 0x5000200)] == [0x903, 0xB03]
    assert cache_flags(9999, 64) is None


@needs_ldconfig
def test_the_bytes_are_those_of_ldconfig(tmp_path: Path) -> None:
    folder = tmp_path / FOLDER
    for deeper in ("", "glibc-hwcaps/x86-64-v3", "glibc-hwcaps/x86-64-v2"):
        (folder / deeper).mkdir(parents=True)
    (tmp_path / "lib").symlink_to("usr/lib")
    (tmp_path / "etc").mkdir()
    (tmp_path / "usr/local/lib").mkdir(parents=True)
    (tmp_path / "etc/ld.so.conf").write_text(f"/usr/local/lib\n/lib/{TRIPLET}\n/usr/lib/{TRIPLET}\n")
    real = [path for path in sorted(Path(f"/lib/{TRIPLET}").glob("lib*.so.*")) if not path.is_symlink()][:40]
    added = []
    for place, source in enumerate(real):
        with source.open("rb") as stream:
            shared = read_shared_library(source.name, stream)
        if shared is None or not shared.soname:
            continue
        where = ["", "glibc-hwcaps/x86-64-v3", "glibc-hwcaps/x86-64-v2", "../../local/lib"][place % 4]
        for into in {"", where}:
            shutil.copy(source, folder / into / source.name)
            path = f"{FOLDER}/{into}".rstrip("/") if into != "../../local/lib" else "usr/local/lib"
            added.append(LibraryFile(folder=path, name=source.name, soname=shared.soname, flags=0x303))
        link = shared.soname.partition(".so")[0] + ".so"
        if not (folder / link).exists():
            (folder / link).symlink_to(source.name)
            added.append(LibraryFile(folder=FOLDER, name=link, soname=shared.soname, flags=0x303, is_link=True))
    assert len(added) > 50
    assert LDCONFIG
    subprocess.run([LDCONFIG, "-r", tmp_path], check=True, capture_output=True)
    expected = (tmp_path / "etc/ld.so.cache").read_bytes()
    folders = library_folders({"etc/ld.so.conf": (tmp_path / "etc/ld.so.conf").read_bytes()}, "amd64")
    found = merged(
        [],
        added,
        folders,
        canonical=lambda path: path if path.startswith("usr/") else f"usr/{path}",
        exists=lambda _: True,
    )
    generator = expected[expected.rindex(b"ldconfig (") :]
    assert read_ld_cache(expected) == tuple(found)
    assert write_ld_cache(found, generator=generator) == expected
    for path, target in soname_links(added, lambda _: False).items():
        assert (tmp_path / path).resolve().name == target
