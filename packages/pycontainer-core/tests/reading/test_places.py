from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest

from pycontainer.destinations.archive import ArchiveDestination
from pycontainer.destinations.layout import LayoutDestination
from pycontainer.destinations.registry import RegistryDestination
from pycontainer.errors import BaseImageError, ConfigError, PyContainerError
from pycontainer.events import Event, TaskAdvanced, TaskFinished
from pycontainer.image import Image, ImageIndex
from pycontainer.oci import Platform, Reference
from pycontainer.reading import ImageReader, inspect
from pycontainer.testing.images import AMD64, File, debian_like, forge_image, forge_layer, forge_tar
from pycontainer.testing.registry import FakeRegistry
from pycontainer.transports.registry import RegistryClient

ARM64 = Platform("linux", "arm64")


def _index() -> ImageIndex:
    return ImageIndex(images=(debian_like(platform=AMD64), debian_like(platform=ARM64)))


def _old_docker_archive(path: Path) -> Image:
    """What `docker save` wrote before version 25: a manifest of its own, and layers that are not compressed."""
    tar = forge_tar([File("etc/x", b"x")])
    image = forge_image([forge_layer([File("etc/x", b"x")])])
    members = {
        "config.json": image.config.to_bytes(),
        "abc/layer.tar": tar,
        "manifest.json": json.dumps(
            [{"Config": "config.json", "RepoTags": ["acme/api:1"], "Layers": ["abc/layer.tar"]}]
        ).encode(),
    }
    with tarfile.open(path, "w") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return image


def test_an_image_is_found_in_every_place(reader: ImageReader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    image = debian_like()
    LayoutDestination(tmp_path / "layout").write(image)
    name = Reference.parse("acme/api:1")
    ArchiveDestination(tmp_path / "oci-archive.tar", format="oci", names=[name]).write(image)
    ArchiveDestination(tmp_path / "docker-archive.tar", format="docker", names=[name]).write(image)
    old = _old_docker_archive(tmp_path / "old.tar")
    digests = {
        name: str(reader.open(name).manifest.config.digest)
        for name in (
            "oci:layout",
            "layout",
            "./layout",
            str(tmp_path / "layout"),
            "oci-archive:oci-archive.tar",
            "oci-archive.tar",
            "docker-archive:docker-archive.tar",
            "docker-archive.tar",
        )
    }
    assert set(digests.values()) == {str(image.manifest.config.digest)}
    opened = reader.open("old.tar")
    assert opened.config == old.config
    assert inspect(reader, opened).layers[0].files == 1


def test_the_platform_of_an_index_is_the_wanted_one_else_this_hosts_else_the_first(
    reader: ImageReader, tmp_path: Path
) -> None:
    LayoutDestination(tmp_path / "both").write(_index())
    LayoutDestination(tmp_path / "other").write(ImageIndex(images=(debian_like(platform=ARM64),)))
    both, other = str(tmp_path / "both"), str(tmp_path / "other")
    found = inspect(reader, reader.open(both), pull=False)
    assert (found.platform, [each.platform for each in found.platforms]) == (
        "linux/amd64",
        ["linux/amd64", "linux/arm64"],
    )
    assert reader.open(both, platform=ARM64).config.platform == ARM64
    assert reader.open(other).config.platform == ARM64
    with pytest.raises(BaseImageError, match="not there for linux/s390x"):
        reader.open(both, platform=Platform("linux", "s390x"))


@pytest.mark.parametrize(
    "name",
    ["oci:nowhere", "docker-archive:nowhere.tar", "./nowhere", "UPPER/case:1", "https://bob:hunter2@host.lab/x:y:z"],
)
def test_what_is_no_image_is_told(
    name: str, reader: ImageReader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PyContainerError) as caught:
        reader.open(name)
    assert "hunter2" not in str(caught.value)


def test_a_file_that_is_no_image_is_told(reader: ImageReader, tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("x")
    with pytest.raises(PyContainerError, match="archive"):
        reader.open(str(tmp_path / "x.txt"))
    with pytest.raises(ConfigError):
        reader.open("oci:")


def test_no_byte_of_a_registrys_image_is_written(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    with FakeRegistry() as registry:
        client = RegistryClient()
        reference = Reference.parse(f"{registry.host}/acme/api:1")
        RegistryDestination(client, [reference]).write(_index())
        pushed = len(registry.requests)
        events: list[Event] = []
        reader = ImageReader(client, home=cache, platform=AMD64, emit=events.append)
        found = inspect(reader, reader.open(str(reference)))
        client.close()
        asked = [item.path for item in registry.requests[pushed:]]
    assert len(found.platforms) == 2
    blobs = [path for path in asked if "/referrers/" not in path]
    assert len(blobs) == len(set(blobs)) == 5, "index, manifest, config and two layers, each once"
    assert len(asked) == len(set(asked)) == 7, "and what is attached to index and manifest"
    assert {path.parent.name for path in cache.rglob("*") if path.is_file()} == {"readings"}
    finished = [event.size for event in events if isinstance(event, TaskFinished)]
    assert finished == [layer.size for layer in found.layers]
    assert sum(event.count for event in events if isinstance(event, TaskAdvanced)) == sum(finished)
