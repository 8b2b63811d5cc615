from __future__ import annotations

import gzip
import io
import tarfile

import pytest

from pycontainer.layers.entries import Kind
from pycontainer.layers.writer import LayerWriter
from pycontainer.oci import Platform
from pycontainer.sources.base.debian import read_state
from pycontainer.sources.base.find import read_layers
from pycontainer.sources.debian.compose import FoundationRecipe, base_config, base_wishes, empty_state
from pycontainer.testing.images import forge_image, layer_of_tar


def foundation(architecture: str = "amd64") -> bytes:
    """The lowest layer, unpacked."""
    sink = io.BytesIO()
    with LayerWriter(sink) as writer:
        FoundationRecipe(tree=empty_state("bookworm", architecture).tree).write(writer)
        writer.finish()
    return gzip.decompress(sink.getvalue())


def test_the_usual_base_is_python_with_what_wheels_count_on() -> None:
    wishes = base_wishes(packages=(), added=(), exclude=(), unconfigured=frozenset())
    assert {"python3", "libstdc++6", "ca-certificates", "tzdata", "libc-bin"} <= set(wishes.packages)
    assert {"dpkg", "perl-base", "debconf"} <= set(wishes.exclude)


def test_what_is_added_and_left_out_is_solved_with_it() -> None:
    wishes = base_wishes(
        packages=(), added=("libpq5", "python3"), exclude=("tzdata-legacy",), unconfigured=frozenset("x")
    )
    assert wishes.packages[-1] == "libpq5"
    assert wishes.packages.count("python3") == 1
    assert "tzdata-legacy" in wishes.exclude
    assert wishes.unconfigured == {"x"}


@pytest.mark.parametrize("wish", ["dpkg", "dpkg=1.21"])
def test_what_somebody_asks_for_is_not_left_out(wish: str) -> None:
    wishes = base_wishes(packages=("python3",), added=(wish,), exclude=(), unconfigured=frozenset())
    assert wishes.packages == ("python3", wish)
    assert "dpkg" not in wishes.exclude


@pytest.mark.parametrize("architecture", ["amd64", "arm64"])
def test_the_state_that_is_solved_upon_is_that_of_the_foundation(architecture: str) -> None:
    """What packages are told of the base, and what lies there, are two descriptions of one thing."""
    said = empty_state("bookworm", architecture)
    root = read_layers(forge_image([layer_of_tar(foundation(architecture))]))
    assert read_state(root) is None, "it has no database of packages yet"
    links = {
        f"{path}/{name}".lstrip("/"): node.target
        for path, folder in root.directories()
        for name, node in folder.children.items()
        if node.kind is Kind.SYMLINK
    }
    openssl = {path: links.pop(path) for path in list(links) if path.startswith("usr/lib/ssl/")}
    assert links == said.tree.links
    assert openssl["usr/lib/ssl/cert.pem"] == "/etc/ssl/certs/ca-certificates.crt", "what an SSL context looks for"
    for path, content in said.files.items():
        assert root.whole(f"/{path}") == content, path
    assert (said.distribution, said.codename, said.architecture) == ("debian", "bookworm", architecture)
    assert said.database == "status.d"


def test_the_foundation_has_a_user_that_is_not_root() -> None:
    with tarfile.open(fileobj=io.BytesIO(foundation())) as tar:
        members = {member.name: member for member in tar}
        passwd = tar.extractfile("etc/passwd")
        assert passwd is not None
        rows = [line.split(":") for line in passwd.read().decode().splitlines()]
    home = members["home/nonroot"]
    assert (home.uid, home.gid, home.mode) == (65532, 65532, 0o700)
    assert ["nonroot", "x", "65532", "65532", "nonroot", "/home/nonroot", "/usr/sbin/nologin"] in rows
    assert members["bin"].linkname == "usr/bin"
    assert all(member.mtime == members["bin"].mtime for member in members.values())


def test_the_config_is_of_the_platform() -> None:
    config = base_config(Platform.parse("linux/arm64"))
    assert (config.architecture, config.variant) == ("arm64", "v8")
    assert config.config.user == "65532:65532"
    assert config.config.environment["LANG"] == "C.UTF-8"
    assert base_config(Platform.parse("linux/amd64")).variant is None
