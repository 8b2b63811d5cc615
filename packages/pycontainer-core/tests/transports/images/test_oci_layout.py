"""Layouts and archives that others made are read where they lie, and nothing in them leads out of them."""

from __future__ import annotations

import io
import json
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from pycontainer.blobs.blob import BytesBlob
from pycontainer.destinations.archive import ArchiveDestination
from pycontainer.destinations.layout import LayoutDestination
from pycontainer.errors import DocumentError, IntegrityError, PyContainerError, StoreError
from pycontainer.image import Image, ImageIndex
from pycontainer.oci import Descriptor, Digest, Index, Manifest, Platform, Reference, media_types
from pycontainer.testing.images import File, debian_like, forge_image, forge_layer
from pycontainer.testing.registry.conformance import make_attachment
from pycontainer.transports.archives import DockerArchive, open_docker_archive, open_oci_archive
from pycontainer.transports.oci_layout import OCILayout, blob_name, image_blobs, layout_index

IMAGE = forge_image([forge_layer([File("a", b"content")])])
ARM = forge_image([forge_layer([File("a", b"content")])], platform=Platform("linux", "arm64", "v8"))
ONE, TWO = Reference.parse("acme/app:1"), Reference.parse("ghcr.io/acme/app:2")
needs_links = pytest.mark.skipif(os.name != "posix", reason="symbolic links and FIFOs are POSIX's")


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    LayoutDestination(tmp_path / "image", [ONE]).write(IMAGE)
    return tmp_path / "image"


def first_layer(image: Image = IMAGE) -> Descriptor:
    return image.layers[0].descriptor


def test_an_image_comes_back_as_it_was_written(layout: Path) -> None:
    found = OCILayout.at(layout)
    descriptor = found.find("1")
    manifest = found.manifest(descriptor)
    assert manifest.to_bytes() == IMAGE.manifest.to_bytes()
    with found.blob(first_layer()).open() as stream, first_layer_stream() as expected:
        assert stream.read() == expected.read()


def first_layer_stream() -> io.BytesIO:
    with IMAGE.layers[0].open() as stream:
        return io.BytesIO(stream.read())


@pytest.mark.parametrize("name", [None, "1", "docker.io/acme/app:1", f"@{IMAGE.digest}"])
def test_an_image_goes_by_its_tag_its_name_or_its_digest(layout: Path, name: str | None) -> None:
    assert OCILayout.at(layout).find(name).digest == IMAGE.digest


@pytest.mark.parametrize("name", ["2", "acme", f"@sha256:{'0' * 64}"])
def test_a_name_that_is_not_there_lists_those_that_are(layout: Path, name: str) -> None:
    with pytest.raises(DocumentError, match="has no image") as caught:
        OCILayout.at(layout).find(name)
    assert caught.value.facts == ("images: `1`", f"layout: {layout}")


def test_a_digest_that_is_none_is_refused(layout: Path) -> None:
    with pytest.raises(DocumentError, match="is not a digest"):
        OCILayout.at(layout).find("@sha256:../../x")


def test_without_a_name_there_must_be_one_image(layout: Path) -> None:
    index = Index(manifests=(IMAGE.descriptor, ARM.descriptor))
    (layout / "index.json").write_bytes(index.to_bytes())
    with pytest.raises(DocumentError, match="more than one image"):
        OCILayout.at(layout).find()
    (layout / "index.json").write_bytes(Index(manifests=()).to_bytes())
    with pytest.raises(DocumentError, match="has no image"):
        OCILayout.at(layout).find()


def test_the_tag_is_the_name_that_engines_look_for() -> None:
    [entry] = layout_index(IMAGE, [ONE]).manifests
    assert entry.annotations["org.opencontainers.image.ref.name"] == "1"
    assert entry.annotations["io.containerd.image.name"] == "docker.io/acme/app:1"


def test_every_tag_has_an_entry_and_none_has_two() -> None:
    names = [ONE, TWO, Reference.parse("other/app:1"), Reference.parse("bare")]
    entries = layout_index(IMAGE, names).manifests
    assert [entry.annotations["org.opencontainers.image.ref.name"] for entry in entries] == ["1", "2", "latest"]
    assert entries[0].annotations["io.containerd.image.name"] == "docker.io/acme/app:1"


def test_blobs_stand_before_what_refers_to_them_and_only_once() -> None:
    index = ImageIndex(images=(IMAGE, ARM))
    digests = [blob.descriptor.digest for blob in image_blobs(index)]
    assert len(digests) == len(set(digests)) == 1 + 2 + 2 + 1
    assert digests[-1] == index.digest
    assert digests.index(first_layer().digest) < digests.index(IMAGE.digest)


@pytest.mark.parametrize(
    "marker", [b"", b"{}", b"[]", b'{"imageLayoutVersion":"2.0.0"}', b'{"imageLayoutVersion":1}', b"\xff"]
)
def test_a_layout_of_an_unknown_version_is_refused(layout: Path, marker: bytes) -> None:
    (layout / "oci-layout").write_bytes(marker)
    with pytest.raises(DocumentError):
        OCILayout.at(layout)


def test_a_directory_that_is_no_layout_is_named(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="not an OCI layout") as caught:
        OCILayout.at(tmp_path)
    assert caught.value.facts == ("missing: `oci-layout`", f"layout: {tmp_path}")


@pytest.mark.parametrize("name", [blob_name(IMAGE.digest), blob_name(first_layer().digest)])
def test_a_missing_blob_is_named(layout: Path, name: str) -> None:
    (layout / name).unlink()
    with pytest.raises(DocumentError) as caught:
        read_all(OCILayout.at(layout))
    assert name.rpartition("/")[2] in str(caught.value)


def read_all(layout: OCILayout | DockerArchive) -> None:
    manifest = layout.manifest(layout.find())
    assert not isinstance(manifest, Index)
    for descriptor in (manifest.config, *manifest.layers):
        with layout.blob(descriptor).open() as stream:
            while stream.read(1000):
                pass


def flipped(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1])


@pytest.mark.parametrize("damage", [flipped, lambda c: c[:-1], lambda c: c + b"x", lambda _: b""])
@pytest.mark.parametrize("digest", [IMAGE.digest, first_layer().digest, IMAGE.config_blob.descriptor.digest])
def test_a_damaged_blob_is_refused_and_left_alone(
    layout: Path, digest: Digest, damage: Callable[[bytes], bytes]
) -> None:
    path = layout / blob_name(digest)
    damaged = damage(path.read_bytes())
    path.unlink()
    path.write_bytes(damaged)
    with pytest.raises(IntegrityError):
        read_all(OCILayout.at(layout))
    assert path.read_bytes() == damaged


@needs_links
@pytest.mark.parametrize("what", ["index.json", "oci-layout", "blobs", "blobs/sha256", blob_name(first_layer().digest)])
def test_symbolic_links_are_refused(layout: Path, tmp_path: Path, what: str) -> None:
    (layout / what).rename(tmp_path / "elsewhere")
    (layout / what).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DocumentError, match="not a regular file"):
        read_all(OCILayout.at(layout))


@needs_links
def test_a_fifo_is_refused_and_nobody_waits_for_it(layout: Path) -> None:
    path = layout / blob_name(first_layer().digest)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(DocumentError, match="not a regular file"):
        read_all(OCILayout.at(layout))


@pytest.mark.parametrize(
    "change",
    [
        {"manifests": []},
        {"fsLayers": []},
        {"schemaVersion": 1},
        {"mediaType": media_types.INDEX},
        {"Layers": []},
        {"MEDIATYPE": "x"},
    ],
)
def test_a_manifest_that_can_be_read_in_two_ways_is_refused(layout: Path, change: dict[str, object]) -> None:
    put_manifest(layout, json.dumps({**json.loads(IMAGE.manifest.to_bytes()), **change}).encode())
    with pytest.raises(DocumentError, match="not an image that can be used"):
        read_all(OCILayout.at(layout))


def put_manifest(layout: Path, raw: bytes, media_type: str = media_types.MANIFEST) -> None:
    blob = BytesBlob.of(raw, media_type)
    (layout / blob_name(blob.descriptor.digest)).write_bytes(raw)
    (layout / "index.json").write_bytes(Index(manifests=(blob.descriptor,)).to_bytes())


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b"null", b"[" * 5000, b'{"a":1,"a":1}', b'{"config":NaN}'])
def test_a_manifest_that_is_none_is_refused(layout: Path, raw: bytes) -> None:
    put_manifest(layout, raw)
    with pytest.raises(DocumentError):
        read_all(OCILayout.at(layout))


def test_a_manifest_of_another_type_is_refused(layout: Path) -> None:
    put_manifest(layout, b"{}", "application/vnd.acme+json")
    with pytest.raises(DocumentError, match="not an image that can be used"):
        read_all(OCILayout.at(layout))


@pytest.mark.parametrize("digest", ["sha256:../../../etc/passwd", "sha256:" + "A" * 64, "md5:" + "0" * 32])
def test_a_digest_is_checked_before_it_becomes_a_path(layout: Path, digest: str) -> None:
    entry = {"mediaType": media_types.MANIFEST, "digest": digest, "size": 1}
    (layout / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
    with pytest.raises(DocumentError, match="is not a digest"):
        OCILayout.at(layout).find()


@pytest.mark.parametrize("size", [-1, 2**63, 1.5, "1", None])
def test_a_size_that_is_none_is_refused(layout: Path, size: object) -> None:
    entry = {"mediaType": media_types.MANIFEST, "digest": str(IMAGE.digest), "size": size}
    (layout / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
    with pytest.raises(DocumentError):
        OCILayout.at(layout).find()


def test_a_huge_index_is_not_read(layout: Path) -> None:
    with (layout / "index.json").open("wb") as file:
        file.truncate(200 << 20)
    with pytest.raises(DocumentError, match="larger than 4 MiB"):
        OCILayout.at(layout).find()


# --- archives -------------------------------------------------------------------------------------------------------


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    ArchiveDestination(tmp_path / "image.tar", names=[ONE]).write(IMAGE)
    return tmp_path / "image.tar"


def test_an_oci_archive_comes_back_as_it_was_written(archive: Path) -> None:
    found = open_oci_archive(archive)
    assert found.manifest(found.find("1")).to_bytes() == IMAGE.manifest.to_bytes()
    read_all(found)


def test_blobs_of_an_archive_outlive_whoever_opened_it(archive: Path) -> None:
    blob = open_oci_archive(archive).blob(first_layer())
    with blob.open() as stream:
        assert Digest.of(stream.read()) == first_layer().digest


def test_two_blobs_of_an_archive_are_read_at_once(archive: Path) -> None:
    found = open_oci_archive(archive)
    with found.blob(first_layer()).open() as one, found.blob(first_layer()).open() as two:
        assert [one.read(5), two.read(5), one.read(5)] == [
            *[first_layer_stream().read(5)] * 2,
            first_layer_stream().read(10)[5:],
        ]


@pytest.mark.parametrize("position", [0, 600, 2000, 4000])
def test_a_cut_archive_is_refused(archive: Path, position: int) -> None:
    archive.write_bytes(archive.read_bytes()[:position])
    with pytest.raises(PyContainerError):
        read_all(open_oci_archive(archive))


def rewrite(path: Path, change: Callable[[tarfile.TarInfo, bytes], list[tuple[tarfile.TarInfo, bytes]]]) -> None:
    with tarfile.open(path) as tar:
        members = [(info, (tar.extractfile(info) or io.BytesIO()).read()) for info in tar if info.isreg()]
    with tarfile.open(path, "w") as tar:
        for info, content in members:
            for changed, data in change(info, content):
                changed.size = len(data)
                tar.addfile(changed, io.BytesIO(data))


def test_an_archive_with_two_indexes_is_refused(archive: Path) -> None:
    rewrite(archive, lambda info, content: [(info, content)] * (2 if info.name == "index.json" else 1))
    with pytest.raises(DocumentError, match="is not an image archive") as caught:
        open_oci_archive(archive)
    assert caught.value.facts == ("`index.json` is in it twice",)


def test_a_damaged_blob_in_an_archive_is_refused(archive: Path) -> None:
    rewrite(archive, lambda info, content: [(info, flipped(content) if "blobs" in info.name else content)])
    with pytest.raises(IntegrityError):
        read_all(open_oci_archive(archive))


def test_names_in_an_archive_are_contained(archive: Path) -> None:
    def climb(info: tarfile.TarInfo, content: bytes) -> list[tuple[tarfile.TarInfo, bytes]]:
        info.name = f"../../{info.name}"
        return [(info, content)]

    rewrite(archive, climb)
    read_all(open_oci_archive(archive))


def test_links_in_an_archive_that_go_in_circles_lead_nowhere(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "x.tar", "w") as tar:
        for name, target in (("manifest.json", "a"), ("a", "b"), ("b", "manifest.json")):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            tar.addfile(info)
    with pytest.raises(DocumentError, match="not one that `docker save` writes"):
        open_docker_archive(tmp_path / "x.tar")


@pytest.mark.parametrize(
    "listed",
    [
        "{}",
        "[1]",
        "[]",
        '[{"Config":"c.json"}]',
        '[{"Config":"c.json","Layers":["x"]}]',
        '[{"Config":"missing","Layers":[]}]',
        '[{"Config":"c.json","Layers":["../../etc/passwd"]}]',
    ],
)
def test_a_malformed_docker_archive_is_refused(tmp_path: Path, listed: str) -> None:
    config = forge_image([]).config.to_bytes()
    with tarfile.open(tmp_path / "x.tar", "w") as tar:
        for name, content in (("manifest.json", listed.encode()), ("c.json", config)):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    with pytest.raises(DocumentError):
        open_docker_archive(tmp_path / "x.tar").find()


@needs_links
def test_an_archive_that_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="Cannot read"):
        open_oci_archive(tmp_path)
    with pytest.raises(StoreError, match="Cannot read"):
        open_oci_archive(tmp_path / "missing")


def test_the_content_of_an_archive_is_not_read_to_find_its_members(tmp_path: Path) -> None:
    """A hole of 8 GiB in a sparse file: finding what is behind it takes no time, and no memory."""
    path = tmp_path / "huge.tar"
    big = tarfile.TarInfo("big")
    big.size = 8 << 30
    with tarfile.open(path, "w") as tar:
        info = tarfile.TarInfo("oci-layout")
        info.size = 2
        tar.addfile(info, io.BytesIO(b"{}"))
    raw = path.read_bytes()[:1024]
    with path.open("wb") as file:
        file.write(big.tobuf())
        file.seek(8 << 30, os.SEEK_CUR)
        file.write(raw)
    with pytest.raises(DocumentError, match="version"):
        open_oci_archive(path)


def test_the_index_of_several_platforms_keeps_its_digest(tmp_path: Path) -> None:
    index = ImageIndex(images=(IMAGE, ARM))
    ArchiveDestination(tmp_path / "image.tar", names=[ONE]).write(index)
    found = open_oci_archive(tmp_path / "image.tar")
    assert found.find("1").digest == index.digest
    document = found.manifest(found.find("1"))
    assert isinstance(document, Index)
    for entry in document.manifests:
        found.manifest(entry)
    wrong = msgspec.structs.replace(document.manifests[0], size=1)
    with pytest.raises(IntegrityError):
        found.manifest(wrong)


def test_a_base_with_many_layers_is_one_archive(tmp_path: Path) -> None:
    image = debian_like()
    ArchiveDestination(tmp_path / "image.tar", format="docker", names=[ONE, TWO]).write(image)
    found = open_docker_archive(tmp_path / "image.tar")
    assert isinstance(found, OCILayout)
    assert found.find("2").digest == found.find("docker.io/acme/app:1").digest == image.digest


def test_what_is_attached_stands_beside_the_image_in_a_layout(tmp_path: Path) -> None:
    image = IMAGE.with_attachments([make_attachment()])
    written = LayoutDestination(tmp_path / "image", [ONE]).write(image)
    layout = OCILayout.at(tmp_path / "image")
    assert written.digest == layout.find().digest == IMAGE.digest, "it is no image, and no part of one"
    _, entry = layout.index().manifests
    assert entry.artifact_type == make_attachment().artifact_type
    manifest = layout.manifest(entry)
    assert isinstance(manifest, Manifest)
    assert manifest.subject is not None
    assert manifest.subject.digest == IMAGE.digest
    with layout.blob(manifest.layers[0]).open() as stream:
        assert stream.read() == make_attachment().content
    LayoutDestination(tmp_path / "image", [ONE]).write(IMAGE)
    assert len(OCILayout.at(tmp_path / "image").index().manifests) == 1, "the next build has nothing attached"


def test_what_is_attached_to_platforms_and_index_is_in_an_archive(tmp_path: Path) -> None:
    images = (IMAGE.with_attachments([make_attachment(1)]), ARM)
    index = ImageIndex(images=images, attachments=(make_attachment(2),))
    ArchiveDestination(tmp_path / "image.tar", names=[ONE]).write(index)
    layout = open_oci_archive(tmp_path / "image.tar")
    manifests = [layout.manifest(entry) for entry in layout.index().manifests[1:]]
    subjects = [manifest.subject.digest for manifest in manifests if manifest.subject is not None]
    assert subjects == [IMAGE.digest, index.digest]
