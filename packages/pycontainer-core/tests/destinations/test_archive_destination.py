"""An archive is complete or not there, the same for the same image, and read by the tools it is made for."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import BinaryIO, Literal, cast

import pytest

from pycontainer.blobs.blob import BytesBlob
from pycontainer.destinations.archive import ArchiveDestination
from pycontainer.errors import ConfigError, IntegrityError, StoreError
from pycontainer.image import ImageIndex
from pycontainer.layers.layer import Layer
from pycontainer.oci import Descriptor, Digest, Manifest, Platform, Reference
from pycontainer.sources.base.find import find_facts
from pycontainer.testing.images import File, debian_like, forge_image, forge_layer
from pycontainer.transports.archives import open_docker_archive, open_oci_archive
from pycontainer.value import replace

Format = Literal["oci", "docker"]
NAMES = [Reference.parse("myapp:1"), Reference.parse("ghcr.io/acme/app:2")]
IMAGE = debian_like()
BOTH: list[Format] = ["oci", "docker"]
posix = pytest.mark.skipif(os.name != "posix", reason="symbolic links and FIFOs are POSIX's")


@pytest.mark.parametrize("form", BOTH)
def test_the_same_image_gives_the_same_bytes(tmp_path: Path, form: Format) -> None:
    for name in ("one", "two"):
        ArchiveDestination(tmp_path / name, format=form, names=NAMES).write(IMAGE)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.parametrize("form", BOTH)
def test_the_archive_says_what_was_written(tmp_path: Path, form: Format) -> None:
    written = ArchiveDestination(tmp_path / "x.tar", format=form, names=NAMES).write(IMAGE)
    assert written.digest == IMAGE.digest
    assert written.reference == f"{form}-archive:{tmp_path}/x.tar@{IMAGE.digest}"
    assert written.moved == (tmp_path / "x.tar").stat().st_size


def test_a_docker_archive_has_what_old_and_new_engines_read(tmp_path: Path) -> None:
    ArchiveDestination(tmp_path / "x.tar", format="docker", names=NAMES).write(IMAGE)
    with tarfile.open(tmp_path / "x.tar") as tar:
        names = tar.getnames()
        [listed] = json.load(cast("BinaryIO", tar.extractfile("manifest.json")))
        repositories = json.load(cast("BinaryIO", tar.extractfile("repositories")))
    assert listed["RepoTags"] == ["myapp:1", "ghcr.io/acme/app:2"]
    assert set(repositories) == {"myapp", "ghcr.io/acme/app"}
    assert {listed["Config"], *listed["Layers"], "oci-layout", "index.json"} <= set(names)
    assert len(names) == len(set(names))


def test_a_docker_archive_is_for_one_platform(tmp_path: Path) -> None:
    index = ImageIndex(images=(IMAGE, debian_like(platform=Platform("linux", "arm64"))))
    with pytest.raises(ConfigError, match="one platform") as caught:
        ArchiveDestination(tmp_path / "x.tar", format="docker").write(index)
    assert caught.value.facts == ("platforms: linux/amd64, linux/arm64",)
    assert list(tmp_path.iterdir()) == []


class Broken:
    """A layer that fails in the middle."""

    def __init__(self, descriptor: Descriptor, failure: Exception) -> None:
        self.descriptor = descriptor
        self._failure = failure

    def open(self) -> BinaryIO:
        raise self._failure


@pytest.mark.parametrize("failure", [OSError(errno.ENOSPC, "No space left on device"), IntegrityError("damaged")])
@pytest.mark.parametrize("form", BOTH)
def test_a_failure_leaves_the_old_archive(tmp_path: Path, form: Format, failure: Exception) -> None:
    path = tmp_path / "x.tar"
    path.write_bytes(b"old")
    layer = IMAGE.layers[0]
    broken = forge_image([Layer(blob=Broken(layer.descriptor, failure), diff_id=layer.diff_id, title="broken")])
    with pytest.raises((StoreError, IntegrityError)):
        ArchiveDestination(path, format=form).write(broken)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_layer_of_another_size_than_announced_is_never_written(tmp_path: Path) -> None:
    layer = IMAGE.layers[0]
    longer = BytesBlob(layer.descriptor, b"x" * (layer.descriptor.size + 1))
    with pytest.raises(IntegrityError):
        ArchiveDestination(tmp_path / "x.tar").write(forge_image([replace(layer, blob=longer)]))
    assert list(tmp_path.iterdir()) == []


@posix
def test_links_and_fifos_are_refused_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_bytes(b"precious")
    (tmp_path / "link").symlink_to("precious")
    os.mkfifo(tmp_path / "fifo")
    for name, fact in (("link", "it is a symbolic link"), ("fifo", "it is not a regular file")):
        with pytest.raises(StoreError, match="cannot be replaced") as caught:
            ArchiveDestination(tmp_path / name).write(IMAGE)
        assert caught.value.facts == (fact,)
    assert (tmp_path / "precious").read_bytes() == b"precious"


def test_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be replaced"):
        ArchiveDestination(tmp_path).write(IMAGE)


def test_missing_directories_are_made(tmp_path: Path) -> None:
    ArchiveDestination(tmp_path / "a/b/x.tar").write(IMAGE)
    assert (tmp_path / "a/b/x.tar").exists()


def test_an_image_without_layers_or_names_is_an_archive_too(tmp_path: Path) -> None:
    for form in BOTH:
        ArchiveDestination(tmp_path / "x.tar", format=form).write(forge_image([]))
        with tarfile.open(tmp_path / "x.tar") as tar:
            assert "repositories" not in tar.getnames()


SKOPEO = pytest.mark.skipif(shutil.which("skopeo") is None, reason="needs skopeo")


@SKOPEO
@pytest.mark.parametrize(
    ("form", "source"),
    [
        ("oci", "oci-archive:{}"),
        ("docker", "docker-archive:{}"),
        ("docker", "oci-archive:{}"),
        ("oci", "oci-archive:{}:1"),
    ],
)
def test_skopeo_reads_it(tmp_path: Path, form: Format, source: str) -> None:
    ArchiveDestination(tmp_path / "x.tar", format=form, names=NAMES[:1]).write(IMAGE)
    command = ["skopeo", "copy", "--insecure-policy", "-q", source.format(tmp_path / "x.tar"), f"dir:{tmp_path}/copy"]
    subprocess.run(command, check=True, capture_output=True)
    manifest = (tmp_path / "copy/manifest.json").read_bytes()
    assert json.loads(manifest)["config"]["digest"] == str(IMAGE.config_blob.descriptor.digest)
    if source.startswith("oci-archive"):
        assert Digest.of(manifest) == IMAGE.digest


@SKOPEO
@pytest.mark.parametrize("form", BOTH)
def test_what_skopeo_writes_is_read_back(tmp_path: Path, form: Format) -> None:
    """The archives of another tool: docker-archive here is the old form, with plain tars."""

    image = forge_image([forge_layer([File("a", b"x" * 3000)]), forge_layer([File("b")])])
    ArchiveDestination(tmp_path / "x.tar", names=NAMES[:1]).write(image)
    target = f"{form}-archive:{tmp_path}/y.tar:myapp:1"
    command = ["skopeo", "copy", "--insecure-policy", "-q", f"oci-archive:{tmp_path}/x.tar", target]
    subprocess.run(command, check=True, capture_output=True)
    opened = (open_oci_archive if form == "oci" else open_docker_archive)(tmp_path / "y.tar")
    manifest = opened.manifest(opened.find("myapp:1"))
    layers = [
        Layer(blob=opened.blob(descriptor), diff_id=layer.diff_id, title="copied")
        for descriptor, layer in zip(cast("Manifest", manifest).layers, image.layers, strict=True)
    ]
    find_facts(replace(image, layers=tuple(layers)))
