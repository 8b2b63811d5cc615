"""Faults of this host, through the real command: killed builds, damaged caches, full and read-only disks.

Promise: the next build is right, which is to say the same; or there is one clear error, and what was there before is
still there.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from bench import Bench
from bench_debian import LIBC, DebianBench, python_package

from pycontainer.blobs.records import load_record, save_record
from pycontainer.destinations.registry import RegistryDestination
from pycontainer.oci import Manifest, Reference
from pycontainer.testing.debs import DebForge
from pycontainer.testing.images import File, debian_like, forge_tar
from pycontainer.testing.index_server import serving
from pycontainer.testing.registry import FakeRegistry
from pycontainer.testing.wheels import WheelForge
from pycontainer.transports.oci_layout import OCILayout
from pycontainer.transports.registry import RegistryClient, RegistrySettings

KILLED_ROUNDS = 20
posix_only = pytest.mark.skipif(os.name != "posix", reason="signals, modes and limits are POSIX's")
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="file systems are mounted as Linux does it")

BUILT = WheelForge(name="built")
BACKEND = f"""\
import shutil

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    shutil.copy("it.whl", wheel_directory + "/{BUILT.filename}")
    return "{BUILT.filename}"
"""
SDIST = {
    "pyproject.toml": b'[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
    "PKG-INFO": b"Metadata-Version: 2.1\nName: built\nVersion: 1.0\n",
    "backend.py": BACKEND.encode(),
    "it.whl": BUILT.build(),
}


def noise(size: int) -> bytes:
    """Bytes that no compression makes smaller."""
    return random.Random(size).randbytes(size)  # noqa: S311 - the same in every run


@dataclass
class Ground:
    """A bench with a base in a registry and a project that is built, so that every folder of the cache is used."""

    bench: Bench
    registry: FakeRegistry
    variables: dict[str, str]

    def build(self, output: Path, *, cache: Path) -> str:
        """The digest of the image; the layout is checked, blob by blob."""
        variables = {**self.variables, "PYCONTAINER_CACHE_DIR": str(cache)}
        outcome = self.bench.build("--output", f"oci:{output}", environment=variables)
        assert outcome.code == 0, outcome.err
        return check(output, outcome.out)


def check(layout: Path, said: str) -> str:
    """The digest of the image that a layout holds: all its bytes are read."""
    contents = OCILayout.at(layout)
    descriptor = contents.find(None)
    manifest = contents.manifest(descriptor)
    assert isinstance(manifest, Manifest)
    for part in (manifest.config, *manifest.layers):
        with contents.blob(part).open() as stream:
            while stream.read(1 << 20):
                pass
    assert said.strip().endswith(f"@{descriptor.digest}")
    return str(descriptor.digest)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """All of it, and a cache that one build has filled."""
    folder = tmp_path_factory.mktemp("ground")
    (folder / "project").mkdir()
    with ExitStack() as stack:
        registry = stack.enter_context(FakeRegistry())
        bench = Bench(root=folder / "project", base=folder, index=stack.enter_context(serving()))
        client = stack.enter_context(closing(RegistryClient(RegistrySettings(environment={}, home=None))))
        base = f"{registry.host}/library/python:3.12"
        RegistryDestination(client, [Reference.parse(base)]).write(debian_like("3.12.4"))
        bench.write("main.py", "print('hello')\n")
        bench.write("pyproject.toml", '[project]\nname = "app"\nversion = "1.0"\ndependencies = ["demo", "built"]\n')
        sdist = gzip.compress(forge_tar([File(f"built-1.0/{name}", content) for name, content in SDIST.items()]))
        digest = bench.index.add("built", "built-1.0.tar.gz", sdist)
        bench.locked.append(
            '[[packages]]\nname = "built"\nversion = "1.0"\nsdist = { name = "built-1.0.tar.gz", '
            f'url = "{bench.index.url}/files/built-1.0.tar.gz", hashes = {{ sha256 = "{digest}" }} }}\n'
        )
        bench.lock_forge(WheelForge(files={"demo/noise.bin": noise(300_000)}))
        yield Ground(bench, registry, {"PYCONTAINER_BASE_IMAGE": base})


@pytest.fixture(scope="module")
def filled(ground: Ground, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A cache that one build has filled, and the digest of its image."""
    folder = tmp_path_factory.mktemp("filled")
    digest = ground.build(folder / "image", cache=folder / "cache")
    for place in PLACES:
        assert list((folder / "cache" / place).iterdir()), f"{place} is not used"
    return folder / "cache", digest


# --- damaged entries ------------------------------------------------------------------------------------------------

# Folder of the cache → those that must be absent for it to be read.
PLACES = {
    "layers/blobs/sha256": (),
    "layers/records": (),
    "wheels/blobs/sha256": ("layers",),
    "built/blobs/sha256": ("layers",),
    "built/built": ("layers",),
    "bases/blobs/sha256": ("facts",),
    "facts/bases": (),
    "locks": (),
}


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def link(path: Path) -> None:
    elsewhere = path.parent.parent / f"elsewhere-{path.name}"
    path.rename(elsewhere)
    flip(elsewhere)
    path.symlink_to(elsewhere)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("damage", [flip, truncate, empty, link, folder], ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("place", list(PLACES))
def test_a_damaged_cache_gives_the_same_image(
    ground: Ground, filled: tuple[Path, str], tmp_path: Path, place: str, damage: Callable[[Path], None]
) -> None:
    cache, digest = shutil.copytree(filled[0], tmp_path / "cache"), filled[1]
    for absent in PLACES[place]:
        shutil.rmtree(cache / absent)
    for path in list((cache / place).iterdir()):
        damage(path)
    assert ground.build(tmp_path / "image", cache=cache) == digest


# What of the cache's folder `debian` is damaged → those that must be absent for it to be read.
DEBIAN_PLACES = {
    "releases": (),
    "debs": ("layers",),
    "blobs/sha256": ("layers", "debian/debs"),
}


@pytest.fixture
def debian_filled(debian: DebianBench) -> tuple[Path, str]:
    """A cache that a build with operating system packages has filled, and the digest of its image."""
    digest = debian.run("build", "--os-package", "demo-tools").out
    return debian.bench.root.parent / "cache", digest


@pytest.mark.parametrize("damage", [flip, truncate, empty, folder], ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("place", list(DEBIAN_PLACES))
def test_a_damaged_cache_of_packages_gives_the_same_image(
    debian: DebianBench, debian_filled: tuple[Path, str], place: str, damage: Callable[[Path], None]
) -> None:
    """Indexes and packages are blobs; what they are is checked by hash each time, and a release by its signature."""
    cache, digest = debian_filled
    entries = list((cache / "debian" / place).iterdir())
    assert entries, f"{place} is not used"
    for absent in DEBIAN_PLACES[place]:
        shutil.rmtree(cache / absent)
    for path in entries:
        damage(path)
    assert debian.run("build", "--os-package", "demo-tools").out == digest
    assert debian.run("build", "--os-package", "demo-tools").out == digest


@pytest.mark.parametrize("read", ["when its facts are found", "when it is written"])
@pytest.mark.parametrize("damage", [flip, truncate], ids=lambda damage: damage.__name__)
def test_a_damaged_layer_of_a_composed_base_is_made_again(
    debian: DebianBench, damage: Callable[[Path], None], read: str
) -> None:
    debian.archive.add(python_package())
    debian.archive.add(DebForge(name="libc6", version=LIBC, files={"usr/share/libc": b"libc\n"}))
    debian.archive.publish()
    words = ("--base-image", "deb:bookworm", "--base-package", "python3.11-minimal")
    digest = debian.run("build", *words).out
    cache = debian.bench.root.parent / "cache"
    shutil.rmtree(debian.bench.root / "dist")
    if read == "when its facts are found":
        shutil.rmtree(cache / "facts")
    for path in (cache / "layers/blobs/sha256").iterdir():
        damage(path)
    again = debian.run("build", *words)
    assert again.out == digest
    assert "was damaged and is made again" in again.err or damage is truncate


def test_a_release_in_the_cache_is_believed_by_its_signature_alone(debian: DebianBench) -> None:
    """Where the archive does not answer, what is remembered counts, but only as far as it is signed."""
    options = ("--os-package", "demo-tools", "--os-archive", f"{debian.archive.uri} bookworm main")
    digest = debian.run("build", *options).out
    (release,) = (debian.bench.root.parent / "cache" / "debian" / "releases").iterdir()
    debian.archive.faults.append(lambda handler: handler.send(503, Retry_After="0"))
    shutil.rmtree(debian.bench.root / "dist")
    offline = debian.run("build", *options)
    assert offline.out == digest
    assert "does not answer; its release of" in offline.err
    shutil.rmtree(debian.bench.root / "dist")
    record = load_record(release)
    assert record is not None
    said = json.loads(record)
    text = base64.b64decode(said["content"]).replace(b"Label: Forged", b"Label: forged")
    save_record(release, json.dumps({**said, "content": base64.b64encode(text).decode()}).encode())
    debian.refuses("was changed after it was signed", arguments=options)


# --- killed builds ---------------------------------------------------------------------------------------------------


@posix_only
def test_builds_that_are_killed_leave_nothing_wrong(ground: Ground, filled: tuple[Path, str], tmp_path: Path) -> None:
    """Two builds share a cache and an output, and both are killed somewhere; the build after them gives the same."""
    digest = filled[1]
    begun = time.monotonic()
    ground.build(tmp_path / "first", cache=tmp_path / "first-cache")
    whole = time.monotonic() - begun
    dice = random.Random(5)  # noqa: S311 - as above
    for number in range(KILLED_ROUNDS):
        cache, output = tmp_path / f"cache-{number // 2}", tmp_path / f"image-{number // 4}"
        variables = {**ground.variables, "PYCONTAINER_CACHE_DIR": str(cache)}
        builds = [ground.bench.start("--output", f"oci:{output}", environment=variables) for _ in range(2)]
        for build in builds:
            # Before a third of it is over, it has imported and read, and written nothing.
            time.sleep(dice.uniform(whole / 3, whole) / 2)
            build.kill()
        for build in builds:
            build.communicate(timeout=60)
        if number % 2:
            assert ground.build(output, cache=cache) == digest
            assert ground.build(tmp_path / f"other-{number}", cache=cache) == digest


# --- disks -----------------------------------------------------------------------------------------------------------


def limited(blocks: int) -> list[str]:
    """Runs a program whose files must not be larger than so many blocks of 512 bytes."""
    return ["sh", "-c", f'ulimit -f {blocks}; exec "$@"', "sh"]


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Mounts small file systems, where this user may."""
    mounted: list[Path] = []

    def mount_at(name: str, options: str) -> Path:
        path = tmp_path / name
        path.mkdir(exist_ok=True)
        again = path in mounted
        options = f"remount,{options}" if again else options
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "none", str(path)], capture_output=True, check=False
        )
        if done.returncode:
            pytest.skip("this user may not mount a file system")
        if not again:
            mounted.append(path)
        return path

    yield mount_at
    for path in mounted:
        subprocess.run(["umount", "-l", str(path)], check=True)


def refused(bench: Bench, *arguments: str, prefix: tuple[str, ...] = (), **variables: str) -> str:
    """Build, and see that there is one error and nothing on standard output."""
    outcome = bench.run(*arguments, environment=variables, prefix=prefix)
    assert outcome.code == 1, outcome.err
    assert outcome.out == ""
    assert outcome.err.count("error: ") == 1, outcome.err
    assert "Traceback" not in outcome.err
    return outcome.err


@pytest.fixture
def large(bench: Bench) -> Bench:
    """A project with a wheel of 300 kB."""
    bench.lock_forge(WheelForge(files={"demo/noise.bin": noise(300_000)}))
    return bench


def temporaries(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.name.startswith((".incoming", ".pycontainer"))]


@posix_only
def test_no_room_for_the_cache_is_one_error_and_leaves_nothing(large: Bench) -> None:
    error = refused(large, prefix=tuple(limited(200)))
    assert "File too large" in error
    assert "cache/wheels" in error
    assert not temporaries(large.root.parent)
    assert large.build().code == 0


@posix_only
def test_no_room_for_an_archive_leaves_the_old_one(large: Bench) -> None:
    archive = large.root / "image.tar"
    assert large.build("--output", f"oci-archive:{archive}").code == 0
    before = archive.read_bytes()
    large.write("main.py", "print('changed')\n")
    error = refused(large, "--output", f"oci-archive:{archive}", prefix=tuple(limited(200)))
    assert f"Cannot write `{archive}`" in error or "image.tar" in error
    assert archive.read_bytes() == before
    assert not temporaries(large.root)
    assert large.build("--output", f"oci-archive:{archive}").code == 0
    assert archive.read_bytes() != before


@linux_only
def test_a_full_disk_of_the_output_leaves_the_old_layout(large: Bench, mount: Callable[..., Path]) -> None:
    disk = mount("disk", "size=400k")
    output = disk / "image"
    large.lock_forge(WheelForge(name="other", files={"other/noise.bin": noise(60_000)}))
    first = large.build("--output", f"oci:{output}", "--no-include-deps")
    assert first.code == 0, first.err
    digest = check(output, first.out)
    (disk / "ballast").write_bytes(bytes(200_000))
    error = refused(large, "--output", f"oci:{output}")
    assert "No space left on device" in error
    assert str(disk) in error
    assert check(output, first.out) == digest


@linux_only
def test_a_full_disk_of_the_cache_is_one_error(large: Bench, mount: Callable[..., Path]) -> None:
    disk = mount("disk", "size=200k")
    error = refused(large, PYCONTAINER_CACHE_DIR=str(disk / "cache"))
    assert "No space left on device" in error
    assert str(disk) in error
    assert not temporaries(disk)


@linux_only
@pytest.mark.parametrize("output", ["oci:{}/image", "oci-archive:{}/image.tar", "docker-archive:{}/image.tar"])
def test_a_read_only_output_is_one_error(large: Bench, mount: Callable[..., Path], output: str) -> None:
    disk = mount("disk", "ro")
    error = refused(large, "--output", output.format(disk))
    assert "Read-only file system" in error
    assert str(disk) in error


@linux_only
def test_a_home_that_cannot_be_written_is_a_warning(large: Bench, mount: Callable[..., Path]) -> None:
    disk = mount("home", "ro")
    outcome = large.build(environment={"PYCONTAINER_CACHE_DIR": "", "HOME": str(disk), "XDG_CACHE_HOME": ""})
    assert outcome.code == 0, outcome.err
    assert outcome.err.count("warning: ") == 1, outcome.err
    assert "Building without a cache" in outcome.err
    check(large.root / "dist" / "image", outcome.out)


@posix_only
@pytest.mark.parametrize("home", ["", "/nonexistent/nobody"])
def test_a_build_needs_no_home(large: Bench, home: str) -> None:
    if home and os.geteuid() == 0:
        home = "/proc/nobody"  # root could make the other one
    outcome = large.build(environment={"PYCONTAINER_CACHE_DIR": "", "HOME": home, "XDG_CACHE_HOME": ""})
    assert outcome.code == 0, outcome.err
    assert "Traceback" not in outcome.err
    check(large.root / "dist" / "image", outcome.out)


@posix_only
def test_a_cache_that_everyone_can_write_is_refused(large: Bench, tmp_path: Path) -> None:
    cache = tmp_path / "shared"
    cache.mkdir()
    cache.chmod(0o777)
    error = refused(large, PYCONTAINER_CACHE_DIR=str(cache))
    assert f"`{cache}` cannot be trusted" in error
    assert "--cache-dir" in error


@posix_only
@pytest.mark.skipif(os.name == "posix" and os.geteuid() != 0, reason="only root can give files away")
def test_a_cache_of_someone_else_is_refused(large: Bench, tmp_path: Path) -> None:
    cache = tmp_path / "theirs"
    cache.mkdir()
    os.chown(cache, 12345, 12345)
    error = refused(large, PYCONTAINER_CACHE_DIR=str(cache))
    assert "it belongs to the user 12345, and this is the user " in error
    assert "--cache-dir" in error
