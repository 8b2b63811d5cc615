"""The list of gdk-pixbuf's modules: what the program prints for Debian's own, and nothing made up for others."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from pycontainer.layers.entries import Kind
from pycontainer.sources.debian.effects.installed import InstalledSystem
from pycontainer.sources.debian.effects.pixbuf_loaders import pixbuf_loaders, unknown_loader
from pycontainer.sources.debian.package import BinaryPackage
from pycontainer.sources.debian.state import DebianState
from pycontainer.sources.debian.summary import DebSummary, PackedPath
from pycontainer.sources.debian.tree import BaseTree

TRIPLET = "x86_64-linux-gnu"
HOME = f"usr/lib/{TRIPLET}/gdk-pixbuf-2.0/2.10.0"
PACKAGES = ["libgdk-pixbuf-2.0-0", "librsvg2-common", "librsvg2-2", "libglib2.0-0"]
OTHER = (
    f'"/{HOME}/loaders/libpixbufloader-other.so"\n'
    '"other" 4 "x" "Other" "LGPL"\n"image/x-other" ""\n"o" ""\n"O" "" 100\n\n'
)


def deb(name: str, *loaders: str, version: str = "2.42.10+dfsg-1+deb12u4") -> DebSummary:
    package = BinaryPackage(name=name, version=version, architecture="amd64")
    paths = tuple(PackedPath(path=f"{HOME}/loaders/{loader}", kind=Kind.FILE) for loader in loaders)
    return DebSummary(package=package, control="", paths=paths)


def base(*names: str, files: dict[str, bytes] | None = None, architecture: str = "amd64") -> DebianState:
    tree = BaseTree(directories={"": (), f"{HOME}/loaders": names})
    return DebianState(
        distribution="debian", codename="bookworm", architecture=architecture, tree=tree, files=files or {}
    )


def listed(*summaries: DebSummary, state: DebianState | None = None) -> str:
    ((path, text),) = pixbuf_loaders(InstalledSystem(state or base(), summaries)).items()
    assert path == f"/{HOME}/loaders.cache"
    return text


def test_modules_of_packages_and_of_the_base_are_listed_in_order() -> None:
    text = listed(
        deb("librsvg2-common", "libpixbufloader-svg.so"),
        deb("libgdk-pixbuf-2.0-0"),
        state=base("README", "libpixbufloader-gif.so", "libpixbufloader-xpm.so"),
    )
    assert text.startswith("# GdkPixbuf Image Loader Modules file\n")
    assert "# Created by gdk-pixbuf-query-loaders from gdk-pixbuf-2.42.10\n#\n" in text
    assert [line.rpartition("-")[2] for line in text.splitlines() if line.startswith('"/usr')] == [
        'gif.so"', 'svg.so"', 'xpm.so"',
    ]  # fmt: skip
    assert text.endswith('"/* XPM */" "" 100\n\n\n')


def test_what_the_base_says_of_its_own_modules_stays() -> None:
    files = {f"{HOME}/loaders.cache": f"# head\n#\n{OTHER}\n".encode()}
    text = listed(deb("x", "libpixbufloader-gif.so"), state=base("libpixbufloader-other.so", files=files))
    assert text.endswith(f'"GIF8" "" 100\n\n{OTHER}\n')


def test_a_module_that_nobody_knows_is_not_listed() -> None:
    summary = deb("xyz-pixbuf-loader", "libpixbufloader-xyz.so")
    assert unknown_loader(summary) == "image loader: the formats of `libpixbufloader-xyz.so` are not known"
    assert "xyz" not in listed(summary)
    assert not unknown_loader(deb("librsvg2-common", "libpixbufloader-svg.so", "notes.txt"))


def test_an_architecture_without_a_folder_has_no_list() -> None:
    assert pixbuf_loaders(InstalledSystem(base(architecture="sparc"), [])) == {}


@pytest.mark.e2e
@pytest.mark.network
@pytest.mark.skipif(shutil.which("apt-get") is None, reason="this is no Debian")
def test_the_list_is_that_of_the_real_program(tmp_path: Path) -> None:
    download = subprocess.run(["apt-get", "download", *PACKAGES], cwd=tmp_path, capture_output=True, check=False)
    if download.returncode:
        pytest.skip("this machine's apt has no such packages")
    for path in tmp_path.glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", path, tmp_path], check=True)
    (loaders,) = tmp_path.glob("usr/lib/*/gdk-pixbuf-2.0/2.10.0/loaders")
    folder = loaders.parents[2]
    command = [folder / "gdk-pixbuf-2.0/gdk-pixbuf-query-loaders", *sorted(loaders.glob("*.so"))]
    environment = os.environ | {"LD_LIBRARY_PATH": str(folder)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode or "librsvg" in done.stderr:
        pytest.skip(f"the program does not run here: {done.stderr[:200]}")
    real = done.stdout.replace(str(tmp_path), "").replace(folder.name, TRIPLET)
    version = next(tmp_path.glob("libgdk-pixbuf-2.0-0_*.deb")).name.split("_")[1]
    mine = listed(deb("libgdk-pixbuf-2.0-0", *(path.name for path in loaders.iterdir()), version=version))
    assert mine == real
    assert len(list(loaders.iterdir())) > 11
