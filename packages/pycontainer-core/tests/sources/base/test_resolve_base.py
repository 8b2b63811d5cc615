"""A base image is found wherever it is, in the right variant, once, and read no more than needed."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pycontainer.blobs.blob import BytesBlob
from pycontainer.blobs.store import BlobStore
from pycontainer.destinations.archive import ArchiveDestination
from pycontainer.destinations.layout import LayoutDestination
from pycontainer.errors import BaseImageError, DocumentError, IntegrityError, NetworkError, PyContainerError
from pycontainer.events import Event, TaskFinished
from pycontainer.image import Image, ImageIndex
from pycontainer.oci import Digest, Index, Manifest, Platform, Reference, canonical_json, media_types
from pycontainer.sources.base import Base, resolve_base
from pycontainer.sources.target import PythonVersion
from pycontainer.testing.images import AMD64, File, debian_like, forge_image, forge_layer
from pycontainer.testing.registry import Answer, Corrupt, FakeRegistry, Fault
from pycontainer.transports.http import HttpSettings, RetryPolicy
from pycontainer.transports.oci_layout import image_blobs
from pycontainer.transports.registry import RegistryClient, RegistrySettings
from pycontainer.value import replace

ARM64 = Platform("linux", "arm64", "v8")
HTTP = HttpSettings(environment={}, retries=RetryPolicy(count=1, base=0.0005))
CLIENT = RegistryClient(RegistrySettings(http=HTTP, environment={}, home=None))
NAME = Reference.parse("acme/base:1")


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with FakeRegistry() as made:
        yield made


def serve(registry: FakeRegistry, image: Image | ImageIndex, name: str = "acme/python", tag: str = "3.12") -> str:
    """Put an image into a registry, and give its reference."""
    repository = registry.store.repository(name)
    for blob in image_blobs(image):
        with blob.open() as stream:
            content = stream.read()
        kind = blob.descriptor.media_type
        if kind in media_types.MANIFESTS | media_types.INDEXES:
            repository.manifests[str(blob.descriptor.digest)] = (kind, content)
        else:
            repository.blobs[str(blob.descriptor.digest)] = content
    repository.tags[tag] = str(image.digest)
    return f"{registry.host}/{name}:{tag}"


def serve_document(registry: FakeRegistry, document: Any, media_type: str, tag: str = "odd") -> str:
    raw = document if isinstance(document, bytes) else canonical_json(document)
    repository = registry.store.repository("acme/python")
    repository.manifests[str(Digest.of(raw))] = (media_type, raw)
    repository.tags[tag] = str(Digest.of(raw))
    return f"{registry.host}/acme/python:{tag}"


class Resolver:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = BlobStore(folder / "store")
        self.events: list[Event] = []

    def __call__(self, text: str, *platforms: Platform) -> tuple[Base, ...]:
        return resolve_base(
            text,
            platforms or (AMD64,),
            registry=CLIENT,
            store=self.store,
            cache_dir=self.folder / "cache",
            emit=self.events.append,
        )


@pytest.fixture
def resolve(tmp_path: Path) -> Resolver:
    return Resolver(tmp_path)


def test_a_base_in_a_registry(registry: FakeRegistry, resolve: Resolver) -> None:
    image = debian_like("3.12.4")
    reference = serve(registry, image)
    [base] = resolve(reference)
    assert base.facts.python == PythonVersion(3, 12, 4)
    assert base.digest == base.top == image.digest
    assert base.reference == reference
    assert base.registry_reference == reference
    assert base.image.config.to_bytes() == image.config.to_bytes()
    assert [str(layer.origin) for layer in base.image.layers] == [f"{registry.host}/acme/python"] * 2


def test_the_second_time_no_blob_is_asked_for(registry: FakeRegistry, resolve: Resolver) -> None:
    index = ImageIndex(images=(debian_like(), debian_like(platform=ARM64)))
    reference = serve(registry, index)
    first = resolve(reference, AMD64, ARM64)
    asked = len(registry.asked("GET", "/blobs/"))
    again = resolve(reference, AMD64, ARM64)
    assert len(registry.asked("GET", "/blobs/")) == asked
    assert [base.facts for base in again] == [base.facts for base in first]
    assert len(registry.asked("GET", "/manifests/")) == 1 + 2 + 1


def test_facts_are_found_again_when_what_was_remembered_is_damaged(registry: FakeRegistry, resolve: Resolver) -> None:
    reference = serve(registry, debian_like())
    [first] = resolve(reference)
    [path] = (resolve.folder / "cache" / "bases").iterdir()
    for damage in (b"", b"{}", path.read_bytes().replace(b"3", b"4"), b"\xff" * 100):
        path.write_bytes(damage)
        assert resolve(reference)[0].facts == first.facts


def test_a_stored_layer_that_was_damaged_is_fetched_again(registry: FakeRegistry, resolve: Resolver) -> None:
    image = debian_like()
    reference = serve(registry, image)
    resolve(reference)
    digest = image.layers[0].descriptor.digest
    path = resolve.store.path(digest)
    path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:])
    [base] = resolve(reference)
    with base.image.layers[0].open() as stream:
        assert Digest.of(stream.read()) == digest


def test_layers_are_fetched_once_and_told(registry: FakeRegistry, resolve: Resolver) -> None:
    reference = serve(registry, debian_like())
    [base] = resolve(reference)
    for layer in base.image.layers * 2:
        layer.open().close()
    assert len(registry.asked("GET", "/blobs/")) == 3
    assert sum(isinstance(event, TaskFinished) and not event.reused for event in resolve.events) == 3


def test_each_platform_gets_its_own(registry: FakeRegistry, resolve: Resolver) -> None:
    index = ImageIndex(images=(debian_like("3.12.4"), debian_like("3.12.5", platform=ARM64)))
    arm, amd = resolve(serve(registry, index), Platform("linux", "arm64"), AMD64)
    assert (str(arm.facts.python), str(amd.facts.python)) == ("3.12.5", "3.12.4")
    assert arm.top == amd.top == index.digest
    assert arm.digest == index.images[1].digest


def test_the_first_match_wins(registry: FakeRegistry, resolve: Resolver) -> None:
    index = ImageIndex(images=(debian_like("3.12.4"), debian_like("3.12.5")))
    assert str(resolve(serve(registry, index))[0].facts.python) == "3.12.4"


def test_a_platform_that_is_not_there_names_those_that_are(registry: FakeRegistry, resolve: Resolver) -> None:
    index = ImageIndex(images=(debian_like(), debian_like(platform=ARM64)))
    with pytest.raises(BaseImageError, match="is not there for linux/s390x") as caught:
        resolve(serve(registry, index), Platform("linux", "s390x"))
    assert caught.value.facts == ("available: linux/amd64, linux/arm64/v8",)


@pytest.mark.parametrize("as_index", [False, True])
def test_a_single_image_for_another_platform_is_not_taken(
    registry: FakeRegistry, resolve: Resolver, *, as_index: bool
) -> None:
    image = debian_like()
    with pytest.raises(BaseImageError, match="is not there for linux/arm64") as caught:
        resolve(serve(registry, ImageIndex(images=(image,)) if as_index else image), ARM64)
    assert caught.value.facts == ("available: linux/amd64",)


def test_attestations_are_passed_over(registry: FakeRegistry, resolve: Resolver) -> None:
    image = debian_like()
    serve(registry, image)
    attestation = msgspec.structs.replace(image.descriptor, platform=Platform("unknown", "unknown"))
    index = Index(manifests=(attestation, image.descriptor))
    reference = serve_document(registry, index.to_bytes(), media_types.INDEX)
    assert resolve(reference)[0].digest == image.digest
    with pytest.raises(BaseImageError) as caught:
        resolve(serve_document(registry, Index(manifests=(attestation,)).to_bytes(), media_types.INDEX))
    assert caught.value.facts == ("available: none",)


def test_an_index_that_lies_about_its_image_is_refused(registry: FakeRegistry, resolve: Resolver) -> None:
    image = debian_like()
    serve(registry, image)
    lie = msgspec.structs.replace(image.descriptor, platform=ARM64)
    reference = serve_document(registry, Index(manifests=(lie,)).to_bytes(), media_types.INDEX)
    with pytest.raises(DocumentError, match="do not agree") as caught:
        resolve(reference, ARM64)
    assert caught.value.facts[:2] == ("index: linux/arm64/v8", "image: linux/amd64")


def test_a_size_that_the_index_lies_about_is_refused(registry: FakeRegistry, resolve: Resolver) -> None:
    image = debian_like()
    serve(registry, image)
    entry = image.manifest.describe(media_types.MANIFEST, platform=image.platform)
    index = Index(manifests=(msgspec.structs.replace(entry, size=entry.size + 1),))
    with pytest.raises(IntegrityError):
        resolve(serve_document(registry, index.to_bytes(), media_types.INDEX))


def test_an_empty_index_has_no_image(registry: FakeRegistry, resolve: Resolver) -> None:
    with pytest.raises(BaseImageError, match="not there for linux/amd64") as caught:
        resolve(serve_document(registry, Index(manifests=()).to_bytes(), media_types.INDEX))
    assert caught.value.facts == ("available: none",)


def test_an_index_may_be_nested_once_and_not_without_end(registry: FakeRegistry, resolve: Resolver) -> None:
    image = debian_like()
    serve(registry, image)
    inner = Index(manifests=(image.descriptor,))
    serve_document(registry, inner.to_bytes(), media_types.INDEX)
    outer = Index(manifests=(inner.describe(media_types.INDEX),))
    assert resolve(serve_document(registry, outer.to_bytes(), media_types.INDEX))[0].digest == image.digest
    document = outer
    for _ in range(50):
        document = Index(manifests=(document.describe(media_types.INDEX),))
        reference = serve_document(registry, document.to_bytes(), media_types.INDEX)
    with pytest.raises(DocumentError, match="nested too deeply"):
        resolve(reference)


def test_a_tag_that_moves_while_it_is_read_changes_nothing(registry: FakeRegistry, resolve: Resolver) -> None:
    index = ImageIndex(images=(debian_like("3.12.4"), debian_like("3.12.4", platform=ARM64)))
    reference = serve(registry, index)

    def move(event: Event) -> None:
        resolve.events.append(event)
        serve(registry, debian_like("3.9.1"))

    bases = resolve_base(
        reference,
        [AMD64, ARM64],
        registry=CLIENT,
        store=resolve.store,
        cache_dir=resolve.folder / "cache",
        emit=move,
    )
    assert [base.top for base in bases] == [index.digest] * 2
    assert [str(base.facts.python) for base in bases] == ["3.12.4", "3.12.4"]
    assert len([item for item in registry.requests if item.path.endswith("/manifests/3.12")]) == 1


def test_a_reference_by_digest_is_kept_as_it_is(registry: FakeRegistry, resolve: Resolver) -> None:
    image = debian_like()
    serve(registry, image)
    reference = f"{registry.host}/acme/python@{image.digest}"
    [base] = resolve(reference)
    assert base.registry_reference == reference


def test_a_missing_base_is_named(registry: FakeRegistry, resolve: Resolver) -> None:
    with pytest.raises(BaseImageError, match=rf"There is no base image `{registry.host}/acme/nothing:1`") as caught:
        resolve(f"{registry.host}/acme/nothing:1")
    assert caught.value.hint == "Set {base_image} to one that exists"


def test_manifests_and_configs_that_disagree_on_layers_are_refused(registry: FakeRegistry, resolve: Resolver) -> None:
    image = debian_like()
    serve(registry, image)
    fewer = msgspec.structs.replace(image.manifest, layers=image.manifest.layers[:1])
    with pytest.raises(DocumentError, match="do not agree") as caught:
        resolve(serve_document(registry, fewer.to_bytes(), media_types.MANIFEST))
    assert caught.value.facts == ("layers: 1", "diff_ids: 2")


def test_more_layers_than_can_be_mounted_are_refused(registry: FakeRegistry, resolve: Resolver) -> None:
    image = forge_image([forge_layer([File(f"f{number}")]) for number in range(128)])
    with pytest.raises(BaseImageError, match="has 128 layers, more than the 127"):
        resolve(serve(registry, image))


def test_an_artifact_is_not_an_image(registry: FakeRegistry, resolve: Resolver) -> None:
    empty = BytesBlob.of(b"{}", media_types.EMPTY)
    manifest = Manifest(config=empty.descriptor, artifact_type="application/vnd.cncf.helm.chart")
    with pytest.raises(BaseImageError, match="is not an image") as caught:
        resolve(serve_document(registry, manifest.to_bytes(), media_types.MANIFEST))
    assert caught.value.facts == ("type: `application/vnd.cncf.helm.chart`",)


def test_a_layer_of_an_unknown_kind_is_refused(registry: FakeRegistry, resolve: Resolver) -> None:
    image = debian_like()
    serve(registry, image)
    layers = [
        msgspec.structs.replace(layer, media_type=f"{layer.media_type}+encrypted") for layer in image.manifest.layers
    ]
    manifest = msgspec.structs.replace(image.manifest, layers=tuple(layers))
    with pytest.raises(BaseImageError, match="of an unknown kind"):
        resolve(serve_document(registry, manifest.to_bytes(), media_types.MANIFEST))


def test_docker_media_types_and_missing_fields_are_fine(registry: FakeRegistry, resolve: Resolver) -> None:
    image = debian_like()
    serve(registry, image)
    document = json.loads(image.manifest.to_bytes())
    document["mediaType"] = media_types.DOCKER_MANIFEST
    document["config"]["mediaType"] = media_types.DOCKER_CONFIG
    document["annotations"] = None
    for layer in document["layers"]:
        layer["mediaType"] = media_types.DOCKER_LAYER_GZIP
    [base] = resolve(serve_document(registry, document, media_types.DOCKER_MANIFEST))
    assert {layer.media_type for layer in base.image.manifest.layers} == {media_types.LAYER_GZIP}
    assert base.facts.interpreter == "/usr/local/bin/python3.12"


@pytest.mark.parametrize(
    "effect", [Corrupt(flip=True), Corrupt(extra=b"more"), Corrupt(cut=5), Answer(status=200, body=b"<html>")]
)
def test_a_layer_that_is_not_its_digest_is_refused_and_not_kept(
    registry: FakeRegistry, resolve: Resolver, effect: Corrupt | Answer
) -> None:
    image = debian_like()
    digest = image.layers[1].descriptor.digest
    reference = serve(registry, image)
    registry.faults.add(Fault(effect=effect, path=str(digest), times=None))
    with pytest.raises((IntegrityError, NetworkError)):
        resolve(reference)
    assert digest not in resolve.store
    registry.faults.clear()
    assert resolve(reference)[0].facts.python == PythonVersion(3, 12, 4)


def test_scratch_has_no_python(resolve: Resolver) -> None:
    with pytest.raises(BaseImageError, match="`scratch` has no Python") as caught:
        resolve("scratch")
    assert "{base_image}" in str(caught.value.hint)


@pytest.mark.parametrize("text", ["oci:{}", "oci:{}:1", "oci:{}:docker.io/acme/base:1"])
def test_a_base_in_a_layout(tmp_path: Path, resolve: Resolver, text: str) -> None:
    image = debian_like()
    LayoutDestination(tmp_path / "a:b", [NAME]).write(image)
    [base] = resolve(text.format(tmp_path / "a:b"))
    assert base.digest == image.digest
    assert base.registry_reference is None
    assert base.facts.interpreter == "/usr/local/bin/python3.12"


def test_a_base_in_an_oci_archive(tmp_path: Path, resolve: Resolver) -> None:
    index = ImageIndex(images=(debian_like(), debian_like("3.12.5", platform=ARM64)))
    ArchiveDestination(tmp_path / "base.tar", names=[NAME]).write(index)
    assert resolve(f"oci-archive:{tmp_path}/base.tar:1", ARM64)[0].digest == index.images[1].digest


def old_docker_archive(path: Path, image: Image, tags: list[str] | None, *, twice: bool = False) -> None:
    """What `docker save` wrote until version 24: plain tars in folders, a layer that is there twice as a link."""
    layers = [*image.layers, image.layers[-1]] if twice else list(image.layers)
    config = json.loads(image.config.to_bytes())
    config["rootfs"]["diff_ids"] = [str(layer.diff_id) for layer in layers]
    raw = json.dumps(config).encode()
    with tarfile.open(path, "w") as tar:
        for number, layer in enumerate(layers):
            if twice and number == len(layers) - 1:
                info = tarfile.TarInfo(f"id{number}/layer.tar")
                info.type, info.linkname = tarfile.SYMTYPE, f"../id{number - 1}/layer.tar"
                tar.addfile(info)
                continue
            with layer.open() as stream:
                put(tar, f"id{number}/layer.tar", stream.read())
        put(tar, "config.json", raw)
        listed = [
            {"Config": "config.json", "RepoTags": tags, "Layers": [f"id{n}/layer.tar" for n in range(len(layers))]}
        ]
        put(tar, "manifest.json", json.dumps(listed).encode())


def put(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    tar.addfile(info, io.BytesIO(content))


def plain(image: Image) -> Image:
    """The image with layers that are not compressed, as Docker saves them."""
    layers = []
    for layer in image.layers:
        with layer.open() as stream:
            content = gzip.decompress(stream.read())
        layers.append(replace(layer, blob=BytesBlob.of(content, media_types.LAYER)))
    return replace(image, layers=tuple(layers))


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("name", ["", ":acme/base:1", ":docker.io/acme/base:1"])
def test_a_base_in_an_old_docker_archive(tmp_path: Path, resolve: Resolver, name: str, *, compressed: bool) -> None:
    image = debian_like() if compressed else plain(debian_like())
    old_docker_archive(tmp_path / "base.tar", image, ["acme/base:1"])
    [base] = resolve(f"docker-archive:{tmp_path}/base.tar{name}")
    assert base.facts.python == PythonVersion(3, 12, 4)
    assert [layer.descriptor for layer in base.image.layers] == [layer.descriptor for layer in image.layers]


def test_a_layer_that_an_old_archive_has_twice_is_a_link_in_it(tmp_path: Path, resolve: Resolver) -> None:
    old_docker_archive(tmp_path / "base.tar", plain(debian_like()), None, twice=True)
    [base] = resolve(f"docker-archive:{tmp_path}/base.tar")
    assert len(base.image.layers) == 3
    assert base.image.layers[2].diff_id == base.image.layers[1].diff_id


def test_a_base_in_the_archive_we_write(tmp_path: Path, resolve: Resolver) -> None:
    image = debian_like()
    ArchiveDestination(tmp_path / "base.tar", format="docker", names=[NAME]).write(image)
    assert resolve(f"docker-archive:{tmp_path}/base.tar:1")[0].digest == image.digest


def test_a_compressed_archive_is_read_too(tmp_path: Path, resolve: Resolver) -> None:
    image = plain(debian_like())
    old_docker_archive(tmp_path / "base.tar", image, None)
    packed = tmp_path / "base.tar.gz"
    packed.write_bytes(gzip.compress((tmp_path / "base.tar").read_bytes()))
    [base] = resolve(f"docker-archive:{packed}")
    assert [layer.diff_id for layer in base.image.layers] == [layer.diff_id for layer in image.layers]
    with base.image.layers[0].open() as stream:
        assert Digest.of(stream.read()) == image.layers[0].diff_id


@pytest.mark.parametrize("text", ["oci:{}/nothing", "oci-archive:{}/no.tar:1", "docker-archive:{}/no.tar"])
def test_a_path_that_does_not_exist_is_named(tmp_path: Path, resolve: Resolver, text: str) -> None:
    with pytest.raises(BaseImageError, match="There is no base image"):
        resolve(text.format(tmp_path))


@pytest.mark.parametrize("text", ["oci:{}:2", "oci:{}:latest", "oci:{}/blobs"])
def test_a_name_that_a_layout_does_not_have_is_named(tmp_path: Path, resolve: Resolver, text: str) -> None:
    LayoutDestination(tmp_path / "base", [NAME]).write(debian_like())
    with pytest.raises(BaseImageError, match="cannot be used"):
        resolve(text.format(tmp_path / "base"))


def test_no_failure_of_a_base_is_anything_but_ours(registry: FakeRegistry, resolve: Resolver) -> None:
    bodies = [b"", b"{}", b"[]", b"null", b"[" * 10_000, b'{"a":1,"a":2}', b'{"layers":[],"manifests":[]}', b"\xff"]
    for body in bodies:
        with pytest.raises(PyContainerError):
            resolve(serve_document(registry, body, media_types.MANIFEST))
