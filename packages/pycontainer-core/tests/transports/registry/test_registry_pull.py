"""Manifests and blobs as hostile, old and odd registries send them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pycontainer.errors import (
    DeniedError,
    DocumentError,
    HTTPStatusError,
    IntegrityError,
    NetworkError,
)
from pycontainer.oci import Descriptor, Digest, Manifest, Reference, canonical_json, media_types
from pycontainer.testing.raw_server import RawServer, answer, ok
from pycontainer.testing.registry import Answer, Corrupt, Drip, FakeRegistry, Fault, Reset, Rules, Stall
from pycontainer.testing.registry.conformance import make_blob, make_image
from pycontainer.transports.http import HttpSettings, RetryPolicy, Timeouts
from pycontainer.transports.registry import RegistryClient, RegistrySettings
from pycontainer.value import replace

if TYPE_CHECKING:
    from collections.abc import Iterator

HTTP = HttpSettings(environment={}, retries=RetryPolicy(count=2, base=0.001))
SETTINGS = RegistrySettings(http=HTTP, environment={}, home=None)
# For servers that stall within a body. A machine that stands still before an answer is no such server.
IMPATIENT = replace(SETTINGS, http=replace(HTTP, timeouts=Timeouts(progress=0.5)))
SOME = {"mediaType": media_types.LAYER_GZIP, "digest": str(Digest.of(b"x")), "size": 1}
MANIFEST = {"schemaVersion": 2, "mediaType": media_types.MANIFEST, "config": SOME, "layers": [SOME]}
INDEX = {"schemaVersion": 2, "mediaType": media_types.INDEX, "manifests": []}


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with FakeRegistry() as made:
        yield made


def pull(body: bytes, *headers: str, tag: str = "acme/api:1", content_type: str = media_types.MANIFEST) -> Any:
    typed = [f"Content-Type: {content_type}"] if content_type else []
    with RawServer(ok(body, *typed, *headers)) as server:
        return RegistryClient(SETTINGS).manifest(Reference.parse(f"{server.host}/{tag}"))


class TestManifests:
    def test_all_types_are_accepted(self, registry: FakeRegistry) -> None:
        with pytest.raises(HTTPStatusError):
            RegistryClient(SETTINGS).manifest(Reference.parse(f"{registry.host}/acme/api"))
        accepted = registry.requests[0].headers["accept"].split(", ")
        assert accepted == [
            media_types.INDEX,
            media_types.MANIFEST,
            media_types.DOCKER_INDEX,
            media_types.DOCKER_MANIFEST,
        ]
        assert registry.requests[0].path == "/v2/acme/api/manifests/latest"

    def test_its_bytes_are_kept_and_its_digest_is_theirs(self) -> None:
        body = json.dumps(MANIFEST, indent=3).encode() + b"\n"
        fetched = pull(body)
        assert fetched.document.to_bytes() == body
        assert fetched.descriptor == Descriptor(media_type=media_types.MANIFEST, digest=Digest.of(body), size=len(body))
        assert fetched.reference.digest == Digest.of(body)
        assert fetched.reference.tag == "1"

    def test_parameters_of_the_content_type_are_ignored(self) -> None:
        fetched = pull(canonical_json(MANIFEST), content_type=f"{media_types.MANIFEST.upper()}; charset=utf-8")
        assert fetched.descriptor.media_type == media_types.MANIFEST

    @pytest.mark.parametrize("content_type", ["", "application/json", "text/plain", "application/octet-stream"])
    def test_a_server_that_does_not_know_types_is_understood(self, content_type: str) -> None:
        assert pull(canonical_json(INDEX), content_type=content_type).descriptor.media_type == media_types.INDEX

    def test_a_body_without_media_type_has_that_of_its_header_or_its_shape(self) -> None:
        bare = {key: value for key, value in MANIFEST.items() if key != "mediaType"}
        docker = media_types.DOCKER_MANIFEST
        assert pull(canonical_json(bare), content_type=docker).descriptor.media_type == docker
        assert pull(canonical_json(bare), content_type="").descriptor.media_type == media_types.MANIFEST

    @pytest.mark.parametrize(
        ("change", "content_type"),
        [
            pytest.param({"mediaType": media_types.DOCKER_MANIFEST}, media_types.MANIFEST, id="types differ"),
            pytest.param({}, media_types.INDEX, id="a manifest called an index"),
            pytest.param({"mediaType": media_types.INDEX}, media_types.INDEX, id="a manifest that calls itself so"),
            pytest.param({"manifests": []}, media_types.MANIFEST, id="both"),
            pytest.param({"fsLayers": []}, media_types.MANIFEST, id="schema 1 inside"),
            pytest.param({"schemaVersion": 1}, media_types.MANIFEST, id="schema version 1"),
            pytest.param({"Layers": []}, media_types.MANIFEST, id="a key in another case"),
            pytest.param({"MANIFESTS": []}, media_types.MANIFEST, id="another key in another case"),
            pytest.param({"mediaType": "application/vnd.evil+json"}, "", id="unknown type"),
            pytest.param({}, "application/vnd.evil+json", id="unknown content type"),
            pytest.param({"config": {**SOME, "digest": "sha256:../../x"}}, media_types.MANIFEST, id="digest is a path"),
            pytest.param({"config": {**SOME, "digest": "md5:" + "0" * 32}}, media_types.MANIFEST, id="md5"),
            pytest.param({"config": {**SOME, "digest": "sha256:" + "A" * 64}}, media_types.MANIFEST, id="upper case"),
            pytest.param({"config": {**SOME, "size": -1}}, media_types.MANIFEST, id="negative size"),
            pytest.param({"config": {**SOME, "size": 2**63}}, media_types.MANIFEST, id="huge size"),
            pytest.param({"config": {**SOME, "size": "1"}}, media_types.MANIFEST, id="size is a text"),
            pytest.param({"config": None}, media_types.MANIFEST, id="no config"),
        ],
    )
    def test_what_could_be_read_in_two_ways_is_refused(self, change: dict[str, Any], content_type: str) -> None:
        with pytest.raises(DocumentError):
            pull(canonical_json({**MANIFEST, **change}), content_type=content_type)

    @pytest.mark.parametrize(
        "body",
        [
            b'{"schemaVersion":2,"schemaVersion":2}',
            b'{"schemaVersion":NaN}',
            b"[" * 10_000,
            b"{" * 100_000,
            b"\xff",
            b"",
            b"[]",
            b"null",
            b'{"schemaVersion":2}',
        ],
    )
    def test_what_is_no_document_is_refused(self, body: bytes) -> None:
        with pytest.raises(DocumentError):
            pull(body)

    def test_schema_1_is_refused_by_its_type(self) -> None:
        with pytest.raises(DocumentError, match="schema 1"):
            pull(b"{}", content_type="application/vnd.docker.distribution.manifest.v1+prettyjws")

    def test_a_large_body_is_refused_at_the_cap(self) -> None:
        with pytest.raises(NetworkError, match="longer than"):
            pull(b" " * (5 << 20))

    def test_four_mebibytes_are_taken(self) -> None:
        body = canonical_json(MANIFEST)
        assert pull(body + b" " * ((4 << 20) - len(body))).descriptor.size == 4 << 20

    def test_a_length_that_lies_is_no_memory(self) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\nConnection: close\r\n\r\n{}"
        with RawServer(head) as server, pytest.raises(NetworkError):
            RegistryClient(SETTINGS).manifest(Reference.parse(f"{server.host}/acme/api"))

    def test_a_web_page_is_not_a_registry(self) -> None:
        with pytest.raises(NetworkError, match="is not a registry"):
            pull(b"<html>Please sign in</html>", content_type="text/html; charset=utf-8")

    def test_other_bytes_than_the_digests_are_refused(self) -> None:
        body = canonical_json(MANIFEST)
        assert pull(body, tag=f"acme/api@{Digest.of(body)}").descriptor.digest == Digest.of(body)
        with pytest.raises(IntegrityError):
            pull(body + b" ", f"Docker-Content-Digest: {Digest.of(body)}", tag=f"acme/api@{Digest.of(body)}")

    @pytest.mark.parametrize("digest", [str(Digest.of(b"other")), "sha256:../../x", "md5:0", "sha256:" + "A" * 64])
    def test_a_header_digest_that_is_wrong_is_refused(self, digest: str) -> None:
        with pytest.raises(IntegrityError):
            pull(canonical_json(MANIFEST), f"Docker-Content-Digest: {digest}")

    def test_a_sha512_reference_is_checked_as_one(self) -> None:
        import hashlib  # noqa: PLC0415

        body = canonical_json(MANIFEST)
        digest = f"sha512:{hashlib.sha512(body).hexdigest()}"
        assert str(pull(body, tag=f"acme/api@{digest}").descriptor.digest) == digest
        with pytest.raises(IntegrityError):
            pull(body + b" ", tag=f"acme/api@{digest}")

    def test_null_fields_and_unknown_ones_do_not_matter(self) -> None:
        odd = {
            **MANIFEST,
            "annotations": None,
            "subject": None,
            "future": {"x": [1]},
            "layers": [{**SOME, "urls": None}],
        }
        assert isinstance(pull(canonical_json(odd)).document, Manifest)

    def test_names_are_checked_before_any_request(self) -> None:
        for text in ("../x", "host.example/UPPER", "host.example/a@sha256:short", "host.example/a:" + "t" * 129):
            with pytest.raises(DocumentError):
                Reference.parse(text)


def entry(platform: dict[str, str] | None, digest: Digest, media_type: str = media_types.MANIFEST) -> dict[str, Any]:
    found: dict[str, Any] = {"mediaType": media_type, "digest": str(digest), "size": 2}
    return found if platform is None else {**found, "platform": platform}


class TestBlobs:
    def read(self, registry: FakeRegistry, size: int = 200_000, *, descriptor: Descriptor | None = None) -> bytes:
        blob = make_blob(size, seed="pulled")
        registry.store.repository("acme/api").blobs[str(blob.descriptor.digest)] = blob.content
        reference = Reference.parse(f"{registry.host}/acme/api")
        with RegistryClient(SETTINGS).blob(reference, descriptor or blob.descriptor).open() as stream:
            content = stream.read()
        assert content == blob.content
        return content

    def test_it_is_read_and_nothing_is_asked_before(self, registry: FakeRegistry) -> None:
        RegistryClient(SETTINGS).blob(Reference.parse(f"{registry.host}/acme/api"), make_blob(1).descriptor)
        assert not registry.requests
        self.read(registry)

    @pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
    @pytest.mark.parametrize("ranges", [True, False])
    def test_a_broken_download_goes_on(self, registry: FakeRegistry, share: float, *, ranges: bool) -> None:
        registry.rules = Rules(ranges=ranges)
        registry.faults.add(Fault(path="/blobs/", effect=Reset(after=int(200_000 * share), answer=True)))
        self.read(registry)
        assert len(registry.requests) == 2
        assert ("range" in registry.requests[1].headers) is True

    @pytest.mark.parametrize(
        "effect",
        [
            Corrupt(flip=True),
            Corrupt(cut=1),
            Corrupt(extra=b"x"),
            Corrupt(flip=True, headers={"Docker-Content-Digest": None}),
            Corrupt(flip=True, headers={"Content-Encoding": "gzip"}),
        ],
    )
    def test_other_bytes_are_refused(self, registry: FakeRegistry, effect: Corrupt) -> None:
        registry.faults.add(Fault(path="/blobs/", effect=effect, times=None))
        with pytest.raises(IntegrityError):
            self.read(registry)

    def test_an_encoded_transfer_is_hashed_as_it_came(self, registry: FakeRegistry) -> None:
        registry.faults.add(Fault(path="/blobs/", effect=Corrupt(headers={"Content-Encoding": "gzip"})))
        self.read(registry)
        assert registry.requests[0].headers["accept-encoding"] == "identity"

    def test_a_size_that_the_descriptor_lies_about_is_refused_before_reading(self, registry: FakeRegistry) -> None:
        wrong = Descriptor(
            media_type=media_types.LAYER_GZIP, digest=make_blob(200_000, seed="pulled").descriptor.digest, size=5
        )
        with pytest.raises(IntegrityError, match="another size"):
            self.read(registry, descriptor=wrong)

    @pytest.mark.parametrize("status", [429, 500, 503])
    def test_a_busy_registry_is_asked_again(self, registry: FakeRegistry, status: int) -> None:
        registry.faults.add(Fault(path="/blobs/", effect=Answer(status=status), times=2))
        self.read(registry)

    def test_a_missing_blob_is_asked_for_once(self, registry: FakeRegistry) -> None:
        with pytest.raises(HTTPStatusError, match="has no blob"):
            RegistryClient(SETTINGS).blob(Reference.parse(f"{registry.host}/acme/api"), make_blob(1).descriptor).open()
        assert len(registry.requests) == 1

    def test_a_forbidden_one_is_denied(self, registry: FakeRegistry) -> None:
        registry.faults.add(Fault(path="/blobs/", effect=Answer(status=403)))
        with pytest.raises(DeniedError, match="Pull from"):
            self.read(registry)

    @pytest.mark.parametrize("effect", [Stall(seconds=600, within=True), Drip(interval=0.02)])
    def test_a_stalled_download_is_left_or_resumed(self, registry: FakeRegistry, effect: Stall | Drip) -> None:
        registry.faults.add(Fault(path="/blobs/", effect=effect, times=None))
        blob = make_blob(200_000, seed="stalled")
        registry.store.repository("acme/api").blobs[str(blob.descriptor.digest)] = blob.content
        reference = Reference.parse(f"{registry.host}/acme/api")
        with RegistryClient(IMPATIENT).blob(reference, blob.descriptor).open() as stream:
            begun = stream.read(1)  # whoever waits for the first byte has nothing to go on from, and begins again
            registry.faults.clear()
            assert begun + stream.read() == blob.content
        assert any("range" in item.headers for item in registry.requests)

    def test_storage_elsewhere_gets_no_credentials(self, registry: FakeRegistry) -> None:
        blob = make_blob(100, seed="elsewhere")
        with RawServer(ok(blob.content)) as storage:
            effect = Answer(status=307, headers={"Location": f"{storage.url}/bucket?sig=1"})
            registry.rules = Rules(authentication="token", anonymous_pull=True)
            registry.faults.add(Fault(path="/blobs/", skip=1, effect=effect))
            http = replace(HTTP, allowed_hosts=frozenset({storage.host}))
            client = RegistryClient(replace(SETTINGS, http=http))
            with client.blob(Reference.parse(f"{registry.host}/acme/api"), blob.descriptor).open() as stream:
                assert stream.read() == blob.content
            assert b"authorization" not in storage.heads[0].lower()
        assert "authorization" in registry.requests[-1].headers


class TestForeignLayers:
    FOREIGN = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"

    @pytest.mark.parametrize("url", ["http://cdn.example/layer", "https://127.0.0.1:1/layer", "file:///etc/passwd"])
    def test_their_urls_must_be_https_and_public(self, registry: FakeRegistry, url: str) -> None:
        descriptor = Descriptor(media_type=self.FOREIGN, digest=Digest.of(b"x"), size=1, urls=(url,))
        with pytest.raises(NetworkError):
            RegistryClient(SETTINGS).blob(Reference.parse(f"{registry.host}/acme/api"), descriptor).open()

    def test_urls_of_ordinary_layers_are_not_followed(self, registry: FakeRegistry) -> None:
        urls = ("https://nowhere.invalid/layer",)
        descriptor = Descriptor(media_type=media_types.LAYER_GZIP, digest=Digest.of(b"x"), size=1, urls=urls)
        with pytest.raises(HTTPStatusError, match="has no blob"):
            RegistryClient(SETTINGS).blob(Reference.parse(f"{registry.host}/acme/api"), descriptor).open()


class TestMirrors:
    def push(self, registry: FakeRegistry, repository: str) -> Any:
        client = RegistryClient(SETTINGS)
        image = make_image(100)
        reference = Reference.parse(f"{registry.host}/{repository}:1")
        for blob in (image.config_blob, image.layers[0].blob):
            client.push_blob(reference, blob)
        client.push_manifest(reference, image.manifest.to_bytes(), media_types.MANIFEST)
        return image

    def test_a_mirror_goes_first_and_gets_no_credentials_of_the_registry(self, registry: FakeRegistry) -> None:
        from pycontainer.transports.registry import Credential  # noqa: PLC0415
        from pycontainer.transports.secrets import Redacted  # noqa: PLC0415

        registry.rules = Rules()
        image = self.push(registry, "hub/library/python")
        registry.rules = Rules(authentication="token", anonymous_pull=True)
        settings = replace(
            SETTINGS,
            mirrors={"docker.io": (f"{registry.host}/hub",)},
            credentials={"docker.io": Credential(username="bob", password=Redacted("s3cret"))},
        )
        client = RegistryClient(settings)
        fetched = client.manifest(Reference.parse("python:1"))
        assert fetched.descriptor.digest == image.digest
        with client.blob(fetched.reference, image.layers[0].descriptor).open() as stream:
            assert len(stream.read()) == 100
        asked = [item for item in registry.requests if item.path == "/token"]
        assert asked
        assert all("authorization" not in item.headers for item in asked)
        assert all("ns=" not in item.query for item in registry.requests)
        assert "repository%3Ahub%2Flibrary%2Fpython%3Apull" in asked[0].query

    def test_a_mirror_that_fails_is_passed_over(self, registry: FakeRegistry) -> None:
        image = self.push(registry, "acme/api")
        with RawServer(answer(404)) as mirror:
            client = RegistryClient(replace(SETTINGS, mirrors={registry.host: (mirror.host,)}))
            fetched = client.manifest(Reference.parse(f"{registry.host}/acme/api:1"))
            assert fetched.descriptor.digest == image.digest
            with client.blob(fetched.reference, image.layers[0].descriptor).open() as stream:
                assert len(stream.read()) == 100
            assert len(mirror.heads) == 2

    @pytest.mark.parametrize(
        "said",
        [ok(b"<html>Log in</html>", "Content-Type: text/html"), ok(b"{}"), answer(500)],
        ids=["login", "nothing", "failure"],
    )
    def test_a_mirror_that_answers_nonsense_is_passed_over(self, registry: FakeRegistry, said: bytes) -> None:
        image = self.push(registry, "acme/api")
        with RawServer(said) as mirror:
            client = RegistryClient(replace(SETTINGS, mirrors={registry.host: (mirror.host,)}))
            fetched = client.manifest(Reference.parse(f"{registry.host}/acme/api@{image.digest}"))
            assert fetched.descriptor.digest == image.digest
            with client.blob(fetched.reference, image.layers[0].descriptor).open() as stream:
                assert len(stream.read()) == 100

    def test_a_mirror_that_does_not_answer_is_waited_for_once(self, registry: FakeRegistry) -> None:
        image = self.push(registry, "acme/api")
        with FakeRegistry() as mirror:
            mirror.faults.add(Fault(effect=Reset(), times=None))
            client = RegistryClient(replace(SETTINGS, mirrors={registry.host: (mirror.host,)}))
            fetched = client.manifest(Reference.parse(f"{registry.host}/acme/api:1"))
            asked = len(mirror.requests)
            assert asked == 3
            with client.blob(fetched.reference, image.layers[0].descriptor).open() as stream:
                assert len(stream.read()) == 100
            assert len(mirror.requests) == asked

    @pytest.mark.parametrize("broken", [Reset(answer=True, after=20_000), Stall(seconds=600, within=True)])
    @pytest.mark.parametrize("rules", [Rules(), Rules(ranges=False)], ids=["ranges", "whole"])
    def test_a_mirror_that_breaks_within_a_blob_leaves_the_rest_to_the_registry(
        self, registry: FakeRegistry, broken: Reset | Stall, rules: Rules
    ) -> None:
        blob = make_blob(400_000)
        RegistryClient(SETTINGS).push_blob(Reference.parse(f"{registry.host}/acme/api"), blob)
        registry.rules = rules
        with FakeRegistry() as mirror:
            RegistryClient(SETTINGS).push_blob(Reference.parse(f"{mirror.host}/acme/api"), blob)
            mirror.faults.add(Fault(method="GET", path="/blobs/", effect=broken, times=None))
            client = RegistryClient(replace(IMPATIENT, mirrors={registry.host: (mirror.host,)}))
            with client.blob(Reference.parse(f"{registry.host}/acme/api"), blob.descriptor).open() as stream:
                assert Digest.of(stream.read()) == blob.descriptor.digest
        asked = registry.asked("GET", "/blobs/")
        begins = [int(item.headers["range"].removeprefix("bytes=").rstrip("-")) for item in asked]
        assert begins
        assert all(0 < begin < 400_000 for begin in begins), "what the mirror sent is not asked for again"

    def test_a_mirror_whose_content_ends_early_leaves_the_rest_to_the_registry(self, registry: FakeRegistry) -> None:
        blob = make_blob(1000)
        RegistryClient(SETTINGS).push_blob(Reference.parse(f"{registry.host}/acme/api"), blob)
        head = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
        with RawServer(head + blob.content[:400]) as mirror:
            client = RegistryClient(replace(SETTINGS, mirrors={registry.host: (mirror.host,)}))
            with client.blob(Reference.parse(f"{registry.host}/acme/api"), blob.descriptor).open() as stream:
                assert stream.read() == blob.content
        [rest] = registry.asked("GET", "/blobs/")
        assert rest.headers["range"] == "bytes=400-"

    def test_when_the_registry_breaks_too_its_failure_is_told(self, registry: FakeRegistry) -> None:
        blob = make_blob(400_000)
        reference = Reference.parse(f"{registry.host}/acme/api")
        RegistryClient(SETTINGS).push_blob(reference, blob)
        registry.faults.add(Fault(method="GET", path="/blobs/", effect=Reset(answer=True, after=10), times=None))
        with FakeRegistry() as mirror:
            client = RegistryClient(replace(SETTINGS, mirrors={registry.host: (mirror.host,)}))
            with client.blob(reference, blob.descriptor).open() as stream, pytest.raises(NetworkError) as caught:
                stream.read()
        assert registry.host in str(caught.value)

    def test_bytes_of_a_mirror_that_are_wrong_are_never_taken(self, registry: FakeRegistry) -> None:
        blob = make_blob(1000)
        reference = Reference.parse(f"{registry.host}/acme/api")
        with RawServer(ok(bytes(1000))) as mirror:
            client = RegistryClient(replace(SETTINGS, mirrors={registry.host: (mirror.host,)}))
            with client.blob(reference, blob.descriptor).open() as stream, pytest.raises(IntegrityError):
                stream.read()

    def test_a_push_goes_to_the_registry_itself(self, registry: FakeRegistry) -> None:
        with RawServer(answer(404)) as mirror:
            client = RegistryClient(replace(SETTINGS, mirrors={registry.host: (mirror.host,)}))
            client.push_blob(Reference.parse(f"{registry.host}/acme/api"), make_blob(10))
            assert not mirror.heads


class TestEndpoints:
    @pytest.mark.parametrize(
        ("registry", "base"),
        [
            ("docker.io", "https://registry-1.docker.io"),
            ("ghcr.io", "https://ghcr.io"),
            ("localhost:5000", "http://localhost:5000"),
            ("127.0.0.1:5000", "http://127.0.0.1:5000"),
            ("10.0.0.1:5000", "https://10.0.0.1:5000"),
            ("plain.example", "http://plain.example"),
            ("plain.example:5000", "http://plain.example:5000"),
            ("named.example:5000", "http://named.example:5000"),
            ("named.example:5001", "https://named.example:5001"),
        ],
    )
    def test_https_unless_loopback_or_allowed(self, registry: str, base: str) -> None:
        from pycontainer.transports.registry.endpoint import upstream  # noqa: PLC0415

        settings = replace(SETTINGS, insecure=frozenset({"plain.example", "named.example:5000"}))
        assert upstream(registry, settings).base == base
