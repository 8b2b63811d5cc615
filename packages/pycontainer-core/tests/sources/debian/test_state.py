"""What a base image knows of Debian is read in the pass that finds its facts, and remembered by its digest."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from pycontainer.errors import BaseImageError, DocumentError
from pycontainer.oci import Digest
from pycontainer.sources.base import find, rootfs
from pycontainer.sources.base.base import Base, debian_state
from pycontainer.sources.base.debian import read_state
from pycontainer.sources.base.find import find_all, read_layers
from pycontainer.sources.base.states import StateCache
from pycontainer.sources.debian.state import DebianState, owners
from pycontainer.testing.images import File, Forged, Gone, Link, alpine_like, debian_like, forge_image, forge_layer

from .conftest import BASE, OS_RELEASE, state_of

DIGEST = Digest.of(b"manifest")


def test_everything_of_a_base_with_dpkg(base: DebianState) -> None:
    assert (base.distribution, base.codename, base.version, base.architecture) == ("debian", "bookworm", "12", "amd64")
    assert [str(package) for package in base.packages] == ["base-files 12.4", "libold1 1.0"]
    assert {package.status for package in base.packages} == {"install ok installed"}
    assert base.database == "status"
    assert "Package: gone" in base.status
    assert base.info == ("base-files.list", "base-files.postinst", "format", "libold1:amd64.list")
    assert base.files["etc/passwd"].startswith(b"root:")
    assert base.files["var/lib/dpkg/triggers/File"]
    assert "var/lib/dpkg/status" not in base.files


def test_owners_are_told_by_where_files_really_are(base: DebianState) -> None:
    found = {path: [package.name for package in packages] for path, packages in owners(base).items()}
    assert found["usr/lib/x86_64-linux-gnu/libold.so.1"] == ["libold1"]
    assert found["usr/bin/tool"] == ["base-files"]
    assert "usr/bin" not in found


def test_a_base_without_dpkg_has_a_file_for_each_package() -> None:
    control = b"Package: libc6\nVersion: 2.36\nArchitecture: amd64\n"
    state = state_of(
        [
            File("usr/lib/os-release", OS_RELEASE),
            Link("etc/os-release", "../usr/lib/os-release"),
            File("var/lib/dpkg/status.d/libc6", control),
            File("var/lib/dpkg/status.d/libc6.md5sums", b"0123456789abcdef0123456789abcdef  usr/lib/libc.so.6\n"),
            File("usr/lib/libc.so.6", b"x"),
        ]
    )
    assert state.database == "status.d"
    assert [str(package) for package in state.packages] == ["libc6 2.36"]
    assert state.lists == {"libc6": "/usr/lib/libc.so.6\n"}
    assert list(owners(state)) == ["usr/lib/libc.so.6"]


def test_upper_layers_count_and_whiteouts_too() -> None:
    upper: list[Forged] = [File("etc/passwd", b"other:x:1:1::/:/bin/sh\n"), Gone("etc/issue")]
    state = read_state(read_layers(forge_image([forge_layer(BASE), forge_layer(upper)])))
    assert state is not None
    assert state.files["etc/passwd"].startswith(b"other:")
    assert state.tree.kind("etc/issue") is None


def test_a_damaged_database_matters_only_to_who_needs_it(tmp_path: Path) -> None:
    image = forge_image([forge_layer([*BASE, File("var/lib/dpkg/status", b"no field\n")])])
    facts, state = find_all(image)
    assert facts.os_release["ID"] == "debian"
    assert state is None
    base = Base(image=image, facts=facts, reference="demo", digest=DIGEST, top=DIGEST)
    with pytest.raises(BaseImageError, match="database of packages cannot be read"):
        debian_state(base, cache_dir=tmp_path)


def test_a_state_is_remembered(tmp_path: Path, base: DebianState, monkeypatch: pytest.MonkeyPatch) -> None:
    image = forge_image([forge_layer(BASE)])
    facts, _ = find_all(image)
    on_disk = Base(image=image, facts=facts, reference="demo", digest=DIGEST, top=DIGEST)
    assert debian_state(on_disk, cache_dir=tmp_path) == base
    assert StateCache(tmp_path).get(DIGEST) == base
    monkeypatch.setattr(find, "read_layers", lambda _: pytest.fail("layers were read"))
    assert debian_state(on_disk, cache_dir=tmp_path) == base
    [file] = (tmp_path / "bases").iterdir()
    file.write_bytes(file.read_bytes()[:-1])
    assert StateCache(tmp_path).get(DIGEST) is None


def test_other_distributions_are_refused_by_name(tmp_path: Path) -> None:
    image = alpine_like()
    facts, state = find_all(image)
    assert state is None
    base = Base(image=image, facts=facts, reference="python:3.12-alpine", digest=DIGEST, top=DIGEST)
    with pytest.raises(BaseImageError, match=r"`python:3.12-alpine` is not made of Debian packages") as caught:
        debian_state(base, cache_dir=tmp_path)
    assert "alpine" in "\n".join(caught.value.facts).lower()


def test_a_debian_whose_database_was_removed_is_refused(tmp_path: Path) -> None:
    image = debian_like()
    facts, state = find_all(forge_image([*image.layers, forge_layer([Gone("var/lib/dpkg")])]))
    assert state is None
    base = Base(
        image=forge_image([*image.layers, forge_layer([Gone("var/lib/dpkg")])]),
        facts=facts,
        reference="demo",
        digest=DIGEST,
        top=DIGEST,
    )
    with pytest.raises(BaseImageError, match="not made of Debian packages"):
        debian_state(base, cache_dir=tmp_path)


def test_too_much_to_keep_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rootfs, "_MAX_WHOLE", 1000)
    lists = [File(f"var/lib/dpkg/info/p{number}.list", b"/usr\n" * 60) for number in range(4)]
    with pytest.raises(DocumentError, match="databases and settings"):
        read_layers(forge_image([forge_layer(lists)]))


def test_names_that_are_not_unicode_do_no_harm() -> None:
    state = state_of([*BASE, File("usr/share/caf\udce9", b"x"), Link("usr/share/l\udce9", "caf\udce9")])
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=DebianState) == state
