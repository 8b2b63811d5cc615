"""The last layer: what scripts would have written, in one recipe, or one error that names all that are refused."""

from __future__ import annotations

import gzip
import io
from typing import TYPE_CHECKING

import msgspec
import pytest

from pycontainer.errors import PackageError
from pycontainer.layers.entries import Entry, Kind
from pycontainer.layers.tar_reader import read_entries
from pycontainer.layers.writer import LayerWriter
from pycontainer.sources.debian.effects.ld_cache import read_ld_cache, write_ld_cache
from pycontainer.sources.debian.package import BinaryPackage
from pycontainer.sources.debian.state import DebianState
from pycontainer.sources.debian.summary import DebSummary, PackedPath, SharedLibrary
from pycontainer.sources.debian.system import SystemRecipe, check_scripts, judge_packages
from pycontainer.sources.debian.tree import BaseTree

if TYPE_CHECKING:
    from collections.abc import Sequence

TRIPLET = "x86_64-linux-gnu"
STATUS = "Package: base\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\n\n"
PAGER = "auto\n/usr/bin/pager\n\n/bin/more\n50\n\n"
MIME_INFO = (
    b'<mime-info xmlns="http://www.freedesktop.org/standards/shared-mime-info"><mime-type type="%s"/></mime-info>'
)
STATE = DebianState(
    distribution="debian",
    codename="bookworm",
    architecture="amd64",
    status=STATUS,
    info=("format",),
    packages=(BinaryPackage(name="base", version="1", architecture="amd64", status="install ok installed"),),
    files={
        "etc/passwd": b"root:x:0:0:root:/root:/bin/sh\n",
        "etc/group": b"root:x:0:\nshadow:x:42:\n",
        "etc/shadow": b"root:*:1::::::\n",
        "etc/ld.so.cache": write_ld_cache([]),
        "etc/ld.so.conf": f"/lib/{TRIPLET}\n/usr/lib/{TRIPLET}\n".encode(),
        "var/lib/dpkg/alternatives/pager": PAGER.encode(),
        "var/lib/dpkg/triggers/File": b"/usr/share/mime/packages shared-mime-info\n/usr/share/man man-db/noawait\n"
        b"/usr/share/glib-2.0/schemas libglib2.0-0\n",
        "usr/share/mime/packages/base.xml": MIME_INFO % b"text/x-base",
        "var/lib/dpkg/triggers/special": b"base\n",
    },
    tree=BaseTree(
        directories={
            "": (), "etc": ("group", "passwd", "shadow"), "etc/alternatives": (), "usr": (), "usr/bin": ("more",),
            "usr/lib": (), f"usr/lib/{TRIPLET}": (), "var": (), "var/lib": (), "var/lib/dpkg": ("status",),
            "usr/share": (), "usr/share/mime": (), "usr/share/mime/packages": ("base.xml",),
            "var/lib/dpkg/alternatives": ("pager",), "var/lib/dpkg/info": ("format",), "var/lib/dpkg/triggers": (),
        },
        links={"bin": "usr/bin", "lib": "usr/lib", "usr/bin/pager": "/etc/alternatives/pager",
               "etc/alternatives/pager": "/bin/more"},
    ),
)  # fmt: skip


def file(path: str, kind: Kind = Kind.FILE, **fields: int | str) -> PackedPath:
    return msgspec.convert({"path": path, "kind": kind.value, "mode": 0o644, **fields}, PackedPath)


def summary(name: str, *paths: PackedPath, postinst: str = "", **fields: object) -> DebSummary:
    package = BinaryPackage(name=name, version="1.0-1", architecture="amd64", sha256=name)
    control = f"Package: {name}\nVersion: 1.0-1\nArchitecture: amd64\nDescription: x\n"
    scripts = {"postinst": f"#!/bin/sh\n{postinst}\n"} if postinst else {}
    return msgspec.structs.replace(DebSummary(package=package, control=control, scripts=scripts, paths=paths), **fields)


def written(summaries: Sequence[DebSummary], *, unconfigured: Sequence[str] = ()) -> dict[str, tuple[Entry, bytes]]:
    recipe = SystemRecipe(
        packages=tuple(each.package for each in summaries),
        state=STATE,
        summaries=lambda: summaries,
        unconfigured=frozenset(unconfigured),
    )
    layers = []
    for _ in range(2):
        sink = io.BytesIO()
        with LayerWriter(sink) as writer:
            recipe.write(writer)
            writer.finish()
        layers.append(sink.getvalue())
    assert layers[0] == layers[1]
    tar = io.BytesIO(gzip.decompress(layers[0]))
    return {entry.path: (entry, content.read()) for entry, content in read_entries(tar)}


def test_effects_are_written_and_nothing_of_the_base_is_written_again() -> None:
    layer = written([
        summary(
            "less",
            file("bin/less", mode=0o755),
            postinst="update-alternatives --install /usr/bin/pager pager /bin/less 77"
            " --slave /usr/share/man/man1/pager.1.gz pager.1.gz /usr/share/man/man1/less.1.gz",
        ),
        summary(
            "service",
            file("var/log", Kind.DIRECTORY, mode=0o755),
            file("var/log/service", Kind.DIRECTORY, mode=0o755),
            file("etc/conf.d", Kind.DIRECTORY, mode=0o755),
            file("etc/conf.d/on", Kind.SYMLINK, target="../on"),
            postinst="adduser --system --group service\nchown service:service /var/log/service\n"
            "chmod 2750 /var/log/service\ntouch /var/lib/service.state\nmkdir -p /srv/deep/er\nrm /etc/conf.d/on",
        ),
        summary("plain", file("usr/bin/plain")),
    ])  # fmt: skip
    assert set(layer) == {
        "etc/conf.d/.wh.on",
        "etc/alternatives/pager", "etc/group", "etc/passwd", "etc/shadow",
        "srv", "srv/deep", "srv/deep/er",
        "usr/bin/pager",
        "var/lib/dpkg/alternatives/pager",
        *(f"var/lib/dpkg/info/{name}.{kind}" for name, kind in (
            ("less", "list"), ("less", "postinst"), ("plain", "list"), ("service", "list"), ("service", "postinst"))),
        "var/lib/dpkg/status",
        "var/lib/service.state",
        "var/log/service",
    }  # fmt: skip
    assert layer["etc/alternatives/pager"][0].target == "/bin/less"
    assert layer["usr/bin/pager"][0].target == "/etc/alternatives/pager"
    assert layer["var/lib/dpkg/alternatives/pager"][1].endswith(
        b"\n/bin/less\n77\n/usr/share/man/man1/less.1.gz\n/bin/more\n50\n\n\n"
    )
    assert layer["etc/passwd"][1].endswith(b"\nservice:x:100:100::/nonexistent:/usr/sbin/nologin\n")
    shadow, folder = layer["etc/shadow"][0], layer["var/log/service"][0]
    assert (shadow.mode, shadow.gid) == (0o640, 42)
    assert (folder.kind, folder.mode, folder.uid, folder.gid) == (Kind.DIRECTORY, 0o2750, 100, 100)
    assert b"Package: service\nStatus: install ok installed\n" in layer["var/lib/dpkg/status"][1]


def test_new_libraries_are_found_and_their_links_are_there() -> None:
    folder = f"usr/lib/{TRIPLET}"
    layer = written([
        summary(
            "libnew1",
            file(f"lib/{TRIPLET}/libnew.so.1.2"),
            file(f"{folder}/libother.so.3", Kind.SYMLINK, target="libother.so.3.1"),
            file(f"{folder}/libother.so.3.1"),
            libraries=(
                SharedLibrary(path=f"lib/{TRIPLET}/libnew.so.1.2", soname="libnew.so.1"),
                SharedLibrary(path=f"{folder}/libother.so.3.1", soname="libother.so.3"),
            ),
        ),
        summary(
            "libblas3",
            file(f"{folder}/blas/libblas.so.3"),
            postinst=f"update-alternatives --install /{folder}/libblas.so.3 libblas.so.3 /{folder}/blas/libblas.so.3 9",
            libraries=(SharedLibrary(path=f"{folder}/blas/libblas.so.3", soname="libblas.so.3"),),
        ),
    ])  # fmt: skip
    cache = read_ld_cache(layer["etc/ld.so.cache"][1])
    assert [(each.name, each.path) for each in cache] == [
        (name, b"/lib/x86_64-linux-gnu/" + name) for name in (b"libother.so.3", b"libnew.so.1", b"libblas.so.3")
    ]
    assert layer[f"{folder}/libnew.so.1"][0].target == "libnew.so.1.2"
    assert f"{folder}/libother.so.3" not in layer


def test_where_no_library_is_new_the_cache_stays() -> None:
    assert "etc/ld.so.cache" not in written([summary("tool", file("usr/bin/tool"))])


def test_the_base_s_mime_database_gets_the_types_of_packages() -> None:
    path = "usr/share/mime/packages/new.xml"
    layer = written([summary("new", file(path), kept={path: MIME_INFO % b"text/x-new"})])
    assert layer["usr/share/mime/types"][1] == b"text/x-base\ntext/x-new\n"
    assert layer["usr/share/mime/text/x-new.xml"][0].mode == 0o644
    assert layer["usr/share/mime/text"][0].kind is Kind.DIRECTORY
    assert "usr/share/mime" not in layer


def test_a_package_s_own_mime_database_is_written_with_its_version() -> None:
    layer = written([
        summary("shared-mime-info", file("usr/bin/update-mime-database", mode=0o755),
                postinst="if which update-mime-database >/dev/null; then\n update-mime-database /usr/share/mime\nfi"),
    ])  # fmt: skip
    assert layer["usr/share/mime/version"][1] == b"1.0\n"
    assert layer["usr/share/mime/types"][1] == b"text/x-base\n"


def test_modules_of_gdk_pixbuf_are_listed_or_refused() -> None:
    folder = f"usr/lib/{TRIPLET}/gdk-pixbuf-2.0/2.10.0"
    state = msgspec.structs.replace(
        STATE, files={"var/lib/dpkg/triggers/File": f"/{folder}/loaders libgdk-pixbuf-2.0-0:amd64/noawait\n".encode()}
    )
    known = summary("librsvg2-common", file(f"{folder}/loaders/libpixbufloader-svg.so"))
    other = summary("other", file(f"{folder}/loaders/libpixbufloader-other.so"))
    verdicts = judge_packages([known, other], state)
    assert [verdict.reason for verdict in verdicts] == [
        "", "image loader: the formats of `libpixbufloader-other.so` are not known",
    ]  # fmt: skip


def test_all_refused_packages_are_named_at_once() -> None:
    summaries = [
        summary("libgvc6", file("usr/sbin/libgvc6-config-update", mode=0o755),
                postinst="set -e\nlibgvc6-config-update -c `x`"),
        summary("fine", postinst="ldconfig"),
        summary("fonts", file("usr/share/glib-2.0/schemas/x.xml")),
        summary("manual", file("usr/share/man/man1/x.1.gz")),
        summary("special", members={"triggers": "activate-noawait special\nactivate-noawait ldconfig\n"}),
    ]  # fmt: skip
    with pytest.raises(PackageError) as caught:
        check_scripts(summaries, STATE)
    assert str(caught.value) == (
        "3 packages need scripts of their own to be run, which pycontainer does not do\n"
        "  `libgvc6` 1.0-1: postinst: `libgvc6-config-update -c 'x'`\n"
        "  `fonts` 1.0-1: trigger: `/usr/share/glib-2.0/schemas` of `libglib2.0-0`\n"
        "  `special` 1.0-1: trigger: `special` of `base`"
    )
    assert caught.value.hint == (
        "Add them to {os_unconfigured} if your application can do without that step, "
        "or set {base_image} to an image that has them"
    )
    assert [verdict.is_refused for verdict in judge_packages(summaries, STATE)] == [True, False, True, False, True]


def test_one_refused_package_is_spoken_of_in_the_singular() -> None:
    with pytest.raises(PackageError, match=r"^1 package needs a script of its own to be run") as caught:
        written([summary("odd", postinst="frobnicate")])
    assert "Add it to {os_unconfigured}" in str(caught.value.hint)


def test_what_is_let_through_is_unpacked_and_the_rest_is_done() -> None:
    summaries = [summary("odd", postinst="touch /etc/odd\nfrobnicate"), summary("fine", postinst="touch /etc/fine")]
    layer = written(summaries, unconfigured=["odd", "fine"])
    assert "etc/fine" in layer
    assert "etc/odd" not in layer
    status = layer["var/lib/dpkg/status"][1]
    assert b"Package: odd\nStatus: install ok unpacked\n" in status
    assert b"Package: fine\nStatus: install ok installed\n" in status


def test_later_packages_see_what_earlier_ones_did() -> None:
    makes = summary("makes", postinst="adduser --system --group u\ntouch /etc/made")
    uses = summary(
        "uses", postinst="getent passwd u >/dev/null || frobnicate\n[ -e /etc/made ] || frobnicate\nldconfig"
    )
    assert not any(verdict.is_refused for verdict in judge_packages([makes, uses], STATE))
    assert judge_packages([uses, makes], STATE)[0].is_refused


def test_the_key_is_over_the_packages_the_base_and_what_is_let_through() -> None:
    def key(*names: str, state: DebianState = STATE, unconfigured: frozenset[str] = frozenset()) -> str:
        packages = tuple(summary(name).package for name in names)
        return SystemRecipe(
            packages=packages, state=state, summaries=lambda: pytest.fail("a key needs no package"),
            unconfigured=unconfigured,
        ).key  # fmt: skip

    other = msgspec.structs.replace(STATE, files={**STATE.files, "etc/group": b""})
    tree = msgspec.structs.replace(STATE.tree, links={})
    keys = [
        key("a", "b"), key("b", "a"), key("a"), key("a", "b", state=other), key("a", "b", unconfigured=frozenset("a")),
        key("a", "b", state=msgspec.structs.replace(STATE, tree=tree)),
    ]  # fmt: skip
    assert len(set(keys)) == len(keys)
    assert key("a", "b") == keys[0]
