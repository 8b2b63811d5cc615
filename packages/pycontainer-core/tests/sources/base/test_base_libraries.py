"""The libraries of a base image are those that its loader would find."""

from __future__ import annotations

from pathlib import Path

from pycontainer.layers.layer import Layer
from pycontainer.sources.base.cache import FactsCache
from pycontainer.sources.base.find import find_facts
from pycontainer.sources.libraries.preflight import AvailableLibraries
from pycontainer.testing.images import (
    File,
    Forged,
    Gone,
    Link,
    alpine_like,
    debian_like,
    distroless_like,
    forge_image,
    forge_layer,
)
from pycontainer.testing.libraries import forge_library

GNU = "usr/lib/x86_64-linux-gnu"


def library(name: str, **fields: object) -> File:
    return File(name, forge_library(soname=name.rpartition("/")[2], **fields))  # type: ignore[arg-type]


def libraries(
    *entries: Forged, environment: dict[str, str] | None = None, above: list[Layer] | None = None
) -> AvailableLibraries:
    base = debian_like()
    layers = [*base.layers, forge_layer(entries), *(above or [])]
    found = find_facts(forge_image(layers, environment={**base.config.config.environment, **(environment or {})}))
    assert found.libraries is not None
    return found.libraries


def test_libraries_of_the_default_folders_and_their_versions() -> None:
    found = libraries(library(f"{GNU}/libstdc++.so.6", defines=["GLIBCXX_3.4", "GLIBCXX_3.4.30"]))
    assert found.architecture == "amd64"
    assert found.names["libstdc++.so.6"] == ("GLIBCXX_3.4", "GLIBCXX_3.4.30")
    assert found.names["libc.so.6"] == ()
    assert "ld-linux-x86-64.so.2" in found.names


def test_links_lead_to_libraries_inside_the_image() -> None:
    found = libraries(
        library(f"{GNU}/libz.so.1.2.13", defines=["ZLIB_1"]),
        Link(f"{GNU}/libz.so.1", "libz.so.1.2.13"),
        Link(f"{GNU}/libhost.so.1", "/../../etc/hostname"),
    )
    assert found.names["libz.so.1"] == ("ZLIB_1",)
    assert "libhost.so.1" not in found.names


def test_a_library_that_a_later_layer_removes_is_gone() -> None:
    entries = [library(f"{GNU}/libpq.so.5")]
    assert "libpq.so.5" in libraries(*entries).names
    assert "libpq.so.5" not in libraries(*entries, above=[forge_layer([Gone(f"{GNU}/libpq.so.5")])]).names


def test_a_library_of_another_architecture_is_none() -> None:
    assert "libpq.so.5" not in libraries(library(f"{GNU}/libpq.so.5", architecture="arm64")).names


def test_folders_of_the_configuration() -> None:
    found = libraries(
        File("etc/ld.so.conf", b"# folders\ninclude /etc/ld.so.conf.d/*.conf\n/opt/one\n"),
        File("etc/ld.so.conf.d/two.conf", b"/opt/two\n# /opt/three\n"),
        File("etc/ld.so.conf.d/three", b"/opt/three\n"),
        *(library(f"opt/{name}/lib{name}.so.1") for name in ("one", "two", "three")),
    )
    assert {"libone.so.1", "libtwo.so.1"} <= found.names.keys()
    assert "libthree.so.1" not in found.names
    assert found.elsewhere == {"/opt/three": ("libthree.so.1",)}


def test_folders_of_the_environment_and_of_the_interpreter() -> None:
    files = [library("opt/x/libx.so.1"), library("usr/local/lib/libpython3.12.so.1.0")]
    assert "libx.so.1" not in libraries(*files).names
    assert {"libx.so.1", "libpython3.12.so.1.0"} <= libraries(
        *files, environment={"LD_LIBRARY_PATH": "/opt/x"}
    ).names.keys()


def test_libraries_of_other_pythons_are_nowhere() -> None:
    found = libraries(library("opt/conda/lib/python3.11/site-packages/torch/lib/libtorch.so"))
    assert found.elsewhere == {}


def test_musl_and_its_path() -> None:
    base = alpine_like()
    layer = forge_layer([File("etc/ld-musl-x86_64.path", b"/lib:/opt/lib\n"), library("opt/lib/libodd.so.1")])
    found = find_facts(forge_image([*base.layers, layer], environment=base.config.config.environment)).libraries
    assert found is not None
    assert found.musl
    assert {"ld-musl-x86_64.so.1", "libodd.so.1"} <= found.names.keys()


def test_a_base_without_a_known_place_of_its_c_library_is_not_judged() -> None:
    assert find_facts(distroless_like()).libraries is None


def test_the_cache_gives_them_back(tmp_path: Path) -> None:
    facts = find_facts(debian_like())
    digest = debian_like().layers[0].diff_id
    cache = FactsCache(tmp_path)
    cache.put(digest, facts)
    assert cache.get(digest) == facts
