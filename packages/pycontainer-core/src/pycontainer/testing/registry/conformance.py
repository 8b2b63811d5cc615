"""What every registry must do for us, and we for it: a suite that the fake and real ones pass.

class TestDebian(RegistryConformance):
    @pytest.fixture
    def target(self): yield Target(host=…, settings=RegistrySettings(…))
"""

from __future__ import annotations

import hashlib
import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

import pytest

from pycontainer.blobs.blob import BytesBlob
from pycontainer.destinations.attachments import attach, list_attachments, read_attachment
from pycontainer.destinations.registry import RegistryDestination
from pycontainer.errors import DeniedError, HTTPStatusError, IntegrityError
from pycontainer.image import Attachment, Image, ImageIndex
from pycontainer.layers.layer import Layer
from pycontainer.layers.record import LayerRecord
from pycontainer.oci import Descriptor, Digest, ImageConfig, Index, Manifest, Reference, RootFS, media_types
from pycontainer.transports.record_cache import RecordCache
from pycontainer.transports.registry import Pushed, RegistryClient, RegistrySettings
from pycontainer.value import replace

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, kw_only=True)
class Target:
    """A registry to try: its host and port, and settings with credentials that may push."""

    host: str
    settings: RegistrySettings = field(default_factory=RegistrySettings)
    needs_user: bool = False


def make_blob(size: int, *, seed: str = "", media_type: str = media_types.LAYER_GZIP) -> BytesBlob:
    """A blob of so many bytes that no other test has."""
    key = hashlib.sha256((seed or secrets.token_hex(8)).encode()).digest()
    return BytesBlob.of(hashlib.shake_128(key).digest(size), media_type)


def make_image(*sizes: int, architecture: str = "amd64", origin: Reference | None = None) -> Image:
    """An image with layers of these sizes."""
    layers = tuple(
        Layer(blob=blob, diff_id=Digest.of(b"tar of " + blob.content[:64]), title=f"layer {number}", origin=origin)
        for number, blob in enumerate(make_blob(size) for size in sizes)
    )
    rootfs = RootFS(diff_ids=tuple(layer.diff_id for layer in layers))
    return Image(config=ImageConfig(architecture=architecture, os="linux", rootfs=rootfs), layers=layers)


def make_attachment(number: int = 0, *, kind: str = "application/vnd.example.report") -> Attachment:
    """A document that is attached, the same for the same number."""
    content = f'{{"report":{number}}}'.encode()
    return Attachment(
        artifact_type=kind,
        media_type="application/json",
        content=content,
        annotations={"org.example.number": f"{number}"},
    )


class RegistryConformance:
    """Push, pull and look for everything against one registry; inherit it and give a `target` fixture."""

    @pytest.fixture
    def target(self) -> Target:
        """The registry to try."""
        raise NotImplementedError

    @pytest.fixture
    def client(self, target: Target) -> RegistryClient:
        """A client that may push."""
        return RegistryClient(target.settings)

    @pytest.fixture
    def repository(self, target: Target) -> Reference:
        """A repository that nobody has used."""
        return Reference.parse(f"{target.host}/conformance/{secrets.token_hex(6)}")

    @pytest.mark.parametrize("size", [0, 1, 65_536, 3_000_001])
    @pytest.mark.parametrize("chunk_size", [None, 1_000_000])
    def test_a_blob_comes_back_as_it_was_sent(
        self, target: Target, repository: Reference, size: int, chunk_size: int | None
    ) -> None:
        """Whole and in chunks, empty and large."""
        client = RegistryClient(replace(target.settings, chunk_size=chunk_size))
        blob = make_blob(size)
        assert not client.head_blob(repository, blob.descriptor.digest)
        assert client.push_blob(repository, blob) is Pushed.UPLOADED
        assert client.head_blob(repository, blob.descriptor.digest)
        with client.blob(repository, blob.descriptor).open() as stream:
            assert stream.read() == blob.content

    def test_a_blob_that_is_there_is_not_sent_again(self, client: RegistryClient, repository: Reference) -> None:
        """C11: HEAD goes before an upload."""
        blob = make_blob(1000)
        client.push_blob(repository, blob)
        assert client.push_blob(repository, _Unreadable(blob.descriptor)) is Pushed.EXISTED

    def test_a_blob_is_mounted_from_another_repository(
        self, client: RegistryClient, target: Target, repository: Reference
    ) -> None:
        """C18."""
        source = Reference.parse(f"{target.host}/conformance/source")
        blob = make_blob(1000)
        client.push_blob(source, blob)
        assert client.push_blob(repository, _Unreadable(blob.descriptor), origin=source) is Pushed.MOUNTED
        with client.blob(repository, blob.descriptor).open() as stream:
            assert stream.read() == blob.content

    def test_a_mount_of_what_is_not_there_becomes_an_upload(
        self, client: RegistryClient, target: Target, repository: Reference
    ) -> None:
        """C18: nothing is lost by asking."""
        source = Reference.parse(f"{target.host}/conformance/has-nothing")
        blob = make_blob(1000)
        assert client.push_blob(repository, blob, origin=source) is Pushed.UPLOADED

    def test_an_image_is_pushed_named_and_read_back(self, client: RegistryClient, repository: Reference) -> None:
        """Several names, one digest; a second push moves nothing."""
        image = make_image(5000, 100_000)
        names = [repository.with_tag("1.4"), repository.with_tag("latest")]
        first = RegistryDestination(client, names).write(image)
        assert (first.moved, first.digest) == (first.total, image.digest)
        second = RegistryDestination(client, names).write(image)
        assert (second.moved, second.total) == (0, first.total)
        for name in names:
            fetched = client.manifest(name)
            assert fetched.descriptor.digest == image.digest
            assert fetched.document.to_bytes() == image.manifest.to_bytes()

    def test_an_index_gives_each_platform_its_image(self, client: RegistryClient, repository: Reference) -> None:
        """Index and children, by tag and by digest."""
        images = (make_image(3000, architecture="amd64"), make_image(4000, architecture="arm64"))
        written = RegistryDestination(client, [repository.with_tag("2")]).write(ImageIndex(images=images))
        for name in (repository.with_digest(written.digest), repository.with_tag("2")):
            index = client.manifest(name).document
            assert isinstance(index, Index)
            assert [entry.platform for entry in index.manifests] == [image.platform for image in images]
            for entry, image in zip(index.manifests, images, strict=True):
                fetched = client.manifest(repository.with_digest(entry.digest))
                assert fetched.document.to_bytes() == image.manifest.to_bytes()

    def test_a_manifest_without_its_blobs_is_refused(self, client: RegistryClient, repository: Reference) -> None:
        """The order of a push matters."""
        manifest = make_image(100).manifest
        with pytest.raises(HTTPStatusError) as caught:
            client.push_manifest(repository.with_tag("1"), manifest.to_bytes(), media_types.MANIFEST)
        assert 400 <= caught.value.status < 500  # noqa: PLR2004 - a refusal, not a failure
        assert client.head_manifest(repository.with_tag("1")) is None

    def test_docker_media_types_come_back_as_they_were(self, client: RegistryClient, repository: Reference) -> None:
        """A schema 2 manifest keeps its bytes and its type (C19, C40)."""
        config = BytesBlob.of(
            b'{"architecture":"amd64","os":"linux","rootfs":{"type":"layers"}}', media_types.DOCKER_CONFIG
        )
        layer = make_blob(10, media_type=media_types.DOCKER_LAYER_GZIP)
        for blob in (config, layer):
            client.push_blob(repository, blob)
        manifest = Manifest(
            media_type=media_types.DOCKER_MANIFEST, config=config.descriptor, layers=(layer.descriptor,)
        )
        client.push_manifest(repository.with_tag("docker"), manifest.to_bytes(), media_types.DOCKER_MANIFEST)
        fetched = client.manifest(repository.with_tag("docker"))
        assert fetched.descriptor.media_type == media_types.DOCKER_MANIFEST
        assert fetched.document.to_bytes() == manifest.to_bytes()

    def test_a_record_comes_back_with_its_layer(self, client: RegistryClient, repository: Reference) -> None:
        """Tags and blobs are all that a record cache needs; where the layer is known, its bytes are not asked for."""
        records = RecordCache(client, repository)
        layer = make_blob(1000)
        record = LayerRecord(
            key=secrets.token_hex(32), title="a layer", descriptor=layer.descriptor, diff_id=Digest.of(b"tar")
        )
        assert records.record(record.key) is None
        records.push(record, layer)
        records.push(record, _Unreadable(layer.descriptor))
        assert records.record(record.key) == record
        with records.layer(record).open() as stream:
            assert stream.read() == layer.content

    @pytest.mark.parametrize("size", [0, 5, 1_000_000])
    def test_a_document_comes_back(self, client: RegistryClient, repository: Reference, size: int) -> None:
        """One that stands in its manifest, and one that is too large for that."""
        records = RecordCache(client, repository)
        content = make_blob(size, seed="document").content
        assert records.document("facts-1") is None
        records.push_document("facts-1", content)
        assert records.document("facts-1") == content
        assert records.document("facts-2") is None

    def test_what_is_not_there_is_named(self, client: RegistryClient, repository: Reference) -> None:
        """A tag, a digest, a blob."""
        digest = Digest.of(secrets.token_bytes(8))
        for reference in (repository.with_tag("none"), repository.with_digest(digest)):
            with pytest.raises(HTTPStatusError, match="There is no image") as caught:
                client.manifest(reference)
            assert caught.value.status == 404  # noqa: PLR2004 - Not Found
        descriptor = Descriptor(media_type=media_types.LAYER_GZIP, digest=digest, size=8)
        with pytest.raises(HTTPStatusError, match="has no blob"):
            client.blob(repository, descriptor).open()

    def test_a_tag_can_move(self, client: RegistryClient, repository: Reference) -> None:
        """The tag names what was pushed last."""
        images: Sequence[Image] = [make_image(10), make_image(20)]
        for image in images:
            RegistryDestination(client, [repository.with_tag("latest")]).write(image)
            assert client.head_manifest(repository.with_tag("latest")) in {image.digest, None}
            assert client.manifest(repository).descriptor.digest == image.digest

    def test_a_wrong_user_is_denied(self, target: Target, repository: Reference) -> None:
        """Where a user is needed."""
        if not target.needs_user:
            pytest.skip("this registry takes anyone")
        anonymous = RegistryClient(replace(target.settings, credentials={}))
        with pytest.raises(DeniedError, match=r"Push to .* was denied") as caught:
            anonymous.push_blob(repository, make_blob(10))
        assert "credentials: none found" in caught.value.facts

    def test_a_manifest_that_does_not_fit_its_digest_never_leaves(
        self, client: RegistryClient, repository: Reference
    ) -> None:
        """A wrong digest is caught before the request."""
        with pytest.raises(IntegrityError, match="not that of"):
            client.push_manifest(repository.with_digest(Digest.of(b"other")), b"{}", media_types.MANIFEST)

    def test_what_is_attached_is_found_by_its_kind_and_read(
        self, client: RegistryClient, repository: Reference
    ) -> None:
        """C22 to C24, with the API or the tag: kinds and annotations are listed, the image stays what it was."""
        image = make_image(100)
        RegistryDestination(client, [repository.with_tag("1")]).write(image)
        report, signature = make_attachment(1), make_attachment(2, kind="application/vnd.example.signature+v1")
        for attachment in (report, signature):
            descriptor = attach(client, image.descriptor, repository, attachment)
            assert list_attachments(client, repository, image.digest, attachment.artifact_type) == (descriptor,)
            assert descriptor.annotations == attachment.annotations
            assert read_attachment(client, repository, descriptor) == attachment.content
        assert len(list_attachments(client, repository, image.digest)) == 2  # noqa: PLR2004 - both
        assert client.manifest(repository.with_tag("1")).descriptor.digest == image.digest

    def test_nothing_is_attached_to_what_is_new(self, client: RegistryClient, repository: Reference) -> None:
        """An image without attachments has none, and an attachment neither."""
        image = make_image(100)
        RegistryDestination(client, [repository]).write(image)
        assert list_attachments(client, repository, image.digest) == ()
        attached = attach(client, image.descriptor, repository, make_attachment())
        assert list_attachments(client, repository, attached.digest) == ()

    def test_what_is_attached_twice_is_listed_once(self, client: RegistryClient, repository: Reference) -> None:
        """The second build of the same image attaches the same documents."""
        image = make_image(100)
        RegistryDestination(client, [repository]).write(image)
        first, again = (attach(client, image.descriptor, repository, make_attachment()) for _ in range(2))
        assert first == again
        assert list_attachments(client, repository, image.digest) == (first,)

    def test_of_many_attachments_at_once_none_is_lost(self, client: RegistryClient, repository: Reference) -> None:
        """C25: the list under the tag has no lock, and one process needs none."""
        image = make_image(100)
        RegistryDestination(client, [repository]).write(image)
        attachments = [make_attachment(number) for number in range(20)]
        with ThreadPoolExecutor(len(attachments)) as pool:
            attached = set(pool.map(lambda each: attach(client, image.descriptor, repository, each), attachments))
        assert set(list_attachments(client, repository, image.digest)) == attached
        assert len(attached) == len(attachments)


class _Unreadable:
    """A blob whose bytes nobody may ask for."""

    def __init__(self, descriptor: Descriptor) -> None:
        self.descriptor = descriptor

    def open(self) -> NoReturn:
        raise AssertionError("the bytes were asked for")
