"""Layers of Debian packages against Debian's own tools: `apt-get` chooses, `dpkg-deb` unpacks, `dpkg` installs."""

from __future__ import annotations

import filecmp
import hashlib
import os
import platform
import shutil
import stat
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from real.bases import cached_base
from real.chroots import Apt, Chroot

from pycontainer.blobs.store import BlobStore
from pycontainer.layers.cache import LayerCache
from pycontainer.oci import Platform
from pycontainer.sources.base import Base, resolve_base
from pycontainer.sources.base.base import debian_state
from pycontainer.sources.debian.control import Paragraph
from pycontainer.sources.debian.database import DatabaseChange, database_files
from pycontainer.sources.debian.deb import Deb
from pycontainer.sources.debian.grouping import group_debs
from pycontainer.sources.debian.package import BinaryPackage
from pycontainer.sources.debian.recipe import DebInput, DebsRecipe
from pycontainer.sources.debian.state import DebianState
from pycontainer.sources.debian.summary import DebSummary
from pycontainer.transports.registry import RegistryClient, RegistrySettings

MACHINE = platform.machine().lower()
ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}.get(MACHINE, MACHINE)
REQUEST = ("git", "libgl1", "libgomp1", "libpq5", "openssh-client", "tzdata")
SLIM = "".join(
    f"path-exclude /usr/share/{name}/*\n" for name in ("doc", "groff", "info", "linda", "lintian", "locale", "man")
) + ("path-include /usr/share/doc/*/copyright\npath-include /usr/share/locale/locale.alias\n")
LEFT_OUT = ("doc", "groff", "info", "linda", "lintian", "locale", "man")
DPKG = Path("var/lib/dpkg")


@dataclass(frozen=True)
class DebianRoot:
    """A base image: its files unpacked, and what is known of it."""

    root: Path
    state: DebianState


@dataclass(frozen=True)
class Installed:
    """The request: its packages, their layers unpacked beside the base, and the database that goes with them."""

    base: DebianRoot
    debs: tuple[DebInput, ...]
    layers: Path
    change: DatabaseChange


@pytest.fixture(scope="module")
def folder(ground: Path) -> Iterator[Path]:
    """Where all of it lies: some gigabytes, in memory if there is room."""
    folder = ground / "debian-packages"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def debian(folder: Path) -> DebianRoot:
    base = _resolved(cached_base(ARCHITECTURE), folder)
    root = folder / "root"
    root.mkdir()
    for layer in base.image.layers:
        with layer.open() as stream:
            subprocess.run(["tar", "-xzpf", "-", "-C", root, "--numeric-owner"], input=stream.read(), check=True)
    return DebianRoot(root, debian_state(base, cache_dir=folder / "cache"))


def _resolved(layout: Path, folder: Path) -> Base:
    store = BlobStore(folder / "store")
    wanted = Platform("linux", ARCHITECTURE)
    with closing(RegistryClient(RegistrySettings(environment={}, home=None))) as registry:
        [base] = resolve_base(f"oci:{layout}", [wanted], registry=registry, store=store, cache_dir=folder / "cache")
    return base


@pytest.fixture(scope="module")
def installed(debian: DebianRoot, folder: Path) -> Installed:
    debs = tuple(_downloaded(REQUEST, debian.root, folder / "debs"))
    cache = LayerCache(folder / "made")
    layers = folder / "layers"
    layers.mkdir()
    summaries: list[DebSummary] = []
    for group in group_debs(debs):
        record = cache.make(DebsRecipe(debs=group, base=debian.state, keep=summaries.append))
        path = cache.blobs.path(record.descriptor.digest)
        subprocess.run(["tar", "-xzpf", path, "-C", layers, "--numeric-owner"], check=True)
    return Installed(debian, debs, layers, database_files(debian.state, summaries))


def _downloaded(names: Sequence[str], root: Path, folder: Path) -> Iterator[DebInput]:
    """What apt would install on the base."""
    apt = Apt(root=Chroot(path=root))
    apt.update()
    for path in apt.download(names, folder):
        content = path.read_bytes()
        with path.open("rb") as file:
            deb = Deb(file, BinaryPackage(name="any", version="1", architecture="all"))
        package = BinaryPackage.of(Paragraph.parse(deb.control.encode()))
        digest = hashlib.sha256(content).hexdigest()
        known = msgspec.structs.replace(package, size=len(content), sha256=digest)
        yield DebInput(package=known, open_path=lambda path=path: path)  # type: ignore[misc]  # bound early


@pytest.fixture
def own(folder: Path) -> Iterator[Path]:
    """For one test."""
    with TemporaryDirectory(dir=folder) as made:
        yield Path(made)


@pytest.mark.network
def test_layers_hold_what_dpkg_deb_unpacks(installed: Installed, own: Path) -> None:
    """Type, mode, owner and content of every file; only what slim images leave out is missing."""
    base = installed.base.root
    seen: set[str] = set()
    different: list[str] = []
    for deb in installed.debs:
        unpacked = own / deb.package.name
        subprocess.run(["dpkg-deb", "-x", deb.open_path(), unpacked], check=True)
        for path in _walk(unpacked):
            place = _in_base(base, path)
            if (unpacked / path).is_dir() and not (unpacked / path).is_symlink() and (base / path).is_dir():
                continue
            if os.path.lexists(installed.layers / place):
                seen.add(place)
                different += _differences(unpacked / path, installed.layers / place)
            elif (base / place).is_symlink():  # a link that is as it was
                different += _differences(unpacked / path, base / place)
            elif not any(path.startswith(f"usr/share/{name}/") for name in LEFT_OUT):
                different.append(f"{deb.package.name} lacks {path}")
        shutil.rmtree(unpacked)
    assert different == []
    # Directories of the base are there only because tar made them for what is in them.
    extra = {path for path in _walk(installed.layers) if not (base / path).is_dir()} - seen
    assert extra == set()
    assert len(seen) > 10


def _walk(root: Path) -> Iterator[str]:
    for folder, directories, files in os.walk(root):
        for name in (*directories, *files):
            yield os.path.relpath(Path(folder) / name, root)


def _in_base(base: Path, path: str) -> str:
    """Where a path leads in the base, whose links to directories are all relative."""
    parent = os.path.realpath(base / os.path.dirname(path))  # noqa: PTH120 - as a text
    return os.path.normpath(os.path.join(os.path.relpath(parent, base), os.path.basename(path)))  # noqa: PTH118, PTH119


def _differences(theirs: Path, ours: Path) -> list[str]:
    one, two = theirs.lstat(), ours.lstat()
    if (one.st_mode, one.st_uid, one.st_gid) != (two.st_mode, two.st_uid, two.st_gid):
        return [f"{ours}: {one.st_mode:o} {one.st_uid}:{one.st_gid}, {two.st_mode:o} {two.st_uid}:{two.st_gid}"]
    if stat.S_ISLNK(one.st_mode):
        same = os.readlink(theirs) == os.readlink(ours)  # noqa: PTH115 - as a text
    else:
        same = not stat.S_ISREG(one.st_mode) or (
            one.st_nlink == two.st_nlink and filecmp.cmp(theirs, ours, shallow=False)
        )
    return [] if same else [f"{ours}: other content"]


@pytest.mark.network
def test_dpkg_has_the_same_database_after_it_installed_the_packages(installed: Installed, own: Path) -> None:
    root = own / "root"
    shutil.copytree(installed.base.root, root, symlinks=True)
    (root / "etc/dpkg/dpkg.cfg.d/slim").write_text(SLIM)
    (root / "debs").mkdir()
    for deb in installed.debs:
        shutil.copy(deb.open_path(), root / "debs")
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    command = ["chroot", str(root), "sh", "-c", "dpkg --force-unsafe-io -i /debs/*.deb"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for path, file in installed.change.files.items():
        theirs = (root / path).read_text()
        if "/triggers/" in path:  # dpkg writes them in the order of a hash table
            assert sorted(theirs.splitlines()) == sorted(file.content.decode().splitlines())
        else:
            assert theirs == file.content.decode(), path
            assert stat.S_IMODE((root / path).stat().st_mode) == file.mode, path
    new = {path.name for path in (root / DPKG / "info").iterdir()} - set(installed.base.state.info)
    assert new <= {path.rpartition("/")[2] for path in installed.change.files}


@pytest.mark.network
def test_dpkg_and_apt_accept_the_image(installed: Installed, own: Path) -> None:
    root = own / "root"
    shutil.copytree(installed.base.root, root, symlinks=True)
    shutil.copytree(installed.layers, root, symlinks=True, dirs_exist_ok=True)
    for path, file in installed.change.files.items():
        (root / path).write_bytes(file.content)

    def run(*command: str) -> str:
        return subprocess.run(["chroot", root, *command], capture_output=True, text=True, check=True).stdout

    assert run("dpkg", "--audit") == ""
    states = dict(line.split() for line in run("dpkg-query", "-Wf", "${Package} ${db:Status-Abbrev}\n").splitlines())
    assert {states[deb.package.name] for deb in installed.debs} == {"ii"}
    run("apt-get", "check")
    for deb in installed.debs:
        verified = subprocess.run(
            ["chroot", root, "dpkg", "-V", deb.package.name], capture_output=True, text=True, check=False
        ).stdout
        wrong = [line for line in verified.splitlines() if not any(f"/usr/share/{name}/" in line for name in LEFT_OUT)]
        assert wrong == []
